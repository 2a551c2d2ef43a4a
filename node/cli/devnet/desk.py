"""What the pages of a development network do when asked to: give, let dates pass, play a step.

One thing at a time, in a task of the node that serves the pages. Everything goes the way that
anybody else's goes: transactions through the public client, signed with development keys, which
everybody has; time by the nodes' control sockets, which the folder of the network holds. Nothing is
kept of what was played: that is read from the ledger.
"""

import asyncio
import contextlib
import re
import secrets
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from node.cli.demo import playing as dvp
from node.cli.demo.debt import playing as debt
from node.cli.demo.debt import stage as debt_stage
from node.cli.demo.narrator import Narrator
from node.cli.demo.stage import Actor, Cast, enrol_all, open_stage
from node.cli.demo.steps import Step, catch_up, count_played, is_ready, play
from node.client import Client, ClientError, NotFound, Refused
from node.clock import Clock
from node.control import ControlError
from node.control import Refused as ControlRefused
from node.explorer.contents import CheckLine, DeskView, PlayLine, Run, RunRefusal, StepLine
from node.explorer.development import Deny, Report
from node.explorer.limits import (
    RUN_CHECKS_MAX,
    RUN_LINE_CHARACTERS_MAX,
    RUN_LINES_MAX,
    RUN_TRANSACTIONS_MAX,
    RUNS_KEPT_MAX,
)
from node.explorer.refusals import PageRefusal
from node.explorer.showing import cut
from node.keys import LocalSigner
from node.ledger.operations import Operation
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import ParticipantKind
from node.provision.acts import RUPEE, issue
from node.provision.local import LocalNetwork, NodeFailed, open_network
from node.provision.travelling import NoBlock, NodesStopped, Passed, time_of, travel

FAUCET_RUPEES_MAX: Final = 1_000_000
FAUCET_PER_MINUTE_MAX: Final = 10
TRAVEL_DAYS_MAX: Final = 366
RUN_S_MAX: Final = 600.0
"""Longer than anything takes here; what takes longer has got stuck, and must not bar the rest."""
LOOK_KEPT_S: Final = 1.0
"""How long an answer on what was played is good while no block comes."""
OFFSET: Final = "utc-offset-minutes"
PAISA: Final = 100

