"""What a replica is made among: the rest of its node, and what the node sets for itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consensus.engine import Engine
from node.admission import Admission
from node.chain import Chain
from node.clock import Clock
from node.log import Logger
from node.mempool import Mempool
from node.metrics import Metrics
from node.replica.gate import Verify
from node.replica.seat import Seat
from node.replica.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLimits:
    """What one node may set for itself; see `node.config.sections.ReplicaConfig`."""

    queue_max: int = 4_096
    resend_ms: int = 750
    resend_ms_max: int = 8_000
    fetch_timeout_ms: int = 300
    patience_ms: int = 30
    """How long a transaction may be behind the proposal that names it before it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaParts:
    """The parts of its node that a replica works with; of each there is one."""

    chain: Chain
    mempool: Mempool
    admission: Admission
    engine: Engine
    wire: Wire
    seat: Seat | None
    """This node's key and log; None: it observes."""
    claims: Callable[[], Mapping[str, int]]
    """The height that each connected validator says it has committed."""
    verify: Verify
    """The one rule for signatures, `node.keys.verify`."""
    clock: Clock
    metrics: Metrics
    log: Logger
    limits: ReplicaLimits = field(default_factory=ReplicaLimits)
