"""A validator whose database comes from a backup: silent until it has heard the others."""

from pathlib import Path

import pytest

from node.snapshots.source import pin
from node.storage import MemoryStore, open_leveldb
from node.storage.memory_files import MemoryFiles
from node.upkeep import restore
from node.upkeep.backing_up import BackupWriter, frames_of
from tests.app.cluster import VALIDATORS, Cluster, Disk, cluster
from tests.app.test_restarts import signed
from tests.chain.stores import contents
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS
OTHERS = (A, B, C)


def back_up(network: Cluster, name: str, to: Path) -> int:
    """Write a backup of a machine as it stands; return its height."""
    chain = network[name].up.chain
    view = network[name].disk.store.view()
    snapshot = pin(view, chain.head, network.genesis)
    assert snapshot is not None
    writer = BackupWriter(to)
    for made in frames_of(snapshot, view, network.genesis, blocks=False, software="test"):
        if made is not None:
            writer.add(*made)
    written = writer.finish()
    view.close()
    return written.about.height


def put_back(network: Cluster, file: Path, chain: Path, *, files: MemoryFiles) -> Disk:
    """Return the disk of a machine that was given the backup."""
    restore(file, chain, network.genesis)
    database = open_leveldb(chain, create=False)
    store = MemoryStore()
    store.write(list(contents(database).items()), sync=True)
    database.close()
    return Disk(store=store, files=files)


@pytest.mark.adversarial(29, 68)
@pytest.mark.parametrize("log", ["lost", "kept"])
def test_a_restored_validator_signs_nothing_before_it_has_heard_the_others(
    tmp_path: Path, log: str
) -> None:
    async def main() -> None:
        async with cluster() as network:
            network.bear()
            await network.meet()
            for _ in range(4):
                await network.settle(A, network.transaction())
            height = back_up(network, A, tmp_path / "backup")
            for _ in range(4):
                await network.settle(A, network.transaction())
            await network.stop(D)
            files = network[D].disk.files if log == "kept" else MemoryFiles()
            network[D].disk = put_back(
                network, tmp_path / "backup", tmp_path / "chain", files=files
            )

            others = [network.address(name) for name in OTHERS]
            network.net.isolate(network.address(D), others)
            await network.start(D)
            assert network[D].height == height
            await network.settle(A, network.transaction())
            top = network[A].height
            # Long enough for many rounds, if it took part in any.
            await network.until_height(top + 6, *OTHERS, within_s=120.0)
            assert signed(network, D) == 0

            network.net.rejoin(network.address(D), others)
            await network.until_height(top + 6, D, within_s=60.0)
            for _ in range(6):
                await network.settle(A, network.transaction())
            await network.until(lambda: signed(network, D) > 0)
            network.check_agreement()

    run_virtual(main())
