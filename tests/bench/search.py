"""Looking for the highest rate that a network sustains: which rate to try next. Pure."""

from collections.abc import Mapping
from typing import Final

STEP: Final = 1.5
"""By which the rate goes up, or down, until one is sustained and one is not."""
NEAR: Final = 1.06
"""Two rates this close are not told apart: repeats of one rate differ by as much."""
TRIES_MAX: Final = 12


def next_rate(tried: Mapping[int, bool], first: int) -> int | None:
    """Return the rate to try next, or None when the answer is near enough.

    Args:
        tried: rates and whether they were sustained.
        first: where to begin.
    """
    if not tried:
        return first
    if len(tried) >= TRIES_MAX:
        return None
    sustained, low = best(tried), min(tried)
    if sustained is None:
        return max(1, int(low / STEP)) if low > 1 else None
    above = [rate for rate, held in tried.items() if not held and rate > sustained]
    if not above:
        return int(sustained * STEP) + 1
    if min(above) <= sustained * NEAR:
        return None
    return (sustained + min(above)) // 2


def best(tried: Mapping[int, bool]) -> int | None:
    """Return the highest sustained rate below which none failed; None: there is none."""
    found = None
    for rate, held in sorted(tried.items()):
        if not held:
            break
        found = rate
    return found
