"""Which worker runs which tests, where pytest-xdist runs the suite on several cores.

A file is never divided: what its tests share (a network, a built wheel, a thousand blocks) is made
once. The files that kill nodes, or fill a machine on purpose, are one unit and go to one worker
before anything else: no two of them ever meet. They wait most of their time, as do those whose
networks of processes are only spoken to, the longest of which comes next; so there is a worker
more than cores, and the cores have work while the two wait.
`pytest` without `-n` knows nothing of this.
"""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

_T = TypeVar("_T")

BY_THEMSELVES: Final = (
    "tests/cli/test_demo.py",
    "tests/docker/",
    "tests/e2e/",
    "tests/limits/test_attacks.py",
)
"""Paths, or folders, of tests of which one at a time is enough for a machine."""

SPOKEN_TO: Final = (
    "tests/docs/test_commands.py",
    "tests/docs/test_examples.py",
    "tests/cli/test_devnet.py",
    "tests/explorer/test_browser.py",
    "tests/explorer/test_development.py",
    "tests/provision/test_local.py",
)
"""Processes that only wait for what somebody types or presses: the longest first. They may meet
`BY_THEMSELVES` and each other.
"""

LONG: Final = (
    "tests/sim/",
    "tests/docs/test_pages.py",
    "tests/docs/test_tools.py",
    "tests/test_packaging.py",
    "tests/test_scheduling.py",
    "tests/testing/test_plugin.py",
)
"""What no worker may begin when all others have nothing left."""

WORKERS_MAX: Final = 4
"""More would wait for the unit of those that run by themselves."""


class FilesAndOneMachine(LoadFileScheduling):  # type: ignore[misc]  # xdist declares no types
    """Files in the order in which they were collected, of which some are one."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # Its default puts the files with most tests first, which are seldom the longest.
        config.option.loadscopereorder = False

    @override
    def _split_scope(self, nodeid: str) -> str:
        return "one machine" if by_itself(nodeid) else super()._split_scope(nodeid)

    @override
    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker its next file when it has one test left, and not two as xdist does: what
        waits behind a long test could be another's. With none to follow it would not begin the
        last one.
        """
        if not self.workqueue or self._pending_of(self.assigned_work[node]) <= 1:
            super()._reschedule(node)


def workers() -> int:
    """Return how many are worth starting on this machine: see above why not one for each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min((cores or 1) + 1, WORKERS_MAX)


def by_itself(nodeid: str) -> bool:
    """Say whether a test is one of those that do not run beside each other."""
    return nodeid.startswith(BY_THEMSELVES)


def turned(rooms: Sequence[_T], worker: int, of: int) -> list[_T]:
    """Return the same rooms, from the one on with which this worker, of so many, begins."""
    first = len(rooms) * worker // of
    return [*rooms[first:], *rooms[:first]]


def as_one_collects(items: list[pytest.Item]) -> None:
    """Put tests in the order in which they are collected where nobody shares them."""
    items.sort(key=lambda item: item.nodeid.partition("::")[0].split("/")[:2])


def longest_first(items: list[pytest.Item]) -> None:
    """Put what runs one by one before all, and the longest of what is only spoken to beside it;
    then the long files, for the cores, and the others of what waits; keep the order otherwise.
    """

    def place(item: pytest.Item) -> tuple[int, int]:
        if by_itself(item.nodeid):
            return 0, 0
        for number, path in enumerate(SPOKEN_TO):
            if item.nodeid.startswith(path):
                return (3 if number else 1), number
        return (2 if item.nodeid.startswith(LONG) else 4), 0

    items.sort(key=place)
