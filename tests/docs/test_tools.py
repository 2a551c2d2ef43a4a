"""What the pages of the tests tell developers to type, typed as it stands.

What would run the whole suite within itself is narrowed by its surroundings, not in its words: by
what pytest and make take from the environment.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, block, commands_in, line
from tests.docs.shell import surroundings, typed

pytestmark = [
    pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"),
]
FOR_A_PART = {
    "CONTAINERS": "no",
    "WORKERS": "0",
    "PYTEST_ADDOPTS": " ".join(
        f"--ignore-glob=tests/{each}"
        for each in ("[!l]*", "limits", "ledger/[!t]*", "ledger/test_[!a]*", "ledger/test_a[!u]*")
    ),
}
"""Of the ledger's tests one file is left."""
PASSED = r"\b[1-9]\d* passed\b.* in [\d.]+s"


@pytest.mark.parametrize("page", ["README.md", "tests/README.md"])
def test_suite_and_its_parts_are_run_as_the_pages_say(page: str) -> None:
    commands = {
        "README.md": [line("README.md", "make test")],
        "tests/README.md": commands_in(block("tests/README.md", "make test ")),
    }[page]

    for command in commands:
        printed = typed(command, surroundings(**FOR_A_PART))

        assert re.search(PASSED, printed), printed


def test_simulator_does_what_its_page_says() -> None:
    """The last line is what runs the other tests of the room; here it runs one."""
    commands = block("tests/sim/README.md", ".venv/bin/python -m tests.sim")
    one = "-k a_network_without_faults"

    printed = typed(commands, surroundings(PYTEST_ADDOPTS=one))

    assert printed.count("no rule was broken") == 3
    assert "8 seeds in " in printed
    assert "broken: nothing" in printed
    assert " deaths in " in printed
    assert ", 0 broke a rule" in printed
    assert re.search(PASSED, printed), printed


def test_two_commits_take_turns_as_the_page_says(tmp_path: Path) -> None:
    clone = tmp_path / "khazana"
    cloned = subprocess.run(
        ["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)],
        capture_output=True,
        check=False,
    )
    if cloned.returncode != 0:
        pytest.skip("there is nothing to clone")
    before = ["git", "rev-parse", "--verify", "--quiet", "HEAD~1"]
    if subprocess.run(before, cwd=clone, capture_output=True, check=False).returncode != 0:
        pytest.skip("there is no earlier commit here")
    (clone / ".venv").symlink_to(ROOT / ".venv")

    printed = typed(block("tests/bench/README.md", "git worktree add"), folder=clone)

    report = json.loads(printed[printed.index("\n{\n") :])
    assert report["checks_held"]
    assert report["rounds"] == 1
    assert len(set(report["revisions"])) == 2
    assert all(name.startswith("stages_best_us.") for name in report["figures"])
