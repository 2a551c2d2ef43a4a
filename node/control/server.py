"""What a running node does for its operator, over a unix socket of mode 0600 in its home.

    POST /backup   {"to": "/absolute/path", "blocks": true}
                   answers 200 with lines of JSON: {"written": bytes} from time to time, and at the
                   end {"done": {...}} or {"refused": "why"}
    GET /outlook   what the node knows of itself and of the others: an `Outlook`
    GET /time      what time it is here and on the chain: a `Moment`; on a network that is not for
                   development, this and the next two are refused
    POST /time     {"travelled_ms": n}  be so far ahead of the machine; answers with the moment
    POST /block    {"above": height}  make a block, unless the chain is above; with the moment

Who may open the socket is the file system's to say: the owner of the home. Nothing of this is on
the listener for clients, and nothing on that listener reaches this (adversarial 73). A request is
small; one backup at a time, a second one is refused at once, and so is whoever waits for a block as
the fifth.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from node.control.place import short_path
from node.ledger.units import MS_PER_DAY

if TYPE_CHECKING:
    from node.log import Logger

REQUEST_BYTES_MAX: Final = 16 << 10
PATH_LENGTH_MAX: Final = 4_096
SAY_EVERY_BYTES: Final = 8 << 20
STEP_MAX_MS: Final = MS_PER_DAY
"""Of travelling, a day at once: at each step there is a block, so every day has one."""
WAITING_MAX: Final = 4
"""Requests that wait for a block at once."""
LATEST_MS: Final = 7_258_118_400_000
"""2200-01-01: up to there a time can be written everywhere. Other programs count nanoseconds in 64
bits, which end in 2262, and a security that begins then still ends far before the last day that the
ledger can write."""
TRAVEL_REFUSED: Final = (
    "this network's genesis does not say that it is for development: its time is that of its"
    " machines, and no node of it is set ahead"
)
STOP_S: Final = 1.0
"""How long a backup under way may go on when the node ends; then it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was made."""

    height: int
    block_id: str
    state_root: str
    size_bytes: int
    blocks: int


class BackupRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for."""

    to: str
    blocks: bool


class TravelRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far ahead of the machine the node is to be."""

    travelled_ms: int


class BlockRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which height is to be passed."""

    above: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is at a node, and on its chain."""

    now_ms: int
    travelled_ms: int
    """Of it, how far the node is ahead of its machine."""
    height: int
    head_ms: int
    """The time of the last block."""
    due_ms: int | None
    """When the next thing is due on the ledger; not after `head_ms`: more than one block takes."""


class PeerOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """One member of the network as the node sees it."""

    name: str
    role: str
    connected: bool
    address: str
    """Where it is, or would be dialled; may be empty."""
    height: int
    """The highest it has told of; 0 while it is not connected."""
    software: str
    """May be empty."""
    reason: str
    """Why there is no link, or why the last one ended; may be empty."""
    banned_s: float
    """For how long it is still kept out."""
    clock_ahead_ms: int | None
    """Of the node's own; None: no proposal of it has come."""
    clock_drift_ms_per_hour: float | None
    """None: not watched for long enough."""


class ValidatorOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """A validator on the ledger."""

    name: str
    public_key: str
    """Hexadecimal."""
    tls_certificate: str
    """DER, hexadecimal."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a running node knows of itself and of the others."""

    node: str
    software: str
    genesis_hash: str
    height: int
    protocol_version: int
    """Rules the next height."""
    protocol_versions_known: list[int]
    upgrade_version: int | None
    """What is scheduled; None: nothing."""
    upgrade_height: int | None
    clock_ahead_max_ms: int
    """A proposal further ahead of a validator's clock than this is refused by it."""
    clock_behind_max_ms: int
    why_silent: str | None
    """Why this validator signs nothing; None: it does, or it observes."""
    lacks: list[str] | None = None
    """What it is not ready for want of, as `/readyz?verbose` says it; None: its release does not
    tell."""
    validators: list[ValidatorOutlook]
    peers: list[PeerOutlook]


class Travels(Protocol):
    """A node that can be set ahead."""

    def moment(self) -> Moment:
        """Return what time it is here, and on the chain."""
        ...

    async def move(self, travelled_ms: int) -> str | None:
        """Be this far ahead of the machine; a sentence: why not."""
        ...

    async def next_block(self, above: int) -> None:
        """Let a block be made and wait for it, within bounds; not if the chain is above."""
        ...


RequestT = TypeVar("RequestT", bound=msgspec.Struct)

BackUp: TypeAlias = Callable[[Path, bool, Callable[[int], None]], Awaitable[Made | str]]
"""Makes a backup at a path, with blocks or without, and says how much is written; a sentence: why
there is none."""


