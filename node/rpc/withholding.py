"""What the interface tells of withholding: the rates, by class of taxpayer, date and source."""

from typing import Final

import msgspec

from node.chain import Chain
from node.ledger.calendars import today
from node.ledger.securities import WITHHOLDINGS, WithholdingRecord, withholding_key
from node.ledger.state import LedgerState
from node.ledger.taxpayers import CLASSES
from node.ledger.terms import AssetKind
from node.ledger.units import Day as LedgerDay
from node.rpc.jsonrpc import NoParams, method
from node.rpc.rendering import render_day
from node.rpc.results import Address, Result, at_head
from node.rpc.securities import Day
from node.rpc.views import Views

KINDS: Final = (AssetKind.BOND, AssetKind.SUKUK)
"""Of security, from which the ledger withholds."""
_BPS_OF_PERCENT: Final = 100


class WithholdingRateView(msgspec.Struct, frozen=True, kw_only=True):
    """A rate from a day on."""

    from_day: Day
    rate: str
    """Per cent of the interest, with two decimals."""
    source: str
    """The law that says so, as the offices wrote it."""
    rules: bool
    """Whether it rules today."""


class WithholdingView(msgspec.Struct, frozen=True, kw_only=True):
    """What is withheld from a class of taxpayer."""

    taxpayer: str
    """Kind of participant, for those that are active; `person-inactive`: those that are not."""
    kind: str
    """Of the securities that pay: `bond` or `sukuk`."""
    collector: Address
    """Receives it."""
    rates: list[WithholdingRateView]
    """In order of day; before the first nothing is withheld."""


class WithholdingResult(Result, frozen=True, kw_only=True):
    """All that is withheld."""

    today: Day
    """The ledger's local day."""
    withholding: list[WithholdingView]
    """Who is not in it is paid all of the interest; inactive taxpayers, as long as no rate of their
    own rules, as the active ones of their kind."""


class WithholdingMethods:
    """The handler, on the chain of one node."""

    def __init__(self, chain: Chain, views: Views) -> None:
        self._chain = chain
        self._views = views

    @method("khz_withholding")
    def withholding(self, params: NoParams) -> WithholdingResult:  # noqa: ARG002
        """Show what is withheld from interest, by class of taxpayer, date and source.

        A payment is withheld from by what rules on its day, settled when its record is taken.
        """
        head = self._chain.head
        day = today(LedgerState(self._chain), head.time_ms)
        # There are few classes, and each has one key.
        found = [
            (taxpayer, kind.value, self._chain.record(WITHHOLDINGS, key))
            for taxpayer in CLASSES
            for kind in KINDS
            for key in (withholding_key(taxpayer, kind.value),)
        ]
        return WithholdingResult(
            **at_head(head),
            today=render_day(day),
            withholding=[
                WithholdingView(
                    taxpayer=taxpayer,
                    kind=kind,
                    collector=self._views.renderer.address(record.collector),
                    rates=_rates(record, day),
                )
                for taxpayer, kind, record in found
                if record is not None
            ],
        )


def _rates(record: WithholdingRecord, day: LedgerDay) -> list[WithholdingRateView]:
    ruling = max((row.from_day for row in record.rows if row.from_day <= day), default=None)
    return [
        WithholdingRateView(
            from_day=render_day(row.from_day),
            rate=f"{row.rate_bps // _BPS_OF_PERCENT}.{row.rate_bps % _BPS_OF_PERCENT:02d}",
            source=row.source,
            rules=row.from_day == ruling,
        )
        for row in record.rows
    ]
