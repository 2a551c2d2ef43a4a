"""A real validator under every attack at hand, in small: `python -m tests.limits` as its page has
one type it.
"""

import re

import pytest

from tests.docs.blocks import ROOT, block
from tests.docs.shell import typed
from tests.limits.attacks import ATTACKS

HELD_MIB = 24
"""What one attack in small may make a node hold: each sends more, or would make more."""


@pytest.mark.e2e
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
@pytest.mark.adversarial(15, 39, 44, 48, 74, 75)
def test_a_validator_under_attack_holds_little_and_serves_on() -> None:
    printed = typed(block("tests/limits/README.md", ".venv/bin/python -m tests.limits"))

    rows = re.findall(r"^(\S.*?) +(\d+) +(\d+) +\d+ +\d+ +[\d.]+s  ", printed, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(ATTACKS)
    for name, before, highest in rows:
        assert int(highest) - int(before) <= HELD_MIB, (name, printed)
