"""`khazana demo`: played once, whole; and how it tells what it does."""

import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo import playing as sale
from node.cli.demo.debt import playing as debt
from node.cli.demo.narrator import Narrator, PlainVoice
from node.cli.demo.proof import _changed, _places
from node.cli.demo.retail import _longest_pause
from node.cli.demo.stage import EXCHANGE
from node.cli.demo.steps import Step
from node.cli.exits import Exit
from node.clock import ManualClock
from node.provision.reference import INSTITUTIONS
from tests.cli.asked import here
from tests.docs.blocks import ROOT, line, text
from tests.docs.shell import shows, surroundings, typed

needs_setup = pytest.mark.skipif(
    not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"
)


def performed(command: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """Type a demonstration that is to print its result as JSON; return what it told, and that.

    In a folder of its own, so that processes of another demonstration are not taken for ours.
    """
    told, temporary = folder / "told", folder / "temporary"
    temporary.mkdir()
    printed = typed(f"{command} 2> {told}", surroundings(TMPDIR=str(temporary)))

    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(temporary) not in listing.stdout
    assert list(temporary.iterdir()) == []
    return told.read_text(), json.loads(printed)


def agree(told: str, result: dict[str, Any], steps: Sequence[Step[Any]]) -> None:
    """Assert that a result says what was told, check by check, and that all is well."""
    assert result["holds"] is True
    assert (result["dir"], result["genesis"]) == (None, None)
    assert result["steps"] == [
        {"step": number, "name": each.name, "title": each.title}
        for number, each in enumerate(steps, start=1)
    ]
    for each in result["steps"]:
        assert f"\n{each['step']}/{len(steps)}  {each['title']}\n" in told
    lines = re.findall(r"^ +[\d.]+ s  (holds |FAILED) (.*)$", told, re.MULTILINE)
    assert lines == [
        ("holds ", f"{each['name']}: {each['found']}" if each["found"] else each["name"])
        for each in result["checks"]
    ]
    assert {each["step"] for each in result["checks"]} <= {each["step"] for each in result["steps"]}
    count = len(result["checks"])
    assert re.search(rf"^checks +{count} of {count} hold$", told, re.MULTILINE)
    assert re.search(rf"^height +{result['height']}$", told, re.MULTILINE)
    assert re.search(rf"^time +{result['seconds']} s$", told, re.MULTILINE)
    assert told.endswith("\nEvery check holds.\n")
    assert len(set(result["state_roots"].values())) == 1


@needs_setup
@pytest.mark.e2e
def test_demonstration_holds_and_leaves_no_process(tmp_path: Path) -> None:
    """As the first page has one type it, with the last page that it shows; and for a machine."""
    command = line("README.md", "make demo")
    told, result = performed(f"{command} ARGS=--json", tmp_path)

    agree(told, result, sale.STEPS)
    shows(told, text("README.md", "height "))
    assert len(result["checks"]) == 23
    assert result["transactions"]["APPLIED"] > 6_000
    count = f"{result['transactions']['APPLIED']:,}"
    assert re.search(rf"^transactions +{count} APPLIED$", told, re.MULTILINE)
    for figures in (
        result["latency_ms"]["all_validators"],
        result["latency_ms"]["one_of_four_dead"],
    ):
        assert 0 < figures["p50"] <= figures["p95"] <= figures["p99"]
    assert [*result["state_roots"]] == [*INSTITUTIONS, EXCHANGE]
    for name, root in result["state_roots"].items():
        assert re.search(rf"^{name} +{root}$", told, re.MULTILINE)
    assert [each["asset"] for each in result["assets"]] == ["MTB-3M-574", "PKR"]
    for each in result["assets"]:
        assert each["supply"] == each["holdings"]
        row = rf"^{each['asset']} +{each['supply']} +{each['holdings']}$"
        assert re.search(row, told, re.MULTILINE)


@needs_setup
@pytest.mark.e2e
def test_securities_live_their_whole_life_and_every_check_holds(tmp_path: Path) -> None:
    """With one validator, which takes a fifth of the time; with four it is the same play."""
    command = line("README.md", ".venv/bin/khazana demo debt")
    told, result = performed(f"{command} --json", tmp_path)

    agree(told, result, debt.STEPS)
    assert len(result["checks"]) == 61
    names = [each["name"] for each in result["checks"]]
    assert sum(each.startswith("everybody has what") for each in names) == 8
    assert re.search(rf"^from +{result['from']}$", told, re.MULTILINE)
    assert date.fromisoformat(result["to"]) > date.fromisoformat(result["from"])
    assert [*result["state_roots"]] == ["central-bank"]


@needs_setup
@pytest.mark.e2e
@pytest.mark.parametrize("begins", ["make demo", ".venv/bin/khazana demo debt"])
def test_demonstration_is_typed_as_it_stands_on_the_first_page(tmp_path: Path, begins: str) -> None:
    printed = typed(line("README.md", begins), surroundings(TMPDIR=str(tmp_path)))

    assert " FAILED " not in printed
    assert printed.endswith("\nEvery check holds.\n")
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_is_told_once_in_the_form_that_was_asked_for(tmp_path: Path) -> None:
    taken = tmp_path / "nodes/central-bank"
    taken.mkdir(parents=True)
    (taken / "mine").touch()

    machine = here("demo", "debt", "--keep", tmp_path, "--json")
    person = here("demo", "debt", "--keep", tmp_path)
    nowhere = here("demo", "debt", "--keep", taken / "mine/below", "--json")

    assert machine.code == person.code == nowhere.code == Exit.CONFIGURATION
    assert (machine.out, nowhere.out) == ("", "")
    error = json.loads(machine.err.splitlines()[-1])["error"]
    assert (error["exit"], error["reason"]) == (Exit.CONFIGURATION, "home-exists")
    assert json.loads(nowhere.err.splitlines()[-1])["error"]["reason"] == "home-unwritable"
    assert "is there already and is no empty folder" in person.err
    assert "Traceback" not in machine.err + person.err + nowhere.err


@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_demonstration_that_is_stopped_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    # What is started in the background of a script ignores the key, and so does what that starts.
    listening = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "runpy.run_module('node', run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", listening, "demo", "debt", "--validators", "1", "--json"]
    variables = surroundings(TMPDIR=str(tmp_path), PYTHONPATH=str(ROOT))
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as playing:
        assert playing.stderr is not None
        first = playing.stderr.readline()
        playing.send_signal(signal.SIGINT)
        out, err = playing.communicate(timeout=200)

    assert "starting the validators" in first
    assert (playing.returncode, out) == (Exit.INTERRUPTED, "")
    assert json.loads(err.splitlines()[-1])["error"]["reason"] == "interrupted"
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
