"""Messages on their way to a stream, each on condition that it comes right after the one before.

A course begins where a stream stands. The message that is to get sequence n is sent with the
condition that n - 1 is the stream's last, and, but for the first of a course, that the last is the
message before it: so of many messages under way none can be stored before those it follows, none
twice, and none beside what somebody else has stored. The first has no second condition, because a
server forgets when it starts what the last was named. Into an empty stream it goes alone: messages
of two chains are called the same, and only the last one that is there says whose a stream is.
Whatever goes wrong with one goes wrong with all after it, the course ends, and a new one begins
where the stream stands then. Pure.
"""

from typing import Final, TypeAlias

from node.rpc.stream import Cursor
from node.stream.answers import Answer, Full, Passed, Refused, Stored
from node.stream.messages import Standing

IN_FLIGHT_MAX: Final = 256
"""Messages that are sent and not answered."""
IN_FLIGHT_BYTES_MAX: Final = 1 << 20
"""Of them together; one that is larger goes alone."""

End: TypeAlias = Passed | Full | Refused
"""Why a course does not go on."""


class Course:
    """One course."""

    def __init__(self, standing: Standing) -> None:
        self.end: End | None = None
        """Why it does not go on; None: it does."""
        self.sequence = standing.sequence
        """Up to where the stream has what was sent."""
        self.cursor = standing.cursor
        """The same, by the last message."""
        self.sent: Cursor | None = None
        """The last message that was sent, answered or not; None: none was."""
        self._next = standing.sequence + 1
        self._waiting: dict[int, tuple[Cursor, int]] = {}
        """Cursor and size of what has no answer yet, by the sequence that it is to get."""
        self._bytes = 0
        self._early: dict[int, Cursor] = {}
        """What is stored while something before it has no answer."""

    @property
    def in_flight(self) -> int:
        """How many messages have no answer."""
        return len(self._waiting)

    def has_room(self, size: int) -> bool:
        """Whether a message of this size may be sent now."""
        if self._waiting and self.cursor is None:
            return False
        if self._waiting and self._bytes + size > IN_FLIGHT_BYTES_MAX:
            return False
        return len(self._waiting) < IN_FLIGHT_MAX

    def send(self, cursor: Cursor, size: int) -> int:
        """Send the next message; return the sequence that it is to get."""
        assert self.end is None
        assert self.has_room(size)
        sequence = self._next
        self._next += 1
        self._waiting[sequence] = cursor, size
        self._bytes += size
        self.sent = cursor
        return sequence

    def answer(self, sequence: int, answer: Answer) -> None:
        """Take the answer to the message that was to get this sequence; the second is ignored."""
        sent = self._waiting.pop(sequence, None)
        if sent is None or self.end is not None:
            return
        cursor, size = sent
        self._bytes -= size
        if not isinstance(answer, Stored):
            self.end = answer
        elif answer.sequence != sequence or (answer.duplicate and self.cursor is None):
            # It is in the stream, elsewhere than where it would follow what we know; or the first
            # there is of somebody else, who may publish another chain.
            self.end = Passed()
        else:
            self._early[sequence] = cursor
            while (following := self._early.pop(self.sequence + 1, None)) is not None:
                self.sequence += 1
                self.cursor = following
