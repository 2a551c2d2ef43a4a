"""What the interface works out of terms alone: quotes of bills, bonds and floating bonds, interest
between two days, and what a switch gives."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from node.chain import Chain
from node.ledger.dates import DatesError, parse_date
from node.ledger.pricing import DayCount, PricingError
from node.quotes import (
    Facts,
    InterestFacts,
    bill_quote,
    bond_of,
    bond_quote,
    figure_of,
    floater_quote,
    interest_quote,
    switch_quote,
)
from node.rpc.errors import InvalidParams
from node.rpc.jsonrpc import method
from node.rpc.params import DayText, Params
from node.rpc.results import Result, at_head

PERIODS_MAX: Final = 120
"""From the first day to the last: what a quote costs grows with their square, and a node does
nothing else meanwhile. `khazana quote` has no such limit."""

_MONTHS: Final = 12

Figure: TypeAlias = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=26, description="a decimal number, such as 98.3815"),
]

_COMMON: Final = frozenset({"settlement", "maturity", "price", "face", "decimals"})
_TERMS: Final[Mapping[str, frozenset[str]]] = {
    "bill": _COMMON | {"days", "yield", "discount", "year"},
    "bond": _COMMON
    | {
        "yield",
        "coupon",
        "dated",
        "frequency",
        "first_payment",
        "end_of_month",
        "accrual",
        "pricing",
    }
    | {"first_period"},
    "floater": _COMMON
    | {"reference", "spread", "fixed", "discount_margin", "frequency", "day_count"},
    "interest": frozenset(
        {"rate", "from", "to", "face", "day_count", "period_from", "period_to", "frequency"}
        | {"end_of_month", "matures"}
    ),
    "switch": frozenset({"face", "price", "accrued", "for_price", "for_accrued", "multiple"}),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "bill": (),
    "bond": ("coupon", "dated", "maturity", "settlement"),
    "floater": ("reference", "maturity", "settlement"),
    "interest": ("rate", "from", "to"),
    "switch": ("face", "price", "for_price"),
}
_A: Final[Mapping[str, str]] = {"interest": "interest"} | {
    kind: f"a {kind}" for kind in ("bill", "bond", "floater", "switch")
}
_DAYS: Final = frozenset(
    {"settlement", "maturity", "dated", "first_payment"}
    | {"from", "to", "period_from", "period_to", "matures"}
)
_OF_FLOATERS: Final = (DayCount.ACT_ACT_ICMA, DayCount.ACT_365F, DayCount.ACT_360)
_FIGURES: Final = frozenset(
    {"price", "yield", "discount", "face", "coupon", "reference", "spread", "fixed"}
    | {"discount_margin", "rate", "accrued", "for_price", "for_accrued", "multiple"}
)


class QuoteParams(Params, frozen=True, kw_only=True):
    """`khz_quote`."""

    kind: Annotated[
        Literal["bill", "bond", "floater", "interest", "switch"],
        msgspec.Meta(description="of security, or what else is worked out"),
    ]
    price: Annotated[Figure | None, msgspec.Meta(description="clean, per hundred of face")] = None
    yield_: Annotated[
        Figure | None, msgspec.Meta(description="of a bill or bond, in per cent a year")
    ] = msgspec.field(default=None, name="yield")
    discount: Annotated[
        Figure | None, msgspec.Meta(description="of a bill: discount rate in per cent, on 360 days")
    ] = None
    discount_margin: Annotated[
        Figure | None, msgspec.Meta(description="of a floater: over the reference, in per cent")
    ] = None
    settlement: Annotated[DayText | None, msgspec.Meta(description="when it is paid for")] = None
    maturity: Annotated[DayText | None, msgspec.Meta(description="when it redeems")] = None
    days: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=3_660)] | None,
        msgspec.Meta(description="of a bill: in place of settlement and maturity"),
    ] = None
    face: Annotated[Figure | None, msgspec.Meta(description="for what it costs")] = None
    coupon: Annotated[
        Figure | None, msgspec.Meta(description="of a bond, in per cent a year; 0 for none")
    ] = None
    dated: Annotated[
        DayText | None, msgspec.Meta(description="of a bond: from when interest accrues")
    ] = None
    first_payment: Annotated[
        DayText | None, msgspec.Meta(description="of a bond whose first period is a long one")
    ] = None
    end_of_month: Annotated[
        bool | None, msgspec.Meta(description="of a bond or interest: month ends stay month ends")
    ] = None
    accrual: Annotated[
        DayCount | None, msgspec.Meta(description="of a bond: how interest accrues; ACT/ACT ICMA")
    ] = None
    pricing: Annotated[
        DayCount | None,
        msgspec.Meta(description="of a bond: how days to the next coupon count; ACT/ACT ICMA"),
    ] = None
    first_period: Annotated[
        Literal["street", "simple"] | None, msgspec.Meta(description="of a bond; street")
    ] = None
    reference: Annotated[
        Figure | None, msgspec.Meta(description="of a floater, in per cent a year")
    ] = None
    spread: Annotated[
        Figure | None, msgspec.Meta(description="of a floater: what its terms pay over it; 0")
    ] = None
    fixed: Annotated[
        Figure | None, msgspec.Meta(description="of a floater: rate of the period that runs")
    ] = None
    day_count: Annotated[
        DayCount | None,
        msgspec.Meta(
            description="of a floater: ACT/ACT ICMA (if none is given), ACT/365F or ACT/360; of"
            " interest any, and all of them if none is given"
        ),
    ] = None
    rate: Annotated[Figure | None, msgspec.Meta(description="of interest, in per cent a year")] = (
        None
    )
    from_: Annotated[
        DayText | None, msgspec.Meta(description="of interest: the first day that counts")
    ] = msgspec.field(default=None, name="from")
    to: Annotated[
        DayText | None, msgspec.Meta(description="of interest: the day after the last that counts")
    ] = None
    period_from: Annotated[
        DayText | None,
        msgspec.Meta(description="of interest by ACT/ACT ICMA: the regular period's first day"),
    ] = None
    period_to: Annotated[
        DayText | None, msgspec.Meta(description="of interest by ACT/ACT ICMA: that period's end")
    ] = None
    matures: Annotated[
        DayText | None,
        msgspec.Meta(description="of interest by 30E/360 ISDA: the end of the security"),
    ] = None
    accrued: Annotated[
        Figure | None,
        msgspec.Meta(description="of a switch: on the old line, per hundred, perhaps below 0; 0"),
    ] = None
    for_price: Annotated[
        Figure | None, msgspec.Meta(description="of a switch: of the new line, per hundred")
    ] = None
    for_accrued: Annotated[
        Figure | None, msgspec.Meta(description="of a switch: on the new line, per hundred; 0")
    ] = None
    multiple: Annotated[
        Figure | None, msgspec.Meta(description="of a switch: of the new line's face; 5000")
    ] = None
    frequency: Annotated[
        Literal[1, 2, 4, 12] | None,
        msgspec.Meta(
            description="of a bond or floater: payments a year; of interest by ACT/ACT ICMA:"
            " regular periods; 2"
        ),
    ] = None
    year: Annotated[
        Annotated[int, msgspec.Meta(ge=360, le=366)] | None,
        msgspec.Meta(description="of a bill: days of a year; 365"),
    ] = None
    decimals: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=12)] | None,
        msgspec.Meta(description="of the price; 4"),
    ] = None


QuoteFigure: TypeAlias = str | int | list[dict[str, str]]


class QuoteResult(Result, frozen=True, kw_only=True):
    """A price and what belongs to it."""

    kind: str
    quote: dict[str, QuoteFigure]
    """The members that `khazana quote --json` prints."""


class QuoteMethods:
    """The handler, on one node."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @method("khz_quote")
    def quote(self, params: QuoteParams) -> QuoteResult:
        """Work out the price, yield or discount margin of a security from its terms, of which no
        asset need exist; what accrues between two days; or what a switch gives. Of a security one
        of `price` and the yields is given; the others are told, exact to the last digit. Nothing of
        the ledger is read."""
        try:
            quote = _quote(params.kind, _given(params))
        except (PricingError, DatesError) as error:
            raise InvalidParams(str(error)) from None
        return QuoteResult(**at_head(self._chain.head), kind=params.kind, quote={**quote})


