"""The node's side of the process that verifies: starts it, gives it jobs, takes its verdicts."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from node.log import Logger
from node.signatures.jobs import HEAD_SIZE, NUMBER_SIZE, Check, encode_job
from node.stages import Stage

JOB_MIN: Final = 32
"""Signatures that are worth the way: fewer are verified on the loop sooner than their answer is
back."""
JOBS_MAX: Final = 5
"""Jobs given at a time: one is worked on, and as many as a pipe of 64 KiB holds are there for the
time in which the loop makes a block, and gives none."""
ANSWER_S: Final = 5.0
"""A process that owes an answer for longer hangs: it is ended, and its jobs are the loop's."""
START_S: Final = 30.0
"""In which a process has to say that it is up: an interpreter and its modules take a third of a
second where nobody else wants the processor."""
PAUSE_S: Final = 1.0
"""Before the process is started again, when it has ended by itself."""
PAUSE_MAX_S: Final = 60.0
"""The same, where it ends each time before it has answered anything."""

Verdicts: TypeAlias = Sequence[bool] | bytes
"""For each check, in order: true for a good signature."""


AUTO_FROM_PROCESSORS: Final = 4
"""With fewer the node is hardly alone on them, and its neighbours lose what it gains."""


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


class HelperLost(Exception):
    """The process ended before it answered; nothing is known of the signatures."""


class Signatures(Protocol):
    """Where signatures can be verified while the loop does something else."""

    def start(self, checks: Sequence[Check]) -> asyncio.Future[Verdicts] | None:
        """Begin to verify; None where it had better be done on the loop.

        What is returned raises `HelperLost` where there will be no answer.
        """
        ...


class Helper:
    """One process, for as long as `run` runs. Knows no rule: the process does."""

    def __init__(self, *, log: Logger, stage: Stage) -> None:
        """Store what is given; nothing is started before `run`.

        Args:
            stage: what the processor time of the process is charged to.
        """
        self._stage = stage
        self._log = log.bind(part="signatures")
        self._jobs: asyncio.StreamWriter | None = None
        self._waiting: deque[tuple[int, asyncio.Future[Verdicts]]] = deque()
        self._limit = asyncio.timeout(None)
        """Of the answer that is due next."""
        self.pid: int | None = None
        """Of the process, while there is one that is up."""
        self.verified = 0
        """Signatures, since the start."""

    def start(self, checks: Sequence[Check]) -> asyncio.Future[Verdicts] | None:
        """Give the process a job, if there is a process, and it has room."""
        if self._jobs is None or len(self._waiting) >= JOBS_MAX or len(checks) < JOB_MIN:
            return None
        if self._limit.expired():
            return None  # It is being ended.
        done: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()
        # Not drained: `JOBS_MAX` bounds what is written and not read.
        self._jobs.write(encode_job(checks))
        self._waiting.append((len(checks), done))
        if len(self._waiting) == 1:
            self._await_answer()
        return done

    async def run(self) -> None:
        """Keep a process until cancelled."""
        pause_s = PAUSE_S
        while True:
            verified = self.verified
            try:
                await self._serve()
            except (OSError, asyncio.IncompleteReadError) as error:
                self._log.warning(
                    "signatures are verified on the loop: their process ended", error=str(error)
                )
            pause_s = PAUSE_S if self.verified > verified else min(2 * pause_s, PAUSE_MAX_S)
            await asyncio.sleep(pause_s)

    async def _serve(self) -> None:
        """Start a process and, once it has said that it is up, take its answers.

        Raises:
            OSError: it cannot be started, does not say so in time, answers what nobody asked, or
                owes an answer too long.
            IncompleteReadError: it has ended.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Not what lies in the current folder under the name of ours.
            "-P",
            "-m",
            "node.signatures",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            await _greeting(process.stdout)
            self._jobs, self.pid = process.stdin, process.pid
            async with asyncio.timeout(None) as self._limit:
                while True:
                    await self._take_answer(process.stdout)
        except TimeoutError:
            raise TimeoutError(f"it owed an answer for {ANSWER_S:g} s") from None
        finally:
            self._jobs = self.pid = None
            while self._waiting:
                _, done = self._waiting.popleft()
                if not done.done():
                    done.set_exception(HelperLost())
            process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            # The pipes are closed some turns after it.
            await process.stdout.read()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await process.stdin.wait_closed()

    async def _take_answer(self, answers: asyncio.StreamReader) -> None:
        head = await answers.readexactly(HEAD_SIZE)
        count = int.from_bytes(head[:NUMBER_SIZE])
        if not self._waiting or count != self._waiting[0][0]:
            raise OSError(f"it answered for {count} signatures, and was not asked for so many")
        verdicts = await answers.readexactly(count)
        self._stage.charge(int.from_bytes(head[NUMBER_SIZE:]) / 1e6)
        _, done = self._waiting.popleft()
        self.verified += count
        self._await_answer()
        if not done.done():
            done.set_result(verdicts)

    def _await_answer(self) -> None:
        """Set the time until which the oldest job has to be answered."""
        due_s = asyncio.get_running_loop().time() + ANSWER_S if self._waiting else None
        self._limit.reschedule(due_s)


async def _greeting(answers: asyncio.StreamReader) -> None:
    """Wait for the answer to no question: a job given before would wait for an interpreter."""
    try:
        async with asyncio.timeout(START_S):
            greeting = await answers.readexactly(HEAD_SIZE)
    except TimeoutError:
        raise TimeoutError(f"it was not up in {START_S:g} s") from None
    if int.from_bytes(greeting[:NUMBER_SIZE]):
        raise OSError("it answered before it was asked")
