"""Two versions by turns: what is made of two rows of figures, and what is run where."""

import json
import sys
from pathlib import Path

import pytest

from tests.bench import turns


def test_every_number_of_a_report_has_a_name_and_nothing_else_has() -> None:
    report = {"a": {"b": 1, "c": True}, "rows": [{"tps": 2.5}, {"tps": 3}], "d": "4", "e": None}

    assert dict(turns.figures(report)) == {"a.b": 1, "rows.0.tps": 2.5, "rows.1.tps": 3}


def test_a_figure_is_told_by_medians_ratio_and_the_rounds_in_which_it_was_less() -> None:
    first = [{"us": 10.0, "no": 1.0}, {"us": 20.0}, {"us": 90.0}]
    second = [{"us": 9.0, "no": 1.0}, {"us": 25.0}, {"us": 10.0}]

    found = turns.compare(first, second)

    assert found == {"us": {"first": 20.0, "second": 10.0, "ratio": 0.5, "less_in": "2 of 3"}}
    assert turns.table(found).splitlines()[1].split() == [
        *("us", "20.0", "10.0", "0.500", "in", "2", "of", "3")
    ]


def test_what_was_nothing_before_has_no_ratio() -> None:
    found = turns.compare([{"refused": 0}], [{"refused": 3}])

    assert found["refused"]["ratio"] is None
    assert " - " in turns.table(found)


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """Two trees with a benchmark that tells its turn, which is a file that both append to."""
    for name, ends_with in (("before", 0), ("after", 1)):
        bench = tmp_path / name / "tests" / "bench"
        bench.mkdir(parents=True)
        (bench / "told.py").write_text(
            "import json, pathlib, sys\n"
            f"turns = pathlib.Path({str(tmp_path / 'turns')!r})\n"
            f"turns.open('a').write({name!r} + ' ' + ' '.join(sys.argv[1:]) + '\\n')\n"
            f"print(json.dumps({{'us': {len(name)}}}))\n"
            f"sys.exit({ends_with})\n"
        )
        python = tmp_path / name / turns.PYTHON
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
    return tmp_path / "before", tmp_path / "after"


def test_who_comes_second_is_not_always_the_same_and_a_check_that_fails_is_told(
    checkouts: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*map(str, checkouts), "--rounds", "2", "--", "told", "--blocks", "5"]

    assert turns.main(words) == 1

    said = (checkouts[0].parent / "turns").read_text().splitlines()
    assert said == [f"{each} --blocks 5" for each in ("before", "after", "after", "before")]
    report = json.loads(capsys.readouterr().out)
    assert report["figures"]["us"]["ratio"] == round(5 / 6, 3)
    assert not report["checks_held"]


def test_a_checkout_without_its_own_interpreter_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        turns.main([str(tmp_path), str(tmp_path), "--", "pipeline"])

    assert "`make setup` there makes it" in capsys.readouterr().err