Opens: TypeAlias = Callable[["DevnetDesk", Narrator], contextlib.AbstractAsyncContextManager[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A demonstration, and how one comes onto its stage."""

    name: str
    steps: Sequence[Step[Any]]
    open: Opens


@dataclass(slots=True, kw_only=True)
class _Run:
    """Something that is being done, or was."""

    number: int
    act: str
    play: str | None = None
    step: str | None = None
    wanted: str | None = None
    state: str = "running"
    address: str | None = None
    private_key: str | None = None
    transactions: list[str] = field(default_factory=list)
    from_height: int = 0
    to_height: int | None = None
    voice: "_Voice" = field(default_factory=lambda: _Voice())
    checks: list[CheckLine] = field(default_factory=list)
    refusal: RunRefusal | None = None

    def view(self) -> Run:
        """Return it as a page has it."""
        return Run(
            number=self.number,
            act=self.act,
            play=self.play,
            step=self.step,
            state=self.state,
            wanted=self.wanted,
            address=self.address,
            private_key=self.private_key,
            transactions=self.transactions[:RUN_TRANSACTIONS_MAX],
            from_height=self.from_height,
            to_height=self.to_height,
            lines=self.voice.lines,
            checks=self.checks,
            refusal=self.refusal,
        )


class _Voice:
    """Keeps the last lines of what is told, and the moving one."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=RUN_LINES_MAX)
        self._moving = ""

    @property
    def lines(self) -> list[str]:
        """What was told; the moving line last."""
        return [*self._lines, *([f"… {self._moving}"] if self._moving else [])]

    def heading(self, text: str) -> None:
        """Leave it out: the page says in its own words which step it is."""

    def line(self, text: str, *, good: bool | None = None) -> None:
        """Keep a line."""
        del good  # The text says it too.
        self._lines.append(cut(text.strip(), RUN_LINE_CHARACTERS_MAX))

    def moving(self, text: str) -> None:
        """Replace the moving line."""
        self._moving = text


class DevnetDesk:
    """The desk of one node. Enter it before the node starts, leave it after it has stopped."""

    def __init__(self, root: Path, clock: Clock, *, everywhere: bool) -> None:
        """Store what is given; the network is looked at when somebody asks.

        Raises:
            NoSuchNetwork: the folder holds none.
        """
        self.everywhere = everywhere
        self.network: Final[LocalNetwork] = open_network(root)
        self.clock: Final = clock
        self._runs: list[_Run] = []
        self._given: deque[float] = deque(maxlen=FAUCET_PER_MINUTE_MAX)
        self._played: dict[str, int] = {}
        self._looked: tuple[int, float] | None = None
        """At which height that was, and when."""
        self._looking = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = contextlib.AsyncExitStack()
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        """Be ready to act."""
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        urls = [node.url for node in self.network.validators]
        self._client = await self._stack.enter_async_context(
            Client(urls, network=self.network.genesis)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up what is being done."""
        if self._acting is not None:
            self._acting.cancel()
        if isinstance(error, Exception):
            # What ended the node beside it is to come out as itself, not in a group.
            kind = error = trace = None
        await self._stack.__aexit__(kind, error, trace)

    _acting: asyncio.Task[None] | None = None

    # What the page shows.

    async def look(self) -> DeskView:
        """Return how things stand.

        Raises:
            PageRefusal: the network does not answer.
        """
        try:
            passed = await time_of(self.network)
            offset = await self._offset_minutes()
            if not self._is_acting:
                await self._count(passed.height)
        except (ClientError, ControlError, ControlRefused, NodesStopped) as error:
            raise PageRefusal(503, expected=Deny.UNREACHABLE, reason=str(error)) from None
        local = timezone(timedelta(minutes=offset))
        return DeskView(
            time=_written(passed.now_ms),
            today=f"{datetime.fromtimestamp(passed.now_ms / 1000, local):%Y-%m-%d}",
            ahead_days=passed.travelled_ms // 86_400_000,
            faucet_most=FAUCET_RUPEES_MAX,
            travel_most=TRAVEL_DAYS_MAX,
            plays=[self._line(each) for each in PLAYS],
            runs=[run.view() for run in reversed(self._runs)],
        )

    def _line(self, each: Play) -> PlayLine:
        played = self._played.get(each.name, 0)
        return PlayLine(
            name=each.name,
            steps=[
                StepLine(name=step.name, state=_state(each.steps, place, played))
                for place, step in enumerate(each.steps)
            ],
        )

    async def _count(self, height: int) -> None:
        """Ask the ledger how far each demonstration is, unless it was asked just now."""
        async with self._looking:
            now = self.clock.monotonic()
            if self._looked is not None:
                at_height, at = self._looked
                if at_height == height or now - at < LOOK_KEPT_S:
                    return
            for each in PLAYS:
                narrator = Narrator(_Voice(), self.clock, steps=len(each.steps))
                async with each.open(self, narrator) as stage:
                    self._played[each.name] = await count_played(stage, each.steps)
            self._looked = (height, now)

    # What it does.

    @property
    def _is_acting(self) -> bool:
        return self._acting is not None and not self._acting.done()

    async def begin(self, form: Mapping[str, str], report: Report) -> None:
        """Begin what a form asks for.

        Raises:
            PageRefusal: it cannot be done.
        """
        if self._is_acting:
            raise PageRefusal(409, expected=Deny.BUSY)
        match form.get("act"):
            case "faucet":
                run, work = self._faucet(form)
            case "travel":
                run, work = await self._travel(form)
            case "step":
                run, work = await self._step(form)
            case other:
                raise PageRefusal(400, found=other, expected=Deny.ACT)
        if self._is_acting:  # somebody else's, begun while this one was looked at
            raise PageRefusal(409, expected=Deny.BUSY)
        self._runs = [*self._runs[1 - RUNS_KEPT_MAX :], run]
        assert self._tasks is not None, "the desk is entered"
        self._acting = self._tasks.create_task(
            self._act(run, work, report), name=f"desk-{run.number}"
        )

    async def _act(self, run: _Run, work: Callable[[_Run], Any], report: Report) -> None:
        try:
            run.from_height = (await time_of(self.network)).height
            async with asyncio.timeout(RUN_S_MAX):
                await work(run)
            run.to_height = (await time_of(self.network)).height
            run.state = "done"
        except Exception as error:
            run.state = "failed"
            run.refusal = _refusal(error)
            if run.refusal is None:
                trace_id = report(f"desk {run.act}", error)
                run.refusal = RunRefusal(reason=Deny.ENDED, values={"trace": trace_id})
        finally:
            run.voice.moving("")
            self._looked = None

    def _new(self, act: str, **more: Any) -> _Run:
        number = self._runs[-1].number + 1 if self._runs else 1
        return _Run(number=number, act=act, **more)

    def _faucet(self, form: Mapping[str, str]) -> tuple[_Run, Callable[[_Run], Any]]:
        text = form.get("amount", "")
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= FAUCET_RUPEES_MAX:
            raise PageRefusal(
                400, found=text, expected=Deny.AMOUNT, values={"most": f"{FAUCET_RUPEES_MAX:,}"}
            )
        address = form.get("address") or None
        if address is not None:
            try:
                self._known.parse_address(address)
            except ValueError as error:
                raise PageRefusal(
                    400, found=address, expected=Deny.ADDRESS, reason=str(error)
                ) from None
        now = self.clock.monotonic()
        if len(self._given) == FAUCET_PER_MINUTE_MAX and now - self._given[0] < 60:
            raise PageRefusal(
                429,
                expected=Deny.TOO_OFTEN,
                values={"most": FAUCET_PER_MINUTE_MAX},
                headers={"Retry-After": str(int(61 - (now - self._given[0])))},
            )
        self._given.append(now)
        amount = int(text) * PAISA

        async def work(run: _Run) -> None:
            await self._give(run, address, amount)

        return self._new("faucet", wanted=f"{int(text):,}", address=address), work

    async def _give(self, run: _Run, address: str | None, amount: int) -> None:
        """Give rupees to an account, or to a new one."""
        bank, regulator = Actor.known("central-bank"), Actor.known("virtual-asset-regulator")
        opening: list[Operation] = []
        if address is None:
            guest = Actor.called(f"guest-{secrets.token_hex(4)}")
            kinds = {guest.name: ParticipantKind.PERSON}
            opening += enrol_all(
                [guest],
                kinds=kinds,
                central_bank=bank,
                regulator=regulator,
                identified=(await self._asking.status()).protocol_version >= DEBT_DESK,
            )
            to = guest.address
            address = self._known.render_address(to)
            signer: LocalSigner | None = guest.signer
        else:
            to, signer = self._known.parse_address(address), None
        client = self._asking
        if signer is None:
            await client.account(to)
        builder = await client.transaction()
        builder.add(*opening, issue(account=bank.address, asset=RUPEE, amount=amount, to=to))
        draft = builder.sign(bank.signer, *([regulator.signer] if opening else []))
        await client.submit(draft)
        run.transactions.append(draft.id.hex())
        run.address = address
        run.private_key = None if signer is None else signer.seed.hex()

    async def _travel(self, form: Mapping[str, str]) -> tuple[_Run, Callable[[_Run], Any]]:
        text = form.get("to", "")
        try:
            # fromisoformat reads other spellings of a day too.
            day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
        except ValueError:
            day = None
        if day is None:
            raise PageRefusal(400, found=text, expected=Deny.DAY)
        try:
            now_ms = (await time_of(self.network)).now_ms
            offset = await self._offset_minutes()
        except (ClientError, ControlError, ControlRefused, NodesStopped) as error:
            raise PageRefusal(503, expected=Deny.UNREACHABLE, reason=str(error)) from None
        local = timezone(timedelta(minutes=offset))
        today = datetime.fromtimestamp(now_ms / 1000, local).date()
        if day <= today:
            raise PageRefusal(
                409, found=text, expected=Deny.PAST, values={"today": today.isoformat()}
            )
        if day - today > timedelta(days=TRAVEL_DAYS_MAX):
            raise PageRefusal(409, found=text, expected=Deny.FAR, values={"most": TRAVEL_DAYS_MAX})
        to_ms = int(datetime(day.year, day.month, day.day, tzinfo=local).timestamp() * 1000)

        async def work(run: _Run) -> None:
            def at(passed: Passed) -> None:
                run.voice.moving(f"{_written(passed.head_ms)}, block {passed.height}")

            await travel(self.network, to_ms, utc_offset_minutes=offset, progress=at)

        return self._new("travel", wanted=day.isoformat()), work

    async def _step(self, form: Mapping[str, str]) -> tuple[_Run, Callable[[_Run], Any]]:
        named = form.get("play", ""), form.get("step", "")
        each = next((each for each in PLAYS if each.name == named[0]), None)
        names = [] if each is None else [step.name for step in each.steps]
        if each is None or named[1] not in names:
            raise PageRefusal(400, found=" ".join(named), expected=Deny.ACT)
        place = names.index(named[1])
        view = await self.look()
        line = next(line for line in view.plays if line.name == each.name)
        state = line.steps[place].state
        if state != "ready":
            expected = Deny.DONE if state == "done" else Deny.LATER
            raise PageRefusal(409, found=named[1], expected=expected)

        async def work(run: _Run) -> None:
            await self._perform(run, each, place)

        return self._new("step", play=each.name, step=named[1]), work

    async def _perform(self, run: _Run, each: Play, place: int) -> None:
        narrator = Narrator(run.voice, self.clock, steps=len(each.steps))
        async with each.open(self, narrator) as stage:
            run.transactions = stage.made
            await catch_up(stage, each.steps[:place])
            try:
                await play(stage, each.steps[place])
            finally:
                run.checks = [
                    CheckLine(
                        name=check.name,
                        holds=check.holds,
                        found=cut(check.found, RUN_LINE_CHARACTERS_MAX),
                    )
                    for check in narrator.checks[:RUN_CHECKS_MAX]
                ]

    @property
    def _asking(self) -> Client:
        assert self._client is not None, "the desk is entered"
        return self._client

    @property
    def _known(self) -> Any:
        return self._asking.network

    async def _offset_minutes(self) -> int:
        parameters = (await self._asking.parameters()).value
        return next(each.value for each in parameters if each.name == OFFSET)


@contextlib.asynccontextmanager
async def _open_dvp(desk: DevnetDesk, narrator: Narrator) -> AsyncIterator[Any]:
    with tempfile.TemporaryDirectory(prefix="khazana-desk-") as folder:
        async with open_stage(
            desk.network, narrator, desk.clock, cast=Cast.known(), folder=Path(folder)
        ) as stage:
            yield stage


def _open_debt(
    desk: DevnetDesk, narrator: Narrator
) -> contextlib.AbstractAsyncContextManager[debt_stage.DebtStage]:
    return debt_stage.open_stage(desk.network, narrator)


PLAYS: Final = (
    Play(name="dvp", steps=dvp.STEPS, open=_open_dvp),
    Play(name="debt", steps=debt.STEPS, open=_open_debt),
)


def _state(steps: Sequence[Step[Any]], place: int, played: int) -> str:
    if is_ready(steps, place, played):
        return "ready"
    return "done" if place < played else "later"


def _refusal(error: BaseException) -> RunRefusal | None:
    """Return why something came to nothing, where that is nobody's mistake."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case Refused():
            return RunRefusal(
                reason=Deny.LEDGER,
                values={},
                outcome=error.name,
                details=dict(error.details),
                sentence=error.sentence,
            )
        case NotFound():
            return RunRefusal(reason=Deny.ACCOUNT, values={})
        case NodesStopped():
            return RunRefusal(reason=Deny.STOPPED, values={"nodes": ", ".join(error.names)})
        case NoBlock() | NodeFailed() | TimeoutError():
            return RunRefusal(reason=Deny.NO_BLOCK, values={}, sentence=str(error))
        case ClientError() | ControlError() | ControlRefused():
            return RunRefusal(reason=Deny.UNREACHABLE, values={}, sentence=str(error))
        case _:
            return None


def _written(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
