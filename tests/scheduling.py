"""Which worker runs which tests, where pytest-xdist runs the suite on several cores.

A file is never divided: what its tests share (a network, a built wheel, a thousand blocks) is made
once. The files that kill nodes, or fill a machine on purpose, are one unit and go to one worker
before anything else: no two of them ever meet, and the others take the rest meanwhile, and last
those whose networks of processes are only spoken to.
`pytest` without `-n` knows nothing of this.
"""

from typing import Final

import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

BY_THEMSELVES: Final = (
    "tests/cli/test_demo.py",
    "tests/docker/",
    "tests/e2e/",
    "tests/explorer/test_browser.py",
    "tests/explorer/test_development.py",
    "tests/limits/test_attacks.py",
)
"""Paths, or folders, of tests of which one at a time is enough for a machine."""

LAST: Final = (
    "tests/docs/test_commands.py",
    "tests/cli/test_devnet.py",
    "tests/provision/test_local.py",
)
"""Networks of processes that only wait for what somebody types: the longest first. They come when
all else has begun, to whoever is free, and may meet each other and the end of the others.
"""

LONG: Final = ("tests/sim/",)
"""What no worker may begin when all others have nothing left."""


class FilesAndOneMachine(LoadFileScheduling):  # type: ignore[misc]  # xdist declares no types
    """Files in the order in which they were collected, of which some are one."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # Its default puts the files with most tests first, which are seldom the longest.
        config.option.loadscopereorder = False

    @override
    def _split_scope(self, nodeid: str) -> str:
        return "one machine" if by_itself(nodeid) else super()._split_scope(nodeid)


def by_itself(nodeid: str) -> bool:
    """Say whether a test is one of those that do not run beside each other."""
    return nodeid.startswith(BY_THEMSELVES)


def longest_first(items: list[pytest.Item]) -> None:
    """Put what runs one by one before all, then the long files, and last what comes last; keep
    the order otherwise.
    """

    def place(item: pytest.Item) -> tuple[int, int]:
        for number, path in enumerate(LAST):
            if item.nodeid.startswith(path):
                return 3, number
        if by_itself(item.nodeid):
            return 0, 0
        return (1 if item.nodeid.startswith(LONG) else 2), 0

    items.sort(key=place)
