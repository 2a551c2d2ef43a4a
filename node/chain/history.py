"""The committed blocks as stored: read, decoded, never written here.

Raises throughout: `StorageError` for the disk's reasons, `ChainDamaged` where what is stored is not
what was written.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from consensus.certificates import QuorumCertificate
from consensus.errors import InvalidValue
from consensus.validators import ValidatorSet
from node.blocks import Block, decode_block, decode_certificate
from node.chain.errors import ChainDamaged
from node.chain.head import HandoverRecord, KeptRecord, validator_set
from node.chain.receipts import BlockReceipts, decode_block_receipts
from node.codec import CodecError, Record, decode
from node.genesis import Genesis
from node.ledger.state import Table
from node.ledger.tables import (
    ACCUSATIONS,
    AMENDMENTS,
    VALIDATOR_SETS,
    AccusationRecord,
    RulingKey,
    height_key,
)
from node.storage import ReadView, layout

ValueT = TypeVar("ValueT")
R = TypeVar("R", bound=Record)

EVERYTHING: Final = KeptRecord(from_height=1, ids_after_ms=None)


def _latest_first(made: AccusationRecord) -> tuple[int, str, int]:
    """By what accusations are sorted that have the latest shown first."""
    return -made.shown, made.validator, made.round


class History:
    """What one store holds of the past."""

    def __init__(self, store: ReadView, genesis: Genesis) -> None:
        self._store = store
        self._genesis = genesis
        self._kept: KeptRecord | None = None

    @property
    def kept(self) -> KeptRecord:
        """From where on the past is here."""
        if self._kept is None:
            data = self._store.get(layout.Meta.KEPT.value)
            self._kept = _decoded(data, _decode_kept, "the note of what is kept") or EVERYTHING
        return self._kept

    @property
    def earliest(self) -> int:
        """The first height whose block is kept; above the head where none is."""
        return self.kept.from_height

    def is_pruned(self, height: int) -> bool:
        """Whether there was a block of this height and it is no longer kept."""
        return 1 <= height < self.earliest

    def keep_from(self, kept: KeptRecord) -> None:
        """Know what is about to be deleted: whoever reads from now on is told that it is gone."""
        self._kept = kept

    def block_bytes(self, height: int) -> bytes | None:
        """Return the stored bytes of a block, as sent to those who catch up; None: not here."""
        return self._store.get(layout.block_key(height))

    def certificate_bytes(self, height: int) -> bytes | None:
        """Return the stored bytes of a block's commit certificate; None: not here."""
        return self._store.get(layout.certificate_key(height))

    def block(self, height: int) -> Block | None:
        """Return the block of this height; None: not here."""
        return _decoded(self.block_bytes(height), decode_block, f"the block of height {height}")

    def certificate(self, height: int) -> QuorumCertificate | None:
        """Return the commit certificate of this height; None: not here.

        That of the block at which this node joined by a snapshot is here, the block is not.
        """
        name = f"the certificate of height {height}"
        return _decoded(self.certificate_bytes(height), decode_certificate, name)

    def point(self) -> HandoverRecord | None:
        """Return header and certificate of the block that this node began at; None: the genesis."""
        data = self._store.get(layout.Meta.POINT.value)
        return _decoded(data, _decode_handover, "the point of joining")

    def receipts(self, height: int) -> BlockReceipts | None:
        """Return the receipts of this height; None: not here."""
        data = self._store.get(layout.receipts_key(height))
        return _decoded(data, decode_block_receipts, f"the receipts of height {height}")

    def transaction(self, transaction_id: bytes) -> tuple[int, int] | None:
        """Return height and index of an applied transaction; None: it never was."""
        place = self._store.get(layout.transaction_key(transaction_id))
        return None if place is None else layout.decode_place(place)

    def seen(self, transaction_id: bytes) -> bool:
        """Whether a transaction of this id was ever applied, whatever became of it."""
        return self._store.get(layout.transaction_key(transaction_id)) is not None

    def accusation(self, accusation_id: bytes) -> AccusationRecord | None:
        """Return the accusation of this place; None: nobody has made it."""
        data = self._store.get(layout.state_key(ACCUSATIONS.prefix + accusation_id))
        return None if data is None else _record(data, ACCUSATIONS)

    def accusations(self) -> tuple[AccusationRecord, ...]:
        """Return all that were ever made, the latest shown first."""
        start, stop = layout.range_of(layout.state_key(ACCUSATIONS.prefix))
        made = [_record(value, ACCUSATIONS) for _, value in self._store.scan(start, stop)]
        return tuple(sorted(made, key=_latest_first))

    def accusations_after(
        self, accusation_id: bytes | None, count: int
    ) -> list[tuple[bytes, AccusationRecord]]:
        """Return so many with their ids, in the order of those: from the first, or after one."""
        first, stop = layout.range_of(layout.state_key(ACCUSATIONS.prefix))
        start = first if accusation_id is None else first + accusation_id + b"\0"
        return [
            (key.removeprefix(first), _record(value, ACCUSATIONS))
            for key, value in self._store.scan(start, stop, limit=count)
        ]

    def validators(self, height: int) -> tuple[RulingKey, ...]:
        """Return the validators that rule this height, at most the one after the head.

        The one place that says who does. The state notes every set that blocks have come to; the
        one that an amendment put in rules its first height by that alone, and its block notes it
        for those after.
        """
        amendment = self._genesis.amendment_at(height)
        return self.decided(height) if amendment is None else amendment.ruling_keys

    def decided(self, height: int) -> tuple[RulingKey, ...]:
        """Return the set that the blocks below this height have come to.

        It rules the height, unless an amendment put another in.
        """
        start, stop = _set_key(0), _set_key(height + 1)
        for _, value in self._store.scan(start, stop, reverse=True, limit=1):
            return _record(value, VALIDATOR_SETS).validators
        raise ChainDamaged(f"no validator set is stored for height {height}")

    def validator_set(self, height: int) -> ValidatorSet:
        """Return the same as consensus knows it.

        Raises:
            ChainDamaged: what is stored could not be one.
        """
        try:
            return validator_set(self.validators(height))
        except InvalidValue as error:
            raise ChainDamaged(f"the validator set of height {height}: {error}") from None

    def validator_changes(self, height: int, *, latest: int | None = None) -> tuple[int, ...]:
        """Return the heights from which a new set ruled, ascending, up to this one; 1 leads.

        Args:
            latest: only so many, the last ones; the others are not read. None: all.
        """
        start, stop = _set_key(0), _set_key(height + 1)
        entries = self._store.scan(start, stop, reverse=True, limit=latest)
        return tuple(sorted(layout.decode_number(key[2:]) for key, _ in entries))

    def amendments(self) -> dict[int, bytes]:
        """Return the id of each amendment in the state, by the height from which its set rules."""
        start, stop = layout.range_of(layout.state_key(AMENDMENTS.prefix))
        return {
            layout.decode_number(key[2:]): _record(value, AMENDMENTS).id
            for key, value in self._store.scan(start, stop)
        }

    def handover(self, height: int) -> HandoverRecord:
        """Return how the validators that rule from this height were decided on, by those before.

        A set other than the first rules from it.
        """
        data = self._store.get(layout.handover_key(height))
        record = _decoded(data, _decode_handover, f"the handover to height {height}")
        if record is None:
            raise ChainDamaged(f"the handover to height {height} is missing")
        return record


def _set_key(height: int) -> bytes:
    return layout.state_key(VALIDATOR_SETS.prefix + height_key(height))


def _decode_kept(data: bytes) -> KeptRecord:
    return decode(data, KeptRecord)


def _decode_handover(data: bytes) -> HandoverRecord:
    return decode(data, HandoverRecord)


def _record(data: bytes, table: Table[R]) -> R:
    try:
        return decode(data, table.record)
    except CodecError as error:
        raise ChainDamaged(f"a record of the table {table.name} is unreadable: {error}") from None


def _decoded(
    data: bytes | None, decode_value: Callable[[bytes], ValueT], name: str
) -> ValueT | None:
    if data is None:
        return None
    try:
        return decode_value(data)
    except CodecError as error:
        raise ChainDamaged(f"{name} is unreadable: {error}") from None
