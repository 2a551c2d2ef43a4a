"""Every limit and duration of this room, in one frozen value.

The defaults suit the four-institution network on ordinary links. What a genesis decides (how large
a block may be) is not here but in `messages.WireLimits`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """How much may wait in one lane of one peer."""

    count_max: int
    """Frames."""
    size_max: int
    """Bytes; one frame larger than this is still taken by an empty lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Limits and durations, the same for every peer."""

    dial_timeout_s: float = 5.0
    """Name, route, TLS and upgrade together, when dialling."""
    handshake_timeout_s: float = 5.0
    """TLS and upgrade of an inbound connection; and again for its Hello."""
    close_timeout_s: float = 1.0
    """How long a peer may take to answer a close before it is cut."""
    heartbeat_s: float = 6.5
    """Silence after which a ping goes out; half of it more without an answer closes the link."""
    send_timeout_s: float = 20.0
    """A frame that has not left by then: the peer does not read."""

    backoff_first_s: float = 0.2
    """Pause after the first failed dial; doubled after each further one."""
    backoff_max_s: float = 5.0
    """Never longer than this, and for ever: a validator that is down is expected back."""
    yield_to_preferred_s: float = 0.25
    """How long the side whose dial would lose the tie lets the other side dial first."""

    batch_interval_s: float = 0.025
    """Between two batches of transactions, but for full ones: each costs six times as much as a
    transaction in it, at every peer."""

    consensus_lane: LaneLimits = field(
        default_factory=lambda: LaneLimits(count_max=4096, size_max=4 << 20)
    )
    sync_lane: LaneLimits = field(
        default_factory=lambda: LaneLimits(count_max=256, size_max=4 << 20)
    )
    transactions_lane: LaneLimits = field(
        default_factory=lambda: LaneLimits(count_max=512, size_max=4 << 20)
    )

    frames_per_s: float = 2000.0
    """Tokens a peer gains each second; a plain frame costs one, a request for blocks more."""
    frames_burst: float = 8000.0
    bytes_per_s: float = 64.0 * (1 << 20)
    bytes_burst: float = 64.0 * (1 << 20)

    penalty_max: int = 100
    """A peer is dropped and kept out for `ban_s` once its offences add up to this."""
    penalty_decay_per_s: float = 0.5
    ban_s: float = 30.0
    """Short: a validator that was upgraded must come back by itself."""

    handshakes_max: int = 64
    """Inbound connections without an identity yet, over all addresses; more are closed at once."""
    handshakes_per_host_max: int = 16
    """The same for one source address."""
    handshakes_per_host_per_s: float = 20.0
    """A handshake costs us a signature before we know who asks."""
    handshakes_per_host_burst: float = 64.0
    links_per_key_max: int = 3
    """Links of one certificate at once, counting those still saying Hello."""
