"""The proposer's turn: how long this round's proposal is still waited for, and what it means that
none came.

`patience` knows who is away; here its word is applied to the turn that is going on, again whenever
the proposer comes or goes.
"""

from dataclasses import dataclass

from consensus.engine import Engine
from consensus.types import Step, Timeout, ValidatorId
from node.chain import Chain
from node.clock import Clock
from node.replica.events import Elapsed
from node.replica.patience import Patience
from node.replica.report import Reporter
from node.replica.timers import Timers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """The proposal that is being waited for."""

    timeout: Timeout
    proposer: ValidatorId
    began_s: float
    duration_ms: int
    """The whole timeout, from the beginning of the round."""


class Turn:
    """The turn of one proposer after the other."""

    def __init__(
        self,
        *,
        chain: Chain,
        engine: Engine,
        patience: Patience,
        timers: Timers,
        report: Reporter,
        clock: Clock,
    ) -> None:
        self._chain = chain
        self._engine = engine
        self._patience = patience
        self._timers = timers
        self._report = report
        self._clock = clock
        self._wait: _Wait | None = None

    def begin(self, timeout: Timeout, duration_ms: int) -> None:
        """Wait for the proposal of a round; `timeout` elapses when it was waited for long enough.

        Args:
            duration_ms: the whole timeout; who is away gets less.
        """
        validators = self._chain.validators
        proposer = validators.proposer(timeout.height, timeout.round).id
        self._wait = _Wait(
            timeout=timeout,
            proposer=proposer,
            began_s=self._clock.monotonic(),
            duration_ms=duration_ms,
        )
        self.reconsider(proposer)

    def reconsider(self, peer: str) -> None:
        """Set how long the proposal of this round is waited for, if it is this peer's turn."""
        wait, engine = self._wait, self._engine
        if wait is None or wait.proposer != peer or engine.round_step is not Step.PROPOSE:
            return
        wait_ms = wait.duration_ms
        # A proposal that has come and is not judged yet is no absence.
        if engine.awaits_proposal:
            wait_ms = self._patience.wait_ms(
                wait.proposer,
                wait.timeout.round,
                validators=len(self._chain.validators),
                timeout_ms=wait.duration_ms,
            )
        waited_s = self._clock.monotonic() - wait.began_s
        delay_s = max(0.0, wait_ms / 1000 - waited_s)
        self._timers.set(wait.timeout, delay_s, Elapsed(wait.timeout))

    def heard(self, peer: str) -> None:
        """Note that a peer speaks of the height at hand, and wait for its whole turn again."""
        if self._patience.heard(peer):
            self.reconsider(peer)

    def elapsed(self, timeout: Timeout) -> None:
        """Note whose turn came to nothing, if this was the timeout of the proposal waited for."""
        engine = self._engine
        if (
            timeout.step is Step.PROPOSE
            and (engine.height, engine.round) == (timeout.height, timeout.round)
            and engine.round_step is Step.PROPOSE
        ):
            proposer = self._chain.validators.proposer(timeout.height, timeout.round).id
            self._report.missed(proposer)
            if engine.awaits_proposal:
                self._patience.missed(proposer)

    def end(self) -> None:
        """Wait for nothing: the height is over."""
        self._wait = None
