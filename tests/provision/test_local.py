"""A network as processes: started, ready, killed, started again, and nothing left behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.clock import SystemClock
from node.control import LATEST_MS
from node.provision.description import NetworkDescription
from node.provision.homes import HomeExists
from node.provision.local import (
    LocalNetwork,
    NodeFailed,
    NoSuchNetwork,
    create_network,
    open_network,
)
from node.provision.probing import answers
from node.provision.processes import LOG_FILE, PID_FILE, NodeProcess, ProcessRunning, running
from node.provision.reference import INSTITUTIONS, reference_network
from node.provision.travelling import NodesStopped, TooLate, travel
from tests.ports import own_ports


def describe(name: str) -> NetworkDescription:
    free = own_ports(2 * len(INSTITUTIONS))
    ports = {node: (free[2 * n], free[2 * n + 1]) for n, node in enumerate(INSTITUTIONS)}
    return reference_network(name, ports=ports, development=True)


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[LocalNetwork]:
    made = create_network(tmp_path / "network", describe("local"), now_ms=SystemClock().now_ms())
    try:
        yield made
    finally:
        await made.stop()


@pytest.mark.parametrize("to_ms", [LATEST_MS, LATEST_MS + 1])
async def test_network_does_not_set_out_for_where_no_network_travels(
    network: LocalNetwork, to_ms: int
) -> None:
    """Its nodes do not run: a time that is not too late is refused for that."""
    with pytest.raises(TooLate if to_ms > LATEST_MS else NodesStopped) as refused:
        await travel(network, to_ms, utc_offset_minutes=300)

    assert ("2200-01-01" in str(refused.value)) is (to_ms > LATEST_MS)


@pytest.mark.e2e
async def test_network_starts_survives_a_kill_and_stops_without_a_trace(
    network: LocalNetwork,
) -> None:
    network.start(leashed=True)
    await network.wait_ready()
    first = network.process("crypto-council")
    assert first is not None

    assert await network.kill("crypto-council")
    assert network.process("crypto-council") is None
    assert not await answers(network.nodes["crypto-council"].url, "/livez")
    network.start("crypto-council", leashed=True)
    await network.wait_ready("crypto-council")

    again = network.process("crypto-council")
    assert again is not None
    assert again.pid != first.pid
    assert set((await network.stop()).values()) == {True}
    assert list(network.running()) == []
    assert not any((node.home / PID_FILE).exists() for node in network.nodes.values())


@pytest.mark.e2e
async def test_node_that_runs_is_not_started_twice(network: LocalNetwork) -> None:
    network.start("central-bank", leashed=True)

    with pytest.raises(ProcessRunning):
        network.start("central-bank", leashed=True)


@pytest.mark.e2e
async def test_node_that_cannot_start_is_reported_with_its_log(network: LocalNetwork) -> None:
    home = network.nodes["central-bank"].home
    (home / "genesis.json").write_text("{}")
    (home / LOG_FILE).write_text("what it said the time before\n")
    network.start("central-bank", leashed=True)

    with pytest.raises(NodeFailed) as failure:
        await network.wait_ready("central-bank")

    assert failure.value.node == "central-bank"
    assert "what it said the time before" not in "".join(failure.value.log)
    assert any("genesis.json" in line for line in failure.value.log)


@pytest.mark.e2e
async def test_leashed_node_ends_when_its_starter_is_killed(network: LocalNetwork) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from node.provision.processes import start_node\n"
        "print(start_node(Path(sys.argv[1]), leashed=True).pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    node = network.nodes["central-bank"]
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(node.home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert starter.stdout is not None
    await starter.stdout.readline()
    process = network.process("central-bank")
    assert process is not None

    starter.kill()
    await starter.communicate()

    async with asyncio.timeout(90):
        while process.is_alive():  # noqa: ASYNC110 - another process's end has no event here
            await asyncio.sleep(0.02)


def test_made_network_is_found_again(network: LocalNetwork) -> None:
    assert open_network(network.root) == network


def test_folder_without_a_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchNetwork):
        open_network(tmp_path)


def test_network_is_not_made_over_another(network: LocalNetwork) -> None:
    before = (network.nodes["central-bank"].home / "genesis.json").read_bytes()
    with pytest.raises(HomeExists):
        create_network(network.root, describe("other"), now_ms=0)

    assert (network.nodes["central-bank"].home / "genesis.json").read_bytes() == before


def test_process_of_a_reused_number_is_not_ours(tmp_path: Path) -> None:
    """This test's own process has the number in the file, but it began at another moment."""
    (tmp_path / PID_FILE).write_text(json.dumps({"pid": os.getpid(), "began": 1}))

    assert running(tmp_path) is None
    stranger = NodeProcess(home=tmp_path, pid=os.getpid(), began=1)
    assert not stranger.signal(signal.SIGKILL)


@pytest.mark.parametrize("text", ["", "{}", '{"pid": "x"}', "[]", "not json"])
def test_damaged_process_file_means_nothing_runs(tmp_path: Path, text: str) -> None:
    (tmp_path / PID_FILE).write_text(text)

    assert running(tmp_path) is None
