"""The same history gives the same bytes, whatever the process is like."""

import asyncio
import os
import subprocess
import sys

import pytest

from tests.chain.replay import replay

SURROUNDINGS = [
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Karachi", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]


@pytest.mark.adversarial(64)
@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_other_processes_compute_the_same_blocks(surroundings: dict[str, str]) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.chain.replay"],
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.splitlines() == asyncio.run(replay())
