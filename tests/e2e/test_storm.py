"""Four validators on four machines whose wires lose, delay, double and reorder real TCP's packets,
or are cut: `python -m tests.e2e.storm`, as its page has one type it.
"""

import ast
import os
import re

import pytest

from tests.docs.blocks import ROOT, line
from tests.docs.shell import typed
from tests.e2e.storm import CUTS, machines

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"),
]


@pytest.fixture(autouse=True)
def _permitted() -> None:
    try:
        with machines():
            pass
    except OSError as error:
        pytest.skip(f"network namespaces with TUN devices cannot be made here: {error}")


@pytest.mark.adversarial(34, 35)
def test_a_network_in_bad_weather_agrees_and_goes_on_when_its_wires_are_mended() -> None:
    printed = typed(line("tests/e2e/README.md", ".venv/bin/python -m tests.e2e.storm"))

    assert re.search(r"^all four level \d", printed, re.MULTILINE)
    packets = re.search(r"^packets +(\{.*\})$", printed, re.MULTILINE)
    assert packets is not None
    counted = ast.literal_eval(packets[1])
    assert counted["lost"] > 0
    assert counted["doubled"] > 0
    blocks = dict(re.findall(r"^(.*), [\d.]+ s: (\d+) blocks", printed, re.MULTILINE))
    assert blocks.keys() == CUTS.keys()
    assert int(blocks["one does not hear another"]) > 1
    # What was decided when the wires were cut, and nothing else.
    assert int(blocks["two and two apart"]) <= 1
    assert printed.endswith("acknowledged, each once at every node; equal roots\n")


def test_who_was_on_another_machine_is_at_home_again() -> None:
    home = os.stat("/proc/thread-self/ns/net").st_ino

    with machines() as made:
        with made[0].entered():
            assert os.stat("/proc/thread-self/ns/net").st_ino != home

        assert os.stat("/proc/thread-self/ns/net").st_ino == home
