"""What the index reads of the node's store: blocks as they were stored, and what never changes.

From a thread of its own, through a view of one moment: pruning does not pull a block from under it.
Nothing here goes through the caches of the chain, which belong to the event loop.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from node.chain.head import HeadRecord
from node.chain.history import History
from node.codec import decode
from node.genesis import Genesis
from node.index.errors import IndexFailure
from node.index.projection import Given, HoldingKey, given_stored
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.state import R, Table
from node.ledger.tables import ACCOUNTS, HOLDINGS, PARTICIPANTS, HoldingRecord, name_key
from node.storage import KeyValueStore, ReadView, layout

OF_THE_LEDGER: Final = "ledger"
"""The class of what belongs to no account: cash that is being paid out."""
CLASSES_KEPT: Final = 1 << 17
"""Accounts whose class is remembered: some 12 MiB."""


class Classes:
    """Of which class the owner of an account is: the kind of participant, which never changes."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._known: dict[bytes, str] = {}
        self._kinds: dict[str, str] = {}

    def of(self, account: bytes) -> str:
        """Return the class of an account that holds, or has held, something."""
        found = self._known.get(account)
        if found is None:
            if len(self._known) >= CLASSES_KEPT:
                self._known.clear()
            found = self._known[account] = self._read(account)
        return found

    def _read(self, account: bytes) -> str:
        record = self._record(ACCOUNTS, account)
        if record is None:
            return OF_THE_LEDGER
        kind = self._kinds.get(record.owner)
        if kind is None:
            owner = self._record(PARTICIPANTS, name_key(record.owner))
            assert owner is not None  # accounts have registered owners
            kind = self._kinds[record.owner] = owner.kind.value
        return kind

    def _record(self, table: Table[R], key: bytes) -> R | None:
        data = self._store.get(layout.state_key(table.prefix + key))
        return None if data is None else decode(data, table.record)


class Moment:
    """The store at one moment, when this was the last block."""

    def __init__(self, view: ReadView, genesis: Genesis) -> None:
        self._view = view
        self._history = History(view, genesis)
        self.head = _head_of(view)
        self.earliest = self._history.earliest

    def given(self, height: int) -> Given:
        """Return a block that is kept.

        Raises:
            IndexFailure: it is not there.
            ChainDamaged, StorageError: the disk's reasons.
        """
        block, receipts = self._history.block(height), self._history.receipts(height)
        certificate = self._history.certificate(height)
        if block is None or receipts is None or certificate is None:
            raise IndexFailure(f"block {height} is not in the store")
        return given_stored(block, certificate.block_id, receipts)

    def block_id(self, height: int) -> bytes | None:
        """Return the id of a block; None: neither it nor its certificate is kept."""
        certificate = self._history.certificate(height)
        return None if certificate is None else certificate.block_id

    def holdings(self) -> Iterator[tuple[HoldingKey, int]]:
        """Yield what everybody holds, available and held."""
        start, stop = layout.range_of(layout.state_key(HOLDINGS.prefix))
        for key, value in self._view.scan(start, stop):
            place = key[len(start) :]
            record = decode(value, HoldingRecord)
            asset = place[ADDRESS_SIZE:].decode()
            yield (asset, place[:ADDRESS_SIZE]), record.available + record.held


@contextmanager
def moment(store: KeyValueStore, genesis: Genesis) -> Iterator[Moment]:
    """Hold the store as it is now."""
    view = store.view()
    try:
        yield Moment(view, genesis)
    finally:
        view.close()


def _head_of(view: ReadView) -> int:
    data = view.get(layout.Meta.HEAD.value)
    return 0 if data is None else decode(data, HeadRecord).height
