"""`khazana check`: a walk over a whole database, offline, that believes nothing and writes nothing.

In this order: the database and what it says of itself; the trail of validators; every block; the
state from its root down; what must hold between the records; the consensus log beside it. Faults
are collected, not raised: one bad block does not hide another. What could not be read says so.
Memory is bounded at any size: one block, one path of the tree, one account at a time.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from consensus.errors import InvalidValue
from consensus.validators import ValidatorSet
from node.blocks import (
    CertificateError,
    Header,
    block_id,
    certificate_of_record,
    verify_certificate,
)
from node.blocks.certificates import Verify
from node.chain.errors import ChainDamaged
from node.chain.head import HandoverRecord, HeadRecord, KeptRecord, validator_set
from node.chain.history import EVERYTHING, History
from node.chain.opening import check_amendments
from node.codec import CodecError, RecordT, decode, encode
from node.genesis import Genesis
from node.keys import verify as verify_signature
from node.ledger.invariants import contradictions
from node.ledger.tables import VALIDATOR_SETS, RulingKey
from node.storage import ReadView, StorageError, layout
from node.upkeep.checked_blocks import BlockCheck, Sets
from node.upkeep.checked_log import LogSeen
from node.upkeep.checked_state import StateCheck, StoredRows, unreadable
from node.upkeep.faults import REPAIR, RESTART, Fault, Faults, Part

Progress: TypeAlias = Callable[[Part, int, int | None], None]
"""What is being checked, how many were, and of how many, where that is known."""

_KNOWN = b"BCKMNRSTV"
"""Every first byte of a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found."""

    height: int | None
    """Of the head; None: there is no readable one."""
    from_height: int
    """The first block that is kept."""
    good_to: int
    """The last height up to which every kept block is good; `from_height` - 1: none is."""
    blocks: int
    """How many were there to be read."""
    transactions: int
    records: int
    state_is_whole: bool
    """Records, tree, root and all that must hold between them."""
    faults: tuple[Fault, ...]
    """The first ones, in full."""
    faults_count: int
    """All of them."""
    log_faults_count: int
    """Those of the consensus log, which no repair of the database mends."""
    notes: tuple[str, ...]
    """What is no fault and worth knowing."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.faults_count == 0

    @property
    def database_is_whole(self) -> bool:
        """Whether nothing is wrong but with the consensus log."""
        return self.faults_count == self.log_faults_count


def check_database(
    view: ReadView,
    genesis: Genesis,
    *,
    faults: Faults | None = None,
    log: LogSeen | None = None,
    verify: Verify = verify_signature,
    progress: Progress = lambda _part, _done, _all: None,
) -> Report:
    """Check a whole database; the view is of a store that nobody writes to.

    Args:
        faults: where the log's were noted; the others come after them.
        log: what the consensus log beside it says; None: there is none.

    Raises:
        AmendmentError, AmendmentMissing: the chain went on by an amendment of its validators that
            is not installed, or another is.
    """
    check = _Check(view, genesis, faults or Faults(), verify, progress)
    return check.run(log)


