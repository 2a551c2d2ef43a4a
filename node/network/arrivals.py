"""Who may begin a handshake: how many at one time, and how often from one place.

Arithmetic on a time that the caller passes in, in seconds of the event loop.
"""

from collections import Counter, OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from node.network.conduct import TokenBucket
from node.network.settings import NetworkSettings

SOURCES_MAX: Final = 1_024
"""Places whose rate is remembered; the one heard from longest ago is forgotten first."""

SOURCES_CACHED: Final = 10_000
"""Addresses whose place is at hand; they come many times, those of clients too."""


class Arrivals:
    """The handshakes that are in progress, and the rate of each place that they come from."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        self._shaking: Counter[str] = Counter()
        self._rates: OrderedDict[str, TokenBucket] = OrderedDict()

    @property
    def shaking(self) -> int:
        """How many handshakes are in progress."""
        return self._shaking.total()

    def refusal(self, address: str, now_s: float) -> str | None:
        """Return why whoever comes from there may not even begin, as a metric label, or None."""
        settings, source = self._settings, source_of(address)
        if self._shaking.total() >= settings.handshakes_max:
            return "too-many-handshakes"
        if self._shaking[source] >= settings.handshakes_per_host_max:
            return "too-many-handshakes-of-host"
        rate = self._rates.get(source)
        if rate is None:
            rate = self._rates[source] = TokenBucket(
                rate_per_s=settings.handshakes_per_host_per_s,
                burst=settings.handshakes_per_host_burst,
                now_s=now_s,
            )
            if len(self._rates) > SOURCES_MAX:
                self._rates.popitem(last=False)
        self._rates.move_to_end(source)
        return None if rate.try_take(1.0, now_s) else "too-fast"

    def begin(self, address: str) -> None:
        """Count one more in progress."""
        self._shaking[source_of(address)] += 1

    def end(self, address: str) -> None:
        """Count one less."""
        source = source_of(address)
        self._shaking[source] -= 1
        if not self._shaking[source]:
            del self._shaking[source]


@lru_cache(SOURCES_CACHED)
def source_of(address: str) -> str:
    """Return the name of the place that an address belongs to.

    Who has an address of IPv6 has a whole /64 as a rule, and could otherwise come from 2^64 places.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"
