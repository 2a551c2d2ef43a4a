"""Why something was refused, in the figures that people use: amounts with their decimals, dates.

The ledger counts minor units, days and milliseconds from 1970-01-01, prices in 0.0001 and rates in
millionths; its sentences say so, for programs and for those who sign. A page tells the same, of an
asset that it knows, with the same figures as beside it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from node.amounts import render_amount
from node.ledger.units import DAY_MAX, TIME_MS_MAX
from node.rpc.errors import JsonValue
from node.rpc.rendering import render_day, render_time

AMOUNTS: Final[Mapping[str, frozenset[str]]] = {
    "HOLDING_INSUFFICIENT": frozenset({"found", "held", "expected"}),
    "NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "FACE_NOT_IN_UNITS": frozenset({"found", "expected"}),
    "CEILING_EXCEEDED": frozenset({"found", "expected"}),
    "STRIP_NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "FACE_NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "BIDDER_LIMIT_EXCEEDED": frozenset({"found", "expected"}),
    "NONCOMPETITIVE_FACE_NOT_ACCEPTED": frozenset({"found", "lowest", "highest"}),
}
"""Details of an outcome that are minor units of its `asset`, or of what its `auction` sells."""
DAYS: Final[Mapping[str, frozenset[str]]] = {
    "NOT_DUE": frozenset({"found", "expected"}),
    "HOLIDAY_UNKNOWN": frozenset({"day"}),
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
TOLD: Final = AMOUNTS.keys() | DAYS.keys() | TIMES.keys() | PRICES.keys() | RATES.keys()
"""Outcomes of which people read other figures than the ledger writes."""
PLACES: Final = 4
"""Decimals of a price in units of 0.0001, and of millionths in per cent."""


def told(
    name: str,
    details: Mapping[str, JsonValue],
    decimals_of: Callable[[str], int | None],
    sold_by: Callable[[str], str | None] = lambda _: None,
) -> Mapping[str, str] | None:
    """Return the details that people read otherwise than the ledger writes them.

    Args:
        decimals_of: of an asset by its code; None where it is not known.
        sold_by: the asset of an auction by its name; None where it is not known.

    Returns:
        None where there are none, or what is needed for that is not known: the sentence for
        programs is right in any case.
    """
    asset = details.get("asset")
    auction = details.get("auction")
    if asset is None and isinstance(auction, str):
        asset = sold_by(auction)
    decimals = decimals_of(asset) if name in AMOUNTS and isinstance(asset, str) else None
    shown = {}
    for names, write in (
        (AMOUNTS.get(name, ()), lambda number: _amount(number, decimals)),
        (DAYS.get(name, ()), _day),
        (TIMES.get(name, ()), _time),
        (PRICES.get(name, ()), _price),
        (RATES.get(name, ()), _rate),
    ):
        for each in names:
            text = write(_number(details.get(each)))
            if text is None:
                return None
            shown[each] = text
    return shown or None


def scaled(number: int) -> str:
    """Return a price from units of 0.0001; of millionths it is per cent."""
    return f"{'-' if number < 0 else ''}{render_amount(abs(number), decimals=PLACES)}"


def _number(value: JsonValue) -> int | None:
    """Return an integer of the details; those beyond 2^53 are text."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def _amount(number: int | None, decimals: int | None) -> str | None:
    if number is None or number < 0 or decimals is None:
        return None
    return render_amount(number, decimals=decimals)


def _day(number: int | None) -> str | None:
    return None if number is None or not 0 <= number <= DAY_MAX else render_day(number)


def _time(number: int | None) -> str | None:
    return None if number is None or not 0 <= number <= TIME_MS_MAX else render_time(number)


def _price(number: int | None) -> str | None:
    return None if number is None else scaled(number)


def _rate(number: int | None) -> str | None:
    return None if number is None else f"{scaled(number)}\N{NARROW NO-BREAK SPACE}%"
