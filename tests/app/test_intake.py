"""The door for transactions: who waits for what and how long; bounds; pushes and their loss."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from node.admission import Admission, Known
from node.chain import Chain
from node.intake import Intake
from node.intake.crowding import (
    CALM_AFTER_S,
    CROWDED_SHARE,
    CROWDED_WAIT_MS,
    EASED_WAIT_MS,
    Crowding,
)
from node.intake.intake import PUSH_AGAIN_S, PUSHED_AGAIN_MAX
from node.intake.verifier import (
    CHUNK_BYTES_MAX,
    CHUNK_MAX,
    CLIENTS_MAX,
    GIVE_WAY_MAX,
    PUSHED_BYTES_MAX,
    TURN_MAX,
    _Chunk,
)
from node.mempool import AdmittedTransaction, Full, Mempool
from node.metrics import Metrics
from node.network import BATCH_SIZE_BYTES, Role, Transactions
from node.signatures import Check
from node.storage import MemoryStore
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, LoopClock, cluster
from tests.network.views import peer_view
from tests.network.virtual_time import run_virtual
from tests.replica.wires import NotedWire

A, B, C, D = VALIDATORS


class Door:
    """An intake over a chain that nothing commits to but the test."""

    def __init__(self, network: Cluster, *, waiters_max: int = 10) -> None:
        self.clock = LoopClock()
        self.chain = Chain.open(MemoryStore(), network.genesis)
        self.pool = Mempool(self.clock)
        self.admission = Admission(self.chain, self.pool, self.clock)
        self.wire = NotedWire()
        self.wire.views = [peer_view("v"), peer_view("o", role=Role.OBSERVER)]
        self.woken = 0
        self.metrics = Metrics()
        self.intake = Intake(
            chain=self.chain,
            mempool=self.pool,
            admission=self.admission,
            gossip=self.wire,
            wake=self.wake,
            gives_way_to=lambda: self.busy,
            clock=self.clock,
            metrics=self.metrics,
            waiters_max=waiters_max,
        )
        self.busy = False
        self._task = network.tasks.create_task(self.intake.run())

    def close(self) -> None:
        self._task.cancel()

    async def drained(self) -> None:
        """Return once all that was pushed has been looked at."""
        while self.intake._verifier._pushed:  # noqa: ASYNC110
            await asyncio.sleep(0)

    def wake(self) -> None:
        self.woken += 1


def test_what_is_taken_is_pooled_pushed_once_and_wakes_the_replica() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [network.transaction() for _ in range(CHUNK_MAX + 1)]

            answers = await door.intake.submit(raws)

            assert all(isinstance(answer, AdmittedTransaction) for answer in answers)
            assert door.wire.gossiped == raws
            assert len(door.pool) == len(raws)
            assert door.woken == 2
            assert door.metrics.value("khazana_submissions_total", answer="taken") == len(raws)
            door.close()

    run_virtual(main())


def test_what_the_pool_let_go_is_forgotten_also_where_no_block_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.intake.intake.LET_GO_MAX", 8)

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            for _ in range(10):
                answers = await door.intake.submit([network.transaction() for _ in range(4)])
                door.pool.remove(
                    each.id for each in answers if isinstance(each, AdmittedTransaction)
                )

            assert len(door.pool) == 0
            assert len(door.intake._mine) <= 2 * 4 + 8
            assert sum(map(len, door.intake._pushed)) == len(door.intake._mine)
            door.close()

    run_virtual(main())


def test_what_a_peer_pushes_is_pooled_and_goes_no_further() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)

            door.intake.push("v", [network.transaction()])
            await door.drained()

            assert len(door.pool) == 1
            assert door.wire.gossiped == []
            assert door.woken == 1
            door.close()

    run_virtual(main())


def test_a_refusal_that_depends_on_the_moment_is_no_peers_fault() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            late = network.transaction(valid_ms=-5_000)
            early = network.transaction(valid_ms=10**9)
            known = network.transaction()

            door.intake.push("v", [late, early, known, known])
            await door.drained()
            assert door.wire.punished == []

            door.intake.push("v", [b"\x90"])
            await door.drained()
            assert [peer for peer, _ in door.wire.punished] == ["v"]
            door.close()

    run_virtual(main())


def test_one_chunk_is_one_job_whoever_brings_it() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            seen: list[int] = []
            batches = [[network.transaction() for _ in range(CHUNK_MAX)] for _ in range(6)]

            async def watch() -> None:
                while len(door.pool) < 6 * CHUNK_MAX:
                    seen.append(len(door.pool))
                    await asyncio.sleep(0)

            async with asyncio.TaskGroup() as tasks:
                for number, batch in enumerate(batches):
                    if number % 2:
                        tasks.create_task(door.intake.submit(batch))
                    else:
                        door.intake.push("v", batch)
                tasks.create_task(watch())

            steps = [later - sooner for sooner, later in pairwise(seen)]
            assert max(steps) <= CHUNK_MAX
            door.close()

    run_virtual(main())


def test_the_signatures_of_a_job_take_as_many_turns_as_they_are_long() -> None:
    """And consensus, when it has something at hand, is given way to between them."""

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            verified: list[int] = []
            verdicts = door.admission.verdicts

            def counted(checks: Sequence[Check]) -> list[bool]:
                verified.append(len(checks))
                door.busy = True
                return verdicts(checks)

            door.admission.verdicts = counted  # type: ignore[method-assign]
            door.intake.push("v", [network.transaction() for _ in range(CHUNK_MAX)])
            turns = 0
            while len(door.pool) < CHUNK_MAX:
                turns += 1
                await asyncio.sleep(0)

            assert verified == [TURN_MAX] * (CHUNK_MAX // TURN_MAX)
            assert turns > GIVE_WAY_MAX
            door.close()

    run_virtual(main())


def test_a_job_that_is_given_up_between_two_turns_leaves_nobody_waiting() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [network.transaction() for _ in range(CHUNK_MAX)]
            verdicts = door.admission.verdicts

            def closing(checks: Sequence[Check]) -> list[bool]:
                door.close()
                return verdicts(checks)

            door.admission.verdicts = closing  # type: ignore[method-assign]
            with pytest.raises(asyncio.CancelledError):
                await door.intake.submit(raws)

            assert len(door.pool) == 0
            door.admission.verdicts = verdicts  # type: ignore[method-assign]
            again = door.admission.verify_batch(raws)
            assert not any(isinstance(each, Known) for each in again), "none is being verified"

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_large_transactions_are_looked_at_one_a_turn() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            seen: list[int] = []
            raws = [bytes([number]) * CHUNK_BYTES_MAX for number in range(CHUNK_MAX)]

            async def watch() -> None:
                while (refused := door.admission.refused.total()) < len(raws):
                    seen.append(refused)
                    await asyncio.sleep(0)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(door.intake.submit(raws))
                tasks.create_task(watch())

            assert max(later - sooner for sooner, later in pairwise(seen)) == 1
            door.close()

    run_virtual(main())


def test_peers_chunks_go_first_and_clients_are_not_starved() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            pushed = [network.transaction() for _ in range(12 * CHUNK_MAX)]
            brought = [network.transaction() for _ in range(2 * CHUNK_MAX)]

            async with asyncio.TaskGroup() as tasks:
                client = tasks.create_task(door.intake.submit(brought))
                await asyncio.sleep(0)
                door.intake.push("v", pushed)
                await client

            assert 6 * CHUNK_MAX <= len(door.pool) - len(brought) <= 9 * CHUNK_MAX
            door.close()

    run_virtual(main())


def test_transactions_give_way_to_consensus_but_not_for_ever() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            door.busy = True
            door.intake.push("v", [network.transaction() for _ in range(2 * CHUNK_MAX)])

            turns = 0
            while len(door.pool) < 2 * CHUNK_MAX:
                turns += 1
                await asyncio.sleep(0)
            assert turns > 10
            door.close()

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_a_flood_of_pushes_is_dropped_beyond_a_bound_and_blocks_nobody() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [bytes(60_000)] * 100

            door.intake.push("v", raws)

            assert door.intake._verifier._pushed_bytes <= PUSHED_BYTES_MAX
            assert door.metrics.value("khazana_pushes_dropped_total") > 50
            await door.drained()
            assert door.intake._verifier._pushed_bytes == 0
            door.close()

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_what_cannot_be_final_soon_is_refused_unread_and_a_list_is_taken_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", len(VALIDATORS) * (CHUNK_MAX + 1))

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [network.transaction() for _ in range(2 * CHUNK_MAX)]

            answers = await door.intake.submit([*raws, *[b"nonsense"] * CHUNK_MAX])

            assert all(isinstance(answer, AdmittedTransaction) for answer in answers[: len(raws)])
            assert all(isinstance(answer, Full) for answer in answers[len(raws) :])
            verified = door.admission.signatures_verified
            (answer,) = await door.intake.submit([network.transaction()])
            assert isinstance(answer, Full)
            assert answer.retry_after_ms > 0
            assert door.admission.signatures_verified == verified == len(raws)

            door.intake.push("v", [network.transaction()])
            await door.drained()
            assert len(door.pool) == len(raws) + 1  # What others took is never refused here.
            door.pool.remove(door.pool.ids()[: len(raws)])
            assert not door.intake.is_crowded
            door.close()

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_a_peer_that_pushes_the_same_for_ever_shuts_no_client_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", 8)
    monkeypatch.setattr(Crowding, "ours_max", lambda _: 8)

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            known = network.transaction()
            await door.intake.submit([known])

            for _ in range(3):
                door.intake.push("v", [known] * 1_000)
                assert not door.intake.is_crowded
                (answer,) = await door.intake.submit([network.transaction()])
                assert isinstance(answer, AdmittedTransaction)

            door.intake.push("v", [known])
            assert len(door.pool) == 4
            assert door.intake._verifier.pushed_count > 4
            assert door.intake.is_crowded  # Half of what may wait is pushed, the rest is taken.
            await door.drained()
            assert door.intake._verifier.pushed_count == 0
            assert not door.intake.is_crowded
            assert door.wire.punished == []
            door.close()

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_once_a_client_was_turned_away_less_may_wait_until_none_has_been_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What others took does not count as ours: of that a quarter may wait, one door of four."""
    high = 8
    low = int(CROWDED_SHARE * high)
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", len(VALIDATORS) * high)
    monkeypatch.setattr("node.intake.crowding.WAIT_MS", 0)
    monkeypatch.setattr("node.intake.crowding.CROWDED_WAIT_MS", 0)
    monkeypatch.setattr("node.intake.intake.gathered_ms_max", lambda **_: 0)

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)

            async def taken() -> bool:
                (answer,) = await door.intake.submit([network.transaction()])
                return isinstance(answer, AdmittedTransaction)

            door.intake.push("v", [network.transaction() for _ in range(high)])
            await door.drained()
            assert [await taken() for _ in range(high + 1)] == [True] * high + [False]
            door.pool.remove(door.pool.ids()[:high])  # Not one of ours.
            assert not await taken()
            door.pool.remove(door.pool.ids()[: high - low])
            assert not await taken()
            door.pool.remove(door.pool.ids()[:1])
            assert await taken()
            assert not await taken()

            await asyncio.sleep(CALM_AFTER_S)

            assert [await taken() for _ in range(high - low + 1)] == [True] * (high - low) + [False]
            door.close()

    run_virtual(main())


