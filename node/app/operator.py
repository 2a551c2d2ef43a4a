"""What the operator reaches through the socket in the node's home: backup, outlook, travel."""

from collections.abc import Callable
from pathlib import Path

from node.app.release import software
from node.app.travel import Travel
from node.chain import Chain, ChainDamaged
from node.clock import Clock, TravellingClock
from node.control import ControlServer, Made, Outlook
from node.control.place import socket_path
from node.log import Logger
from node.snapshots import SnapshotError
from node.storage import KeyValueStore, StorageError, StorageThread
from node.upkeep import BackupError, back_up_running


async def serve_operator(
    chain: Chain,
    store: KeyValueStore,
    thread: StorageThread,
    *,
    folder: Path,
    clock: Clock,
    beat: Callable[[], None],
    outlook: Callable[[], Outlook],
    log: Logger,
) -> ControlServer:
    """Open the control socket; where that cannot be, the node goes on without.

    Args:
        folder: the data directory, which the socket's place follows from.
        beat: has the next height begin, on a network whose clock can be set ahead.
        outlook: what the node knows of itself and of the others.
    """

    async def back_up(to: Path, blocks: bool, progress: Callable[[int], None]) -> Made | str:
        try:
            written = await back_up_running(
                chain,
                store,
                thread,
                clock,
                to,
                blocks=blocks,
                software=software(),
                progress=progress,
            )
        except (BackupError, ChainDamaged, SnapshotError, StorageError) as error:
            return str(error)
        return Made(
            height=written.about.height,
            block_id=written.about.block_id.hex(),
            state_root=written.about.state_root.hex(),
            size_bytes=written.size_bytes,
            blocks=written.blocks,
        )

    travel = None
    if isinstance(clock, TravellingClock):
        travel = Travel(clock, chain, folder=folder, beat=beat)
    server = ControlServer(
        socket_path(folder), back_up=back_up, outlook=outlook, travel=travel, log=log
    )
    try:
        await server.start()
    except OSError as error:
        # A file system without sockets is no reason not to vote.
        log.warning("no control socket: a backup needs the node stopped", error=str(error))
    return server
