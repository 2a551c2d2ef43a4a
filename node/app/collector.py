"""When the garbage collector of a process that is one node looks, and at what.

Everything that a node makes much of is a value and leads back to nothing: reference counts free it.
Cycles come from tasks and exceptions, a few for a request. By default the collector looks after
each 700 new objects, and now and then at everything the node holds: 23 us a transfer, and pauses
that grow with the caches (2026-11-25, `tests/bench/pipeline.py`). So it looks seldom, and never
again at what was there at the start: the program itself.
"""

import gc
from typing import Final

YOUNG_MAX: Final = 50_000
"""Objects that are new since it looked last: some 10 MB of them, if all were in cycles."""
ROUNDS: Final = (20, 20)
"""Looks at the new for one at those that survived a look, and of these for one at all."""


def settle() -> None:
    """Leave what there is to itself, and look seldom from now on: once, after the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *ROUNDS)
