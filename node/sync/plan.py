"""Which blocks to ask of whom: arithmetic on heights, no I/O.

Each free peer gets one range of heights that nobody has been asked for yet, lowest first, of what
it claims to have. The window of heights in flight is bounded, so that one slow peer at its lower
end holds up a bounded number of blocks.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Range(NamedTuple):
    """Heights to ask one peer for: so many, ascending from the first; at least one."""

    from_height: int
    length: int


def unserved_height(
    head: int, claims: Mapping[str, int], earliest: Mapping[str, int]
) -> int | None:
    """Return the next height if peers are ahead and none of them still has it, else None."""
    wanted = head + 1
    ahead = [peer for peer, height in claims.items() if height >= wanted]
    if ahead and all(earliest.get(peer, 0) > wanted for peer in ahead):
        return wanted
    return None


def plan(
    *,
    head: int,
    claims: Mapping[str, int],
    earliest: Mapping[str, int],
    free: Sequence[str],
    have: Collection[int],
    asked: Collection[Range],
    length_max: int,
    window: int,
) -> dict[str, Range]:
    """Return what to ask of each free peer that has something to give.

    Args:
        head: the last committed height.
        claims: the height each peer says it has.
        earliest: the first height each peer says it still has; peers left out have all.
        free: peers that may be asked, the preferred first.
        have: heights fetched and not committed yet.
        asked: ranges under way.
        length_max: heights in one range.
        window: how far above the head to ask at all.
    """
    taken = set(have)
    for from_height, length in asked:
        taken.update(range(from_height, from_height + length))
    result: dict[str, Range] = {}
    for peer in free:
        top = min(claims.get(peer, 0), head + window)
        bottom = max(head + 1, earliest.get(peer, 0))
        start = next((h for h in range(bottom, top + 1) if h not in taken), None)
        if start is None:
            continue
        stop = start
        while stop <= top and stop not in taken and stop - start < length_max:
            stop += 1
        result[peer] = Range(start, stop - start)
        taken.update(range(start, stop))
    return result
