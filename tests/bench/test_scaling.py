"""The scaling page: what the lines of measurements become."""

import json
from typing import Any

import pytest

from tests.bench import cluster, scaling


def line(against: str, value: int, tps: float | None) -> str:
    entry: dict[str, Any] = {"against": against, "value": value, "rates": [500, 6_000]}
    return json.dumps(entry | dict.fromkeys(scaling.FIGURES, None) | {"tps": tps})


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
    assert "| 3 | 2,000.0 | - | - | - |" in once
    assert "old" not in once
    assert once.count("![") == 1
    assert scaling.written_into(once, scaling.read_lines(LINES)) == once


def test_a_page_without_a_place_for_tables_is_not_written() -> None:
    with pytest.raises(AssertionError, match="no place"):
        scaling.written_into("nothing", {})


def test_every_setting_of_every_sweep_is_one_that_the_cluster_takes() -> None:
    for against, values in scaling.SWEEPS.items():
        for value in values:
            options = cluster.parse([f"--{against}", str(value)])
            assert getattr(options, against.replace("-", "_")) == value


def test_the_page_is_that_of_the_lines_that_stand_beside_it() -> None:
    page = scaling.README.read_text(encoding="utf-8")
    lines = scaling.read_lines(scaling.LINES.read_text(encoding="utf-8"))

    assert scaling.written_into(page, lines) == page
