"""What the replica's loop reads from its queue: the closed union `Event`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from consensus.certificates import QuorumCertificate
from consensus.effects import BuildBlock
from consensus.types import Timeout
from node.blocks import Block
from node.network import WireMessage


@dataclass(frozen=True, slots=True)
class Connected:
    """A link to this peer is up."""

    peer: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link to this peer is gone."""

    peer: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A peer said something."""

    peer: str
    message: WireMessage


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A timeout of the engine."""

    timeout: Timeout


@dataclass(frozen=True, slots=True)
class BuildDue:
    """The proposer has gathered long enough."""

    effect: BuildBlock


@dataclass(frozen=True, slots=True)
class ResendDue:
    """Nothing has changed for a while."""


@dataclass(frozen=True, slots=True)
class RetryDue:
    """A peer did not answer in time for a block."""

    block_id: bytes


@dataclass(frozen=True, slots=True)
class Woken:
    """Something changed that may matter: the pool, a claim, the time."""


class Certified(NamedTuple):
    """A block from a peer's store, whose certificate has been verified in full."""

    block: Block
    certificate: QuorumCertificate


@dataclass(frozen=True, slots=True)
class Fetched:
    """A run of blocks from peers' stores, in order of height without a gap; at least one."""

    run: Sequence[Certified]
    done: asyncio.Future[int]
    """How many of them were committed, once those are durable."""


Event: TypeAlias = (
    Connected | Disconnected | Heard | Elapsed | BuildDue | ResendDue | RetryDue | Woken | Fetched
)
