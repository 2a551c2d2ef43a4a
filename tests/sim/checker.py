"""What must hold whatever happens. Told of each commit, each signature and each answer to a client.

=================  =================================================================================
rule               checked
=================  =================================================================================
agreement          at each commit: the block of a height is the same at all honest nodes
certificate        at each new height: the stored certificate holds, every signature verified
growth             at each commit and start: heights go up by one; what was durable is there again
double-signature   at each signature: an honest key signs one message for a place, in all lives
damage             a node that has read damage signs nothing more, and is down soon
once               at each new block: no transaction of it was in a block before
validity           at each new block: it has the state, receipts and roots that follow from the
                   blocks alone, applied on a disk that never fails (`model`); every invariant of
                   the ledger holds
receipts           at each commit: one for each transaction, each transaction found where it is,
                   and receipts and events the same at all honest nodes
outcome            at each new block: a transfer is refused for want of funds exactly when a ledger
                   of twenty lines has not got them
balance            at each commit: what it touched holds what those twenty lines say
block-time         at each new block: later than its parent, not ahead of true time
acknowledged       at each answer: what a client was told is final is in a block, with that receipt
expired            at each answer and each new block: what a client was told can never come is in
                   no block
real-time, read    what clients saw is linearizable (`history`)
=================  =================================================================================

At the end, see `world`: equal states, all invariants of the ledger, state roots computed anew.
"""

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from consensus.certificates import QuorumCertificate
from consensus.types import FaultModel
from consensus.validators import ValidatorSet
from node.app import Node
from node.blocks import Block, verify_certificate
from node.blocks import block_id as id_of_header
from node.blocks.certificates import Verify
from node.chain.receipts import BlockReceipts, encode_block_receipts
from node.codec import encode
from node.genesis import Genesis
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.catalogue import CATALOGUE
from node.ledger.errors import InvariantViolation
from node.ledger.outcomes import Outcome
from node.ledger.tables import HOLDINGS, VALIDATORS, name_key
from node.ledger.transactions import TransactionBody, decode_signed, transaction_id
from node.ledger.transition import Receipt
from tests.sim.history import History
from tests.sim.model import Model

_SIGNED: Final = struct.Struct(">19s32sBQIBIB32s32s")
"""The layout of what a validator signs, written down a second time on purpose."""


class Violation(Exception):
    """A rule was broken.

    Attributes:
        rule: its name in the table above, or `liveness`, `stopped`, `error`, `end`.
        detail: what was found.
    """

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(rule, detail)
        self.rule = rule
        self.detail = detail

    @override
    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The block of a height, as the first honest node committed it."""

    block_id: bytes
    state_root: bytes
    time_ms: int
    receipts: tuple[bytes, ...]
    """What became of each transaction, and last the block's own events; encoded."""
    by: str