class _Check:
    def __init__(
        self,
        view: ReadView,
        genesis: Genesis,
        faults: Faults,
        verify: Verify,
        progress: Progress,
    ) -> None:
        self._view = view
        self._genesis = genesis
        self._faults = faults
        self._verify = verify
        self._progress = progress
        self._notes: list[str] = []

    def run(self, log: LogSeen | None) -> Report:
        head = self._database()
        if head is None:
            return self._report(None, EVERYTHING, good_to=0, blocks=None, records=0, whole=False)
        kept = self._load(layout.Meta.KEPT.value, KeptRecord, "what is kept") or EVERYTHING
        if kept.from_height > 1:
            self._notes.append(f"blocks below {kept.from_height} are pruned")
        self._amendments(head)
        sets = self._sets()
        self._trail(sets, head.height)
        point = self._load(layout.Meta.POINT.value, HandoverRecord, "point of joining")
        joined = None
        if point is not None and kept.from_height > point.header.height:
            joined = point.header
        if point is not None:
            self._decided("point of joining", point, sets.at(point.header.height))
        blocks = BlockCheck(self._view, self._genesis, sets, self._faults, self._verify, joined)
        if joined is not None:
            self._notes.append(f"it begins at height {joined.height}, by a snapshot or a backup")
        good_to, last = self._blocks(blocks, kept.from_height, head.height)
        self._head(head, joined if last is None else last)
        self._index(kept.from_height, head.height, blocks.transactions, point)
        records, whole = self._state(head)
        if log is not None:
            self._log(log, head.height)
        return self._report(
            head, kept, good_to=good_to, blocks=blocks, records=records, whole=whole
        )

    def _report(
        self,
        head: HeadRecord | None,
        kept: KeptRecord,
        *,
        good_to: int,
        blocks: BlockCheck | None,
        records: int,
        whole: bool,
    ) -> Report:
        return Report(
            height=None if head is None else head.height,
            from_height=kept.from_height,
            good_to=good_to,
            blocks=0 if head is None else max(0, head.height - kept.from_height + 1),
            transactions=0 if blocks is None else blocks.transactions,
            records=records,
            state_is_whole=whole,
            faults=tuple(self._faults.first),
            faults_count=self._faults.count,
            log_faults_count=self._faults.by_part[Part.LOG],
            notes=tuple(self._notes),
        )

    # The database as a whole.

    def _database(self) -> HeadRecord | None:
        """Check what the database says of itself; return its head if it is ours."""
        version = self._get(layout.Meta.FORMAT.value, "format version")
        expected = layout.encode_number(layout.FORMAT_VERSION)
        network = self._get(layout.Meta.GENESIS.value, "genesis")
        ours = self._faults.agree(
            Part.DATABASE, "format version", version or b"", expected
        ) & self._faults.agree(
            Part.DATABASE,
            "genesis",
            network or b"",
            self._genesis.hash,
            "this is another network's database, or the home has another network's genesis",
        )
        self._strangers()
        if self._get(layout.Meta.JOIN.value, "join") is not None:
            self._fault(
                Part.DATABASE,
                "head",
                "a snapshot that is being taken over",
                "a chain",
                "start the node: it goes on with joining",
            )
            return None
        head = self._load(layout.Meta.HEAD.value, HeadRecord, "head")
        if head is None:
            self._fault(Part.DATABASE, "head", "nothing", "the last committed block")
        return head if ours else None

    def _strangers(self) -> None:
        """Find keys that belong to nothing in the layout."""
        metas = {meta.value for meta in layout.Meta}
        starts = [b"", *(bytes((byte + 1,)) for byte in _KNOWN)]
        stops = [*(bytes((byte,)) for byte in _KNOWN), b"\xff" * 64]
        try:
            for start, stop in zip(starts, stops, strict=True):
                for key, _ in self._view.scan(start, stop, limit=1):
                    self._fault(Part.DATABASE, f"key {key[:40].hex()}", "a key", "none here")
            for key, _ in self._view.scan(*layout.range_of(b"M")):
                if key not in metas:
                    self._fault(Part.DATABASE, f"key {key[:40]!r}", "a key", "none here")
        except StorageError as error:
            self._fault(Part.DATABASE, "keys", error.detail, "readable")

    def _head(self, head: HeadRecord, last: Header | None) -> None:
        """Check the head against the block of its height."""
        part, genesis = Part.DATABASE, self._genesis
        if head.height == 0:
            self._faults.agree(part, "head, block", head.block_id, genesis.hash)
        elif last is not None:
            self._faults.agree(part, "head, block", head.block_id, block_id(last))
            self._faults.agree(part, "head, time", head.time_ms, last.time_ms)
            self._faults.agree(part, "head, state root", head.state_root, last.state_root)

    # Validators.

    def _amendments(self, head: HeadRecord) -> None:
        """Check first that the chain went on by the amendments of this genesis, and by no others.

        Without one that is not installed everything after it would look damaged, and is not.

        Raises:
            AmendmentError, AmendmentMissing: it did not.
        """
        # What cannot be read is reported where the state is walked.
        with contextlib.suppress(ChainDamaged, StorageError):
            check_amendments(History(self._view, self._genesis), self._genesis, head, None)

    def _sets(self) -> Sets:
        found: list[tuple[int, tuple[RulingKey, ...]]] = []
        start, stop = layout.range_of(layout.state_key(VALIDATOR_SETS.prefix))
        try:
            for key, value in self._view.scan(start, stop):
                height = layout.decode_number(key[len(start) :])
                keys = decode(value, VALIDATOR_SETS.record).validators
                try:
                    validator_set(keys)
                except InvalidValue as error:
                    place = f"validator set from height {height}"
                    self._fault(Part.TRAIL, place, error, "one that could rule", RESTART)
                else:
                    found.append((height, keys))
        except (StorageError, CodecError) as error:
            self._fault(Part.TRAIL, "validator sets", error, "readable", RESTART)
        if not found or found[0][0] != 1:
            self._fault(
                Part.TRAIL, "validator sets", "none from height 1", "the genesis' own", RESTART
            )
        return Sets(found, self._genesis)

    def _trail(self, sets: Sets, head: int) -> None:
        """Check that each set was decided on by the one before it."""
        expected = set(sets.changes[1:])
        for _, height in pairwise(sets.changes):
            if height <= head + 1:
                self._handover(sets, height)
        try:
            for key, _ in self._view.scan(*layout.range_of(b"V")):
                if layout.decode_number(key[1:]) not in expected:
                    self._fault(Part.TRAIL, f"handover {key[1:].hex()}", "one", "none here")
        except StorageError as error:
            self._fault(Part.TRAIL, "handovers", error.detail, "readable")

    def _handover(self, sets: Sets, height: int) -> None:
        place = f"handover to height {height}"
        record = self._load(layout.handover_key(height), HandoverRecord, place, Part.TRAIL)
        validators = sets.at(height - 1)
        if record is None:
            self._fault(Part.TRAIL, place, "nothing", "header and certificate of the block before")
        if record is None:
            return
        header = record.header
        self._faults.agree(Part.TRAIL, f"{place}, height", header.height, height - 1)
        self._faults.agree(
            Part.TRAIL, f"{place}, set", header.next_validators_hash, sets.decided_hash(height)
        )
        self._decided(place, record, validators)

    def _decided(self, place: str, record: HandoverRecord, validators: ValidatorSet | None) -> None:
        """Check that a quorum of those who ruled decided a header that is kept by itself."""
        if validators is None:
            return
        try:
            verify_certificate(
                certificate_of_record(record.certificate),
                validators,
                self._genesis.fault_model,
                self._genesis.domain(record.header.height),
                self._verify,
                height=record.header.height,
                block_id=block_id(record.header),
            )
        except (CodecError, InvalidValue, CertificateError) as error:
            self._fault(Part.TRAIL, f"{place}, certificate", error, "one of a quorum")

    # Blocks.

    def _blocks(self, blocks: BlockCheck, from_height: int, head: int) -> tuple[int, Header | None]:
        """Check every block; return up to where all are good, and the last one's header."""
        good_to, header = from_height - 1, None
        for height in range(from_height, head + 1):
            before = self._faults.count
            header = blocks.check(height)
            if good_to == height - 1 and self._faults.count == before:
                good_to = height
            if height % 100 == 0 or height == head:
                self._progress(Part.BLOCKS, height - from_height + 1, head - from_height + 1)
        return good_to, header

    def _index(
        self, from_height: int, head: int, transactions: int, point: HandoverRecord | None
    ) -> None:
        """Check that nothing but what was found belongs to a block, or to its transactions."""
        try:
            for name, prefix in (("block", b"B"), ("certificate", b"C"), ("receipts", b"R")):
                for height, value in self._outside(prefix, from_height, head):
                    if name == "certificate" and _is_of(point, height):
                        assert point is not None
                        certificate = encode(point.certificate)
                        self._faults.agree(Part.TRAIL, f"{name} {height}", value, certificate)
                    else:
                        self._fault(Part.BLOCKS, f"{name} {height}", "stored", "not kept")
            self._ids(from_height, head, transactions)
        except StorageError as error:
            self._fault(Part.BLOCKS, "index of ids", error.detail, "readable")

    def _outside(self, prefix: bytes, from_height: int, head: int) -> Iterator[tuple[int, bytes]]:
        """Yield what is stored for heights that are not kept: two below, and two above."""
        for start, stop in (
            (prefix, prefix + layout.encode_number(from_height)),
            (prefix + layout.encode_number(head + 1), layout.range_of(prefix)[1]),
        ):
            for key, value in self._view.scan(start, stop, limit=2):
                yield layout.decode_number(key[1:]), value

    def _ids(self, from_height: int, head: int, transactions: int) -> None:
        """Count the ids: every transaction has shown its own, so a greater number is a stray."""
        indexed = earlier = 0
        for key, value in self._view.scan(*layout.range_of(b"T")):
            height, _ = layout.decode_place(value)
            if height > head:
                self._fault(
                    Part.BLOCKS, f"id {key[1:].hex()}", f"height {height}", f"at most {head}"
                )
            elif height < from_height:
                earlier += 1
            else:
                indexed += 1
        self._faults.agree(Part.BLOCKS, "index of ids, entries", indexed, transactions)
        if earlier:
            self._notes.append(f"{earlier} ids are of blocks before the first one kept")

    # The state.

    def _state(self, head: HeadRecord) -> tuple[int, bool]:
        before = self._faults.count
        try:
            check = StateCheck(
                self._view,
                self._faults,
                lambda done: self._progress(Part.STATE, done, None),
            )
            check.check(head.state_root)
        except StorageError as error:
            unreadable(self._faults, error)
            return 0, False
        if self._faults.count == before:
            self._progress(Part.LEDGER, 0, None)
            self._ledger()
        return check.records, self._faults.count == before

    def _ledger(self) -> None:
        try:
            for contradiction in contradictions(StoredRows(self._view)):
                self._fault(
                    Part.LEDGER,
                    "state",
                    contradiction,
                    "what holds after every block",
                    "a quorum has certified this state: report it to the others before anything",
                )
        except StorageError as error:
            unreadable(self._faults, error)

    # The log.

    def _log(self, log: LogSeen, head: int) -> None:
        if log.torn_bytes:
            self._notes.append(
                f"the consensus log ends in {log.torn_bytes} bytes of an append that a power cut"
                " interrupted; the node cuts them off"
            )
        if log.height > head + 1:
            self._notes.append(
                f"the consensus log stands at {log.height}, the head at {head}: the database is the"
                " older one, and nothing is signed before it has caught up"
            )
        elif 0 < log.height < head:
            self._notes.append(
                f"the consensus log stands at {log.height}, the head at {head}: nothing is signed"
                " before the others were heard"
            )

    # Reading.

    def _get(self, key: bytes, name: str) -> bytes | None:
        try:
            return self._view.get(key)
        except StorageError as error:
            self._fault(Part.DATABASE, name, error.detail, "readable bytes")
            return None

    def _load(
        self, key: bytes, kind: type[RecordT], name: str, part: Part = Part.DATABASE
    ) -> RecordT | None:
        data = self._get(key, name)
        if data is None:
            return None
        try:
            return decode(data, kind)
        except CodecError as error:
            self._fault(part, name, error, "readable")
            return None

    def _fault(
        self, part: Part, place: str, found: object, expected: object, advice: str = REPAIR
    ) -> None:
        self._faults.add(part, place, found=found, expected=expected, advice=advice)


def _is_of(point: HandoverRecord | None, height: int) -> bool:
    """Whether a database begins at this height: its certificate is there without its block."""
    return point is not None and point.header.height == height
