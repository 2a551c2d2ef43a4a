"""Kills, lost disks and old copies: nothing is signed twice, nothing acknowledged is lost."""

import asyncio
import random
from dataclasses import replace

import pytest
from typing_extensions import override

from node.app import NodeHalted
from node.storage import Batch, MemoryStore
from node.storage.memory_files import MemoryFiles, PowerCut
from tests.app.cluster import VALIDATORS, Cluster, Disk, cluster
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS


def floor_of(network: Cluster, name: str) -> int | None:
    seat = network[name].up.replica._seat
    assert seat is not None
    return seat.guard.floor


def signed(network: Cluster, name: str) -> float:
    metrics = network[name].up.metrics
    return sum(
        metrics.value("khazana_signatures_total", kind=kind)
        for kind in ("proposal", "prevote", "precommit")
    )


def equivocations(network: Cluster) -> float:
    return sum(
        machine.up.metrics.value("khazana_equivocations_total", validator=name)
        for machine in network.running
        for name in VALIDATORS
    )


@pytest.mark.adversarial(28, 65)
@pytest.mark.parametrize("after_ms", range(0, 96, 6))
def test_all_four_killed_at_once_resume_and_decide(after_ms: int) -> None:
    async def main() -> None:
        async with cluster() as network:
            network.net.delay_s = lambda _source, _target: 0.010
            chance = random.Random(after_ms)
            await network.meet()
            await network.settle(A, network.transaction())
            await asyncio.sleep(1.0)
            raw = network.transaction()
            await network.submit(A, raw)
            await asyncio.sleep(after_ms / 1000)

            await network.stop()
            for machine in network.machines.values():
                machine.disk.cut_power(chance)
            await network.start()

            await network.until_height(2, within_s=6.0)
            network.check_agreement()
            assert equivocations(network) == 0
            assert await network.settle(B, network.transaction()) < 5.0

    run_virtual(main())


@pytest.mark.adversarial(28)
def test_a_lock_survives_the_restart_of_all_with_its_block() -> None:
    """All four precommit a block, hear no precommit, and are killed: only that block can follow."""

    async def main() -> None:
        async with cluster() as network:
            network.net.delay_s = lambda _source, _target: 0.010
            await network.meet()
            raw = network.transaction()
            await network.submit(A, raw)
            locked: bytes | None = None

            def all_locked() -> bool:
                return all(m.up.replica._engine.locked_block_id for m in network.running)

            await network.until(lambda: network[A].up.replica._deciding.is_open)
            await network.until(all_locked, within_s=1.0)
            locked = network[A].up.replica._engine.locked_block_id
            assert {machine.height for machine in network.running} == {0}

            await network.stop()
            await network.start()
            await network.until_height(1, within_s=6.0)

            assert {
                machine.up.chain.history.block_bytes(1) is not None for machine in network.running
            }
            certificate = network[A].up.chain.certificate(1)
            assert certificate is not None
            assert certificate.block_id == locked
            assert network[A].up.chain.seen(network.id_of(raw))

    run_virtual(main())


@pytest.mark.adversarial(65, 70)
@pytest.mark.parametrize("first", range(0, 60, 12))
def test_a_power_cut_at_any_step_of_the_log_costs_nothing(first: int) -> None:
    async def main() -> None:
        for step in range(first, first + 12):
            async with cluster() as network:
                chance = random.Random(step)
                network[B].disk.files = MemoryFiles(power_cut_at=step)
                try:
                    await network.meet()
                    for _ in range(12):
                        await network.settle(A, network.transaction())
                except (PowerCut, AssertionError, TimeoutError):
                    assert network[B].node is None
                network[B].disk.cut_power(chance)
                if network[B].node is None:
                    await network.stop(B)
                    await network.start(*(n for n in VALIDATORS if network[n].node is None))
                    await network.until_meshed()
                await network.settle(C, network.transaction())
                await network.until_height(network[C].height)

                network.check_agreement()
                assert equivocations(network) == 0

    run_virtual(main())


class CutStore(MemoryStore):
    """Loses its power at one batch: before it is written, or right after."""

    def __init__(self, *, batch: int, before: bool) -> None:
        super().__init__()
        self._left = batch
        self._before = before

    @override
    def write(self, batch: Batch, *, sync: bool) -> None:
        self._left -= 1
        if self._left == 0 and self._before:
            raise PowerCut
        super().write(batch, sync=sync)
        if self._left == 0:
            raise PowerCut


@pytest.mark.adversarial(65, 70)
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("batch", [2, 3, 4, 5])
def test_a_power_cut_around_a_commit_replays_at_most_one_block(batch: int, before: bool) -> None:
    async def main() -> None:
        async with cluster() as network:
            network[C].disk.store = CutStore(batch=batch, before=before)
            await network.meet()
            for _ in range(5):
                await network.settle(A, network.transaction())
                await asyncio.sleep(0.3)
            assert isinstance(network[C].failure, PowerCut)
            await network.stop(C)

            await network.start(C)
            # The first batch founds the chain; block h is batch h + 1.
            assert network[C].height == batch - (2 if before else 1)
            await network.until_height(5, within_s=5.0)
            await network.until_meshed()

            network.check_agreement()
            assert equivocations(network) == 0
            before_signed = signed(network, C)
            await network.settle(A, network.transaction())
            await asyncio.sleep(1.0)
            assert signed(network, C) > before_signed

    run_virtual(main())


