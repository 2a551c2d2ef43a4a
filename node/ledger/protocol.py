"""Protocol versions: which rules count at a height, and the one upgrade that may be scheduled.

A block is applied by the rules of the version that rules its height, for ever: whoever copies the
chain applies its old blocks as they were applied then. Offices schedule the next version together;
until its height they can still cancel it, and from that height on it rules by itself. A rule that
came later than version 1 asks which version rules, by the name that it has below; an act that came
later says so in the catalogue, an outcome beside its sentence.

A release knows the versions of `VERSIONS`, all of them: it never forgets an old one.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from node.codec import Record
from node.ledger.state import LedgerState
from node.ledger.tables import PROTOCOL, PROTOCOL_KEY, ProtocolRecord, Upgrade

UPGRADE_AHEAD_MAX: Final = 100_000_000
"""Blocks: how far ahead an upgrade may be scheduled; three years at a block a second."""

VERSIONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "the first rules",
        2: "an account has at most 256 holds at a time",
        3: "calendars, bonds and sukuk with their payments, and auctions",
    }
)
"""What each version brought, in words for those who decide on it."""
SUPPORTED: Final[Collection[int]] = frozenset(VERSIONS)
"""The versions by whose rules this release can apply a block."""
LATEST_VERSION: Final = max(VERSIONS)

# Rules by the version that brought them.
HOLDS_BOUNDED: Final = 2
DEBT_DESK: Final = 3

_FIRST: Final = ProtocolRecord(version=1, upgrade=None)


class ProtocolUpgraded(Record, tag=53):
    """From this block on another version rules."""

    version: int


def protocol_of(state: LedgerState) -> ProtocolRecord:
    """Return what the state says about versions; a network founded at version 1 says nothing."""
    return state.get(PROTOCOL, PROTOCOL_KEY) or _FIRST


def ruling_version(protocol: ProtocolRecord, height: int) -> int:
    """Return the version that rules a height.

    Args:
        protocol: as of the block before.
    """
    upgrade = protocol.upgrade
    return protocol.version if upgrade is None or height < upgrade.height else upgrade.version


def found_version(state: LedgerState, version: int) -> None:
    """Let a version rule from the first block on."""
    if version != _FIRST.version:
        state.put(PROTOCOL, PROTOCOL_KEY, ProtocolRecord(version=version, upgrade=None))


def schedule(state: LedgerState, upgrade: Upgrade) -> None:
    """Let the upgrade take place at its height. The caller has checked it."""
    ruling = protocol_of(state).version
    state.put(PROTOCOL, PROTOCOL_KEY, ProtocolRecord(version=ruling, upgrade=upgrade))


def cancel(state: LedgerState) -> None:
    """Let the version that rules go on. There is an upgrade to cancel."""
    ruling = protocol_of(state).version
    state.put(PROTOCOL, PROTOCOL_KEY, ProtocolRecord(version=ruling, upgrade=None))


def take_effect(state: LedgerState, height: int) -> tuple[ProtocolUpgraded, ...]:
    """Make the upgrade that is due at this height a fact, before anything else of the block."""
    upgrade = protocol_of(state).upgrade
    if upgrade is None or height < upgrade.height:
        return ()
    found = ProtocolRecord(version=upgrade.version, upgrade=None)
    state.put(PROTOCOL, PROTOCOL_KEY, found)
    return (ProtocolUpgraded(version=upgrade.version),)