class ControlServer:
    """The socket of one node."""

    def __init__(
        self,
        path: Path,
        *,
        back_up: BackUp,
        outlook: Callable[[], Outlook],
        travel: Travels | None,
        log: "Logger",
    ) -> None:
        """Store what is given; `start` opens the socket.

        Args:
            outlook: asked at each request for it.
            travel: None where the network is not for development.
        """
        self._path = path
        self._back_up = back_up
        self._outlook = outlook
        self._log = log.bind(part="control")
        self._busy = False
        self._travel = travel
        self._waiting = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; the node holds the lock of its database, so a socket that is there is stale.

        Raises:
            OSError: the socket cannot be made.
        """
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.router.add_post("/backup", self._backup)
        application.router.add_get("/outlook", self._look)
        application.router.add_get("/time", self._time)
        application.router.add_post("/time", self._move)
        application.router.add_post("/block", self._block)
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=STOP_S
        )
        await runner.setup()
        self._runner = runner
        await web.SockSite(runner, self._listen()).start()

    async def stop(self) -> None:
        """Close the socket and take its name away."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    def _listen(self) -> socket.socket:
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # From its first moment on nobody else can open it.
        before = os.umask(0o177)
        try:
            with short_path(self._path) as name:
                listener.bind(name)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        return listener

    async def _backup(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, BackupRequest)
        if isinstance(wanted, str):
            return _refusal(400, wanted)
        to = Path(wanted.to)
        if not to.is_absolute() or len(wanted.to) > PATH_LENGTH_MAX or "\0" in wanted.to:
            return _refusal(400, "the place of a backup is an absolute path")
        if self._busy:
            return _refusal(409, "a backup is being made already")
        self._busy = True
        try:
            return await self._answer(request, to, blocks=wanted.blocks)
        finally:
            self._busy = False

    async def _answer(self, request: web.Request, to: Path, *, blocks: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
        await response.prepare(request)
        said = 0
        told: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

        def progress(written: int) -> None:
            nonlocal said
            if written - said >= SAY_EVERY_BYTES and told.empty():
                said = written
                told.put_nowait(written)

        self._log.info("backup begun", to=str(to), blocks=blocks)
        async with asyncio.TaskGroup() as tasks:
            saying = tasks.create_task(_say(response, told), name="control-progress")
            try:
                made = await self._back_up(to, blocks, progress)
            finally:
                saying.cancel()
        if isinstance(made, str):
            self._log.warning("no backup", to=str(to), reason=made)
            last: dict[str, object] = {"refused": made}
        else:
            self._log.info("backup made", to=str(to), height=made.height, bytes=made.size_bytes)
            last = {"done": asdict(made)}
        # The backup is there, whoever has gone meanwhile.
        with suppress(ConnectionError):
            await response.write(msgspec.json.encode(last) + b"\n")
            await response.write_eof()
        return response

    async def _look(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.json_response(body=msgspec.json.encode(self._outlook()))

    async def _time(self, request: web.Request) -> web.Response:  # noqa: ARG002
        if self._travel is None:
            return _refusal(403, TRAVEL_REFUSED)
        return _told(self._travel.moment())

    async def _move(self, request: web.Request) -> web.Response:
        if self._travel is None:
            return _refusal(403, TRAVEL_REFUSED)
        wanted = await _read(request, TravelRequest)
        if isinstance(wanted, str):
            return _refusal(400, wanted)
        why_not = await self._travel.move(wanted.travelled_ms)
        if why_not is not None:
            return _refusal(409, why_not)
        return _told(self._travel.moment())

    async def _block(self, request: web.Request) -> web.Response:
        if self._travel is None:
            return _refusal(403, TRAVEL_REFUSED)
        wanted = await _read(request, BlockRequest)
        if isinstance(wanted, str):
            return _refusal(400, wanted)
        if self._waiting >= WAITING_MAX:
            return _refusal(409, f"{self._waiting} wait for a block already")
        self._waiting += 1
        try:
            await self._travel.next_block(wanted.above)
        finally:
            self._waiting -= 1
        return _told(self._travel.moment())


async def _read(request: web.Request, kind: type[RequestT]) -> RequestT | str:
    """Return what is asked for, or why it is not understood."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"not understood: {error}"


def _told(moment: Moment) -> web.Response:
    return web.json_response(body=msgspec.json.encode(moment))


async def _say(response: web.StreamResponse, told: asyncio.Queue[int]) -> None:
    with suppress(ConnectionError):
        while True:
            await response.write(msgspec.json.encode({"written": await told.get()}) + b"\n")


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"refused": why}, status=status)
