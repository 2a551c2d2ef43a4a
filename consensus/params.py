"""The parameters of agreement: they stand in the genesis, and every validator has the same."""

from dataclasses import dataclass
from typing import Final, assert_never

from consensus.errors import InvalidValue
from consensus.types import FaultModel, Round, Step

TIMEOUT_MS_MAX: Final = 3_600_000  # An hour: longer is a mistake in the unit.
ROUNDS_MAX: Final = 1_000  # Times the validators, times two votes: what one height may hold.


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusParams:
    """Timeouts in milliseconds, and the limits on what one height holds. All validated.

    Raises:
        InvalidValue: a number outside its range, or a maximum below a base.
    """

    fault_model: FaultModel = FaultModel.BYZANTINE

    timeout_propose_ms: int = 1_000
    """How long round 0 waits for a valid proposal before it prevotes nil (line 57)."""

    timeout_prevote_ms: int = 500
    """How long round 0 waits for more prevotes, once a quorum of any has come (line 61)."""

    timeout_precommit_ms: int = 500
    """How long round 0 waits for more precommits, once a quorum of any has come (line 65)."""

    timeout_growth_ms: int = 500
    """Added for each round after the first. At least 1: timeouts must outgrow the unknown delay."""

    timeout_max_ms: int = 30_000
    """The cap; after an outage of any length the network is back within about one of these."""

    rounds_kept_max: int = 16
    """Rounds before the present one whose votes are kept, for a late decision (line 49)."""

    rounds_ahead_max: int = 8
    """Rounds after the present one whose votes are counted; beyond, one vote per validator."""

    early_messages_max: int = 16
    """Messages of one validator for the next height that are held until it starts."""

    def __post_init__(self) -> None:
        """Check every range."""
        _check("timeout_propose_ms", self.timeout_propose_ms, 1, TIMEOUT_MS_MAX)
        _check("timeout_prevote_ms", self.timeout_prevote_ms, 1, TIMEOUT_MS_MAX)
        _check("timeout_precommit_ms", self.timeout_precommit_ms, 1, TIMEOUT_MS_MAX)
        _check("timeout_growth_ms", self.timeout_growth_ms, 1, TIMEOUT_MS_MAX)
        longest = max(self.timeout_propose_ms, self.timeout_prevote_ms, self.timeout_precommit_ms)
        _check("timeout_max_ms", self.timeout_max_ms, longest, TIMEOUT_MS_MAX)
        _check("rounds_kept_max", self.rounds_kept_max, 1, ROUNDS_MAX)
        _check("rounds_ahead_max", self.rounds_ahead_max, 1, ROUNDS_MAX)
        _check("early_messages_max", self.early_messages_max, 3, ROUNDS_MAX)

    def timeout_ms(self, step: Step, round_: Round) -> int:
        """Return how long to wait in this step (not DECIDED) of this round: linear, capped."""
        match step:
            case Step.PROPOSE:
                base_ms = self.timeout_propose_ms
            case Step.PREVOTE:
                base_ms = self.timeout_prevote_ms
            case Step.PRECOMMIT:
                base_ms = self.timeout_precommit_ms
            case Step.DECIDED:
                raise InvalidValue("step", step, "a step that waits")
            case _:
                assert_never(step)
        return min(base_ms + round_ * self.timeout_growth_ms, self.timeout_max_ms)


def _check(field: str, found: int, low: int, high: int) -> None:
    if not low <= found <= high:
        raise InvalidValue(field, found, f"{low} to {high}")
