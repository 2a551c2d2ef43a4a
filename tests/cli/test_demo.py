"""`khazana demo`: played once, whole; and how it tells what it does."""

import io
import subprocess
from pathlib import Path

import pytest

from node.cli.demo.narrator import Narrator, PlainVoice
from node.cli.demo.proof import _changed, _places
from node.cli.demo.retail import _longest_pause
from node.cli.exits import Exit
from node.clock import ManualClock
from tests.cli.running import khazana


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_demonstration_holds_and_leaves_no_process(tmp_path: Path) -> None:
    # In a folder of its own, so that processes of another demonstration are not taken for ours.
    ran = khazana("demo", "--json", variables={"TMPDIR": str(tmp_path)}, timeout_s=200)

    result = ran.json
    assert [check for check in result["checks"] if not check["holds"]] == []
    assert ran.code == Exit.OK
    assert {check["step"] for check in result["checks"]} == set(range(2, 9))
    assert len(set(result["state_roots"].values())) == 1
    assert len(result["state_roots"]) == 5
    assert all(asset["supply"] == asset["holdings"] for asset in result["assets"])
    assert result["transactions"]["APPLIED"] > 6_000
    assert set(result["latency_ms"]["all validators"]) == {"p50", "p95", "p99"}
    for step in range(1, 9):
        assert f"\n{step}/8  " in ran.err, "it says what it is doing while it does it"
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in listing.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_securities_live_their_whole_life_and_every_check_holds(tmp_path: Path) -> None:
    """With one validator, which takes a fifth of the time; with four it is the same play."""
    words = ("demo", "debt", "--validators", "1", "--json")
    ran = khazana(*words, variables={"TMPDIR": str(tmp_path)}, timeout_s=200)

    result = ran.json
    assert [check for check in result["checks"] if not check["holds"]] == []
    assert ran.code == Exit.OK
    assert len(result["checks"]) == 60
    assert sum(check["name"].startswith("everybody has what") for check in result["checks"]) == 8
    assert "\n20/20  " in ran.err
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
