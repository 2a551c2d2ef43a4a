"""The ledger's parameters: what governance may turn, between which limits.

Each is an integer under a name of its own, stored as one record, so that a later release can add
parameters without touching what is stored: one that no record names has its default.
"""

from dataclasses import dataclass, fields
from typing import Final

from node.ledger.units import MS_PER_DAY, MS_PER_HOUR

MS_PER_YEAR: Final = 366 * MS_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The parameters ruling at a height, with their defaults. The table of names is `LIMITS`."""

    accounts_max_no_objection: int = 10_000
    """Accounts that a licensee may open while it has a no-objection certificate."""
    accounts_max_provisional: int = 1_000_000
    """The same while its application for the full licence is decided."""
    accounts_max_full: int = 100_000_000
    """The same with the full licence."""
    hold_lifetime_max_ms: int = 10 * MS_PER_YEAR
    """How far ahead a hold may expire."""
    proposal_lifetime_max_ms: int = 30 * MS_PER_DAY
    """How far ahead a proposal may expire."""
    proposals_open_max: int = 64
    utc_offset_minutes: int = 300
    """When a day begins: Pakistan Standard Time is UTC+5, all year."""
    validators_min: int = 1
    """How many validators must remain after a removal."""


LIMITS: Final[dict[str, tuple[int, int]]] = {
    "accounts-max-no-objection": (0, 1_000_000_000),
    "accounts-max-provisional": (0, 1_000_000_000),
    "accounts-max-full": (0, 1_000_000_000),
    "hold-lifetime-max-ms": (MS_PER_HOUR, 100 * MS_PER_YEAR),
    "proposal-lifetime-max-ms": (MS_PER_HOUR, MS_PER_YEAR),
    "proposals-open-max": (1, 1_024),
    "utc-offset-minutes": (-12 * 60, 14 * 60),
    "validators-min": (1, 100),
}
"""Lowest and highest value of each parameter, by its name on the ledger."""

DEFAULTS: Final = Parameters()


def field_of(name: str) -> str:
    """Return the attribute of `Parameters` that holds the parameter of this name."""
    return name.replace("-", "_")


assert {field.name for field in fields(Parameters)} == {field_of(name) for name in LIMITS}
