"""What would become of transactions in the next block, each by itself on the committed state.

Those that are tried together share what was read: the same accounts, participants and powers. What
one of them writes is discarded before the next.
"""

from collections.abc import Iterable

from node.ledger.acting import BlockContext
from node.ledger.state import LedgerState
from node.ledger.transactions import TransactionBody
from node.ledger.transition import Application, Receipt, Standing

_NO_ID = bytes(32)


class Trial:
    """Tries transactions in one turn of the event loop, before another block is committed."""

    def __init__(
        self, state: LedgerState, context: BlockContext, standing: Standing | None = None
    ) -> None:
        """Begin on a fresh state, in a block of this context.

        Args:
            standing: what is known of the accounts of the state.
        """
        self._state = state
        self._application = Application(state, context, standing)

    def applies_each(self, bodies: Iterable[TransactionBody]) -> bool:
        """Whether all of these are plain transfers that would be applied, as nearly always: of
        others `receipt` says what becomes of them."""
        return self._application.applies_plainly(bodies)

    def receipt(self, body: TransactionBody) -> Receipt:
        """Return what would become of this transaction; nothing changes."""
        plain = self._application.plain(body)
        if plain is not None:
            return plain
        self._state.begin()
        self._application.renew()
        try:
            return self._application.apply_at_length(_NO_ID, body)
        finally:
            self._state.discard()
