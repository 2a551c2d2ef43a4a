"""What the interface tells of strips: which there are of a bond, how much is stripped, and what an
account has of them."""

from fractions import Fraction
from typing import Final

import msgspec

from node.amounts import render_amount
from node.ledger.calendars import calendar_of
from node.ledger.instruments import Payment, schedule_of
from node.ledger.pricing.grid import HUNDRED, half_up, text
from node.ledger.securities import SERVICES, STRIPPINGS
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, HOLDINGS, holding_key, name_key
from node.ledger.terms import BondTerms, StripTerms
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.jsonrpc import method
from node.rpc.params import AddressText, AssetCode, Params
from node.rpc.reading import found
from node.rpc.rendering import render_day
from node.rpc.results import Amount, Result, at_head
from node.rpc.securities import Day
from node.rpc.services import RpcServices
from node.rpc.views import Views

QUOTED_DECIMALS: Final = 10
"""Of a strip for a hundred of face."""


class StripsParams(Params, frozen=True, kw_only=True):
    """`khz_strips`."""

    asset: AssetCode
    account: AddressText | None = None


class StripView(msgspec.Struct, frozen=True, kw_only=True):
    """A strip of a line."""

    asset: str
    payment: int
    """With which payment of the line it is paid; the face with the last."""
    payment_day: Day
    per_hundred: str
    """What a hundred of the line's face is stripped into, half up."""
    share: str
    """Of a unit of the line's face, exactly: a fraction."""
    supply: Amount
    """What there is of it, of every line."""
    open: bool
    """Whether its record is still to come: what is closed is neither stripped nor put together."""
    held: Amount | None
    """What the account has available; null where none was asked for."""


class StripsResult(Result, frozen=True, kw_only=True):
    """The strips of a line."""

    asset: str
    multiple: Amount
    """What is stripped and put together is a multiple of this face."""
    supply: Amount
    """Of the line: what is not stripped."""
    stripped: Amount
    """Face of the line in the hands of those who have its strips."""
    coupons: list[StripView]
    principal: StripView
    held: Amount | None
    """Of the line, what the account has available: what it can strip."""
    reconstitutable: Amount | None
    """The face that the account has all open strips of, in whole multiples."""


class StripMethods:
    """The handlers, on one node."""

    def __init__(self, services: RpcServices, views: Views) -> None:
        self._chain = services.chain
        self._views = views

    @method("khz_strips", NotFound)
    def strips(self, params: StripsParams) -> StripsResult:
        """List the strips of a bond, how much of it is stripped, and for an account what it has of
        each and how much of the bond it can put together."""
        chain, code = self._chain, params.asset
        line = found(chain, ASSETS, name_key(code), f"asset {code!r}")
        if isinstance(line.terms, StripTerms) and line.terms.line is not None:
            raise InvalidParams(f"{code} is a strip of {line.terms.line}: ask for that")
        stripping = chain.record(STRIPPINGS, name_key(code))
        if stripping is None or not isinstance(line.terms, BondTerms):
            raise NotFound(f"strips of {code!r}")
        account = None
        if params.account is not None:
            account = self._views.parse_address(params.account, "account")
        decimals = line.decimals

        def amount(minor: int) -> str:
            return render_amount(minor, decimals=decimals)

        def available(asset: str) -> int:
            assert account is not None
            holding = chain.record(HOLDINGS, holding_key(account, asset))
            return 0 if holding is None else holding.available

        schedule = schedule_of(
            line.terms, calendar_of(LedgerState(chain), line.terms.plan.calendar)
        )
        service = chain.record(SERVICES, name_key(code))
        assert service is not None, "a serviced asset without its service"
        most: list[int] = []

        def view(asset: str, payment: Payment, numerator: int, denominator: int) -> StripView:
            strip = chain.record(ASSETS, name_key(asset))
            assert strip is not None, "a strip that was registered"
            hundred = Fraction(HUNDRED * numerator, denominator)
            is_open = payment.number > service.recorded
            held = None if account is None else available(asset)
            if held is not None and is_open:
                most.append(held * denominator // numerator)
            return StripView(
                asset=asset,
                payment=payment.number,
                payment_day=render_day(payment.payment_day),
                per_hundred=text(half_up(hundred, QUOTED_DECIMALS), QUOTED_DECIMALS),
                share=f"{numerator}/{denominator}",
                supply=amount(strip.supply),
                open=is_open,
                held=None if held is None else amount(held),
            )

        paid = schedule[stripping.first - 1 :]
        coupons = [
            view(each.asset, payment, each.numerator, each.denominator)
            for each, payment in zip(stripping.coupons, paid, strict=True)
        ]
        principal = view(stripping.principal, paid[-1], 1, 1)
        whole = min(most, default=0) // stripping.multiple * stripping.multiple
        return StripsResult(
            **at_head(chain.head),
            asset=code,
            multiple=amount(stripping.multiple),
            supply=amount(line.supply),
            stripped=principal.supply,
            coupons=coupons,
            principal=principal,
            held=None if account is None else amount(available(code)),
            reconstitutable=None if account is None else amount(whole),
        )