class Checker:
    """The rules of one run."""

    def __init__(
        self,
        genesis: Genesis,
        *,
        verify: Verify,
        true_ms: Callable[[], int],
        ahead_max_ms: int,
        report: Callable[[Violation], None],
    ) -> None:
        """Begin at the genesis.

        Args:
            true_ms: the time without skew.
            ahead_max_ms: how far a block's time may be ahead of it.
            report: told of the first violation, and of any after it.
        """
        self._genesis = genesis
        self._verify = verify
        self._true_ms = true_ms
        self._ahead_max_ms = ahead_max_ms
        self._report = report
        self.decided: dict[int, Decided] = {}
        self.places: dict[bytes, tuple[int, int]] = {}
        """Height and index of every transaction in a block."""
        self.reached: dict[str, int] = {}
        """The last height each honest node has committed durably."""
        self._signed: dict[tuple[bytes, bytes, int, int, int], bytes] = {}
        self.model = Model(genesis, verify)
        self.history = History(self.model, self.fail)
        self.operations: Counter[str] = Counter()
        """Operations of the transactions that were applied, by name."""
        self.outcomes: Counter[str] = Counter()
        """What became of transactions in blocks, by name."""
        self._gone: set[bytes] = set()
        self.remember: set[str] = set()
        """Validators that have signed since their disk was new: a restart lets them go on."""
        self.without_past: set[str] = set()
        """Machines that have, or look for, a state without the blocks that led to it."""
        self.pruning = False
        """Some machines delete blocks of long ago."""
        self.acknowledged = 0
        self.signatures = 0

    @property
    def height(self) -> int:
        """The highest height that an honest node has committed."""
        return len(self.decided)

    def key_of(self, name: str) -> bytes | None:
        """Return the key under which this validator rules after the last block; None: not one."""
        amendment = self._genesis.amendment_at(self.height + 1)
        if amendment is not None:
            return next((v.public_key for v in amendment.validators if v.name == name), None)
        record = self.model.rows(VALIDATORS).get(name_key(name))
        return None if record is None else record.public_key

    def amend(self, genesis: Genesis) -> None:
        """Go on by amendments that all have been given."""
        self._genesis = genesis
        self.model.amend(genesis)

    def fail(self, rule: str, detail: str) -> None:
        """Say that a rule is broken."""
        self._report(Violation(rule, detail))

    # Told by machines.

    def started(self, name: str, node: Node) -> None:
        """Look at what a node found on its disk."""
        head = node.chain.head.height
        before = self.reached.get(name, 0)
        if head < before:
            self.fail("growth", f"{name} had committed {before} and came back at {head}")
        self.committed(name, node)

    def lost(self, name: str) -> None:
        """Note that this machine's disk was wiped."""
        self.lost_values(name)
        self.lost_log(name)

    def lost_values(self, name: str) -> None:
        """Note that this machine's database was wiped, or an older one put back."""
        self.reached[name] = 0
        self.without_past.discard(name)
        self.history.lost(name)

    def lost_log(self, name: str) -> None:
        """Note the same of its log."""
        self.remember.discard(name)

    def committed(self, name: str, node: Node) -> None:
        """Look at what a node has committed since the last time."""
        head = node.chain.head.height
        # Whoever joined by a snapshot has no blocks before it.
        known = max(self.reached.get(name, 0), node.chain.history.earliest - 1)
        for height in range(known + 1, head + 1):
            self._look_at(name, node, height)
            self.reached[name] = height

    def signed(self, name: str, public_key: bytes, data: bytes) -> None:
        """Look at what an honest node has just signed for consensus."""
        self.signatures += 1
        self.remember.add(name)
        _, domain, kind, height, round_, *_ = _SIGNED.unpack(data)
        place = (public_key, domain, height, round_, kind)
        before = self._signed.setdefault(place, data)
        if before != data:
            kinds = {1: "prevote", 2: "precommit", 3: "proposal"}
            self.fail(
                "double-signature",
                f"{name} signed two {kinds.get(kind, kind)}s of {height}/{round_}:"
                f" {_block_of(before)} and {_block_of(data)}",
            )

    # Told by clients.

    def told_final(
        self,
        client: str,
        tx_id: bytes,
        *,
        node: str,
        since: tuple[int, int],
        place: tuple[int, int],
        receipt: Receipt,
    ) -> None:
        """Hold the network to an answer: the transaction is there, and this is its receipt.

        Args:
            since: what `History.asking` gave when the client began to ask.
        """
        self.acknowledged += 1
        found = self.places.get(tx_id)
        if found != place:
            self.fail(
                "acknowledged", f"{client} was told {tx_id.hex()} is at {place}; it is at {found}"
            )
            return
        if encode(receipt) != self.decided[place[0]].receipts[place[1]]:
            self.fail("acknowledged", f"{client} was told another receipt of {tx_id.hex()}")
        self.history.told_final(node, since, place[0])

    def told_gone(self, tx_id: bytes) -> None:
        """Hold the network to an answer: the transaction can be in no later block."""
        self._gone.add(tx_id)
        if tx_id in self.places:
            self.fail("expired", f"{tx_id.hex()} was told gone, and is at {self.places[tx_id]}")

    # Private.

    def _look_at(self, name: str, node: Node, height: int) -> None:
        block, receipts = node.chain.block(height), node.chain.receipts(height)
        if block is None:
            self.fail("growth", f"{name} has no block {height} below its head")
            return
        if receipts is None or len(receipts.receipts) != len(block.transactions):
            self.fail("receipts", f"{name} has not a receipt for each transaction of {height}")
            return
        header = block.header
        found = Decided(
            block_id=id_of_header(header),
            state_root=header.state_root,
            time_ms=header.time_ms,
            receipts=(*receipts.receipts, receipts.events),
            by=name,
        )
        decided = self.decided.get(height)
        if decided is None:
            if height != len(self.decided) + 1:
                self.fail("growth", f"{name} committed {height} after {len(self.decided)}")
            # Read before anything is noted: the disk may be rotten, and the read the node's last.
            certificate = node.chain.certificate(height)
            self.decided[height] = found
            self._check_new(name, node, block, certificate, found)
        elif decided.block_id != found.block_id:
            self.fail(
                "agreement",
                f"height {height}: {found.block_id.hex()} at {name},"
                f" {decided.block_id.hex()} at {decided.by}",
            )
        elif decided.receipts != found.receipts:
            self.fail("receipts", f"those of {height} differ at {name} and {decided.by}")
        for index, raw in enumerate(block.transactions):
            tx_id = transaction_id(self._genesis.hash, decode_signed(raw)[0].body)
            if node.chain.transaction(tx_id) != (height, index):
                self.fail(
                    "receipts",
                    f"{name} has {tx_id.hex()} at {node.chain.transaction(tx_id)}, not at"
                    f" {(height, index)}",
                )

    def _check_new(
        self,
        name: str,
        node: Node,
        block: Block,
        certificate: QuorumCertificate | None,
        found: Decided,
    ) -> None:
        genesis, chain, height = self._genesis, node.chain, block.header.height
        if certificate is None:
            self.fail("certificate", f"{name} has block {height} without its certificate")
            return
        validators = self.model.chain.validators_at(height)
        _check_certificate(self, certificate, validators, height, found)
        before = self.decided.get(height - 1)
        parent_ms = genesis.time_ms if before is None else before.time_ms
        if found.time_ms <= parent_ms:
            self.fail("block-time", f"block {height} is not later than its parent")
        if found.time_ms > self._true_ms() + self._ahead_max_ms:
            self.fail(
                "block-time",
                f"block {height} is {found.time_ms - self._true_ms()} ms ahead of the true time",
            )
        try:
            candidate = self.model.apply(block, certificate)
        except InvariantViolation as error:
            self.fail("validity", f"block {height} of {name}: {error}")
            return
        expected = BlockReceipts(receipts=found.receipts[:-1], events=found.receipts[-1])
        stored = encode_block_receipts(list(expected.receipts), expected.events)
        if candidate.encoded_receipts != stored:
            self.fail("validity", f"{name} stores other receipts for block {height} than follow")
        touched = set(self.model.moved)
        for index, raw in enumerate(block.transactions):
            signed, body = decode_signed(raw)
            tx_id = transaction_id(genesis.hash, signed.body)
            if tx_id in self.places:
                self.fail("once", f"{tx_id.hex()} at {self.places[tx_id]} and {(height, index)}")
            if tx_id in self._gone:
                self.fail("expired", f"{tx_id.hex()} was gone and is at {(height, index)}")
            self.places[tx_id] = (height, index)
            self.history.included(tx_id, height)
            touched |= self._take(body, candidate.receipts[index], (height, index))
        if chain.head.height == height:
            self._check_balances(name, node, touched)

    def _take(self, body: TransactionBody, receipt: Receipt, place: tuple[int, int]) -> set[bytes]:
        """Add up a transaction's events; return which holdings they touch."""
        outcome, holdings = receipt.outcome, self.model.holdings
        self.outcomes[outcome.name] += 1
        transfers = [each for each in body.operations if isinstance(each, Transfer)]
        if len(transfers) == len(body.operations) and outcome in (
            Outcome.APPLIED,
            Outcome.HOLDING_INSUFFICIENT,
        ):
            enough = _enough(transfers, holdings.available)
            if enough is not (outcome is Outcome.APPLIED):
                self.fail("outcome", f"transfer {place}: {outcome.name}, enough: {enough}")
        if outcome is Outcome.APPLIED:
            self.operations.update(CATALOGUE.act_of(each).name for each in body.operations)
        return holdings.take(receipt.events)

    def _check_balances(self, name: str, node: Node, touched: set[bytes]) -> None:
        holdings = self.model.holdings
        for key in sorted(touched):
            record = node.chain.record(HOLDINGS, key)
            found = (0, 0) if record is None else (record.available, record.held)
            expected = (holdings.available(key), holdings.held.get(key, 0))
            if found != expected:
                self.fail(
                    "balance",
                    f"{key.hex()} has {found} available and held at {name}, not {expected}",
                )


def _enough(transfers: list[Transfer], available: Callable[[bytes], int]) -> bool:
    """Whether each can be paid in its turn."""
    after: dict[bytes, int] = {}
    for transfer in transfers:
        source = transfer.account + transfer.asset.encode()
        target = transfer.to + transfer.asset.encode()
        after[source] = after.get(source, available(source)) - transfer.amount
        after[target] = after.get(target, available(target)) + transfer.amount
        if after[source] < 0:
            return False
    return True


def _check_certificate(
    checker: Checker,
    certificate: QuorumCertificate,
    validators: ValidatorSet,
    height: int,
    found: Decided,
) -> None:
    genesis = checker._genesis
    model: FaultModel = genesis.fault_model
    try:
        verify_certificate(
            certificate,
            validators,
            model,
            genesis.domain(height),
            checker._verify,
            height=height,
            block_id=found.block_id,
        )
    except Exception as error:
        checker.fail("certificate", f"that of block {height} at {found.by}: {error}")


def _block_of(data: bytes) -> str:
    *_, has_block, block, _ = _SIGNED.unpack(data)
    return block.hex() if has_block else "nil"
