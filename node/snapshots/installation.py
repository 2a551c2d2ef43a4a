"""Writing a snapshot into an empty store, part by part, and making a chain of it at the end.

Until the last batch the store has no head: it is not a chain, whatever happens. A part is written
whole, in one batch, in place of everything that was beneath its path, and only after it has been
verified: so a branch that is found at a path says that all beneath it is there, and what was taken
over before a restart, or from an older snapshot, need not be asked for again. These batches are not
synced: a power cut may take the last ones, never one from the middle.
"""

from collections.abc import Iterable, Mapping, Sequence

from node.blocks import block_id
from node.chain.errors import ChainDamaged
from node.chain.execution import hash_of_validators
from node.chain.head import HandoverRecord, HeadRecord, KeptRecord
from node.chain.history import History
from node.chain.opening import check_belongs, is_empty
from node.codec import CodecError, Record, decode, encode
from node.genesis import Genesis
from node.hashing import HASH_SIZE
from node.ledger.commitment import Path, Subtree, hash_of_branch, hash_of_value
from node.ledger.tables import VALIDATORS, ValidatorRecord
from node.snapshots.errors import BadPart, InstallationError
from node.snapshots.parts import PointRecord
from node.snapshots.recent import Walked
from node.snapshots.trail import Trail
from node.storage import Batch, KeyValueStore, layout


class JoinRecord(Record):
    """As stored while a snapshot is being taken over."""

    walked: Walked | None
    """The recent blocks whose ids are here."""


