"""Amounts as people write them, and the integers that the ledger counts in.

The ledger counts minor units: an asset with 2 decimals holds 100.50 as 10050. Text has a point,
no exponent, no sign, no grouping, and never more decimals than the asset has: nothing is rounded.
"""

import re
from decimal import Decimal
from typing import Final

AMOUNT_MAX: Final = (1 << 64) - 1
DECIMALS_MAX: Final = 8

_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,19})(?:\.([0-9]{1,8}))?")


class AmountError(ValueError):
    """A text that is not an amount of such an asset; the sentence says why."""


def parse_amount(amount: str | Decimal | int, *, decimals: int) -> int:
    """Return the minor units of an amount: "100.5" with 2 decimals is 10050.

    Args:
        amount: text, or a `Decimal`, or whole units. Never a float: 0.1 has no exact one.
        decimals: of the asset, 0 to 8.

    Raises:
        AmountError: another form, more decimals than the asset has, or beyond 2^64 - 1.
    """
    assert 0 <= decimals <= DECIMALS_MAX
    if isinstance(amount, bool | float):
        raise AmountError(f"{amount!r} is not exact; write the amount as text")
    text = format(amount, "f") if isinstance(amount, Decimal) else str(amount)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise AmountError(
            f"{shown!r} is not an amount: digits, and a point before the decimals, such as 100.50"
        )
    whole, fraction = match[1], match[2] or ""
    if len(fraction.rstrip("0")) > decimals:
        raise AmountError(
            f"{text} has more decimals than the {decimals} that there are; nothing is rounded"
        )
    minor = int(whole + fraction[:decimals].ljust(decimals, "0"))
    if minor > AMOUNT_MAX:
        raise AmountError(f"{text} is more than any amount: at most 2^64 - 1 minor units")
    return minor


def render_amount(minor: int, *, decimals: int) -> str:
    """Return the text of an amount in minor units, with all decimals of the asset."""
    assert minor >= 0
    if decimals == 0:
        return str(minor)
    digits = str(minor).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
