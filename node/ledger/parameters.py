"""The ledger's parameters: what governance may turn, between which limits.

Each is an integer under a name of its own, stored as one record, so that a later release can add
parameters without touching what is stored: one that no record names has its default.
"""

from typing import Final

from node.codec import Record, encode
from node.hashing import Domain, tagged_hash
from node.ledger.state import LedgerState
from node.ledger.tables import PARAMETERS, name_key
from node.ledger.units import MS_PER_DAY, MS_PER_HOUR, MS_PER_YEAR


class Parameters(Record):
    """The parameters ruling at a height. The table of their names is `LIMITS`."""

    accounts_max_no_objection: int
    """Accounts that a licensee may open while it has a no-objection certificate."""
    accounts_max_provisional: int
    """The same while its application for the full licence is decided."""
    accounts_max_full: int
    """The same with the full licence."""
    hold_lifetime_max_ms: int
    """How far ahead a hold may expire."""
    proposal_lifetime_max_ms: int
    """How far ahead a proposal may expire."""
    proposals_open_max: int
    utc_offset_minutes: int
    """When a day begins: Pakistan Standard Time is UTC+5, all year."""
    validators_min: int
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

DEFAULTS: Final = Parameters(
    accounts_max_no_objection=10_000,
    accounts_max_provisional=1_000_000,
    accounts_max_full=100_000_000,
    hold_lifetime_max_ms=10 * MS_PER_YEAR,
    proposal_lifetime_max_ms=30 * MS_PER_DAY,
    proposals_open_max=64,
    utc_offset_minutes=300,
    validators_min=1,
)


def parameter(state: LedgerState, name: str) -> int:
    """Return the ruling value of one parameter of `LIMITS`."""
    record = state.get(PARAMETERS, name_key(name))
    return _value(DEFAULTS, name) if record is None else record.value


def parameters_of(state: LedgerState) -> Parameters:
    """Return all parameters as they rule in this state."""
    return Parameters(**{_field(name): parameter(state, name) for name in LIMITS})


def parameters_hash(parameters: Parameters) -> bytes:
    """Return what a header commits to: the hash of those that differ from their default, by name.

    So a release that adds a parameter gives the same hash for every block before its first use.
    """
    values = tuple(
        (name, value)
        for name in sorted(LIMITS)
        if (value := _value(parameters, name)) != _value(DEFAULTS, name)
    )
    return tagged_hash(Domain.PARAMETERS, encode(values))


def _value(parameters: Parameters, name: str) -> int:
    value: int = getattr(parameters, _field(name))
    return value


def _field(name: str) -> str:
    return name.replace("-", "_")


# Every parameter has limits, and every limit a parameter.
assert set(Parameters.__annotations__) == {_field(name) for name in LIMITS}
