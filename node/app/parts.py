"""What stands between a node and the world, for a simulation to replace."""

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TextIO

from node.clock import Clock, SystemClock
from node.explorer import Desk
from node.keys import Signer, verify
from node.ledger.protocol import SUPPORTED
from node.log import Logger
from node.network.tls import TlsIdentity
from node.network.transport import Transport
from node.storage import FileSystem, KeyValueStore, StorageThread


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """What stands between a node and the world. None: the real thing, as configured."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random | None = None
    """Source of jitter; a simulation seeds it."""
    store: KeyValueStore | None = None
    """A database that the caller owns."""
    log_files: FileSystem | None = None
    """The files of the consensus log, owned by the caller."""
    thread: StorageThread | None = None
    """Where a given store and given files are written; None: on the caller's own thread."""
    transport: Transport | None = None
    identity: TlsIdentity | None = None
    signer: Signer | None = None
    following: Signer | None = None
    """The key that is to follow a given signer."""
    observers: Sequence[tuple[str, bytes]] = ()
    """Name and certificate (DER) of observers besides the configured ones."""
    verify: Callable[[bytes, bytes, bytes], bool] = verify
    versions: Collection[int] = SUPPORTED
    """Those of the protocol that this software knows; fewer make it an older release."""
    serves_clients: bool = True
    desk: Desk | None = None
    """Acts on a development network when its pages are asked to."""
    log: Logger | None = None
    log_stream: TextIO = sys.stderr