@pytest.mark.adversarial(29, 68)
def test_a_wiped_validator_signs_nothing_it_may_have_signed_before() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for _ in range(6):
                await network.settle(A, network.transaction())
            await network.stop(D)
            network[D].disk = Disk()

            await network.start(D)
            await network.until(lambda: floor_of(network, D) is not None)
            floor = floor_of(network, D)
            assert floor is not None
            assert floor >= 6 + 2
            while network[D].height < floor:
                assert signed(network, D) == 0
                await network.settle(A, network.transaction())
                await asyncio.sleep(0.5)
            await network.settle(A, network.transaction())
            await asyncio.sleep(1.0)

            assert signed(network, D) > 0
            assert equivocations(network) == 0
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(29)
def test_a_wiped_validator_finds_its_floor_again_after_a_restart() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.stop(D)
            network[D].disk = Disk()
            await network.start(D)
            await network.until(lambda: floor_of(network, D) is not None)
            floor = floor_of(network, D)
            await network.stop(D)

            await network.start(D)

            assert floor_of(network, D) == floor
            assert signed(network, D) == 0

    run_virtual(main())


@pytest.mark.adversarial(29)
def test_a_wiped_validator_that_hears_too_few_signs_nothing_and_follows() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.stop(D)
            network[D].disk = Disk()
            network.net.isolate(network.address(D), [network.address(C)])

            await network.start(D)
            for _ in range(6):
                await network.settle(A, network.transaction())
                await asyncio.sleep(1.0)

            assert floor_of(network, D) is None
            assert signed(network, D) == 0
            await network.until_height(9, D, within_s=5.0)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(29)
def test_a_peer_that_lies_about_its_height_does_not_keep_a_wiped_validator_out() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            await network.settle(A, network.transaction())
            await network.stop(D)
            network[D].disk = Disk()
            liar = network[B].up.network
            liar._introduction = replace(liar._introduction, height=lambda: 10**9)
            await network.start(D)

            for _ in range(30):
                await network.settle(A, network.transaction())
                await asyncio.sleep(1.0)

            assert floor_of(network, D) is not None
            assert signed(network, D) > 0

    run_virtual(main())


@pytest.mark.adversarial(68)
def test_a_database_older_than_the_log_is_caught_up_before_anything_is_signed() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.until_height(3)
            backup = network[D].disk.copy()
            for _ in range(6):
                await network.settle(A, network.transaction())
            await network.until_height(9)
            await network.stop(A, B, C, D)
            network[D].disk.store = backup.store

            await network.start(D)
            await asyncio.sleep(1.0)
            assert network[D].height == 3
            assert floor_of(network, D) == 8
            assert signed(network, D) == 0
            await network.start(A, B, C)
            await network.until_height(9)
            assert await network.settle(D, network.transaction()) < 5.0
            await asyncio.sleep(1.0)

            assert signed(network, D) > 0
            assert equivocations(network) == 0
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(68)
@pytest.mark.parametrize("kind", ["older", "none"])
def test_a_log_older_than_the_database_is_not_trusted(kind: str) -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.until_height(3)
            backup = network[D].disk.copy()
            for _ in range(6):
                await network.settle(A, network.transaction())
            await network.until_height(9)
            await network.stop(D)
            network[D].disk.files = backup.files if kind == "older" else MemoryFiles()

            await network.start(D)
            assert floor_of(network, D) is None
            await network.until(lambda: floor_of(network, D) is not None)

            assert floor_of(network, D) == 11
            assert network[D].height == 9
            assert signed(network, D) == 0
            for _ in range(4):
                await network.settle(A, network.transaction())
                await asyncio.sleep(0.5)
            assert signed(network, D) > 0
            assert equivocations(network) == 0

    run_virtual(main())


def test_a_born_network_begins_without_its_last_validator() -> None:
    async def main() -> None:
        async with cluster() as network:
            network.bear()
            await network.start(A, B, C)
            await network.until_meshed()

            assert await network.settle(A, network.transaction()) < 3.0

    run_virtual(main())


def test_a_network_without_birth_entries_begins_once_all_are_there() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.start(A, B, C)
            await network.until_meshed()
            await network.submit(A, network.transaction())
            await asyncio.sleep(30.0)
            assert network[A].height == 0

            await network.start(D)

            await network.until_height(1, within_s=10.0)

    run_virtual(main())


@pytest.mark.adversarial(66)
def test_a_node_that_computes_otherwise_stops_itself_and_the_others_go_on() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            await network.settle(A, network.transaction())
            await network.until_height(1)
            await network.stop(D)
            _spoil(network[D].disk.store)
            await network.start(D)
            await network.until_meshed()

            await network.settle(A, network.transaction())
            await network.until(lambda: network[D].node is None, within_s=5.0)

            failure = network[D].failure
            assert isinstance(failure, NodeHalted)
            header = network[A].up.chain.head.header
            assert header is not None
            assert header.state_root.hex() in failure.reason
            assert failure.reason.count("computed here") == 1
            for _ in range(4):
                await network.settle(A, network.transaction())
            await network.stop(D)
            await network.start(D)
            assert network[D].height == 1

    run_virtual(main())


def _spoil(store: MemoryStore) -> None:
    """Alter one account record on the disk behind the node's back."""
    for key, value in list(store.scan(b"S", b"T")):
        if value.count(b"central-bank") == 2:
            changed = value[::-1].replace(b"knab-lartnec", b"knab-lartneX", 1)[::-1]
            store.write([(key, changed)], sync=True)
