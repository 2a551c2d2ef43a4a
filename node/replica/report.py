"""What the replica tells the operator: metrics, and one log line a height."""

import functools
import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.types import Height, Step
from consensus.validators import ValidatorSet
from node.chain import Candidate
from node.ledger.outcomes import Outcome
from node.log import Logger
from node.mempool import Mempool
from node.metrics import Metrics
from node.replica.position import Totals

ROUNDS_UNTOLD: Final = 4
"""From this round of a height on an operator is told that nothing is decided. A power of two."""
LOOKED_BACK_AT: Final = 100
"""Blocks before the start, for who has signed them: more than a silent validator is told of by."""


class Reporter:
    """Follows one node through heights and rounds."""

    def __init__(self, *, metrics: Metrics, log: Logger, mempool: Mempool) -> None:
        self._metrics = metrics
        self._log = log
        self._mempool = mempool
        self._position: tuple[Height, int, Step] = (Height(0), 0, Step.PROPOSE)
        self._committed_s: float | None = None
        self._counted: ValidatorSet | None = None
        self.totals = Totals()

    def missed(self, proposer: str) -> None:
        """Note that a proposer brought nothing in time."""
        self._metrics.proposals_missed.labels(validator=proposer).inc()
        self.totals.missed[proposer] = self.totals.missed.get(proposer, 0) + 1

    def begin(
        self,
        validators: ValidatorSet,
        height: int,
        certificate: Callable[[int], QuorumCertificate | None],
    ) -> None:
        """Look who has signed the last blocks, at the head that the node was started with.

        A validator that is silent from then on, also because it long was, is to have a height too.

        Args:
            certificate: of a height; None: it is not kept.
        """
        before = self.totals.signed_before
        seen, end = height, max(0, height - LOOKED_BACK_AT)
        while seen > end and (found := certificate(seen)) is not None:
            for name, _ in found.signatures:
                before.setdefault(name, seen)
            seen -= 1
        self.keep(validators, seen)

    def keep(self, validators: ValidatorSet, height: int) -> None:
        """Forget all validators but these, and count from zero on for each of them.

        Prometheus sees an increase only from a value that it has seen: a counter that first appears
        at 1 has risen by nothing.

        Args:
            height: up to which those that are new here may have signed.
        """
        if validators is not self._counted:
            self._counted = validators
            for validator in validators:
                self._metrics.evidence.labels(validator=validator.id)
                self._metrics.proposals_missed.labels(validator=validator.id)
        totals = self.totals
        for validator in validators:
            totals.signed_before.setdefault(validator.id, height)
        for kept in (totals.signed_last, totals.signed_before, totals.missed):
            for name in [each for each in kept if each not in validators]:
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
            self._tell_of_round(height, before[1], round_)
        self._metrics.round.set(round_)
        self._log.debug("step", height=height, round=round_, step=step.name.lower())
        return True

    def _tell_of_round(self, height: Height, before: int, round_: int) -> None:
        """Log that a round came to nothing; one line for each doubling where nothing is decided.

        What is decided in its second or third round says so in the line of the height.
        """
        if round_ >= ROUNDS_UNTOLD and round_.bit_length() > before.bit_length():
            self._log.warning("nothing is decided yet", height=height, round=round_)
        else:
            self._log.debug("round", height=height, round=round_)

    def committed(
        self,
        candidate: Candidate,
        certificate: QuorumCertificate,
        *,
        synced: bool,
        now_s: float,
    ) -> None:
        """Report a committed block and its transactions."""
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
        outcomes: Counter[Outcome] = Counter()
        for (operation, outcome), count in candidate.counts.items():
            outcomes[outcome] += count
            metrics.ledger_transactions.labels(
                operation=_label(operation.__name__), outcome=outcome.name.lower()
            ).inc(count)
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


@functools.cache
def _label(operation: str) -> str:
    """Return the name of an operation's type as the interface has it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
