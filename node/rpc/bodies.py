"""Large bodies that are under way, counted by the bytes of them that have come.

A small body costs about what its connection does, and connections are bounded. What comes of a
larger one is counted from the first byte until its call is answered, in all and of each caller, so
that what clients send at the same time has a bound however many they are:

- Who has its share under way is refused the next at once, and told when to come back.
- Bytes count, not what was announced: who announces much and sends nothing holds nothing.
- Where there is no room, the body that has been coming for longest is given up, once it has had
  time enough. So whoever sends slowly, or not to the end, keeps nobody out; nor does it need to be
  told from a slow link: it loses only what another wants.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final

from node.rpc.errors import Limited
from node.rpc.limits import RpcLimits

COME_BACK_MS: Final = 500
"""When to send again what there was no room for: most bodies are there and answered in less."""


class Bodies:
    """What of large bodies is held at one time."""

    def __init__(self, limits: RpcLimits, *, now_s: Callable[[], float]) -> None:
        self._small_bytes = limits.body_small_bytes
        # One body is always taken, however large an operator lets them be.
        self._max_bytes = max(limits.bodies_max_bytes, limits.body_max_bytes)
        self._share_bytes = max(limits.bodies_per_caller_max_bytes, limits.body_max_bytes)
        self._patience_s = limits.body_patience_ms / 1000
        self._now_s = now_s
        self._held_bytes = 0
        self._of_caller: Counter[str] = Counter()
        self._coming: dict[Body, None] = {}
        """Those that are counted and not here whole, the one that began first in front."""

    @property
    def held_bytes(self) -> int:
        """How much is counted."""
        return self._held_bytes

    def of(self, caller: str) -> "Body":
        """Return a body of this caller, of which nothing has come; to be entered."""
        return Body(self, caller, self._now_s())

    def hold(self, body: "Body", size: int) -> None:
        """Count so much of a body that is coming.

        Raises:
            Limited: there is no room.
        """
        if size <= self._small_bytes:
            return
        more = size - body.held_bytes
        if self._of_caller[body.caller] + more > self._share_bytes:
            raise Limited(
                f"large bodies of yours are under way, {self._share_bytes} bytes at most together;"
                f" send this again in {COME_BACK_MS} ms",
                retry_after_ms=COME_BACK_MS,
            )
        while self._held_bytes + more > self._max_bytes:
            self._make_room(body)
        self._held_bytes += more
        self._of_caller[body.caller] += more
        body.held_bytes = size
        self._coming[body] = None

    def keep(self, body: "Body") -> None:
        """Note that a body is here whole: it is not given up any more."""
        del self._coming[body]

    def let_go(self, body: "Body") -> None:
        """Count nothing of a body any more."""
        if not body.held_bytes:
            return
        self._coming.pop(body, None)
        self._held_bytes -= body.held_bytes
        self._of_caller[body.caller] -= body.held_bytes
        if not self._of_caller[body.caller]:
            del self._of_caller[body.caller]
        body.held_bytes = 0

    def _make_room(self, body: "Body") -> None:
        first = next(iter(self._coming), None)
        if first is None or first is body or self._now_s() < first.began_s + self._patience_s:
            raise Limited(
                f"as many large bodies are under way as this node holds, {self._max_bytes} bytes;"
                f" send this again in {COME_BACK_MS} ms, or to another node",
                retry_after_ms=COME_BACK_MS,
            )
        self.let_go(first)
        first.give_up()


class Body:
    """One body: counted by its bytes as they come, until it is left."""

    __slots__ = ("_bodies", "_given_up", "_timeout", "began_s", "caller", "held_bytes")

    def __init__(self, bodies: Bodies, caller: str, began_s: float) -> None:
        self._bodies = bodies
        self._given_up = False
        self._timeout: asyncio.Timeout | None = None
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
        self._bodies.let_go(self)

    @property
    def given_up(self) -> bool:
        """Whether others took its room."""
        return self._given_up

    def come(self, size: int, timeout: asyncio.Timeout | None = None) -> None:
        """Note that so much of it is here.

        Args:
            timeout: what is waited within for the rest.

        Raises:
            Limited: there is no room for it.
        """
        self._timeout = timeout
        if not self._given_up:
            self._bodies.hold(self, size)

    def whole(self) -> None:
        """Note that all of it is here."""
        self._timeout = None
        if self.held_bytes:
            self._bodies.keep(self)

    def give_up(self) -> None:
        """End the wait for the rest of it."""
        self._given_up = True
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
