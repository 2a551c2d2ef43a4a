"""How a node without data begins: by a snapshot, where its operator has named a block to trust."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict

from node.app.clients import listen_all, rpc_limits
from node.app.failures import first_of
from node.app.ground import Ground
from node.config import NodeConfig
from node.genesis import Genesis
from node.ledger.tables import ValidatorRecord
from node.network import Network
from node.rpc.renewing import Renewable, keep_renewed
from node.rpc.waiting import WaitingServer
from node.snapshots import Installation, TrustedPoint
from node.snapshots.trust import HOUR_MS
from node.storage import KeyValueStore, StorageThread
from node.sync import Joining, needs_snapshot


async def join_by_snapshot(
    store: KeyValueStore,
    network: Callable[[], Network],
    ground: Ground,
    *,
    thread: StorageThread | None,
    renewables: list[Renewable],
) -> None:
    """Take over a snapshot into an empty database, if the operator has named a trusted point.

    Args:
        network: makes the links of a node at height 0.
        renewables: what may be renewed meanwhile; this list has it as long as clients are answered.

    Raises:
        JoinRefused: what is configured does not do.
    """
    config, genesis, parts, log = ground.config, ground.genesis, ground.parts, ground.log
    trusted = _trusted_point(config)
    if not needs_snapshot(store, trusted, log):
        return
    assert trusted is not None
    links = network()
    links.set_validators(known_validators(genesis))
    joining = Joining(
        installation=Installation(store, genesis),
        genesis=genesis,
        trusted=trusted,
        wire=links,
        thread=thread,
        verify=parts.verify,
        clock=parts.clock,
        log=log,
    )
    try:
        async with (
            _telling_of(joining, ground, renewables)
            if parts.serves_clients
            else contextlib.nullcontext(),
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(links.run(joining), name=f"{config.name}-network")
            renewing: asyncio.Task[None] | None = None
            if renewables:
                renewing = tasks.create_task(
                    keep_renewed(renewables), name=f"{config.name}-certificates"
                )
            try:
                has_joined = await joining.run()
            finally:
                if renewing is not None:
                    renewing.cancel()
                links.stop()
    except BaseExceptionGroup as group:
        raise first_of(group) from None
    if not has_joined:
        log.warning("no peer serves a snapshot yet: copying blocks from the genesis")


@contextlib.asynccontextmanager
async def _telling_of(
    joining: Joining, ground: Ground, renewables: list[Renewable]
) -> AsyncIterator[None]:
    """Answer clients and whoever watches over the node while there is no chain yet."""

    def progress() -> Mapping[str, int | None]:
        return asdict(joining.progress)

    rpc, metrics, log = ground.config.rpc, ground.metrics, ground.log
    server = WaitingServer(
        progress, metrics=metrics, log=log, limits=rpc_limits(rpc), hosts=rpc.hosts
    )
    try:
        renewables += await listen_all(server, rpc, metrics=metrics, log=log)
        yield
    finally:
        renewables.clear()
        await server.stop()


def known_validators(genesis: Genesis) -> tuple[ValidatorRecord, ...]:
    """Return those whom a node without a chain can know: the founders, and whom amendments name."""
    named = {each.name: each for each in genesis.ledger.validators}
    for amendment in genesis.amendments:
        named |= {each.name: each for each in amendment.validators}
    return tuple(named[name] for name in sorted(named))


def _trusted_point(config: NodeConfig) -> TrustedPoint | None:
    sync = config.sync
    if sync.trusted_height is None or sync.trusted_block is None:
        return None
    return TrustedPoint(
        height=sync.trusted_height,
        block_id=bytes.fromhex(sync.trusted_block),
        period_ms=sync.trust_period_hours * HOUR_MS,
    )
