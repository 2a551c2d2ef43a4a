"""The timers of one height: each pushes one event after a while, and all end with the height."""

import asyncio
from collections.abc import Callable

from node.replica.events import Event


class Timers:
    """Timers by name; each is pending once at most."""

    def __init__(self, push: Callable[[Event], None]) -> None:
        """Begin with none.

        Args:
            push: takes an event into the replica's queue.
        """
        self._push = push
        self._pending: dict[object, asyncio.TimerHandle] = {}

    def set(self, name: object, delay_s: float, event: Event) -> None:
        """Push an event after a while; a timer of the same name is replaced."""
        timer = self._pending.pop(name, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._pending[name] = loop.call_later(delay_s, self._fire, name, event)

    def clear(self) -> None:
        """Push nothing more of what was set."""
        for timer in self._pending.values():
            timer.cancel()
        self._pending.clear()

    def _fire(self, name: object, event: Event) -> None:
        self._pending.pop(name, None)
        self._push(event)
