"""What each caller may ask of a node: so many calls, transactions and so much processor time a
second, each with a burst.
"""

from node.clock import Clock
from node.rpc.callers import Caller
from node.rpc.limits import TAKES_LONG, RateLimiter, RpcLimits, caller


class Allowances:
    """The accounts of all callers. What takes from them raises `Limited` where nothing is left."""

    def __init__(self, limits: RpcLimits, clock: Clock) -> None:
        """Open the accounts; all are full."""
        self._limits = limits
        self.calls = RateLimiter(
            clock, per_second=limits.calls_per_second, burst=limits.calls_burst
        )
        """By address or key."""
        work_ms = limits.work_ms_per_second
        self._work = RateLimiter(
            clock,
            per_second=None if work_ms is None else work_ms * 1_000,
            burst=limits.work_burst_ms * 1_000,
            sentence=TAKES_LONG,
        )
        self._transactions = RateLimiter(
            clock,
            per_second=limits.transactions_per_second,
            burst=limits.transactions_burst,
        )

    def take_unknown(self, remote: str | None) -> None:
        """Let a request pass of which nothing but the address is known."""
        self.calls.take(caller(remote))

    def take_calls(self, asking: Caller, calls: int = 1) -> None:
        """Let so many calls of a caller pass, if there is something left of its time too."""
        self.check_work(asking)
        self.calls.take(asking.name, calls, per_second=asking.calls_per_second)

    def take_list(self, asking: Caller) -> None:
        """Let a list of transactions pass; what is done for it, the pool bounds."""
        self.calls.take(asking.name, 1, per_second=asking.calls_per_second)

    def take_transactions(self, asking: Caller, count: int) -> None:
        """Let so many transactions of a list pass."""
        self._transactions.take(asking.name, count)

    def check_work(self, asking: Caller) -> None:
        """Check that something is left of the processor time of a caller."""
        self._work.take(asking.name, 1, per_second=self._work_us_per_second(asking))

    def owe(self, asking: Caller, seconds: float) -> None:
        """Count what was done for a caller, in seconds of processor time."""
        self._work.owe(
            asking.name, round(seconds * 1e6), per_second=self._work_us_per_second(asking)
        )

    def _work_us_per_second(self, asking: Caller) -> int | None:
        """Return the rate of a key that has one: as much more as it may ask more often."""
        calls, of_all = asking.calls_per_second, self._limits.calls_per_second
        if calls is None or of_all is None or self._limits.work_ms_per_second is None:
            return None
        return max(1, self._limits.work_ms_per_second * 1_000 * calls // of_all)
