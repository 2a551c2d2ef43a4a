"""Where blocks are made and judged: the chain, the pool and the bodies of the height in one hand.

What was built or found valid here is a candidate of the chain, applied once; deciding it commits
that very result.
"""

from collections.abc import Sequence, Set
from typing import Final

from consensus.evidence import Equivocation
from consensus.types import BlockId
from node.blocks import BLOCK_EVIDENCE_MAX, Block, block_id, encode_evidence
from node.chain import Candidate, Chain, InvalidBlock
from node.chain.evidence import evidence_id
from node.clock import Clock
from node.log import Logger
from node.mempool import AdmittedTransaction, Mempool
from node.metrics import Metrics
from node.replica.bodies import Bodies, Body

FULL_ROUNDS: Final = 8
"""In so many rounds of a height blocks are as full as they may be; then half as full each time.

A height that goes on and on may do so because its blocks are too much for the wires, or because of
one transaction that validators do not agree on: a block without any can be decided in either case.
"""


class Workshop:
    """Builds and judges the blocks of one height after the other."""

    def __init__(
        self,
        *,
        chain: Chain,
        mempool: Mempool,
        bodies: Bodies,
        clock: Clock,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        self._chain = chain
        self._mempool = mempool
        self._bodies = bodies
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._evidence: dict[bytes, bytes] = {}
        """By the id of the accusation: others may hold another pair for it."""
        self._refusals: dict[bytes, str] = {}
        """Why blocks were refused. Not the errors: the traceback of one holds its block."""

    def build(self, round_: int) -> BlockId:
        """Build the block to propose, of what waits in the pool; its body is kept.

        The later the round, the less is in it, and in the end nothing.

        Raises:
            InvariantViolation: the ledger contradicts itself.
        """
        limits, halvings = self._chain.genesis.blocks, max(0, round_ + 1 - FULL_ROUNDS)
        started = self._clock.monotonic()
        transactions = self._mempool.take(
            count_max=limits.transactions_max >> halvings,
            size_bytes_max=limits.size_bytes_max >> halvings,
        )
        candidate = self._chain.build(
            round=round_,
            time_ms=self._clock.now_ms(),
            transactions=transactions,
            evidence=tuple(self._evidence.values()),
        )
        self._metrics.build_seconds.observe(self._clock.monotonic() - started)
        self._mempool.remove(candidate.dropped)
        by_id = {transaction.id: transaction for transaction in transactions}
        self.keep_whole(candidate.block, [by_id[each] for each in candidate.transaction_ids])
        return BlockId(candidate.block_id)

    def keep_whole(self, block: Block, transactions: Sequence[AdmittedTransaction]) -> None:
        """Keep the body of a block of which nothing is missing, whatever comes."""
        body = Body(
            block_id=block_id(block.header),
            header=block.header,
            transaction_ids=tuple(transaction.id for transaction in transactions),
            evidence=block.evidence,
            found={transaction.id: transaction for transaction in transactions},
        )
        self._bodies.add(body)
        self._bodies.pin(body.block_id)

    def is_valid(self, body: Body, *, ignore_clock: bool) -> bool:
        """Apply a block and compare every root; say whether to vote for it.

        Only of a block that is too large may something be missing.

        Raises:
            InvariantViolation: the ledger contradicts itself.
        """
        started = self._clock.monotonic()
        try:
            self._chain.check(
                body.header,
                body.transactions(),
                body.evidence,
                now_ms=None if ignore_clock else self._clock.now_ms(),
            )
        except InvalidBlock as error:
            self._refusals[body.block_id] = reason = str(error)
            self._metrics.proposals_refused.labels(reason=error.fault.value).inc()
            self._log.warning(
                "proposal refused",
                height=body.header.height,
                block=body.block_id,
                proposer=body.header.proposer,
                reason=reason,
            )
            return False
        self._metrics.check_seconds.observe(self._clock.monotonic() - started)
        return True

    def decided(self, wanted: bytes) -> Candidate:
        """Return the candidate of a block that was found valid; it is applied again if need be.

        Raises:
            InvariantViolation: this node computes otherwise now.
        """
        candidate = self._chain.candidate(wanted)
        if candidate is not None:
            return candidate
        body = self._bodies.get(wanted)
        assert body is not None  # The engine decides what was judged, and that is pinned.
        return self._chain.check(
            body.header, body.transactions(), body.evidence, now_ms=None, certified=True
        )

    def why_refused(self, wanted: bytes) -> str:
        """Return why a block of this height was refused."""
        return self._refusals.get(wanted, "it was refused before a restart")

    def keep(self, block_ids: Set[bytes]) -> None:
        """Forget the refusals of all but these."""
        for gone in self._refusals.keys() - block_ids:
            del self._refusals[gone]

    def expire(self) -> None:
        """Let the pool forget what no new block can hold any more, by this node's clock: while a
        height lasts, no block comes that would tell.

        The earliest time of a new block is as far behind the clock as the genesis allows; what an
        earlier block of the height names, is with that block.
        """
        behind_ms = self._chain.genesis.blocks.clock_behind_max_ms
        self._mempool.expire(self._clock.now_ms() - behind_ms)

    def keep_evidence(self, equivocation: Equivocation) -> None:
        """Keep an accusation for the next block that this node proposes."""
        self._metrics.evidence.labels(validator=equivocation.validator).inc()
        self._log.warning("equivocation", evidence=str(equivocation))
        if len(self._evidence) < BLOCK_EVIDENCE_MAX:
            self._evidence.setdefault(evidence_id(equivocation), encode_evidence(equivocation))

    def end_height(self, committed: Candidate) -> None:
        """Forget what the committed block has settled."""
        self._refusals.clear()
        for accusation in committed.evidence_ids:
            self._evidence.pop(accusation, None)
        self._mempool.remove(committed.transaction_ids)
        self._mempool.expire(committed.header.time_ms)