def test_a_list_is_let_in_once_in_however_many_pieces_it_is_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is turned away brings a list too: like is counted against like."""
    let_in: list[Crowding] = []
    monkeypatch.setattr("node.intake.intake.CHUNK_MAX", 2)
    monkeypatch.setattr(Crowding, "let_in", lambda crowding: let_in.append(crowding))

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            answers = await door.intake.submit([network.transaction() for _ in range(5)])
            assert all(isinstance(answer, AdmittedTransaction) for answer in answers)
            door.close()

    run_virtual(main())
    assert len(let_in) == 1


@pytest.mark.adversarial(75)
def test_the_more_leaves_the_more_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", 8)
    monkeypatch.setattr("node.intake.intake.gathered_ms_max", lambda **_: 0)

    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            for _ in range(20):  # 40 transactions a second, for two seconds.
                await door.intake.submit([network.transaction() for _ in range(4)])
                await asyncio.sleep(0.1)
                door.pool.remove(door.pool.ids())

            answers = [(await door.intake.submit([network.transaction()]))[0] for _ in range(150)]

            taken = sum(isinstance(answer, AdmittedTransaction) for answer in answers)
            assert taken == pytest.approx(40 * (CROWDED_WAIT_MS + EASED_WAIT_MS) / 1000, abs=3)
            door.close()

    run_virtual(main())


def test_what_a_block_takes_is_no_longer_in_the_pool_when_it_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool of the one who brought it, and of those who were pushed it."""
    counted: list[tuple[int, int, int]] = []
    committed = Crowding.committed

    def note(crowding: Crowding, *, taken: int, ours: int) -> None:
        committed(crowding, taken=taken, ours=ours)
        counted.append((taken, ours, len(crowding._mempool)))

    async def main() -> None:
        async with cluster() as network:
            await network.start(*VALIDATORS)
            await network.until_meshed()
            monkeypatch.setattr(Crowding, "committed", note)
            await network.settle(A, network.transaction(), network.transaction())

    run_virtual(main())
    with_something = [each for each in counted if each[0]]
    assert {waiting for _, _, waiting in with_something} == {0}
    assert sum(taken for taken, _, _ in with_something) == 2 * len(VALIDATORS)
    assert sum(ours for _, ours, _ in with_something) == 2


