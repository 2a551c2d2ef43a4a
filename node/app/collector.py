"""When the garbage collector of a process that is one node looks, and at what.

Everything that a node makes much of is a value and leads back to nothing: reference counts free it.
Cycles come from tasks and exceptions, a few for a request. By default the collector looks after
each 700 new objects, and now and then at everything the node holds: 23 us a transfer, and pauses
that grow with the caches (2026-11-25, `tests/bench/pipeline.py`). So it looks seldom, and never
again at what was there at the start: the program itself.

What it looks at then it looks at in the middle of whatever is being done: of a block, 15 to 35 ms.
So a node that has committed a block has it look between two of them, once a good part of what
makes it look is there.
"""

import asyncio
import gc
from typing import Final

YOUNG_MAX: Final = 50_000
"""Objects that are new since it looked last: some 10 MB of them, if all were in cycles."""
ROUNDS: Final = (20, 20)
"""Looks at the new for one at those that survived a look, and of these for one at all."""
BETWEEN_MIN: Final = YOUNG_MAX // 2
"""So many new objects are worth a look between two blocks. No block makes the rest by itself."""


def settle() -> None:
    """Leave what there is to itself, and look seldom from now on: once, after the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *ROUNDS)


def look_between() -> None:
    """Look where it would soon come to that anyway. For a moment in which nobody waits.

    As the collector itself would: at the new, or with those that survived a look too, or at all.
    """
    young, looks, wider_looks = gc.get_count()
    if young < BETWEEN_MIN:
        return
    is_wider = looks > ROUNDS[0]
    gc.collect(2 if is_wider and wider_looks > ROUNDS[1] else 1 if is_wider else 0)


def look_soon(_: object) -> None:
    """Do so once whoever has committed a block has gone on: a listener of the chain."""
    asyncio.get_running_loop().call_soon(look_between)
