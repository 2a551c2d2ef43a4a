"""The scaling page: what the lines of measurements become."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import cluster, scaling


def line(against: str, value: int, tps: float | None, **more: Any) -> str:
    entry: dict[str, Any] = {"against": against, "value": value, "rate_sustained": 500}
    entry |= {"sustained": True, "day": "2026-11-26", "seconds": 8.0}
    return json.dumps(entry | dict.fromkeys(scaling.FIGURES, None) | {"tps": tps} | more)


LINES = "\n".join(
    [line("validators", 10, 900.5), line("validators", 3, 1.0), line("validators", 3, 2000.0)]
)


def test_a_value_measured_again_is_told_once_and_values_ascend() -> None:
    found = scaling.read_lines(LINES)

    assert [(entry["value"], entry["tps"]) for entry in found["validators"]] == [
        (3, 2000.0),
        (10, 900.5),
    ]
    assert found["accounts"] == []


def test_the_page_keeps_what_stands_around_the_tables_however_often_it_is_written() -> None:
    page = f"before\n{scaling.BEGIN}\nold\n{scaling.END}\nafter\n"

    once = scaling.written_into(page, scaling.read_lines(LINES))

    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "| 3 | - | 2,000.0 | - | - | - | - |" in once
    assert "old" not in once
    assert once.count("![") == 1
    assert scaling.written_into(once, scaling.read_lines(LINES)) == once


def test_a_page_without_a_place_for_tables_is_not_written() -> None:
    with pytest.raises(AssertionError, match="no place"):
        scaling.written_into("nothing", {})


def test_the_page_says_how_and_when_it_was_measured_and_where_a_cost_is_of_a_queue() -> None:
    lines = [line("size", 189, 5.0), line("size", 300, 4.0, sustained=False, day="2026-11-27")]

    told = scaling.told_of([json.loads(each) for each in lines])

    assert told.startswith("2026-11-26 and 2026-11-27, one run each, windows of 8 s;")
    assert told.endswith("the rate to sustain is 500 a second, which 300 did not.")


def test_more_is_offered_than_any_network_can_take_and_less_to_more_validators() -> None:
    four = scaling.offered(1.0, validators=4, processors=2, verification_us=40.0)
    ten = scaling.offered(0.5, validators=10, processors=2, verification_us=40.0)

    assert (four, ten) == (12_500, 2_500)


def test_costs_are_of_the_rate_that_is_sustained_and_the_highest_rate_of_the_other() -> None:
    sustained = {"rate_asked": 500, "tps": 500.0, "sustained": True}
    sustained |= {"cpu_us_per_transaction_and_node": 300.0, "wire_bytes_against_size": 4.3}
    beyond = {"rate_asked": 9_000, "tps": 7_000.0, "cpu_us_per_transaction_and_node": 70.0}

    kept = scaling.line_of("validators", 4, {"rows": [sustained, beyond]})

    assert (kept["offered"], kept["tps"], kept["cpu_us_at_the_highest"]) == (9_000, 7_000.0, 70.0)
    assert kept["cpu_us_per_transaction_and_node"] == 300.0
    assert (kept["rate_sustained"], kept["sustained"]) == (500, True)
    assert kept["cpu_us_beyond_verification"] is None


def test_what_goes_with_a_check_that_did_not_hold_is_no_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"rate_asked": 500, "tps": 500.0, "sustained": True}
    found = {"rows": [row, row], "state_roots_equal": True, "holdings_exact": True}

    async def run(_options: Any) -> dict[str, Any]:
        return found

    monkeypatch.setattr(cluster, "run", run)
    monkeypatch.setattr(scaling, "LINES", tmp_path / "lines.jsonl")
    assert scaling.measure("validators", 4, (500, 9_000))
    found["holdings_exact"] = False
    assert not scaling.measure("validators", 7, (500, 9_000))

    assert "a check did not hold" in capsys.readouterr().err
    kept = (tmp_path / "lines.jsonl").read_text().splitlines()
    assert [json.loads(each)["value"] for each in kept] == [4]


def test_every_setting_of_every_sweep_is_one_that_the_cluster_takes() -> None:
    for against, values in scaling.SWEEPS.items():
        for value in values:
            options = cluster.parse([f"--{against}", str(value)])
            assert getattr(options, against.replace("-", "_")) == value


def test_the_page_is_that_of_the_lines_that_stand_beside_it() -> None:
    page = scaling.README.read_text(encoding="utf-8")
    lines = scaling.read_lines(scaling.LINES.read_text(encoding="utf-8"))

    assert scaling.written_into(page, lines) == page
