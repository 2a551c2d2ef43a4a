"""The process that verifies: it answers, it may die, it never outlives the node."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from node.admission import Admission, AdmissionError, AdmissionResult, Known
from node.intake.verifier import CHUNK_MAX, Verifier
from node.keys import LocalSigner
from node.log import silent_log
from node.mempool import AdmittedTransaction
from node.signatures import JOB_MIN, JOBS_MAX, Check, Helper, HelperLost, Verdicts
from node.signatures import helper as helper_module
from node.stages import Stages
from node.storage import StorageError
from tests.chain.town import Town, make_town

SIGNER = LocalSigner(bytes(range(32)))


def checks_of(count: int, *, forged: frozenset[int] = frozenset()) -> list[Check]:
    made = []
    for number in range(count):
        message = (number + 1).to_bytes(32)
        signature = bytes(64) if number in forged else SIGNER.sign(message)
        made.append((SIGNER.public_key, message, signature))
    return made


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that others load starts a process slowly, and these are about something else."""
    monkeypatch.setattr(helper_module, "ANSWER_S", 60.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def helping() -> AsyncIterator[Helper]:
    helper = Helper(log=silent_log(), stage=Stages().verification)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(helper.run())
        await until(lambda: helper.pid is not None)
        yield helper
        running.cancel()


async def test_many_signatures_are_verified_by_the_process_and_its_time_is_counted() -> None:
    async with helping() as helper:
        given = helper.start(checks_of(2 * JOB_MIN, forged=frozenset({3})))
        assert given is not None
        verdicts = await given

    assert [number for number, good in enumerate(verdicts) if not good] == [3]
    assert helper.verified == 2 * JOB_MIN
    assert helper._stage.seconds > 2 * JOB_MIN * 10e-6


async def test_few_signatures_and_more_jobs_than_it_may_have_are_for_the_loop() -> None:
    async with helping() as helper:
        assert helper.start(checks_of(JOB_MIN - 1)) is None
        taken = [helper.start(checks_of(JOB_MIN)) for _ in range(JOBS_MAX + 1)]
        assert [each is None for each in taken] == [False] * JOBS_MAX + [True]
        for each in taken[:JOBS_MAX]:
            assert each is not None
            assert all(await each)
        assert helper.start(checks_of(JOB_MIN)) is not None


async def test_process_that_dies_loses_its_jobs_and_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(helper_module, "PAUSE_S", 0.0)
    async with helping() as helper:
        first = helper.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        given = helper.start(checks_of(JOB_MIN))
        assert given is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(HelperLost):
            await given
        assert helper.start(checks_of(JOB_MIN)) is None

        await until(lambda: helper.pid not in (None, first))
        again = helper.start(checks_of(JOB_MIN))
        assert again is not None
        assert all(await again)


async def test_process_that_hangs_is_ended_and_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(helper_module, "PAUSE_S", 0.0)
    async with helping() as helper:
        first = helper.pid
        assert first is not None
        started = helper.start(checks_of(JOB_MIN))
        assert started is not None
        assert all(await started)

        os.kill(first, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(helper_module, "ANSWER_S", 0.01)
            given = [helper.start(checks_of(JOB_MIN)) for _ in range(JOBS_MAX)]
        async with asyncio.timeout(90):
            for each in given:
                assert each is not None
                with pytest.raises(HelperLost):
                    await each

        await until(lambda: helper.pid not in (None, first))
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        again = helper.start(checks_of(JOB_MIN))
        assert again is not None
        assert all(await again)


@pytest.mark.parametrize("asked", [None, JOB_MIN])
@pytest.mark.parametrize("count", [0, JOB_MIN - 1, JOB_MIN + 1])
async def test_answer_to_another_question_is_not_believed(asked: int | None, count: int) -> None:
    helper = Helper(log=silent_log(), stage=Stages().verification)
    done: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()
    if asked is not None:
        helper._waiting.append((asked, done))
    answers = asyncio.StreamReader()
    answers.feed_data(count.to_bytes(4) + bytes(4) + b"\1" * count)
    with pytest.raises(OSError, match="not asked for so many"):
        await helper._take_answer(answers)
    assert not done.done()


async def test_process_ends_with_its_node_and_not_before() -> None:
    async with helping() as helper:
        pid = helper.pid
        assert pid is not None
        # As Ctrl-C and a service manager send them to all: the node decides when.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            given = helper.start(checks_of(JOB_MIN))
            assert given is not None
            assert all(await given)
            os.kill(pid, number)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_process_ends_when_its_input_does_whatever_became_of_the_node() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "node.signatures"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=90) == 0


# --- behind the door for transactions ------------------------------------------------------------


class Slow:
    """Verdicts that come when the test says so, and are the rule's."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.jobs: list[tuple[Sequence[Check], asyncio.Future[Verdicts]]] = []

    def start(self, checks: Sequence[Check]) -> asyncio.Future[Verdicts] | None:
        if len(checks) < JOB_MIN or sum(not done.done() for _, done in self.jobs) >= JOBS_MAX:
            return None
        done: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()
        self.jobs.append((checks, done))
        return done

    def answer(self) -> None:
        for given, done in self.jobs:
            if not done.done():
                done.set_result([self._town.admission._verify(*each) for each in given])
                return

    def lose(self) -> None:
        for _, done in self.jobs:
            if not done.done():
                done.set_exception(HelperLost())


class Door:
    """A verifier whose results the test sees."""

    def __init__(self, town: Town, tasks: asyncio.TaskGroup) -> None:
        self.town = town
        self.slow = Slow(town)
        self.results: list[AdmissionResult] = []
        self.verifier = Verifier(
            town.admission, take=self._take, gives_way_to=lambda: False, signatures=self.slow
        )
        self.task = tasks.create_task(self.verifier.run())

    def _take(self, _: str | None, results: object) -> list[AdmissionResult]:
        assert isinstance(results, list)
        for result in results:
            if isinstance(result, AdmittedTransaction):
                self.town.pool.add(result)
        self.results += results
        return results


@contextlib.asynccontextmanager
async def door() -> AsyncIterator[Door]:
    town = make_town()
    await town.settle(4)
    town.admission.signatures_verified = 0
    async with asyncio.TaskGroup() as tasks:
        opened = Door(town, tasks)
        yield opened
        opened.task.cancel()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.adversarial(57)
async def test_what_is_being_verified_elsewhere_is_verified_once() -> None:
    async with door() as opened:
        raws = [opened.town.transfer("a0", "a1") for _ in range(2 * CHUNK_MAX)]

        opened.verifier.push("v", raws)
        opened.verifier.push("w", raws)
        await turns()
        assert opened.results == []
        for _ in range(4):
            opened.slow.answer()
            await turns()

        kinds = [type(each) for each in opened.results]
        assert kinds == [AdmittedTransaction] * len(raws) + [Known] * len(raws)
        assert opened.town.admission.signatures_verified == len(raws)


async def test_next_job_is_begun_while_one_is_verified_and_no_more() -> None:
    async with door() as opened:
        raws = [opened.town.transfer("a0", "a1") for _ in range(4 * 2 * CHUNK_MAX)]

        opened.verifier.push("v", raws)
        await turns()
        assert len(opened.slow.jobs) == JOBS_MAX

        for _ in range(8):
            opened.slow.answer()
            await turns()
        assert [each.raw for each in opened.results if isinstance(each, AdmittedTransaction)] == (
            raws
        )


async def test_lost_verdicts_are_found_on_the_loop() -> None:
    async with door() as opened:
        raws = [opened.town.transfer("a0", "a1") for _ in range(CHUNK_MAX)]

        client = asyncio.create_task(opened.verifier.bring(raws))  # noqa: TID251
        await turns()
        opened.slow.lose()
        answers = await client

        assert all(isinstance(each, AdmittedTransaction) for each in answers)
        assert len(opened.town.pool) == CHUNK_MAX


@pytest.mark.parametrize("fate", ["answered", "lost", "late"])
async def test_half_of_a_block_is_verified_elsewhere_whatever_becomes_of_it(
    fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fate == "late":
        monkeypatch.setattr("node.admission.HELP_S", 0.01)
    town = make_town()
    await town.settle(4)
    slow = Slow(town)
    admission = Admission(town.chain, town.pool, town.clock, signatures=slow)
    raws = [town.transfer("a0", "a1") for _ in range(3 * JOB_MIN)]

    async with asyncio.TaskGroup() as tasks:
        block = tasks.create_task(admission.verify_block(raws))
        await turns()
        ((given, _),) = slow.jobs
        assert len(given) == len(raws) // 2
        assert not block.done()
        if fate == "lost":
            slow.lose()
        elif fate == "answered":
            slow.answer()

    assert [each.raw for each in block.result()] == raws
    assert admission.signatures_verified == len(raws)
    slow.lose()  # Of the one that was late; nobody asks any more, and nothing complains.


async def test_block_does_not_wait_for_a_process_that_hangs_over_what_was_pushed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.admission.HELP_S", 0.01)
    async with door() as opened:
        raws = [opened.town.transfer("a0", "a1") for _ in range(2 * CHUNK_MAX)]
        opened.verifier.push("v", raws[:CHUNK_MAX])
        await turns()

        async with asyncio.timeout(90):
            found = await opened.town.admission.verify_block(raws)

        assert [each.raw for each in found] == raws
        opened.slow.answer()
        await turns()
        assert len(opened.town.pool) == CHUNK_MAX


@pytest.mark.adversarial(50)
@pytest.mark.parametrize("place", [0, 40, 95])
async def test_bad_signature_of_a_block_is_named_whoever_found_it(place: int) -> None:
    town = make_town()
    await town.settle(4)
    slow = Slow(town)
    admission = Admission(town.chain, town.pool, town.clock, signatures=slow)
    raws = [town.transfer("a0", "a1") for _ in range(3 * JOB_MIN)]
    raws[place] = raws[place][:-1] + bytes([raws[place][-1] ^ 1])

    async def answer() -> None:
        await turns()
        slow.answer()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        with pytest.raises(AdmissionError) as caught:
            await admission.verify_block(raws)
    assert caught.value.index == place


async def test_end_of_the_verifier_leaves_nobody_waiting() -> None:
    async with door() as opened:
        raws = [opened.town.transfer("a0", "a1") for _ in range(CHUNK_MAX)]
        client = asyncio.create_task(opened.verifier.bring(raws))  # noqa: TID251
        await turns()
        block = asyncio.create_task(opened.town.admission.verify_block(raws))  # noqa: TID251
        await turns()

        opened.task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await client
        assert len(await block) == CHUNK_MAX


async def test_failing_disk_leaves_no_client_waiting() -> None:
    town = make_town()
    await town.settle(4)

    def fail(_: str | None, __: object) -> list[AdmissionResult]:
        raise StorageError(Path("state"), "the disk is gone")

    verifier = Verifier(town.admission, take=fail, gives_way_to=lambda: False)
    client = asyncio.create_task(verifier.bring([town.transfer("a0", "a1")]))  # noqa: TID251
    await turns()
    with pytest.raises(StorageError):
        await verifier.run()

    with pytest.raises(asyncio.CancelledError):
        await client


async def test_process_is_given_nothing_before_it_says_that_it_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(helper_module, "START_S", 0.01)
    with pytest.raises(TimeoutError, match="not up"):
        await helper_module._greeting(asyncio.StreamReader())
    answers = asyncio.StreamReader()
    answers.feed_data((1).to_bytes(4) + bytes(4))
    with pytest.raises(OSError, match="before it was asked"):
        await helper_module._greeting(answers)

    monkeypatch.setattr(helper_module, "START_S", 60.0)
    helper = Helper(log=silent_log(), stage=Stages().verification)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(helper.run())
        await turns()
        assert helper.start(checks_of(JOB_MIN)) is None
        await until(lambda: helper.pid is not None)
        assert helper.start(checks_of(JOB_MIN)) is not None
        running.cancel()
