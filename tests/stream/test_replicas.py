"""A stream on three servers, made by hand as the page has one type it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from nats.errors import Error
from nats.js.errors import APIError

from tests.docs.blocks import block
from tests.docs.shell import surroundings, typed
from tests.ports import own_ports
from tests.rpc.solo import solo_node
from tests.stream.readers import arrived, manager, publisher_of, read_all, running, work
from tests.stream.servers import POLL_S, WHY_NOT, NatsServer

LEADER_WITHIN_S = 90


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Sequence[NatsServer]]:
    """Three servers, of whom the one who leads knows that they are three."""
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    free = own_ports(6)
    clients, ports = free[:3], free[3:]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    servers = [
        NatsServer(
            tmp_path / f"nats-{number}",
            options=f"server_name: server-{number}\n"
            f'cluster {{ name: three, listen: "127.0.0.1:{port}", routes: [{routes}] }}\n',
            port=clients[number],
        )
        for number, port in enumerate(ports)
    ]
    try:
        for server in servers:
            await server.start()
        async with asyncio.timeout(LEADER_WITHIN_S), manager(servers[0], within_s=2) as streams:
            while True:
                with contextlib.suppress(APIError, Error):
                    await streams.add_stream(name="stage", subjects=["stage"], num_replicas=3)
                    await streams.delete_stream("stage")
                    break
                await asyncio.sleep(POLL_S)
        yield servers
    finally:
        for server in servers:
            server.stop()


async def test_a_stream_made_by_hand_on_three_servers_is_published_to(
    cluster: Sequence[NatsServer],
) -> None:
    commands = block("node/stream/README.md", 'python3 - "$NATS_URL"')

    await asyncio.to_thread(typed, commands, surroundings(NATS_URL=cluster[1].url))

    async with solo_node() as solo:
        publisher = publisher_of(solo, cluster[0].url)
        async with running(publisher):
            await work(solo, 5)
            await arrived(solo, publisher)
    async with manager(cluster[2]) as streams:
        config = (await streams.stream_info("khazana-town")).config
    assert (config.num_replicas, str(config.discard)) == (3, "new")
    assert len(await read_all(cluster[2], "khazana-town")) > 5
