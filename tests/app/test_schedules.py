"""Whole nodes under schedules in which rounds fail: real nodes meet the situations of the list."""

import asyncio
from random import Random
from typing import Final

import pytest

from consensus.types import FaultModel
from tests.app.cluster import VALIDATORS, Cluster, cluster
from tests.app.puppet import puppet
from tests.consensus.situations import watch
from tests.network.virtual_time import run_virtual

DELAYS_S: Final = (0.01, 0.05, 0.4, 1.2, 3.0)
"""Of frames, by chance: the longer ones are longer than the timeouts of the first rounds."""
SITUATIONS: Final = (7, 8, 10)

A, B, C, D = VALIDATORS


async def decide_under_delays(network: Cluster, seed: int, heights: int) -> None:
    random = Random(seed)
    await network.start(*VALIDATORS)
    await network.until_meshed()
    network.net.delay_s = lambda _source, _target: random.choice(DELAYS_S)
    await network.until_height(heights, *VALIDATORS, within_s=3_000.0)
    network.check_agreement()


@pytest.mark.adversarial(7, 8, 10)
def test_whole_nodes_meet_the_situations_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that arise often; each run is a function of its seed."""
    seen = watch(monkeypatch)

    async def main(seed: int) -> None:
        async with cluster() as network:
            await decide_under_delays(network, seed, 4)

    for seed in range(4):
        run_virtual(main(seed))

    assert {case: seen[case] for case in SITUATIONS if not seen[case]} == {}


@pytest.mark.adversarial(11)
def test_a_lock_that_only_one_node_has_is_decided_by_all() -> None:
    """A hears the quorum of prevotes, and everybody dies before another does."""

    async def main() -> None:
        async with cluster() as network:
            at_a = network.address(A)

            def delay_s(source: str, target: str) -> float:
                return 0.001 if target == at_a else 0.4 if source == at_a else 0.2

            network.net.delay_s = delay_s
            await network.start(*VALIDATORS)
            await network.until_meshed()
            raw = network.transaction()
            await network.submit(A, raw)
            await network.until(lambda: lock_of(network, A) is not None, within_s=5.0)
            locked = lock_of(network, A)
            assert all(lock_of(network, name) is None for name in (B, C, D))

            await network.stop()
            network.net.delay_s = lambda _source, _target: 0.01
            await network.start(*VALIDATORS)
            await network.until_height(1, *VALIDATORS, within_s=20.0)

            certificate = network[A].up.chain.certificate(1)
            assert certificate is not None
            assert certificate.block_id == locked
            network.check_agreement()

    run_virtual(main())


def lock_of(network: Cluster, name: str) -> bytes | None:
    replica = network[name].up.replica
    return replica._engine.locked_block_id if replica._deciding.is_open else None


@pytest.mark.adversarial(14)
def test_two_of_four_in_a_higher_round_draw_the_others_there_and_one_does_not() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as one, puppet(network, D) as other:
            network.bear(A, C)
            await network.start(A, C)
            await network.until(lambda: len(network[A].up.network.peers()) == 3)
            await network.until(lambda: len(network[C].up.network.peers()) == 3)
            await network.submit(A, network.transaction())
            await network.until(lambda: network[A].up.replica._deciding.is_open)
            for name in (A, C):
                one.network.send(name, one.vote(None, round_=5))
            await asyncio.sleep(0.5)
            assert {network[name].up.replica._engine.round for name in (A, C)} == {0}

            for name in (A, C):
                other.network.send(name, other.vote(None, round_=5))
            await asyncio.sleep(0.5)

            assert {network[name].up.replica._engine.round for name in (A, C)} == {5}

    run_virtual(main())


@pytest.mark.adversarial(12, 13)
@pytest.mark.parametrize(
    ("model", "few"), [(FaultModel.CRASH, 2), (FaultModel.BYZANTINE, 2)], ids=["crash", "byzantine"]
)
def test_half_of_four_decide_nothing_and_one_more_is_enough(model: FaultModel, few: int) -> None:
    async def main() -> None:
        async with cluster(fault_model=model) as network:
            await network.start(*VALIDATORS)
            await network.until_meshed()
            await network.until_height(1, *VALIDATORS)
            await network.stop(*VALIDATORS[few:])
            height = max(network[name].height for name in VALIDATORS[:few])
            raw = network.transaction(valid_ms=600_000)
            await network.submit(VALIDATORS[0], raw)
            assert not await network[VALIDATORS[0]].up.intake.wait(network.id_of(raw), 120.0)
            assert network[VALIDATORS[0]].height <= height + 1

            await network.start(VALIDATORS[few])

            assert await network[VALIDATORS[0]].up.intake.wait(network.id_of(raw), 120.0)
            network.check_agreement()

    run_virtual(main())
