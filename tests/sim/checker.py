"""What must hold whatever happens. Told of each commit, each signature and each answer to a client.

=================  =================================================================================
rule               checked
=================  =================================================================================
agreement          at each commit: the block of a height is the same at all honest nodes
certificate        at each new height: the stored certificate holds, every signature verified
growth             at each commit and start: heights go up by one; what was durable is there again
double-signature   at each signature: an honest key signs one message for a place, in all lives
once               at each new block: no transaction of it was in a block before
outcome            at each new block: each transfer's receipt is what a ledger in 20 lines says
balance            at each commit: the accounts it touched hold what those 20 lines say
block-time         at each new block: later than its parent, not ahead of true time
acknowledged       at each answer: what a client was told is final is in a block
expired            what a client was told can never come is in no later block
=================  =================================================================================

At the end, see `world`: equal states, all invariants of the ledger, state roots computed anew.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from consensus.types import FaultModel
from consensus.validators import ValidatorSet
from node.app import Node
from node.blocks import block_id as id_of_header
from node.blocks import verify_certificate
from node.blocks.certificates import Verify
from node.chain.receipts import BlockReceipts
from node.genesis import Genesis
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.outcomes import Outcome
from node.ledger.tables import HOLDINGS, holding_key
from node.ledger.transactions import TransactionBody, decode_signed, transaction_id

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
        self._signed: dict[tuple[bytes, int, int, int], bytes] = {}
        self._balances: dict[tuple[bytes, str], int] = {}
        self._gone: set[bytes] = set()
        self.remember: set[str] = set()
        """Validators that have signed since their disk was new: a restart lets them go on."""
        self.acknowledged = 0
        self.signatures = 0

    @property
    def height(self) -> int:
        """The highest height that an honest node has committed."""
        return len(self.decided)

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

    def lost_log(self, name: str) -> None:
        """Note the same of its log."""
        self.remember.discard(name)

    def committed(self, name: str, node: Node) -> None:
        """Look at what a node has committed since the last time."""
        head = node.chain.head.height
        for height in range(self.reached.get(name, 0) + 1, head + 1):
            self._look_at(name, node, height)
            self.reached[name] = height

    def signed(self, name: str, public_key: bytes, data: bytes) -> None:
        """Look at what an honest node has just signed for consensus."""
        self.signatures += 1
        self.remember.add(name)
        _, _, kind, height, round_, *_ = _SIGNED.unpack(data)
        place = (public_key, height, round_, kind)
        before = self._signed.setdefault(place, data)
        if before != data:
            kinds = {1: "prevote", 2: "precommit", 3: "proposal"}
            self.fail(
                "double-signature",
                f"{name} signed two {kinds.get(kind, kind)}s of {height}/{round_}:"
                f" {_block_of(before)} and {_block_of(data)}",
            )

    # Told by clients.

    def told_final(self, client: str, tx_id: bytes) -> None:
        """Hold the network to an answer: the transaction is in a block."""
        self.acknowledged += 1
        if tx_id not in self.places:
            self.fail("acknowledged", f"{client} was told {tx_id.hex()} is final; it is nowhere")

    def told_gone(self, tx_id: bytes) -> None:
        """Hold the network to an answer: the transaction can be in no later block."""
        self._gone.add(tx_id)

    # Private.

    def _look_at(self, name: str, node: Node, height: int) -> None:
        block = node.chain.block(height)
        if block is None:
            self.fail("growth", f"{name} has no block {height} below its head")
            return
        header = block.header
        found = Decided(
            block_id=id_of_header(header),
            state_root=header.state_root,
            time_ms=header.time_ms,
            by=name,
        )
        decided = self.decided.get(height)
        if decided is None:
            if height != len(self.decided) + 1:
                self.fail("growth", f"{name} committed {height} after {len(self.decided)}")
            self.decided[height] = found
            self._check_new(name, node, height, found)
        elif decided.block_id != found.block_id:
            self.fail(
                "agreement",
                f"height {height}: {found.block_id.hex()} at {name},"
                f" {decided.block_id.hex()} at {decided.by}",
            )

    def _check_new(self, name: str, node: Node, height: int, found: Decided) -> None:
        genesis, chain = self._genesis, node.chain
        certificate, receipts, block = (
            chain.certificate(height),
            chain.receipts(height),
            chain.block(height),
        )
        assert block is not None
        if certificate is None or receipts is None:
            self.fail("certificate", f"{name} has block {height} without what belongs to it")
            return
        _check_certificate(self, certificate, chain.validators_at(height), height, found)
        before = self.decided.get(height - 1)
        parent_ms = genesis.time_ms if before is None else before.time_ms
        if found.time_ms <= parent_ms:
            self.fail("block-time", f"block {height} is not later than its parent")
        if found.time_ms > self._true_ms() + self._ahead_max_ms:
            self.fail(
                "block-time",
                f"block {height} is {found.time_ms - self._true_ms()} ms ahead of the true time",
            )
        touched: dict[tuple[bytes, str], None] = {}
        for index, raw in enumerate(block.transactions):
            signed, body = decode_signed(raw)
            tx_id = transaction_id(genesis.hash, signed.body)
            if tx_id in self.places:
                self.fail("once", f"{tx_id.hex()} at {self.places[tx_id]} and {(height, index)}")
            if tx_id in self._gone:
                self.fail("expired", f"{tx_id.hex()} was gone and is at {(height, index)}")
            self.places[tx_id] = (height, index)
            touched.update(dict.fromkeys(self._apply(body, receipts, index, height)))
        if chain.head.height != height:
            return
        for address, asset in touched:
            record = chain.record(HOLDINGS, holding_key(address, asset))
            held = 0 if record is None else record.available + record.held
            expected = self._balances[address, asset]
            if held != expected:
                self.fail(
                    "balance",
                    f"{address.hex()} has {held} at {name} after block {height}, not {expected}",
                )

    def _apply(
        self, body: TransactionBody, receipts: BlockReceipts, index: int, height: int
    ) -> list[tuple[bytes, str]]:
        """Apply a transaction to the twenty-line ledger; return which holdings it touched."""
        outcome = receipts.receipt(index).outcome
        moves: list[tuple[tuple[bytes, str], int]] = []
        for operation in body.operations:
            if isinstance(operation, Issue):
                moves.append(((operation.to, operation.asset), operation.amount))
            elif isinstance(operation, Transfer):
                moves.append(((operation.account, operation.asset), -operation.amount))
                moves.append(((operation.to, operation.asset), operation.amount))
        after = dict(self._balances)
        enough = True
        for place, amount in moves:
            after[place] = after.get(place, 0) + amount
            enough = enough and after[place] >= 0
        if all(isinstance(operation, Transfer) for operation in body.operations) and (
            enough is not (outcome is Outcome.APPLIED)
        ):
            self.fail("outcome", f"transfer {(height, index)}: {outcome.name}, enough: {enough}")
        if outcome is Outcome.APPLIED:
            self._balances = after
            return [place for place, _ in moves]
        return []


def _check_certificate(
    checker: Checker,
    certificate: object,
    validators: ValidatorSet,
    height: int,
    found: Decided,
) -> None:
    genesis = checker._genesis
    model: FaultModel = genesis.fault_model
    try:
        verify_certificate(
            certificate,  # type: ignore[arg-type]
            validators,
            model,
            genesis.hash,
            checker._verify,
            height=height,
            block_id=found.block_id,
        )
    except Exception as error:
        checker.fail("certificate", f"that of block {height} at {found.by}: {error}")


def _block_of(data: bytes) -> str:
    *_, has_block, block, _ = _SIGNED.unpack(data)
    return block.hex() if has_block else "nil"