def test_what_is_pushed_again_is_pushed_ever_more_rarely() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            await door.intake.submit([network.transaction(valid_ms=600_000)])
            began, pushed_s = door.clock.monotonic(), list[float]()

            for _ in range(1_300):  # A block every 100 ms, in which it is not.
                await asyncio.sleep(0.1)
                before = len(door.wire.gossiped)
                door.intake._push_again(door.clock.monotonic())
                if len(door.wire.gossiped) > before:
                    pushed_s.append(door.clock.monotonic() - began)

            assert pushed_s == pytest.approx([5, 20, 65, 110], abs=0.5)
            door.close()

    run_virtual(main())


def test_what_waits_behind_many_is_pushed_again_only_once_later_ones_are_in_a_block() -> None:
    async def main() -> None:
        async with cluster() as network:
            for was_passed in (False, True):
                door = Door(network)
                raws = [network.transaction() for _ in range(PUSHED_AGAIN_MAX + 50)]
                await door.intake.submit(raws)
                await asyncio.sleep(PUSH_AGAIN_S[0])
                if was_passed:
                    door.intake._final_to_s = door.clock.monotonic()

                door.intake._push_again(door.clock.monotonic())

                again = door.wire.gossiped[len(raws) :]
                assert again == (raws[:PUSHED_AGAIN_MAX] if was_passed else [])
                # Not for ever: it may have been lost all the same, and be here alone.
                await asyncio.sleep(PUSH_AGAIN_S[1])
                for _ in range(2):
                    door.intake._push_again(door.clock.monotonic())
                assert set(door.wire.gossiped[len(raws) :]) >= set(raws[:PUSHED_AGAIN_MAX])
                door.close()

    run_virtual(main())


