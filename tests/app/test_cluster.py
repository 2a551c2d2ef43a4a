"""Four whole nodes over memory: agreement, cadence, counts, and what must not stop them."""

import asyncio

import pytest

from consensus.types import FaultModel
from node.admission import Refusal
from node.ledger.outcomes import Outcome
from node.mempool import Full, Known
from node.provision.description import Blocks, Consensus
from node.replica.patience import GRACE_MS
from tests.app.cluster import OBSERVER, VALIDATORS, cluster
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_a_transaction_handed_in_anywhere_is_final_everywhere() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()

            for name in VALIDATORS:
                await network.settle(name, network.transaction())

            await network.until_height(4)
            network.check_agreement()
            roots = {machine.up.chain.head.state_root for machine in network.running}
            assert len(roots) == 1

    run_virtual(main())


def test_an_idle_network_is_final_after_a_few_messages_and_no_wait() -> None:
    async def main() -> None:
        async with cluster() as network:
            network.net.delay_s = lambda _source, _target: 0.001
            await network.meet()
            await asyncio.sleep(20.0)

            took_s = []
            for name in VALIDATORS:
                took_s.append(await network.settle(name, network.transaction()))
                await asyncio.sleep(1.0)

            # Push, proposal, prevotes, precommits: four messages of 1 ms each, a fetch where the
            # proposal overtakes the push, and the step of this test's clock.
            assert max(took_s) < 0.030

    run_virtual(main())


def test_blocks_under_load_gather_and_come_no_faster_than_they_should() -> None:
    async def main() -> None:
        async with cluster(blocks=Blocks(gather_ms=50)) as network:
            await network.meet()
            start, height = now_s(), network[A].height

            for _ in range(100):
                await network.submit(A, network.transaction())
                await asyncio.sleep(0.01)
            await network.until(lambda: len(network[A].up.mempool) == 0)

            blocks = network[A].height - height
            assert blocks <= (now_s() - start) / 0.05 + 1
            assert blocks >= 15
            network.check_agreement()

    run_virtual(main())


@pytest.mark.parametrize(
    ("delay_ms", "blocks"), [(60, range(6, 10)), (25, range(12, 19)), (1, range(32, 42))]
)
def test_under_much_load_blocks_come_further_apart_the_longer_agreement_takes(
    monkeypatch: pytest.MonkeyPatch, delay_ms: int, blocks: range
) -> None:
    """A hundred a second are five times what is easy here: 250 ms from one block to the next, or
    two and a half times what messages to and fro take. No round is lost."""
    monkeypatch.setattr("node.replica.pace.EASY_RATE", 20.0)

    async def main() -> None:
        async with cluster(blocks=Blocks(gather_ms=50)) as network:
            network.net.delay_s = lambda _source, _target: delay_ms / 1000
            await network.meet()
            heights = []
            for number in range(400):
                heights.append(network[A].height)
                await network.submit(VALIDATORS[number % 4], network.transaction())
                await asyncio.sleep(0.01)

            assert network[A].height - heights[200] in blocks
            await network.until(lambda: len(network[A].up.mempool) == 0)
            for machine in network.running:
                assert machine.up.metrics.value("khazana_rounds_skipped_total") == 0
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(37)
def test_an_idle_chain_stays_in_round_zero_and_wakes_at_once() -> None:
    async def main() -> None:
        async with cluster(blocks=Blocks(heartbeat_ms=3_600_000)) as network:
            await network.meet()
            await network.settle(A, network.transaction())
            root = network[A].up.chain.head.state_root

            await asyncio.sleep(600.0)
            assert {machine.height for machine in network.running} == {1}
            took_s = await network.settle(B, network.transaction())

            assert took_s < 1.0
            await asyncio.sleep(1.0)
            for machine in network.running:
                assert machine.up.metrics.value("khazana_rounds_skipped_total") == 0
                certificate = machine.up.chain.certificate(2)
                assert certificate is not None
                assert certificate.round == 0
            assert network[A].up.chain.head.state_root != root

    run_virtual(main())


