"""Time that a test sets."""


class HandClock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.ms = 0
        self.seconds = 0.0

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.seconds

    def cpu_s(self) -> float:
        return 0.0
