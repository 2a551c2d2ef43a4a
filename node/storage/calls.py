"""The calls of a database that are under way: closing it frees the memory they work in.

LevelDB works while Python's own lock is let go, and its library looks whether the database is
closed before that and never after. So whoever closes refuses new calls, and waits until those under
way have ended, each of which is a read or a write of its own and ends by itself.

A call is counted by hand, in this form and no shorter one, because reading is the hot path of every
block (60 ns, 2026-11-27), and because the interpreter may raise a signal's exception after any call
of a function: whatever is appended has to be taken away again, or closing would wait for ever.

    try:
        calls.under_way.append(None)
        if calls.are_refused:
            raise StorageClosed(calls.path)
        return ...
    finally:
        calls.under_way.pop()
        if calls.are_refused:
            calls.note_end()
"""

import threading
from collections import deque
from pathlib import Path


class Calls:
    """How many calls are under way, on any thread, and whether there may be new ones."""

    __slots__ = ("_changed", "are_refused", "path", "under_way")

    def __init__(self, path: Path) -> None:
        self.path = path
        """The database's."""
        self.under_way: deque[None] = deque()
        """An entry a call. Appending and taking away are each one step for all threads, which
        counting is not."""
        self.are_refused = False
        """Looked at after appending: then whoever refuses sees the call, or the call this."""
        self._changed = threading.Condition()

    def note_end(self) -> None:
        """Tell whoever waits that a call has ended, once they are refused."""
        with self._changed:
            self._changed.notify_all()

    def refuse(self) -> None:
        """Refuse new calls from now on, and wait until the last one under way has ended."""
        self.are_refused = True
        with self._changed:
            self._changed.wait_for(lambda: not self.under_way)