@pytest.mark.adversarial(75)
def test_more_clients_than_can_be_served_are_told_when_to_come_back() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            for _ in range(CLIENTS_MAX):
                done = asyncio.get_running_loop().create_future()
                door.intake._verifier._brought.append(_Chunk((), 0, None, done))

            (answer,) = await door.intake.submit([network.transaction()])

            assert isinstance(answer, Full)
            assert answer.retry_after_ms > 0
            door.close()

    run_virtual(main())


def test_a_client_that_has_gone_away_has_handed_nothing_in() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            task = network.tasks.create_task(door.intake.submit([network.transaction()]))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0.1)

            assert len(door.pool) == 0
            assert door.admission.signatures_verified == 0
            door.close()

    run_virtual(main())


def test_waiters_are_bounded_and_leave_nothing_behind() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network, waiters_max=3)
            start = asyncio.get_running_loop().time()

            async with asyncio.TaskGroup() as tasks:
                waiting = [
                    tasks.create_task(door.intake.wait(bytes([number]) * 32, 5.0))
                    for number in range(3)
                ]
                same = tasks.create_task(door.intake.wait(bytes(32), 2.0))
                await asyncio.sleep(0.1)
                assert door.metrics.value("khazana_waiters") == 3
                assert await door.intake.wait(b"x" * 32, 5.0) is False
                assert asyncio.get_running_loop().time() - start < 0.2
            assert not any(task.result() for task in (*waiting, same))
            assert asyncio.get_running_loop().time() - start >= 5.0
            assert door.metrics.value("khazana_waiters") == 0
            assert len(door.intake._waiters) == 0
            door.close()

    run_virtual(main())


