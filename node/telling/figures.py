"""What stands in a refusal, in the figures that people use: amounts with their decimals, dates.

The ledger counts minor units, days and milliseconds from 1970-01-01, prices in 0.0001 and rates in
millionths; its sentences say so, for programs and for those who sign. People are told the same, of
an asset that is known, with the same figures as elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from node.amounts import render_amount
from node.ledger.phrases import Meaning, Reason
from node.ledger.units import DAY_MAX, TIME_MS_MAX

AMOUNTS: Final[Mapping[str, frozenset[str]]] = {
    "AMOUNT_OUT_OF_RANGE": frozenset({"found", "expected"}),
    "HOLDING_INSUFFICIENT": frozenset({"found", "held", "expected"}),
    "NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "FACE_NOT_IN_UNITS": frozenset({"found", "expected"}),
    "CEILING_EXCEEDED": frozenset({"found", "expected"}),
    "STRIP_NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "FACE_NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "BIDDER_LIMIT_EXCEEDED": frozenset({"found", "expected"}),
    "NONCOMPETITIVE_FACE_NOT_ACCEPTED": frozenset({"found", "lowest", "highest"}),
}
"""Details of an outcome that are minor units of its `asset`, or of what its `auction` sells; of
AMOUNT_OUT_OF_RANGE, of the asset of the operation."""
DAYS: Final[Mapping[str, frozenset[str]]] = {
    "NOT_DUE": frozenset({"found", "expected"}),
    "HOLIDAY_UNKNOWN": frozenset({"day"}),
    "TAX_STATUS_DAY_PAST": frozenset({"found", "today"}),
    "TAX_STATUS_DAY_USED": frozenset({"found", "expected"}),
    "TAX_STATUS_CHANGING": frozenset({"found"}),
    "CALENDAR_DAY_PAST": frozenset({"found", "today"}),
    "CALENDAR_DAY_USED": frozenset({"found", "expected"}),
    "NOTHING_LEFT_TO_PAY": frozenset({"found"}),
    "CALL_NOT_WITHIN_TERMS": frozenset({"found"}),
    "ACCRUAL_NOT_KNOWN": frozenset({"found"}),
}
"""Details of an outcome that are days."""
TIMES: Final[Mapping[str, frozenset[str]]] = {
    "EXPIRED": frozenset({"found", "expected"}),
    "TOO_FAR_AHEAD": frozenset({"found", "expected"}),
    "TIME_NOT_ACCEPTED": frozenset({"found", "earliest", "latest"}),
    "AUCTION_STEP_TOO_EARLY": frozenset({"found", "expected"}),
    "AUCTION_STEP_TOO_LATE": frozenset({"found", "expected"}),
    "BIDDER_EXCLUDED": frozenset({"found", "expected"}),
}
"""Details of an outcome that are milliseconds since 1970."""
PRICES: Final[Mapping[str, frozenset[str]]] = {
    "PRICE_OFF_QUANTUM": frozenset({"found", "expected"}),
    "BID_OUT_OF_RANGE": frozenset({"found", "lowest", "highest"}),
    "CUT_OFF_NOT_ACCEPTED": frozenset({"found"}),
}
"""Details of an outcome that are units of 0.0001."""
RATES: Final[Mapping[str, frozenset[str]]] = {"RATE_ALREADY_FIXED": frozenset({"found"})}
"""Details of an outcome that are millionths."""
TABLES: Final = (
    (Meaning.AMOUNT, AMOUNTS),
    (Meaning.DAY, DAYS),
    (Meaning.TIME, TIMES),
    (Meaning.PRICE, PRICES),
    (Meaning.RATE, RATES),
)
TOLD: Final = AMOUNTS.keys() | DAYS.keys() | TIMES.keys() | PRICES.keys() | RATES.keys()
"""Outcomes of which people read other figures than the ledger writes."""
PLACES: Final = 4
"""Decimals of a price in units of 0.0001, and of millionths in per cent."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value as people write it, whatever their language."""

    meaning: Meaning
    text: str
    """An amount with its decimals, YYYY-MM-DD, RFC 3339 in UTC, per cent without the sign, or
    what stood there."""
    asset: str | None = None
    """What an amount is of; None: it is not known, and the text counts minor units."""


