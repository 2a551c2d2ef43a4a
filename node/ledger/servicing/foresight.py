"""Whom the next block will pay, as far as blocks go on as they do: for whoever reads beforehand.

A block that pays thousands of holders reads a stretch of a register and the cash of everybody on
it. Which one is known as soon as the block before it is, but for payments that begin: these pay few
in their first block. Nothing hangs on a foresight: what comes otherwise is read when it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.ledger.positions import account_at, service_of
from node.ledger.securities import position_key, register_prefix
from node.ledger.servicing.payer import open_payment, repays_face, worth_of
from node.ledger.servicing.records import security_of
from node.ledger.state import LedgerState
from node.ledger.tables import DUE, DueKind, holding_key

_ENTRIES: Final = 50
"""Of the queue: as many securities as one block looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """A register that is being paid, and where its next holder is."""

    prefix: bytes
    """How its keys begin."""
    start: bytes
    """The key from which on holders are paid."""
    cash: str
    """The asset that they are paid in."""
    holders: int
    """How many of them one block pays."""
    redeemed: str | None
    """The security, if what they have of it goes with this payment, or some of it is repaid."""

    def is_paid(self, key: bytes) -> bool:
        """Whether the holder with this key in the table of positions is one of them."""
        return key.startswith(self.prefix)

    def cash_key(self, key: bytes) -> bytes:
        """Return the key of the cash of the holder with this key in the table of positions."""
        return holding_key(account_at(key[len(self.prefix) :]), self.cash)

    def redeemed_keys(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the keys of what the holders with these keys in the table of positions have."""
        if self.redeemed is None:
            return []
        place_start, asset = len(self.prefix), self.redeemed
        return [holding_key(account_at(key[place_start:]), asset) for key in keys]


def foresee(state: LedgerState, time_ms: int, holders_max: int) -> tuple[Foresight, ...]:
    """Return the registers that go on being paid in the next block, in the order in which they are.

    Args:
        state: the committed one.
        time_ms: of the last block.
        holders_max: the bound of a block.
    """
    until = (time_ms + 1).to_bytes(8)
    entries = state.scan(DUE, b"", 1)  # Most blocks leave nothing for the next one to do.
    if not entries or entries[0][0][: len(until)] > until:
        return ()
    found = []
    # From there on: what was done lies before it, deleted, and is walked over.
    for key, due in state.scan(DUE, entries[0][0], _ENTRIES):
        if key[: len(until)] > until:
            break
        if due.kind is not DueKind.SERVICE:
            continue
        asset = due.target.decode()
        service = service_of(state, asset)
        if service.cursor:
            payment = open_payment(state, asset, service.settled + 1)
            found.append(
                Foresight(
                    prefix=register_prefix(asset),
                    start=position_key(asset, service.cursor) + b"\0",  # the least key above it
                    cash=security_of(state, asset)[1].plan.cash,
                    holders=holders_max // worth_of(payment),
                    redeemed=asset if repays_face(payment) else None,
                )
            )
    return tuple(found)
