"""How much a peer may ask of us, and how much misconduct it takes to be put out.

Both are arithmetic on a time that the caller passes in, in seconds of the event loop.
"""

from node.network.settings import NetworkSettings


class TokenBucket:
    """A rate with a burst: what is taken beyond the burst must be waited for."""

    def __init__(self, *, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at_s = now_s

    def take(self, tokens: float, now_s: float) -> float:
        """Take tokens, going into debt if need be; return the seconds until the debt is paid."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        self._tokens -= tokens
        return max(0.0, -self._tokens / self._rate_per_s)

    def try_take(self, tokens: float, now_s: float) -> bool:
        """Take tokens if there are enough; return whether there were."""
        if self.take(tokens, now_s) == 0.0:
            return True
        self._tokens += tokens
        return False


class Conduct:
    """The record of one peer; outlives its links, so that reconnecting does not wipe the slate."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        self._penalty = 0.0
        self._at_s = 0.0
        self._banned_until_s = 0.0

    def penalise(self, points: int, now_s: float) -> bool:
        """Note an offence; return whether the peer is now kept out."""
        self._decay(now_s)
        self._penalty += points
        if self._penalty < self._settings.penalty_max:
            return False
        self._penalty = 0.0
        self._banned_until_s = now_s + self._settings.ban_s
        return True

    def ban_left_s(self, now_s: float) -> float:
        """Seconds for which the peer is still kept out; 0 if it is welcome."""
        return max(0.0, self._banned_until_s - now_s)

    def penalty(self, now_s: float) -> float:
        """Points that have not faded yet."""
        self._decay(now_s)
        return self._penalty

    def _decay(self, now_s: float) -> None:
        faded = (now_s - self._at_s) * self._settings.penalty_decay_per_s
        self._penalty = max(0.0, self._penalty - faded)
        self._at_s = now_s