@pytest.mark.adversarial(37)
def test_heartbeats_pass_the_time_and_leave_the_state_alone() -> None:
    async def main() -> None:
        async with cluster(blocks=Blocks(heartbeat_ms=5_000)) as network:
            await network.meet()
            root = network[A].up.chain.head.state_root

            await network.until_height(10)

            assert 49.0 <= now_s() <= 55.0
            assert network[A].up.chain.head.state_root == root

    run_virtual(main())


def test_each_signature_is_verified_once_a_node_and_each_block_written_once() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await network.meet()
            writes = {m.name: m.disk.store.writes_synced for m in network.running}
            raws = [network.transaction() for _ in range(50)]

            for start in range(0, 50, 10):
                await network.submit(VALIDATORS[start // 10 % 4], *raws[start : start + 10])
                await asyncio.sleep(0.03)
            await network.until(
                lambda: all(m.up.chain.seen(network.id_of(raws[-1])) for m in network.running)
            )
            await asyncio.sleep(1.0)

            for machine in network.running:
                admission, height = machine.up.admission, machine.height
                assert admission.signatures_verified == 50, machine.name
                assert machine.disk.store.writes_synced - writes[machine.name] == height

    run_virtual(main())


def test_what_comes_with_a_proposal_and_with_a_push_is_verified_once() -> None:
    """The proposal overtakes the push: what is fetched must not be verified again when pushed."""

    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for machine in network.running:
                machine.up.replica._blocks.obtaining._patience_s = 0.0
            for _ in range(8):
                await network.settle(A, *(network.transaction() for _ in range(5)))
                await asyncio.sleep(1.0)

            assert any(
                m.up.metrics.value("khazana_proposal_fetches_total") for m in network.running
            )
            for machine in network.running:
                assert machine.up.admission.signatures_verified == 40

    run_virtual(main())


def test_the_same_bytes_are_taken_any_number_of_times_and_applied_once() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            raw = network.transaction()
            _, second = await network[A].up.intake.submit([raw, raw])
            assert isinstance(second, Known)
            assert await network[A].up.intake.wait(second.id, 5.0)

            for name in VALIDATORS:
                await network.until(lambda name=name: network[name].height == 1)  # type: ignore[misc]
                (again,) = await network[name].up.intake.submit([raw])
                assert isinstance(again, Refusal)
                assert again.outcome is Outcome.DUPLICATE
                assert again.id == second.id
            await asyncio.sleep(12.0)

            applied = sum(
                block.header.transaction_count
                for height in range(1, network[A].height + 1)
                if (block := network[A].up.chain.block(height)) is not None
            )
            assert applied == 1

    run_virtual(main())


@pytest.mark.adversarial(38)
def test_a_full_pool_drains_into_full_blocks() -> None:
    async def main() -> None:
        async with cluster(blocks=Blocks(transactions_max=10)) as network:
            network.pool_max = 40
            await network.meet()
            raws = [network.transaction() for _ in range(60)]

            results = await network[A].up.intake.submit(raws)

            busy = [result for result in results if isinstance(result, Full)]
            assert len(busy) == 20
            assert all(result.retry_after_ms > 0 for result in busy)
            await network.until(lambda: len(network[A].up.mempool) == 0)
            counts = [
                block.header.transaction_count
                for height in range(1, network[A].height + 1)
                if (block := network[A].up.chain.block(height)) is not None
            ]
            assert counts[:4] == [10, 10, 10, 10]
            assert all(
                not isinstance(result, Full)
                for result in await network[A].up.intake.submit(raws[40:])
            )

    run_virtual(main())


@pytest.mark.adversarial(26, 33)
def test_a_dead_proposer_costs_one_round_and_the_next_height_begins_at_zero() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            await network.settle(A, network.transaction())
            # Whose turn height 2 is: (height + round) % 4 in the order of names.
            await network.stop(VALIDATORS[2])

            took_s = await network.settle(A, network.transaction())

            assert GRACE_MS / 1000 <= took_s < 0.3
            certificate = network[A].up.chain.certificate(2)
            assert certificate is not None
            assert certificate.round == 1
            assert network[A].up.metrics.value(
                "khazana_proposals_missed_total", validator=VALIDATORS[2]
            )
            totals = network[A].up.replica.totals
            assert totals.missed == {VALIDATORS[2]: 1}
            assert (totals.blocks, totals.applied, totals.rounds_skipped) == (2, 2, 1)
            assert sorted(set(VALIDATORS) - {VALIDATORS[2]}) == sorted(
                name for name, height in totals.signed_last.items() if height == 2
            )
            assert await network.settle(A, network.transaction()) < 0.2
            await network.start(VALIDATORS[2])
            await network.until_height(3)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(26)
def test_a_proposer_that_fell_silent_is_waited_for_once_and_again_when_it_is_heard() -> None:
    """Its links stay up for as long as nobody finds out, as those of a machine without power."""

    async def main() -> None:
        async with cluster() as network:
            network.net.heartbeat_s = 3_600.0
            await network.meet()
            await network.settle(A, network.transaction())
            others = [network.address(name) for name in VALIDATORS if name != VALIDATORS[2]]
            network.net.isolate(network.address(VALIDATORS[2]), others)

            turns = [await network.settle(A, network.transaction()) for _ in range(9)]

            assert 1.0 <= turns[0] < 1.3  # Heights 2, 6 and 10 are its turns.
            assert max(turns[1:]) < 0.3
            network.net.rejoin(network.address(VALIDATORS[2]), others)
            await network.settle(VALIDATORS[2], network.transaction())
            height = network[A].height
            for _ in range(4):
                await network.settle(A, network.transaction())
            rounds = []
            for decided in range(height + 1, height + 5):
                certificate = network[A].up.chain.certificate(decided)
                assert certificate is not None
                rounds.append(certificate.round)
            assert rounds == [0, 0, 0, 0]
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(26)
def test_a_link_that_breaks_while_its_proposal_is_awaited_ends_the_wait() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            await network.settle(A, network.transaction())
            others = [network.address(name) for name in VALIDATORS if name != VALIDATORS[2]]
            network.net.isolate(network.address(VALIDATORS[2]), others)
            began_s = asyncio.get_running_loop().time()
            async with asyncio.TaskGroup() as tasks:
                settled = tasks.create_task(network.settle(A, network.transaction()), name="settle")
                await asyncio.sleep(0.4)
                assert not settled.done()

                await network.stop(VALIDATORS[2])
                for other in others:
                    network.net.reset(network.address(VALIDATORS[2]), other)

            assert asyncio.get_running_loop().time() - began_s < 0.7

    run_virtual(main())


@pytest.mark.adversarial(27)
def test_after_an_hour_of_two_cut_off_a_block_comes_within_two_round_timeouts() -> None:
    async def main() -> None:
        async with cluster(consensus=Consensus(timeout_max_ms=10_000)) as network:
            await network.meet()
            await network.settle(A, network.transaction())
            halves = [[network.address(n) for n in pair] for pair in ((A, B), (C, D))]
            for here in halves[0]:
                network.net.isolate(here, halves[1])
            height = network[A].height
            await network.submit(A, network.transaction())
            await network.submit(C, network.transaction())
            await asyncio.sleep(3_600.0)
            assert {machine.height for machine in network.running} == {height}

            for here in halves[0]:
                network.net.rejoin(here, halves[1])
            await network.until_height(height + 1, within_s=20.0)
            await network.until(lambda: len(network[A].up.mempool) == 0)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(34)
def test_a_cut_in_one_direction_stalls_nobody_once_healed() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            network.net.cut(network.address(B), network.address(A))
            network.net.cut(network.address(C), network.address(A))

            await network.submit(D, network.transaction())
            await asyncio.sleep(30.0)
            network.net.heal(network.address(B), network.address(A))
            network.net.heal(network.address(C), network.address(A))

            top = max(machine.height for machine in network.running)
            assert top >= 1
            await network.until_height(top, within_s=15.0)
            network.check_agreement()
            assert await network.settle(A, network.transaction()) < 5.0

    run_virtual(main())


@pytest.mark.adversarial(36)
def test_who_hears_no_proposal_gets_the_block_after_the_decision() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            # Nothing that the proposer of height 1 says reaches the victim.
            network.net.cut(network.address(B), network.address(A))

            await network.submit(C, network.transaction())
            await network.until_height(1, within_s=5.0)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(31)
@pytest.mark.parametrize("offset_ms", [10_000, -10_000, 86_400_000, -86_400_000])
def test_a_wrong_clock_costs_its_owner_proposals_and_nobody_the_chain(offset_ms: int) -> None:
    async def main() -> None:
        async with cluster(blocks=Blocks(clock_behind_max_ms=5_000)) as network:
            network[B].clock.offset_ms = offset_ms
            await network.meet()

            for _ in range(8):
                await network.settle(A, network.transaction())
            await network.until_height(8)
            await asyncio.sleep(6.0)

            network.check_agreement()
            times = [
                block.header.time_ms
                for height in range(1, 9)
                if (block := network[A].up.chain.block(height)) is not None
            ]
            assert times == sorted(set(times))
            assert abs(times[-1] - network[A].clock.now_ms()) < 60_000
            proposers = {
                block.header.proposer
                for height in range(1, 9)
                if (block := network[A].up.chain.block(height)) is not None
            }
            # A clock that is behind cannot go back past the parent: its blocks are in order.
            assert (B in proposers) == (offset_ms < 0)
            if offset_ms > 0:
                told = network[A].up.replica.clock_offsets[B].ahead_ms
                assert offset_ms - 100 <= told <= offset_ms

    run_virtual(main())


def test_an_old_proposal_says_nothing_of_its_proposers_clock() -> None:
    """Without a quorum a round lasts, and who comes back is told what was proposed long ago."""

    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            for name in VALIDATORS:
                await network.settle(name, network.transaction())
            proposer = network[A].up.replica.position.proposer
            away = [name for name in VALIDATORS if name != proposer][:2]
            await network.stop(*away)
            height = min(machine.height for machine in network.running)
            await network.submit(proposer, network.transaction())
            await asyncio.sleep(120.0)
            assert {machine.height for machine in network.running} <= {height, height + 1}

            told: set[int] = set()

            def is_over() -> bool:
                for machine in network.running:
                    offsets = machine.up.replica.clock_offsets.values()
                    told.update(offset.ahead_ms for offset in offsets)
                return min(machine.height for machine in network.running) >= height + 12

            await network.start(*away)
            await network.until(is_over)

            assert max(map(abs, told)) < 1_000
            for name in away:
                assert len(network[name].up.replica.clock_offsets) == 3, "it hears the others"

    run_virtual(main())


def test_an_observer_follows_closely_and_takes_transactions_in() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            network.net.delay_s = lambda _source, _target: 0.001
            await network.meet()
            await asyncio.sleep(10.0)

            took_s = await network.settle(OBSERVER, network.transaction())

            assert took_s < 0.040
            assert network[OBSERVER].up.metrics.value("khazana_blocks_synced_total") >= 1
            await network.until_height(network[A].height)
            network.check_agreement()

    run_virtual(main())


def test_an_observer_that_starts_late_catches_up_in_ranges() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER], blocks=Blocks(heartbeat_ms=1_000)) as network:
            await network.start(*VALIDATORS)
            await network.until_height(300, within_s=400.0)

            await network.start(OBSERVER)
            await network.until(lambda: network[OBSERVER].height >= 300, within_s=5.0)

            network.check_agreement()

    run_virtual(main())


def test_three_with_crash_faults_survive_one() -> None:
    async def main() -> None:
        names = VALIDATORS[:3]
        async with cluster(validators=names, fault_model=FaultModel.CRASH) as network:
            await network.meet()
            await network.settle(names[0], network.transaction(signer=names[0]))

            await network.stop(names[1])

            for _ in range(4):
                await network.settle(names[0], network.transaction(signer=names[0]))
            await network.start(names[1])
            await network.until_height(5)
            network.check_agreement()

    run_virtual(main())


def test_a_transaction_that_no_block_takes_in_time_has_expired() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.start(A, B)
            await network.until_meshed()
            raw = network.transaction(valid_ms=2_000)
            await network.submit(A, raw)
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(network[A].up.intake.wait(network.id_of(raw), 60.0))
                await asyncio.sleep(5.0)
                await network.start(C, D)
            assert waiting.result() is False
            assert now_s() < 30.0
            assert len(network[A].up.mempool) == 0

    run_virtual(main())
