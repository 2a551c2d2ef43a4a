"""Quantities and text: amounts, days, and which characters a record may hold.

Amounts are integers in an asset's minor units, above 0 and below 2^64. Times are milliseconds since
1970-01-01 UTC, from the block. Days are counted from 1970-01-01 in the ledger's local time, whose
distance from UTC is a parameter.
"""

import unicodedata
from typing import Annotated, Final, TypeAlias

import msgspec

AMOUNT_MAX: Final = (1 << 64) - 1
DECIMALS_MAX: Final = 8
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000
MS_PER_YEAR: Final = 366 * MS_PER_DAY
"""The longest year: for limits, never for interest."""
TIME_MS_MAX: Final = (1 << 53) - 1
"""The year 287396; small enough for every JSON reader."""
DAY_MAX: Final = 2_932_896
"""31 December 9999."""

Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=TIME_MS_MAX)]
Day: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=DAY_MAX)]

# Python's current tables differ from one version to the next, and nodes must agree: what was not a
# character in Unicode 3.2 is refused. Urdu, Arabic, Hindi and Chinese are older than that.
_UNICODE: Final = unicodedata.ucd_3_2_0
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def is_text(value: str, length_max: int) -> bool:
    """Return whether this is text with one spelling: NFC, visible, at most `length_max` characters.

    Refused besides: control and formatting characters (which can reverse what a reader sees),
    unassigned and private ones, and whatever Unicode 3.2 did not know. Empty text is accepted.
    """
    if len(value) > length_max:
        return False
    if value.isascii():
        return value.isprintable()
    if any(_UNICODE.category(character) in _REFUSED_CATEGORIES for character in value):
        return False
    return _UNICODE.normalize("NFC", value) == value


def local_day(time_ms: int, utc_offset_minutes: int) -> int:
    """Return the day, counted from 1970-01-01, that a clock at this distance from UTC shows."""
    return (time_ms + utc_offset_minutes * MS_PER_MINUTE) // MS_PER_DAY  # floor: a day has begun