def _given(params: QuoteParams) -> dict[str, Any]:
    """Return what is given, by name: days and figures as what they are.

    Raises:
        InvalidParams: something is missing, or of another kind of security.
    """
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(params):
        name, value = field.encode_name, getattr(params, field.name)
        if value is None or name == "kind":
            continue
        if name not in _TERMS[params.kind]:
            raise InvalidParams(f"`{name}` says nothing of {_A[params.kind]}: leave it out")
        given[name] = _value(name, value)
    missing = [name for name in _NEEDED[params.kind] if name not in given]
    if missing:
        named = ", ".join(f"`{name}`" for name in missing)
        raise InvalidParams(f"of {_A[params.kind]} also {named} must be given")
    return given


def _value(name: str, value: Any) -> Any:
    if name in _FIGURES:
        return figure_of(value)
    return parse_date(value) if name in _DAYS else value


def _quote(kind: str, given: dict[str, Any]) -> Facts | InterestFacts:
    if kind == "switch":
        return switch_quote(**given)
    if kind == "interest":
        return interest_quote(**_interest(given))
    if "yield" in given:
        given["yield_"] = given.pop("yield")
    if kind == "bill":
        return bill_quote(**given)
    begins: date = given["dated" if kind == "bond" else "settlement"]
    _bounded(begins, given["maturity"], given.get("frequency", 2))
    if kind == "floater":
        count = given.get("day_count", DayCount.ACT_ACT_ICMA)
        if count not in _OF_FLOATERS:
            counts = ", ".join(each.value for each in _OF_FLOATERS)
            raise InvalidParams(f"`day_count` of a floater is {count.value}: expected {counts}")
        return floater_quote(**given | {"day_count": count.value})
    asked = {"settlement", "price", "yield_", "face", "decimals"}
    terms = {name: value for name, value in given.items() if name not in asked}
    figures = {name: value for name, value in given.items() if name in asked}
    return bond_quote(bond_of(**terms), **figures)


def _interest(given: dict[str, Any]) -> dict[str, Any]:
    """Return what is given of interest, by the names of what works it out.

    Raises:
        InvalidParams: the regular period has one end.
    """
    ends = [given.pop(name, None) for name in ("period_from", "period_to")]
    if ends.count(None) == 1:
        raise InvalidParams("a regular period has two ends: `period_from` and `period_to`")
    period = None if None in ends else tuple(ends)
    return {"begins": given.pop("from"), "ends": given.pop("to"), "period": period, **given}


def _bounded(begins: date, ends: date, frequency: int) -> None:
    """Refuse more periods than a node works out beside its duties.

    Raises:
        InvalidParams: there are more.
    """
    months = _MONTHS * (ends.year - begins.year) + ends.month - begins.month
    periods = Fraction(months * frequency, _MONTHS)
    if periods > PERIODS_MAX:
        raise InvalidParams(
            f"{ceil(periods):,} periods, expected at most {PERIODS_MAX}:"
            " `khazana quote` has no such limit"
        )
