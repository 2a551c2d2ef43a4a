"""What the interface tells of strips: which there are of a bond, how much is stripped, and what an
account has of them."""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

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


class _Strip(NamedTuple):
    """A strip as its line defines it: with which payment it is paid, and its share of the face."""

    asset: str
    payment: Payment
    numerator: int
    denominator: int


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
        amount = partial(render_amount, decimals=line.decimals)
        schedule = schedule_of(
            line.terms, calendar_of(LedgerState(chain), line.terms.plan.calendar)
        )
        service = chain.record(SERVICES, name_key(code))
        assert service is not None, "a serviced asset without its service"
        paid = schedule[stripping.first - 1 :]
        strips = [
            _Strip(each.asset, payment, each.numerator, each.denominator)
            for each, payment in zip(stripping.coupons, paid, strict=True)
        ]
        strips.append(_Strip(stripping.principal, paid[-1], 1, 1))
        *coupons, principal = [
            self._view(strip, account, recorded=service.recorded, decimals=line.decimals)
            for strip in strips
        ]
        whole = None
        if account is not None:
            following = [each for each in strips if each.payment.number > service.recorded]
            whole = amount(self._whole(account, following, stripping.multiple))
        return StripsResult(
            **at_head(chain.head),
            asset=code,
            multiple=amount(stripping.multiple),
            supply=amount(line.supply),
            stripped=principal.supply,
            coupons=coupons,
            principal=principal,
            held=None if account is None else amount(self._available(account, code)),
            reconstitutable=whole,
        )

    def _view(
        self, strip: _Strip, account: bytes | None, *, recorded: int, decimals: int
    ) -> StripView:
        record = self._chain.record(ASSETS, name_key(strip.asset))
        assert record is not None, "a strip that was registered"
        amount = partial(render_amount, decimals=decimals)
        hundred = Fraction(HUNDRED * strip.numerator, strip.denominator)
        return StripView(
            asset=strip.asset,
            payment=strip.payment.number,
            payment_day=render_day(strip.payment.payment_day),
            per_hundred=text(half_up(hundred, QUOTED_DECIMALS), QUOTED_DECIMALS),
            share=f"{strip.numerator}/{strip.denominator}",
            supply=amount(record.supply),
            open=strip.payment.number > recorded,
            held=None if account is None else amount(self._available(account, strip.asset)),
        )

    def _whole(self, account: bytes, strips: Sequence[_Strip], multiple: int) -> int:
        """Return the face that an account has all of these strips of, in whole multiples."""
        faces = (
            self._available(account, strip.asset) * strip.denominator // strip.numerator
            for strip in strips
        )
        return min(faces, default=0) // multiple * multiple

    def _available(self, account: bytes, asset: str) -> int:
        holding = self._chain.record(HOLDINGS, holding_key(account, asset))
        return 0 if holding is None else holding.available
