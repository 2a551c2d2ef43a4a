"""Large bodies that are under way, of requests and of answers, counted by what is here of them.

A small body costs about what its connection does, and connections are bounded. A larger one is
counted, in all and of each caller, so that what is held for clients at the same time has a bound
however many they are. A request is counted by what has come of it, from the first byte until it is
answered; an answer from when it is made until the system has taken it, which may be never.

- Who has its share under way is refused the next at once, and told when to come back.
- Bytes count, not what was announced: who announces much and sends nothing holds nothing.
- Where there is no room, the body that has been on its way for longest is given up, once it has had
  time enough. So whoever sends or reads slowly, or not to the end, keeps nobody out; nor does it
  need to be told from a slow link: it loses only what another wants.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, Self

from node.rpc.errors import Limited
from node.rpc.limits import RpcLimits

COME_BACK_MS: Final = 500
"""When to send again what there was no room for: most bodies are through in less."""


class Bodies:
    """What of large bodies is held at one time."""

    def __init__(
        self,
        kind: str,
        *,
        small_bytes: int,
        max_bytes: int,
        share_bytes: int,
        patience_ms: int,
        now_s: Callable[[], float],
    ) -> None:
        """Hold nothing yet.

        Args:
            kind: what they are, for the sentences of refusals.
            small_bytes: bodies of up to so many are not counted.
            max_bytes: of all.
            share_bytes: of those of one caller.
            patience_ms: for how long a body may be on its way although another needs its room.
        """
        self._kind = kind
        self._small_bytes = small_bytes
        self._max_bytes = max_bytes
        self._share_bytes = share_bytes
        self._patience_s = patience_ms / 1000
        self._now_s = now_s
        self._held_bytes = 0
        self._of_caller: Counter[str] = Counter()
        self._moving: dict[Body, None] = {}
        """Those that are counted and on their way, the one that began first in front."""

    @property
    def held_bytes(self) -> int:
        """How much is counted."""
        return self._held_bytes

    def of(self, caller: str) -> "Body":
        """Return a body of this caller, of which nothing is here; to be entered."""
        return Body(self, caller, self._now_s())

    def hold(self, body: "Body", size: int) -> None:
        """Count so much of a body that is on its way.

        Raises:
            Limited: there is no room.
        """
        if size <= self._small_bytes:
            return
        more = size - body.held_bytes
        if self._of_caller[body.caller] + more > self._share_bytes:
            raise Limited(
                f"large {self._kind} of yours are under way, at most {self._share_bytes} bytes"
                f" together; send this again in {COME_BACK_MS} ms",
                retry_after_ms=COME_BACK_MS,
            )
        while self._held_bytes + more > self._max_bytes:
            self._make_room(body)
        self._held_bytes += more
        self._of_caller[body.caller] += more
        body.held_bytes = size
        self._moving[body] = None

    def keep(self, body: "Body") -> None:
        """Note that a body is here whole, and is not given up any more."""
        del self._moving[body]

    def let_go(self, body: "Body") -> None:
        """Count nothing of a body any more."""
        if not body.held_bytes:
            return
        self._moving.pop(body, None)
        self._held_bytes -= body.held_bytes
        self._of_caller[body.caller] -= body.held_bytes
        if not self._of_caller[body.caller]:
            del self._of_caller[body.caller]
        body.held_bytes = 0

    def _make_room(self, body: "Body") -> None:
        first = next(iter(self._moving), None)
        if first is None or first is body or self._now_s() < first.began_s + self._patience_s:
            raise Limited(
                f"as many large {self._kind} are under way as this node holds, {self._max_bytes}"
                f" bytes; send this again in {COME_BACK_MS} ms, or to another node",
                retry_after_ms=COME_BACK_MS,
            )
        self.let_go(first)
        first.give_up()


class Body:
    """One body: counted by its bytes as they come, until it is left."""

    __slots__ = ("_bodies", "_end", "_given_up", "began_s", "caller", "held_bytes")

    def __init__(self, bodies: Bodies, caller: str, began_s: float) -> None:
        self._bodies = bodies
        self._given_up = False
        self._end: Callable[[], None] | None = None
        self.caller: Final = caller
        self.began_s: Final = began_s
        self.held_bytes = 0

    def __enter__(self) -> "Body":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    @property
    def given_up(self) -> bool:
        """Whether others took its room."""
        return self._given_up

    def come(self, size: int, end: Callable[[], None] | None = None) -> None:
        """Note that so much of it is here.

        Args:
            end: called when it is given up; ends the wait for the other side.

        Raises:
            Limited: there is no room for it.
        """
        self._end = end
        if not self._given_up:
            self._bodies.hold(self, size)

    def whole(self) -> None:
        """Note that all of it is here."""
        self._end = None
        if self.held_bytes:
            self._bodies.keep(self)

    def leave(self) -> None:
        """Count it no more."""
        self._bodies.let_go(self)

    def give_up(self) -> None:
        """End the wait for the other side."""
        self._given_up = True
        if self._end is not None:
            self._end()


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeBodies:
    """What a listener holds of them, by kind."""

    requests: Bodies
    lists: Bodies
    """Of transactions."""
    answers: Bodies
    """That nobody has read yet."""

    @classmethod
    def within(cls, limits: RpcLimits, now_s: Callable[[], float]) -> Self:
        """Hold nothing yet. One request and one list is always taken, however large it may be.

        Args:
            now_s: seconds since an arbitrary start.
        """
        bodies = partial(
            Bodies,
            small_bytes=limits.body_small_bytes,
            patience_ms=limits.body_patience_ms,
            now_s=now_s,
        )
        body_max, list_max = limits.body_max_bytes, limits.submission_max_bytes
        return cls(
            requests=bodies(
                "requests",
                max_bytes=max(limits.bodies_max_bytes, body_max),
                share_bytes=max(limits.bodies_per_caller_max_bytes, body_max),
            ),
            lists=bodies(
                "lists of transactions",
                max_bytes=max(limits.submissions_max_bytes, list_max),
                share_bytes=max(limits.submissions_max_bytes // 2, list_max),
            ),
            answers=bodies(
                "answers",
                max_bytes=limits.answers_max_bytes,
                share_bytes=limits.answers_per_caller_max_bytes,
            ),
        )


def ending(timeout: asyncio.Timeout) -> Callable[[], None]:
    """Return what ends a time at once, if it has not ended by itself."""

    def end() -> None:
        if not timeout.expired():
            timeout.reschedule(asyncio.get_running_loop().time())

    return end