def test_a_waiter_that_is_cancelled_leaves_the_others_waiting() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            raw = network.transaction()
            intake = network[A].up.intake
            identifier = network.id_of(raw)
            async with asyncio.TaskGroup() as tasks:
                first = tasks.create_task(intake.wait(identifier, 30.0))
                second = tasks.create_task(intake.wait(identifier, 30.0))
                await asyncio.sleep(0.1)
                first.cancel()
                await network.submit(A, raw)
            assert second.result() is True
            assert await intake.wait(identifier, 0.0) is True

    run_virtual(main())


def test_a_validator_whose_link_comes_up_is_pushed_what_waits_here() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [network.transaction() for _ in range(3)]
            await door.intake.submit(raws)
            door.intake.push("v", [network.transaction()])
            await door.drained()

            door.intake.connected("o")
            assert door.wire.sent == []
            door.intake.connected("v")

            assert door.wire.sent == [("v", Transactions(raws=tuple(raws)))]
            door.close()

    run_virtual(main())


def test_a_push_in_batches_ends_where_the_lane_is_full() -> None:
    async def main() -> None:
        async with cluster() as network:
            door = Door(network)
            raws = [network.transaction() for _ in range(BATCH_SIZE_BYTES // 100)]
            await door.intake.submit(raws)
            door.wire.takes = False

            door.intake.connected("v")

            assert len(door.wire.sent) == 1
            door.close()

    run_virtual(main())


def test_an_observers_push_that_was_lost_is_made_again() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await network.start(OBSERVER)
            raw = network.transaction(valid_ms=600_000)
            await network.submit(OBSERVER, raw)

            await network.start(*VALIDATORS)

            assert await network[OBSERVER].up.intake.wait(network.id_of(raw), 15.0)

    run_virtual(main())


def test_what_waits_too_long_is_pushed_again_a_little_at_a_time() -> None:
    async def main() -> None:
        async with cluster() as network:
            network.bear()
            # D takes it while nobody hears D, and its first push is lost with the links.
            await network.meet()
            others = [network.address(name) for name in (A, B, C)]
            network.net.isolate(network.address(D), others)
            for other in others:
                network.net.reset(network.address(D), other)
            raw = network.transaction()
            await network.submit(D, raw)
            await asyncio.sleep(PUSH_AGAIN_S[0])
            network.net.rejoin(network.address(D), others)

            assert await network[D].up.intake.wait(network.id_of(raw), 15.0)
            network.check_agreement()

    run_virtual(main())
