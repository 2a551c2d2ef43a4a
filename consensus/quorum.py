"""How many votes are enough: integer arithmetic for both fault models, and nothing else.

One validator has one vote. Comparisons are cross-multiplied: no fraction, no rounding.
Source: arXiv:1807.04938 section 2 for `byzantine` (n > 3f); any two majorities share a member
for `crash` (n > 2f).
"""

from typing import assert_never

from consensus.types import FaultModel


def quorum(model: FaultModel, n: int) -> int:
    """Return the fewest of n validators that decide; n at least 1.

    Two byzantine quorums share more validators than can lie; two crash quorums share one.
    """
    assert n >= 1
    match model:
        case FaultModel.BYZANTINE:
            return 2 * n // 3 + 1  # The least q with 3q > 2n.
        case FaultModel.CRASH:
            return n // 2 + 1  # The least q with 2q > n.
        case _:
            assert_never(model)


def skip(model: FaultModel, n: int) -> int:
    """Return the honest threshold: the fewest of n validators of whom one surely does not lie.

    That many votes of a higher round move a validator there (line 55). Where faults are crashes
    nobody lies, and one vote is enough; a larger number could not be reached by the f that
    remain besides the one who is late.
    """
    assert n >= 1
    match model:
        case FaultModel.BYZANTINE:
            return faults_survived(model, n) + 1
        case FaultModel.CRASH:
            return 1
        case _:
            assert_never(model)


def faults_survived(model: FaultModel, n: int) -> int:
    """Return how many of n validators may be faulty while the others go on, safely."""
    return n - quorum(model, n)