def told(
    name: str,
    details: Mapping[str, object],
    decimals_of: Callable[[str], int | None],
    sold_by: Callable[[str], str | None] = lambda _: None,
    *,
    acted_on: str | None = None,
) -> Mapping[str, Figure] | None:
    """Return the details that people read otherwise than the ledger writes them.

    Args:
        decimals_of: of an asset by its code; None where it is not known.
        sold_by: the asset of an auction by its name; None where it is not known.
        acted_on: the asset of the operation that was refused, where the details name none.

    Returns:
        None where there are none, or what is needed for that is not known: the sentence for
        programs is right in any case.
    """
    asset = asset_of(details, sold_by) or acted_on
    figures = {}
    for meaning, table in TABLES:
        for each in table.get(name, ()):
            number = _number(details.get(each))
            figure = None if number is None else figure_of(meaning, number, asset, decimals_of)
            # Of an asset that is not known, only a sentence without one can speak.
            if figure is None or (figure.asset is None and _needs_asset(name, meaning)):
                return None
            figures[each] = figure
    return figures or None


def why(
    reason: Reason, asset: str | None, decimals_of: Callable[[str], int | None]
) -> Mapping[str, Figure]:
    """Return what stands in the places of a reason.

    Args:
        asset: what the amounts in it are of, unless it says so itself; None: not known.
    """
    return dict(_placed(reason, asset, decimals_of))


def asset_of(details: Mapping[str, object], sold_by: Callable[[str], str | None]) -> str | None:
    """Return the asset that details speak of, or that their auction sells; None: not known."""
    asset, auction = details.get("asset"), details.get("auction")
    if asset is None and isinstance(auction, str):
        asset = sold_by(auction)
    return asset if isinstance(asset, str) else None


def figure_of(
    meaning: Meaning,
    number: int,
    asset: str | None,
    decimals_of: Callable[[str], int | None],
) -> Figure | None:
    """Return a number as people write it; None: it is none that can be."""
    match meaning:
        case Meaning.AMOUNT:
            decimals = None if asset is None else decimals_of(asset)
            if decimals is None:
                return Figure(meaning=meaning, text=str(number))
            sign = "-" if number < 0 else ""
            amount = f"{sign}{render_amount(abs(number), decimals=decimals)}"
            return Figure(meaning=meaning, text=amount, asset=asset)
        case Meaning.DAY:
            if not 0 <= number <= DAY_MAX:
                return None
            return Figure(meaning=meaning, text=render_day(number))
        case Meaning.TIME:
            if not 0 <= number <= TIME_MS_MAX:
                return None
            return Figure(meaning=meaning, text=render_time(number))
        case Meaning.PRICE | Meaning.RATE:
            return Figure(meaning=meaning, text=scaled(number))
        case _:
            return Figure(meaning=meaning, text=str(number))


def scaled(number: int) -> str:
    """Return a price from units of 0.0001; of millionths it is per cent."""
    return f"{'-' if number < 0 else ''}{render_amount(abs(number), decimals=PLACES)}"


def render_time(time_ms: int) -> str:
    """Return milliseconds since 1970-01-01 UTC as RFC 3339, such as 2026-11-20T11:05:00.125Z."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms"  # beyond the year 9999, which RFC 3339 cannot write
    return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def render_day(day: int) -> str:
    """Return a day counted from 1970-01-01 as YYYY-MM-DD."""
    return (_EPOCH_DAY + timedelta(days=day)).isoformat()


def _placed(
    reason: Reason, asset: str | None, decimals_of: Callable[[str], int | None]
) -> Iterator[tuple[str, Figure]]:
    places, values = reason.phrase.places, dict(reason.values)
    own = values.get("asset")
    concerned = own if isinstance(own, str) else asset
    for name, kind in places.items():
        value = values[name]
        figure = None
        if isinstance(value, int):
            figure = figure_of(kind.meaning, value, concerned, decimals_of)
        yield name, figure or Figure(meaning=kind.meaning, text=str(value))


def _needs_asset(name: str, meaning: Meaning) -> bool:
    return meaning is Meaning.AMOUNT and name != "AMOUNT_OUT_OF_RANGE"


def _number(value: object) -> int | None:
    """Return an integer of the details; those beyond 2^53 are text."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None
