"""Whole nodes with `[stream]` in their node.toml, the command and the doctor beside them."""

import asyncio
from pathlib import Path

from node.cli.exits import Exit
from node.stream.publisher import Publisher
from node.testing.cluster import Cluster, running_cluster
from tests.cli.running import khazana
from tests.stream.readers import WITHIN_S, manager, of_feed, read_all, read_of
from tests.stream.servers import NatsServer

OBSERVER = "observer-0"


def stream_of(cluster: Cluster, name: str = OBSERVER) -> Publisher:
    found = cluster.nodes[name].node.stream
    assert found is not None
    return found


async def whole(cluster: Cluster, nats: NatsServer) -> None:
    """Wait until the stream has what the chain has, and hold that it is that."""
    stream = stream_of(cluster)
    rpc = cluster.nodes[OBSERVER].node.rpc
    assert rpc is not None
    *_, last = stream.naming.messages(rpc.feed.block(rpc.feed.head), 0)
    async with asyncio.timeout(WITHIN_S):
        await stream.reached(last.cursor)
    found = await read_all(nats, stream.naming.stream)
    assert read_of(last) in found
    assert found == of_feed(rpc.feed, stream.naming)[: len(found)]


async def test_an_observer_publishes_over_restarts_of_itself_and_of_the_server(
    tmp_path: Path, nats: NatsServer
) -> None:
    async with running_cluster(
        tmp_path / "town", validators=1, observers=1, fault_model="crash"
    ) as cluster:
        payer, payee = cluster.accounts[:2]
        home = cluster.nodes[OBSERVER].home
        silent = await asyncio.to_thread(khazana, "stream", "status", "--home", home)
        await cluster.stop_node(OBSERVER)
        config = home / "node.toml"
        config.write_text(config.read_text() + f'\n[stream]\nserver = "{nats.url}"\n')
        await cluster.start_node(OBSERVER)
        await cluster.transfer(payer, payee, "1.00")
        await cluster.wait_height(cluster.height, OBSERVER)
        await whole(cluster, nats)

        await cluster.stop_node(OBSERVER)
        await cluster.transfer(payer, payee, "2.00")
        await cluster.start_node(OBSERVER)
        await cluster.wait_height(cluster.height, OBSERVER)
        await whole(cluster, nats)
        told = await asyncio.to_thread(khazana, "stream", "status", "--home", home, "--json")
        seen = await asyncio.to_thread(khazana, "doctor", "--home", home, "--json")

        nats.stop()
        await cluster.transfer(payer, payee, "3.00")
        away = await asyncio.to_thread(khazana, "stream", "status", "--home", home)
        ill = await asyncio.to_thread(khazana, "doctor", "--home", home, "--json")
        await nats.start()
        await cluster.transfer(payer, payee, "4.00")
        await cluster.wait_height(cluster.height, OBSERVER)
        await whole(cluster, nats)
        naming = stream_of(cluster).naming
        assert cluster.nodes["central-bank"].node.stream is None

    assert silent.code == Exit.REFUSED
    assert "stream.server is not set" in silent.err
    assert told.json["stream"] == naming.stream
    assert told.json["height"] >= 2
    assert told.json["messages"] == told.json["sequence"]
    findings = {each["check"]: each for each in seen.json["findings"]}
    assert findings["stream"]["verdict"] == "ok"
    assert away.code == Exit.REFUSED
    assert "does not connect" in away.err
    findings = {each["check"]: each for each in ill.json["findings"]}
    assert findings["stream"]["verdict"] == "failed"
    async with manager(nats) as streams:
        info = await streams.stream_info(naming.stream)
    assert info.config.deny_delete
