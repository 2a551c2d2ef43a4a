"""Where a node and its network stand, and who decides."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A member of the network as the node sees it."""

    name: str
    role: str
    connected: bool
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mempool:
    """What waits for a block at the node."""

    transactions: int
    transactions_max: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Another version of the protocol, from a height on."""

    version: int
    height: int
    known: bool
    """Whether the node's software knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Another set of validators, decided outside the chain."""

    serial: int
    id: str
    height: int
    """The first that it rules."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A node and its network."""

    height: int
    block_id: str
    time: datetime
    node: str
    software: str
    api_version: str
    network: str
    network_name: str
    genesis_hash: str
    test_network: bool
    development: bool
    protocol_version: int
    """Rules the next height."""
    state_root: str
    earliest_height: int
    fault_model: str
    validators: int
    quorum: int
    faults_survived: int
    transaction_window_ms: int
    ready: bool
    not_ready: tuple[str, ...]
    mempool: Mempool
    peers: tuple[Peer, ...]
    warnings: tuple[str, ...] = ()
    """What hinders nobody in using the node and should not stay so."""
    protocol_versions_known: tuple[int, ...] = ()
    """By whose rules the node's software can apply blocks; an older release does not say."""
    upgrade: Upgrade | None = None
    """What is scheduled."""
    amendments: tuple[Amendment, ...] = ()
    """Those of the validator set that were decided outside the chain; an older release has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A member of the validator set."""

    name: str
    participant: str | None
    """None for a set that no longer rules."""
    public_key: str
    tls_certificate: str | None
    """DER in base64; None as `participant` is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """Those who decide, or decided, one height."""

    rules_height: int
    fault_model: str
    quorum: int
    faults_survived: int
    validators: tuple[Validator, ...]
