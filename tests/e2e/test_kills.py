"""Nodes as processes, killed as a power cut kills them: nothing acknowledged is lost."""

import re

import pytest

from tests.docs.blocks import ROOT, line
from tests.docs.shell import typed

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"),
]


@pytest.mark.adversarial(28, 65)
def test_killed_under_load_one_by_one_and_all_at_once_loses_nothing() -> None:
    """The campaign as its page has one type it: its seed does each thing once."""
    printed = typed(line("tests/e2e/README.md", ".venv/bin/python -m tests.e2e.campaign"))

    steps = re.search(r"^steps +\{(.*)\}$", printed, re.MULTILINE)
    assert steps is not None
    assert set(steps[1].split(", ")) == {"'all': 1", "'again': 1", "'stopped': 1", "'one': 1"}
    handed_in_again = re.search(r"^acknowledged +(\d+), of which (\d+) handed", printed, re.M)
    assert handed_in_again is not None
    assert int(handed_in_again[1]) > 40
    assert int(handed_in_again[2]) > 0
    assert re.search(r"^signatures read +\d{3,} places, no two messages in one$", printed, re.M)
    assert printed.endswith("equal roots; sums conserved; no evidence\n")
