"""What the replica tells the operator: metrics, and one log line a height."""

from collections import Counter
from collections.abc import Callable, Container
from operator import attrgetter
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.types import Height, Step
from node.chain import Candidate
from node.ledger.outcomes import Outcome
from node.ledger.transition import Receipt
from node.log import Logger
from node.mempool import Mempool
from node.metrics import Metrics
from node.replica.position import Totals

_OUTCOME_OF: Final[Callable[[Receipt], Outcome]] = attrgetter("outcome")


class Reporter:
    """Follows one node through heights and rounds."""

    def __init__(self, *, metrics: Metrics, log: Logger, mempool: Mempool) -> None:
        self._metrics = metrics
        self._log = log
        self._mempool = mempool
        self._position: tuple[Height, int, Step] = (Height(0), 0, Step.PROPOSE)
        self._committed_s: float | None = None
        self.totals = Totals()

    def missed(self, proposer: str) -> None:
        """Note that a proposer brought nothing in time."""
        self._metrics.proposals_missed.labels(validator=proposer).inc()
        self.totals.missed[proposer] = self.totals.missed.get(proposer, 0) + 1

    def keep(self, names: Container[str]) -> None:
        """Forget all validators but these."""
        totals = self.totals
        for kept in (totals.signed_last, totals.missed):
            for name in [each for each in kept if each not in names]:
                del kept[name]

    def moved(self, height: Height, round_: int, step: Step) -> bool:
        """Note where consensus stands; return whether that is news."""
        before, position = self._position, (height, round_, step)
        if position == before:
            return False
        self._position = position
        if height == before[0] and round_ > before[1]:
            self._metrics.rounds.inc(round_ - before[1])
            self.totals.rounds_skipped += round_ - before[1]
            self._log.info("round", height=height, round=round_)
        self._metrics.round.set(round_)
        self._log.debug("step", height=height, round=round_, step=step.name.lower())
        return True

    def committed(
        self, candidate: Candidate, certificate: QuorumCertificate, *, synced: bool, now_s: float
    ) -> None:
        """Report a committed block."""
        metrics, header = self._metrics, candidate.header
        metrics.height.set(header.height)
        metrics.block_transactions.observe(header.transaction_count)
        metrics.mempool_transactions.set(len(self._mempool))
        metrics.mempool_bytes.set(self._mempool.size_bytes)
        if self._committed_s is not None:
            metrics.block_interval_seconds.observe(now_s - self._committed_s)
        self._committed_s = now_s
        if synced:
            metrics.blocks_synced.inc()
        outcomes = Counter(map(_OUTCOME_OF, candidate.receipts))
        for outcome, count in outcomes.items():
            metrics.transactions.labels(outcome=outcome.name.lower()).inc(count)
        totals = self.totals
        totals.blocks += 1
        totals.transactions += header.transaction_count
        totals.applied += outcomes[Outcome.APPLIED]
        totals.signed_last.update((name, header.height) for name, _ in certificate.signatures)
        self._log.info(
            "committed",
            height=header.height,
            round=certificate.round,
            block=candidate.block_id[:8],
            transactions=header.transaction_count,
            state_root=header.state_root[:8],
            synced=synced,
        )
