"""All methods of `/rpc`, by room, in the order in which the document has them."""

from dataclasses import dataclass, fields
from typing import Any, Final, Self, get_type_hints

from node.rpc.auctions import AuctionMethods
from node.rpc.calendars import CalendarMethods
from node.rpc.callers import Beside
from node.rpc.contracts import ContractMethods
from node.rpc.debt import DebtMethods
from node.rpc.health import Health
from node.rpc.indexed import IndexMethods
from node.rpc.jsonrpc import Method, methods_of
from node.rpc.ledger import LedgerMethods
from node.rpc.methods import Methods
from node.rpc.places import Places
from node.rpc.quotes import QuoteMethods
from node.rpc.results import AtHead
from node.rpc.securities import SecurityMethods
from node.rpc.services import RpcServices
from node.rpc.strips import StripMethods
from node.rpc.submissions import Submissions
from node.rpc.views import Views
from node.rpc.withholding import WithholdingMethods


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What answers them, on one node."""

    node: Methods
    ledger: LedgerMethods
    calendars: CalendarMethods
    auctions: AuctionMethods
    securities: SecurityMethods
    contracts: ContractMethods
    quotes: QuoteMethods
    debt: DebtMethods
    strips: StripMethods
    withholding: WithholdingMethods
    index: IndexMethods

    @classmethod
    def of(
        cls,
        services: RpcServices,
        views: Views,
        places: Places,
        submissions: Submissions,
        health: Health,
        beside: Beside,
    ) -> Self:
        """Return those of a node.

        Args:
            beside: does what takes too long for a turn of the loop.
        """
        chain, at_head = services.chain, AtHead(services.chain)
        return cls(
            node=Methods(services, views, places, submissions, health, at_head),
            ledger=LedgerMethods(chain, views, places, at_head),
            calendars=CalendarMethods(chain),
            auctions=AuctionMethods(chain, views, beside),
            securities=SecurityMethods(services, views),
            contracts=ContractMethods(chain),
            quotes=QuoteMethods(chain),
            debt=DebtMethods(chain),
            strips=StripMethods(services, views),
            withholding=WithholdingMethods(chain, views),
            index=IndexMethods(services, views),
        )

    def methods(self) -> tuple[Method[Any], ...]:
        """Return every method, bound to what answers it."""
        rooms = (getattr(self, room.name) for room in fields(self))
        return tuple(method for room in rooms for method in methods_of(room))


ROOMS: Final[tuple[type[Any], ...]] = tuple(get_type_hints(Handlers).values())
"""The classes, for whoever describes the methods without a node."""
