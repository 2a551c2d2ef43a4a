"""The seam to the pages for people: what answers the paths that are no part of the interface.

The pages are a room above this one and are given to the listener when it is made. They read through
`Door`: the same methods that answer `/rpc`, so that a page and a call cannot say different things.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from node.rpc.auctions import AuctionMethods
from node.rpc.callers import Beside
from node.rpc.debt import DebtMethods
from node.rpc.health import Health
from node.rpc.indexed import IndexMethods
from node.rpc.ledger import LedgerMethods
from node.rpc.limits import RpcLimits
from node.rpc.methods import Methods
from node.rpc.securities import SecurityMethods
from node.rpc.services import RpcServices
from node.rpc.stream import Feed
from node.rpc.strips import StripMethods
from node.rpc.views import Views

ParamsT = TypeVar("ParamsT", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a node answers from."""

    services: RpcServices
    methods: Methods
    ledger: LedgerMethods
    auctions: AuctionMethods
    debt: DebtMethods
    securities: SecurityMethods
    strips: StripMethods
    index: IndexMethods
    views: Views
    health: Health
    feed: Feed
    """Whose head moves with each block: what a page that stays open waits for."""
    limits: RpcLimits
    beside: Beside
    """Does what takes long."""
    report: Callable[[str, BaseException], str]
    """Logs a failure of ours under a name; returns its trace id."""
    observe: Callable[[str, str, float], None]
    """Counts a request: its name, how it ended, and how many seconds it took."""

    @staticmethod
    async def ask(call: Callable[[ParamsT], Any], params: ParamsT) -> Any:
        """Return what a method answers, whether or not it has to wait for it."""
        answer = call(params)
        return await answer if inspect.isawaitable(answer) else answer


class Pages(Protocol):
    """What answers a path that the interface does not know."""

    async def answer(
        self, request: web.BaseRequest, is_welcome: Callable[[], bool]
    ) -> web.StreamResponse:
        """Answer a request whose host was checked and which was counted against its caller.

        Args:
            is_welcome: whether the key that it showed, if any, is still good: what goes on being
                told ends when it is not.

        Raises:
            HttpRefusal, RpcError: as the interface's own answers.
        """
        ...

    def turn_away(
        self, request: web.BaseRequest, status: int, headers: Mapping[str, str]
    ) -> web.Response | None:
        """Return the page for whoever is refused before a page was looked for.

        It says nothing of the chain, as they may not read, and costs next to nothing.

        Returns:
            None: whoever asks reads no pages.
        """
        ...

    def close(self) -> None:
        """End what is still being sent: the node stops."""
        ...


MakePages: TypeAlias = Callable[[Door], Pages]
