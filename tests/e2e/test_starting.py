"""A node that is told to end before it has started."""

import asyncio
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.provision.homes import CONFIG_FILE
from node.provision.local import create_network
from node.provision.ports import free_ports
from node.provision.probing import answers
from node.provision.processes import start_node
from node.provision.reference import INSTITUTIONS, reference_network
from tests.cli.asked import run
from tests.e2e.networks import CLOCK

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


async def test_a_node_that_joins_by_a_snapshot_ends_when_it_is_told(tmp_path: Path) -> None:
    """Nobody serves one here, so it would wait for ever."""
    free = free_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network("alone", ports=ports, development=True)
    network = create_network(tmp_path / "network", description, now_ms=CLOCK.now_ms())
    founder = network.nodes[INSTITUTIONS[0]]
    with (founder.home / CONFIG_FILE).open("a") as config:
        config.write(f'\n[sync]\ntrusted_height = 7\ntrusted_block = "{"11" * 32}"\n')
    checked = await run("config", "check", "--home", founder.home)
    assert checked.code == Exit.OK, checked.err

    process = start_node(founder.home, leashed=True)
    try:
        async with asyncio.timeout(30):
            while not await answers(founder.url, "/livez"):  # noqa: ASYNC110 - see test_validators.
                await asyncio.sleep(0.05)
    finally:
        ended = await process.stop()

    assert ended
    assert "Traceback" not in (founder.home / "node.log").read_text()
