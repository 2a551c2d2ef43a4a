"""Disks that are full or read-only, under one validator of four: it says so and stops, it loses
nothing, the others go on, and it comes back when there is room.
"""

from pathlib import Path

import pytest

from node.app import CHAIN_FOLDER, LOG_FOLDER
from node.cli.exits import Exit
from node.provision.local import LocalNetwork, NodeFailed
from node.provision.processes import log_tail
from tests.e2e.mounts import SmallDisk, small_disk
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    MINISTRY,
    REGULATOR,
    Payers,
    check_nothing_lost,
    endow,
    exit_code,
    make_network,
    signatures_agree,
)

pytestmark = pytest.mark.e2e

OTHERS = (BANK, MINISTRY, REGULATOR)
DISK_BYTES = 64 << 20
LEFT_BYTES = 16 << 10
LOG_LINES = 4


@pytest.mark.adversarial(69)
async def test_a_full_or_read_only_disk_stops_one_validator_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """Once the database meets it, once the consensus log."""
    network = make_network(tmp_path / "network")
    data = network.nodes[COUNCIL].home / "data"
    with (
        small_disk(data / CHAIN_FOLDER, size_bytes=DISK_BYTES) as chain,
        small_disk(data / LOG_FOLDER, size_bytes=DISK_BYTES) as log,
    ):
        try:
            network.start(leashed=True)
            await network.wait_ready()
            await endow(network)
            # It would wait for the clients that it owes an answer before it ends.
            payers = Payers(network, seed=1, pause_s=0.05, through=OTHERS)
            async with payers.paying():
                for disk in (chain, log):
                    await payers.more(20)
                    await fill_until_it_stops(network, payers, disk)
            for disk in (chain, log):
                await start_where_nothing_can_be_written(network, disk)
            network.start(COUNCIL, leashed=True)
            await network.wait_ready(COUNCIL)
            await check_nothing_lost(network, payers.receipts)
            assert set((await network.stop()).values()) == {True}
            signatures_agree(network)
        finally:
            await network.stop()


async def fill_until_it_stops(network: LocalNetwork, payers: Payers, disk: SmallDisk) -> None:
    home = network.nodes[COUNCIL].home
    disk.fill(leave_bytes=LEFT_BYTES)

    assert await exit_code(network, COUNCIL) == Exit.DAMAGED
    words = "\n".join(log_tail(home, LOG_LINES))
    assert str(disk.path) in words
    assert "cannot grow" in words
    assert "free some space, then start the node again" in words
    await payers.more(20)

    # Still no room: it says the same again, now or as soon as it has to write.
    network.start(COUNCIL, leashed=True)
    assert await exit_code(network, COUNCIL) == Exit.DAMAGED
    assert f"{disk.path}" in "\n".join(log_tail(home, LOG_LINES))

    disk.make_room()
    network.start(COUNCIL, leashed=True)
    await network.wait_ready(COUNCIL)
    await payers.more(20)


async def start_where_nothing_can_be_written(network: LocalNetwork, disk: SmallDisk) -> None:
    process = network.process(COUNCIL)
    if process is not None:
        assert await process.stop()
    disk.set_writable(writable=False)
    try:
        network.start(COUNCIL, leashed=True)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)
        assert f"{disk.path} cannot be written" in "\n".join(failed.value.log)
        assert "mount the disk writable" in "\n".join(failed.value.log)
    finally:
        disk.set_writable(writable=True)
