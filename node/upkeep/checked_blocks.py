"""The walk over the stored blocks: each is held against its certificate, its neighbours, its index.

A block counts as good when everything that is stored of it is there, hangs together, is certified
by a quorum of the validators that ruled its height, and every signature in it is true: then it can
be replayed or served, whatever else is wrong with the database.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from consensus.errors import InvalidValue
from consensus.types import Height, Round
from consensus.validators import ValidatorSet
from node.blocks import (
    Block,
    CertificateError,
    Header,
    block_id,
    decode_block,
    decode_certificate,
    evidence_root,
    receipt_leaf,
    receipts_root,
    transactions_root,
    verify_certificate,
)
from node.blocks.certificates import Verify
from node.chain.execution import hash_of_validators
from node.chain.head import validator_set
from node.chain.receipts import decode_block_receipts
from node.codec import CodecError
from node.genesis import Genesis
from node.ledger.outcomes import Reject
from node.ledger.tables import RulingKey
from node.ledger.transactions import decode_signed, transaction_id
from node.storage import ReadView, StorageError, layout
from node.upkeep.faults import REPAIR, Faults, Part


class Sets:
    """The validator sets of all heights, by the height from which each rules."""

    def __init__(self, sets: Sequence[tuple[int, tuple[RulingKey, ...]]], genesis: Genesis) -> None:
        """Take the sets that blocks have come to, in ascending order."""
        self._genesis = genesis
        self._from = [height for height, _ in sets]
        self._sets = [validator_set(keys) for _, keys in sets]
        self._hashes = [hash_of_validators(keys) for _, keys in sets]

    @property
    def changes(self) -> tuple[int, ...]:
        """The heights from which a new set rules, the first one's before them."""
        return tuple(self._from)

    def at(self, height: int) -> ValidatorSet | None:
        """Return those who rule a height; None: not known."""
        amendment = self._genesis.amendment_at(height)
        if amendment is not None:
            return amendment.validator_set
        index = bisect_right(self._from, height) - 1
        return None if index < 0 else self._sets[index]

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash under which a header names them."""
        amendment = self._genesis.amendment_at(height)
        return self.decided_hash(height) if amendment is None else amendment.validators_hash

    def decided_hash(self, height: int) -> bytes | None:
        """Return the hash under which the header before names those who are to rule a height."""
        index = bisect_right(self._from, height) - 1
        return None if index < 0 else self._hashes[index]


class BlockCheck:
    """Checks the blocks of one database, in ascending order."""

    def __init__(
        self,
        view: ReadView,
        genesis: Genesis,
        sets: Sets,
        faults: Faults,
        verify: Verify,
        point: Header | None = None,
    ) -> None:
        """Store what is given.

        Args:
            point: the header of the block that the database begins at, if not at the genesis.
        """
        self._view = view
        self._genesis = genesis
        self._sets = sets
        self._faults = faults
        self._verify = verify
        self._before: tuple[int, bytes, int] | None = (0, genesis.hash, genesis.time_ms)
        """Height, id and time of the block before, where it is known."""
        if point is not None:
            self._before = (point.height, block_id(point), point.time_ms)
        self.transactions = 0
        """How many stand in the blocks that could be read."""

    def check(self, height: int) -> Header | None:
        """Check everything stored under a height; return the header if there is a block."""
        block = self._load(height, "block", layout.block_key, decode_block)
        if block is None:
            self._before = None
            return None
        header = block.header
        self._check_place(height, header)
        ids = self._check_transactions(height, block)
        self._check_roots(height, block, ids)
        self._check_certificate(height, header)
        self._before = (height, block_id(header), header.time_ms)
        return header

    def _load(
        self, height: int, name: str, key: Callable[[int], bytes], decode: Callable[[bytes], Block]
    ) -> Block | None:
        data = self._read(f"{name} {height}", key(height))
        if data is None:
            return None
        try:
            return decode(data)
        except CodecError as error:
            self._fault(f"{name} {height}", error, "a readable block")
            return None

    def _read(self, place: str, key: bytes) -> bytes | None:
        try:
            data = self._view.get(key)
        except StorageError as error:
            self._fault(place, error.detail, "readable bytes")
            return None
        if data is None:
            self._fault(place, "nothing", "it is kept")
        return data

    def _fault(self, place: str, found: object, expected: object) -> None:
        self._faults.add(Part.BLOCKS, place, found=found, expected=expected, advice=REPAIR)

    def _agree(self, place: str, found: object, expected: object) -> bool:
        return self._faults.agree(Part.BLOCKS, place, found, expected)

    def _check_place(self, height: int, header: Header) -> None:
        place = f"block {height}"
        self._agree(f"{place}, height", header.height, height)
        self._agree(f"{place}, network", header.network, self._genesis.network)
        if self._before is not None and self._before[0] == height - 1:
            _, parent, time_ms = self._before
            expected = self._genesis.parent_of(height, parent)
            self._agree(f"{place}, parent", header.parent, expected)
            if header.time_ms <= time_ms:
                self._fault(f"{place}, time", header.time_ms, f"later than {time_ms}")
        validators = self._sets.at(height)
        if validators is not None:
            proposer = validators.proposer(Height(height), Round(header.round)).id
            self._agree(f"{place}, proposer", header.proposer, proposer)
        self._agree(f"{place}, validators", header.validators_hash, self._sets.hash_at(height))
        self._agree(
            f"{place}, next validators",
            header.next_validators_hash,
            self._sets.decided_hash(height + 1),
        )

    def _check_transactions(self, height: int, block: Block) -> list[bytes]:
        """Check signatures and index entries; return the ids."""
        place = f"block {height}"
        self._agree(
            f"{place}, transactions", len(block.transactions), block.header.transaction_count
        )
        ids: list[bytes] = []
        for index, raw in enumerate(block.transactions):
            at = f"{place}, transaction {index}"
            try:
                signed, body = decode_signed(raw)
            except Reject as error:
                self._fault(at, error, "a readable transaction")
                continue
            identifier = transaction_id(self._genesis.hash, signed.body)
            ids.append(identifier)
            for signer, signature in zip(body.signers, signed.signatures, strict=True):
                if not self._verify(signer, identifier, signature):
                    self._fault(f"{at}, signature of {signer.hex()}", signature, "a true one")
            indexed = self._read(f"id {identifier.hex()}", layout.transaction_key(identifier))
            if indexed is not None:
                self._agree(f"id {identifier.hex()}", indexed, layout.encode_place(height, index))
        self.transactions += len(block.transactions)
        return ids

    def _check_roots(self, height: int, block: Block, ids: list[bytes]) -> None:
        place, header = f"block {height}", block.header
        self._agree(f"{place}, transactions", transactions_root(ids), header.transactions_root)
        self._agree(f"{place}, evidence", evidence_root(block.evidence), header.evidence_root)
        data = self._read(f"receipts {height}", layout.receipts_key(height))
        if data is None:
            return
        try:
            receipts = decode_block_receipts(data)
        except CodecError as error:
            self._fault(f"receipts {height}", error, "readable receipts")
            return
        if not self._agree(f"receipts {height}", len(receipts.receipts), len(block.transactions)):
            return
        if len(ids) == len(receipts.receipts):
            leaves = [receipt_leaf(*each) for each in zip(ids, receipts.receipts, strict=True)]
            root = receipts_root([*leaves, receipts.events])
            self._agree(f"receipts {height}", root, header.receipts_root)

    def _check_certificate(self, height: int, header: Header) -> None:
        place = f"certificate {height}"
        data = self._read(place, layout.certificate_key(height))
        validators = self._sets.at(height)
        if data is None or validators is None:
            return
        try:
            verify_certificate(
                decode_certificate(data),
                validators,
                self._genesis.fault_model,
                self._genesis.domain(height),
                self._verify,
                height=height,
                block_id=block_id(header),
            )
        except (CodecError, InvalidValue, CertificateError) as error:
            self._fault(place, error, "precommits of a quorum for this block")
