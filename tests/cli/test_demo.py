"""`khazana demo`: played once, whole; and how it tells what it does."""

import io
import re
import subprocess
from pathlib import Path

import pytest

from node.cli.demo.narrator import Narrator, PlainVoice
from node.cli.demo.proof import _changed, _places
from node.cli.demo.retail import _longest_pause
from node.clock import ManualClock
from tests.docs.blocks import ROOT, line, text
from tests.docs.shell import shows, surroundings, typed

needs_setup = pytest.mark.skipif(
    not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"
)


@needs_setup
@pytest.mark.e2e
def test_demonstration_holds_and_leaves_no_process(tmp_path: Path) -> None:
    """As the first page has one type it, with the last page that it shows."""
    # In a folder of its own, so that processes of another demonstration are not taken for ours.
    printed = typed(line("README.md", "make demo"), surroundings(TMPDIR=str(tmp_path)))

    shows(printed, text("README.md", "height "))
    assert " FAILED " not in printed
    checks = re.search(r"^checks +(\d+) of (\d+) hold$", printed, re.MULTILINE)
    assert checks is not None
    assert checks[1] == checks[2]
    assert int(checks[1]) == len(re.findall(r" s  holds  ", printed))
    roots = re.findall(r"^[\w-]+ +([0-9a-f]{64})$", printed, re.MULTILINE)
    assert len(roots) == 5
    assert len(set(roots)) == 1
    sums = re.findall(r"^(?:MTB-3M-574|PKR) +([\d.]+) +([\d.]+)$", printed, re.MULTILINE)
    assert len(sums) == 2
    assert all(supply == holdings for supply, holdings in sums)
    applied = re.search(r"^transactions +([\d,]+) APPLIED$", printed, re.MULTILINE)
    assert applied is not None
    assert int(applied[1].replace(",", "")) > 6_000
    for step in range(1, 9):
        assert f"\n{step}/8  " in printed, "it says what it is doing while it does it"
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in listing.stdout
    assert list(tmp_path.iterdir()) == []


@needs_setup
@pytest.mark.e2e
def test_securities_live_their_whole_life_and_every_check_holds(tmp_path: Path) -> None:
    """With one validator, which takes a fifth of the time; with four it is the same play."""
    command = line("README.md", ".venv/bin/khazana demo debt")
    printed = typed(command, surroundings(TMPDIR=str(tmp_path)))

    assert " FAILED " not in printed
    assert re.search(r"^checks +61 of 61 hold$", printed, re.MULTILINE)
    assert len(re.findall(r" s  holds  everybody has what", printed)) == 8
    assert "\n20/20  " in printed
    assert list(tmp_path.iterdir()) == []


def narrate() -> tuple[Narrator, ManualClock, io.StringIO]:
    stream, clock = io.StringIO(), ManualClock()
    return Narrator(PlainVoice(stream), clock, steps=7), clock, stream


def test_narrator_stamps_numbers_and_marks() -> None:
    narrator, clock, stream = narrate()

    narrator.step("First")
    clock.advance(1_500)
    narrator.tell("something")
    narrator.check("it is so", holds=True, found=42)
    narrator.check("it is not so", holds=False)

    assert stream.getvalue().splitlines() == [
        "",
        "1/7  First",
        "     1.5 s  something",
        "     1.5 s  holds  it is so: 42",
        "     1.5 s  FAILED it is not so",
    ]


def test_one_failed_check_fails_the_whole() -> None:
    narrator, _, _ = narrate()
    assert not narrator.all_hold, "without a check nothing has been shown"

    narrator.check("one", holds=True)
    assert narrator.all_hold

    narrator.check("two", holds=False)
    narrator.check("three", holds=True)
    assert not narrator.all_hold


def test_plain_telling_has_one_line_for_what_takes_its_time() -> None:
    narrator, _, stream = narrate()

    with narrator.doing("counting") as progress:
        for done in range(100):
            progress.at(done, 100)

    assert stream.getvalue().splitlines() == ["            … counting"]


def test_longest_pause_is_between_neighbours() -> None:
    assert _longest_pause([1.0, 1.5, 4.0, 4.2]) == 2.5
    assert _longest_pause([1.0]) == 0.0


def test_changed_bytes_are_spread_over_the_whole_file() -> None:
    content = bytes(10_000)
    places = _places(content)

    assert len(places) > 200
    assert places[0] == 0
    assert places[-1] > 9_900
    assert sum(a != b for a, b in zip(content, _changed(content, 77), strict=True)) == 1
