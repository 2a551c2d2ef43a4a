"""The page of a development network: a faucet, travel in time, and the steps of demonstrations.

The one page that acts. It is there only where whoever runs the node has given it a `Desk`, which
needs a network whose genesis says that it is for development, and only for browsers of this machine
unless the desk says otherwise. What it is asked to do comes as a form, from a page of this very
node: the browser says so (`Origin`), and the form carries a token that no other page can read.

What is asked for is begun, and the page says how far it is; there is one such act at a time. The
result is told by what is on the ledger: the transactions that were made, and what fell due.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import parse_qsl

from aiohttp import HttpVersion11, hdrs, web

from node.explorer.contents import DeskView, DevelopmentContent, DoneContent, Run, Sentence
from node.explorer.limits import (
    DESK_BLOCKS_READ_MAX,
    DESK_BODY_BYTES_MAX,
    DESK_FIELDS_MAX,
    DESK_TRANSACTIONS_SHOWN_MAX,
    EVENTS_SHOWN_MAX,
    RUNS_KEPT_MAX,
)
from node.explorer.reading import Reading
from node.explorer.refusals import PageRefusal
from node.explorer.showing import Showing
from node.rpc import params
from node.rpc.errors import NotFound, Pruned
from node.rpc.http import HttpRefusal, check_type, read_body
from node.rpc.pages import Door
from node.rpc.results import Object, at_head

FORWARDING: Final = (
    hdrs.FORWARDED,
    hdrs.VIA,
    hdrs.X_FORWARDED_FOR,
    hdrs.X_FORWARDED_HOST,
    hdrs.X_FORWARDED_PROTO,
    "X-Real-IP",
)
"""By which proxies say that somebody else asks."""
FORM_TYPE: Final = "application/x-www-form-urlencoded"
PATH: Final = "development"

Report = Callable[[str, BaseException], str]
"""Logs a failure of ours under a name; returns its trace id."""


class Deny(StrEnum):
    """Why the desk does not do what it is asked to: keys of texts in the catalogues."""

    ACCOUNT = "desk-account"
    ACT = "desk-act"
    ADDRESS = "desk-address"
    AMOUNT = "desk-amount"
    BUSY = "desk-busy"
    DAY = "desk-day"
    DONE = "desk-done"
    ENDED = "desk-ended"
    FAR = "desk-far"
    LATER = "desk-later"
    LEDGER = "desk-ledger"
    NO_BLOCK = "desk-no-block"
    ORIGIN = "desk-origin"
    PAST = "desk-past"
    STOPPED = "desk-stopped"
    TOKEN = "desk-token"
    TOO_OFTEN = "desk-too-often"
    UNREACHABLE = "desk-unreachable"


class Desk(Protocol):
    """What acts on a development network when a page asks for it."""

    everywhere: bool
    """Whether it serves other machines than this."""

    async def look(self) -> DeskView:
        """Return how things stand."""
        ...

    async def begin(self, form: Mapping[str, str], report: Report) -> None:
        """Begin what a form asks for.

        Raises:
            PageRefusal: it cannot be done, with the reason of `Deny`.
        """
        ...


class Development:
    """The page, for one desk."""

    def __init__(self, desk: Desk, door: Door, reading: Reading) -> None:
        self._desk = desk
        self._door = door
        self._reading = reading
        self._events: dict[int, list[Object]] = {}
        self.token: Final = secrets.token_urlsafe(16)

    def serves(self, request: web.BaseRequest) -> bool:
        """Return whether whoever asks may see the page."""
        return self._desk.everywhere or _is_near(request)

    async def act(self, request: web.BaseRequest) -> None:
        """Begin what is asked for.

        Raises:
            PageRefusal: it is not asked from a page of this node, or cannot be done.
            HttpRefusal: no form was read.
        """
        if request.headers.get(hdrs.ORIGIN) != f"{request.scheme}://{request.host}":
            origin = request.headers.get(hdrs.ORIGIN)
            raise PageRefusal(403, found=origin, expected=Deny.ORIGIN)
        check_type(request, {FORM_TYPE})
        body = await read_body(
            request,
            max_bytes=DESK_BODY_BYTES_MAX,
            timeout_ms=self._door.limits.body_timeout_ms,
        )
        form = _parse(body)
        if not secrets.compare_digest(form.get("token", "").encode(), self.token.encode()):
            raise PageRefusal(403, expected=Deny.TOKEN)
        await self._desk.begin(form, self._door.report)

    async def content(self, showing: Showing) -> DevelopmentContent:
        """Return the page."""
        view = await self._desk.look()
        newest = view.runs[0] if view.runs else None
        return DevelopmentContent(
            **at_head(self._door.services.chain.head),
            network_time=view.time,
            today=view.today,
            ahead_days=view.ahead_days,
            faucet_most=view.faucet_most,
            travel_most=view.travel_most,
            plays=view.plays,
            running=newest is not None and newest.state == "running",
            last=None if newest is None else await self._done(newest, showing),
            runs=view.runs,
        )

    async def _done(self, run: Run, showing: Showing) -> DoneContent:
        """Return what a run has brought, as the ledger has it."""
        lines = [
            await self._reading.transaction_line(identifier, place, showing)
            for place, identifier in enumerate(run.transactions[:DESK_TRANSACTIONS_SHOWN_MAX])
        ]
        return DoneContent(
            transactions=[line for line in lines if line is not None],
            events=[
                Sentence(number=number, sentence=showing.event(each).striptags(), fields=each)
                for number, each in enumerate(await self._due(run))
            ],
        )

    async def _due(self, run: Run) -> list[Object]:
        """Return what fell due in the blocks of a run that has ended; the last that is shown."""
        if run.state == "running" or run.to_height is None:
            return []
        found = self._events.get(run.number)
        if found is None:
            found = self._events[run.number] = await self._read_due(run, run.to_height)
            for number in sorted(self._events)[:-RUNS_KEPT_MAX]:
                del self._events[number]
        return found

    async def _read_due(self, run: Run, to_height: int) -> list[Object]:
        events: list[Object] = []
        first = max(run.from_height + 1, to_height - DESK_BLOCKS_READ_MAX + 1)
        for height in range(to_height, first - 1, -1):
            try:
                block = await self._door.ask(
                    self._door.methods.block, params.BlockParams(height=height, transactions="none")
                )
            except (NotFound, Pruned):
                continue
            events = [*block.events, *events]
            if len(events) >= EVENTS_SHOWN_MAX:
                return events[-EVENTS_SHOWN_MAX:]
            await asyncio.sleep(0)  # whoever decides blocks has a turn between any two
        return events


def _is_near(request: web.BaseRequest) -> bool:
    """Return whether a browser of this machine asks, by a name that only this machine has.

    A proxy on this machine asks for others. Most say so, or pass on the name by which they were
    called; nginx, as it comes, does neither, and asks in HTTP/1.0, as no browser does.
    """
    if request.version < HttpVersion11 or any(name in request.headers for name in FORWARDING):
        return False
    host = request.host.rpartition(":")[0] if request.host.count(":") else request.host
    return _is_loopback(request.remote or "") and (
        host == "localhost" or _is_loopback(host.strip("[]"))
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _parse(body: bytes) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        HttpRefusal: it is none.
    """
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=DESK_FIELDS_MAX,
        )
    except (UnicodeDecodeError, ValueError):
        raise HttpRefusal(400, "the body is no form of a few fields") from None
    return {name: value.strip() for name, value in pairs}