class Installation:
    """A store on its way to being a chain. All methods block."""

    def __init__(self, store: KeyValueStore, genesis: Genesis) -> None:
        """Begin in an empty store, or go on in one where this was begun.

        Raises:
            InstallationError: it holds a chain already, or something of another network.
        """
        self._store = store
        self._genesis = genesis
        if not is_empty(store) and not is_begun(store):
            raise InstallationError("the database is not empty: it holds a chain already")
        if not is_empty(store):
            try:
                check_belongs(store, genesis)
            except ChainDamaged as error:
                raise InstallationError(f"what was begun here is not to be used: {error}") from None

    @property
    def is_begun(self) -> bool:
        """Whether parts of a snapshot may be here already."""
        return is_begun(self._store)

    def begin(self) -> None:
        """Mark the store, for every later start to see. A second call does nothing."""
        if is_begun(self._store):
            return
        self._store.write(
            [
                (layout.Meta.FORMAT.value, layout.encode_number(layout.FORMAT_VERSION)),
                (layout.Meta.GENESIS.value, self._genesis.hash),
                (layout.Meta.JOIN.value, encode(JoinRecord(walked=None))),
            ],
            sync=True,
        )

    def walked(self) -> Walked | None:
        """Return the recent blocks whose ids are here."""
        data = self._store.get(layout.Meta.JOIN.value)
        return None if data is None else decode(data, JoinRecord).walked

    def has(self, path: Path, slot: bytes) -> bool:
        """Return whether exactly what belongs beneath a path is there already."""
        if len(slot) == HASH_SIZE:
            branch = self._store.get(layout.node_key(path))
            return branch is not None and hash_of_branch(branch) == slot
        start, stop = layout.hash_range(path)
        keys = [key for _, key in self._store.scan(start, stop, limit=2)]
        if not slot or len(keys) != 1:
            return not slot and not keys
        value = self._store.get(layout.state_key(keys[0]))
        key_hash = layout.hash_key(slot[:HASH_SIZE])
        return (
            value is not None
            and self._store.get(key_hash) == keys[0]
            and hash_of_value(value) == slot[HASH_SIZE:]
        )

    def place(self, path: Path, subtree: Subtree, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Put verified records beneath a path, in place of whatever is there."""
        batch: dict[bytes, bytes | None] = {}
        # What stood above is no longer what it was, also if it comes to be so again.
        for depth in range(len(path)):
            batch[layout.node_key(path[:depth])] = None
        for place, key in self._store.scan(*layout.hash_range(path)):
            batch[place] = None
            batch[layout.state_key(key)] = None
        start, stop = layout.range_of(layout.node_key(path))
        batch.update((place, None) for place, _ in self._store.scan(start, stop))
        batch.update((layout.state_key(key), value) for key, value in records)
        batch.update((layout.hash_key(each), key) for each, key in subtree.keys.items())
        batch.update((layout.node_key(at), branch) for at, branch in subtree.nodes.items())
        self._store.write(list(batch.items()), sync=False)

    def note_ids(self, ids: Sequence[tuple[bytes, int, int]], walked: Walked) -> None:
        """Remember that these transactions were applied, and how far the walk has come."""
        batch: list[tuple[bytes, bytes | None]] = [
            (layout.transaction_key(each), layout.encode_place(height, index))
            for each, height, index in ids
        ]
        batch.append((layout.Meta.JOIN.value, encode(JoinRecord(walked=walked))))
        self._store.write(batch, sync=False)

    def finish(self, point: PointRecord, trail: Trail, crown: Mapping[Path, bytes]) -> None:
        """Make a chain of it: one synced batch.

        The state and the ids are there, the point and the trail verified.

        Raises:
            TrailIncomplete: the state knows changes of validators that the trail leaves out.
            BadPart: the state is not one that this header can follow.
        """
        header = point.header
        history = History(self._store, self._genesis)
        sets = {
            height: hash_of_validators(history.decided(height))
            for height in history.validator_changes(header.height + 1)
        }
        trail.check_complete(point, sets)
        ruling = hash_of_validators(self._validators())
        if ruling != header.next_validators_hash:
            raise BadPart(
                "state", f"validators {ruling.hex()}, expected {header.next_validators_hash.hex()}"
            )
        changed = header.height + 1 in sets
        self._store.write(self._last_batch(point, trail, crown, changed=changed), sync=True)

    def _last_batch(
        self, point: PointRecord, trail: Trail, crown: Mapping[Path, bytes], *, changed: bool
    ) -> Batch:
        """Return what makes a chain of it.

        Args:
            changed: the block of the point noted a set for the next height.
        """
        header = point.header
        decided = HandoverRecord(header=header, certificate=point.certificate)
        head = HeadRecord(
            height=header.height,
            block_id=block_id(header),
            time_ms=header.time_ms,
            state_root=header.state_root,
        )
        kept = KeptRecord(
            from_height=header.height + 1,
            ids_after_ms=max(0, header.time_ms - self._genesis.transactions.window_ms),
        )
        batch: list[tuple[bytes, bytes | None]] = [
            (layout.Meta.JOIN.value, None),
            (layout.Meta.POINT.value, encode(decided)),
            (layout.Meta.HEAD.value, encode(head)),
            (layout.Meta.KEPT.value, encode(kept)),
            (layout.certificate_key(header.height), encode(point.certificate)),
        ]
        for each in trail.handovers:
            record = HandoverRecord(header=each.header, certificate=each.certificate)
            batch.append((layout.handover_key(each.header.height + 1), encode(record)))
        if changed:
            batch.append((layout.handover_key(header.height + 1), encode(decided)))
        batch += [(layout.node_key(path), branch) for path, branch in crown.items()]
        return batch

    def _validators(self) -> tuple[ValidatorRecord, ...]:
        start, stop = layout.range_of(layout.state_key(VALIDATORS.prefix))
        try:
            return tuple(
                decode(value, VALIDATORS.record) for _, value in self._store.scan(start, stop)
            )
        except CodecError as error:
            raise BadPart("state", f"a validator is unreadable: {error}") from None


def is_begun(store: KeyValueStore) -> bool:
    """Whether a snapshot is being taken over in this store, and has not become a chain."""
    return store.get(layout.Meta.JOIN.value) is not None
