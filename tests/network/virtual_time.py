"""An event loop whose clock jumps to the next timer, so that minutes of network take no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from typing_extensions import override

T = TypeVar("T")

STUCK_AFTER_S: Final = 86_400.0


class _JumpingSelector(selectors.SelectSelector):
    """Passes the time by adding it up."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing is scheduled: every task waits for another"
            self.now_s += max(timeout, 0.0)
            assert self.now_s < STUCK_AFTER_S, "a day has passed"
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The standard loop under the jumping clock."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.now_s


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
