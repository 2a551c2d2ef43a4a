"""Why something was refused, in the figures that people use: amounts with their decimals, dates.

The ledger counts minor units, and days from 1970-01-01; its sentences say so, for programs and for
those who sign. A page tells the same of an asset that it knows with the same figures as beside it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from node.amounts import render_amount
from node.ledger.units import DAY_MAX
from node.rpc.errors import JsonValue
from node.rpc.rendering import render_day

AMOUNTS: Final[Mapping[str, frozenset[str]]] = {
    "HOLDING_INSUFFICIENT": frozenset({"found", "held", "expected"}),
    "NOT_A_MULTIPLE": frozenset({"found", "expected"}),
    "FACE_NOT_IN_UNITS": frozenset({"found", "expected"}),
    "CEILING_EXCEEDED": frozenset({"found", "expected"}),
    "STRIP_NOT_A_MULTIPLE": frozenset({"found", "expected"}),
}
"""Details of an outcome that are minor units of its `asset`."""
DAYS: Final[Mapping[str, frozenset[str]]] = {
    "NOT_DUE": frozenset({"found", "expected"}),
    "HOLIDAY_UNKNOWN": frozenset({"day"}),
    "CALENDAR_DAY_PAST": frozenset({"found", "today"}),
    "CALENDAR_DAY_USED": frozenset({"found", "expected"}),
    "NOTHING_LEFT_TO_PAY": frozenset({"found"}),
    "CALL_NOT_WITHIN_TERMS": frozenset({"found"}),
}
"""Details of an outcome that are days."""


def told(
    name: str, details: Mapping[str, JsonValue], decimals_of: Callable[[str], int | None]
) -> Mapping[str, str] | None:
    """Return the details that people read otherwise than the ledger writes them.

    Returns:
        None where there are none, or what is needed for that is not known: the sentence for
        programs is right in any case.
    """
    asset = details.get("asset")
    decimals = decimals_of(asset) if name in AMOUNTS and isinstance(asset, str) else None
    shown = {}
    for names, write in (
        (AMOUNTS.get(name, ()), lambda number: _amount(number, decimals)),
        (DAYS.get(name, ()), _day),
    ):
        for each in names:
            text = write(_number(details.get(each)))
            if text is None:
                return None
            shown[each] = text
    return shown or None


def _number(value: JsonValue) -> int | None:
    """Return an integer of the details; those beyond 2^53 are text."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return None


def _amount(number: int | None, decimals: int | None) -> str | None:
    if number is None or number < 0 or decimals is None:
        return None
    return render_amount(number, decimals=decimals)


def _day(number: int | None) -> str | None:
    return None if number is None or not 0 <= number <= DAY_MAX else render_day(number)
