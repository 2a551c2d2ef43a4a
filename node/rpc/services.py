"""What the interface needs of the rest of the node: one value, so that it can be built alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from node.chain import Chain
from node.clock import Clock
from node.genesis import Genesis
from node.intake import SubmitResult
from node.log import Logger
from node.mempool import Mempool
from node.metrics import Metrics
from node.network import PeerView
from node.replica.position import Position, Totals

if TYPE_CHECKING:
    from node.index.follower import Follower


class Intake(Protocol):
    """Where transactions of clients go in."""

    @property
    def is_crowded(self) -> bool:
        """Whether clients are told to come back."""
        ...

    def turn_away(self) -> int | None:
        """Return when a client is to come back, without a look at what it brings; None: it may
        bring something now.
        """
        ...

    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitResult]:
        """Take transactions, or say why not; one answer for each, in order."""
        ...

    async def wait(self, transaction_id: bytes, timeout_s: float) -> bool:
        """Return whether the transaction is in a committed block, after at most this long."""
        ...


class Peers(Protocol):
    """Who this node talks to; `Network` is one."""

    def status(self) -> Sequence[PeerView]:
        """Return every member of the roster, connected or not, by name."""
        ...


class NoPeers:
    """A node that stands alone."""

    def status(self) -> Sequence[PeerView]:
        """Return nobody."""
        return ()


class Consensus(Protocol):
    """Where agreement stands; `Replica` is one."""

    @property
    def position(self) -> Position:
        """The height to be decided, and how far it is."""
        ...

    @property
    def totals(self) -> Totals:
        """What has been committed since the node started, added up."""
        ...


def _votes_or_observes() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcServices:
    """The rooms that answer, already running."""

    node_name: str
    chain: Chain
    mempool: Mempool
    intake: Intake
    peers: Peers
    genesis: Genesis
    clock: Clock
    metrics: Metrics
    log: Logger
    consensus: Consensus
    why_silent: Callable[[], str | None] = _votes_or_observes
    """Why this validator signs nothing at the next height; None if it signs, or is none."""
    missing: Callable[[], str | None] = _votes_or_observes
    """Which amendment of the validator set peers went on by that is not installed; None: none."""
    snapshots: Callable[[], Sequence[tuple[int, bytes]]] = tuple
    """Height and block id of each snapshot that this node serves, ascending."""
    index: "Follower | None" = None
    """What keeps this node's index; None: it has none."""
    warnings: Callable[[], Sequence[str]] = tuple
    """What goes wrong beside serving and voting, one sentence each."""
    software: str = "khazana"
    """Name and version, for the status."""


NOBODY: Final = NoPeers()
