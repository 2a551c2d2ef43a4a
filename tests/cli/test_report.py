"""Drawings of the debt: files of the form that their name says, or a refusal that says why."""

import csv
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from node.cli.exits import Exit
from node.cli.report.auction import _steps
from node.cli.report.curve import _measure
from node.cli.report.drawing import REST, blocks, paper
from tests.chain.town import make_record
from tests.cli.asked import ask
from tests.explorer.owing import RUNNING, SOLD, owe
from tests.rpc.solo import Solo, solo_node

BEGINNINGS: Final = {".pdf": b"%PDF-", ".png": b"\x89PNG", ".svg": b"<?xml"}
DRAWN: Final = (("wall",), ("curve",), ("auction", SOLD))
ODD: Final = r"$\frac{1}{2}$ & <b>"
"""What a name may hold and a formula or markup would be."""


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=3) as solo:
        await owe(solo, ODD)
        yield solo


@pytest.mark.parametrize("words", DRAWN, ids=lambda words: str(words[0]))
async def test_drawing_is_of_the_form_that_its_name_says(
    solo: Solo, tmp_path: Path, words: tuple[str, ...]
) -> None:
    pytest.importorskip("matplotlib", reason="no drawing: pip install '.[reports]'")
    for suffix, beginning in BEGINNINGS.items():
        out = tmp_path / f"drawn{suffix}"
        ran = await ask(solo, "report", *words, "--out", out, "--json")

        assert ran.code == Exit.OK, ran.err
        assert ran.json["file"] == str(out)
        assert out.read_bytes().startswith(beginning)
    again = tmp_path / "again.svg"
    await ask(solo, "report", *words, "--out", again)
    assert again.read_bytes() == (tmp_path / "drawn.svg").read_bytes()


async def test_figures_are_those_of_the_ledger(solo: Solo, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="no drawing: pip install '.[reports]'")
    service = await ask(solo, "debt", "service", "--by", "quarter", "--json")
    wall = await ask(solo, "report", "wall", "--out", tmp_path / "w.svg", "--json")
    curve = await ask(solo, "report", "curve", "--out", tmp_path / "c.svg", "--json")
    auction = await ask(solo, "auction", "show", SOLD, "--json")

    drawn = [each for each in wall.json["columns"] if each["payments"]]
    assert drawn == service.json["service"]
    [point] = curve.json["points"]
    assert point["average_yield"] == auction.json["auction"]["result"]["average_yield"]
    assert point["average_yield"] in (tmp_path / "c.svg").read_text()


def test_bids_at_one_price_are_one_step() -> None:
    def row(price: str | None, face: str, allotted: str) -> dict[str, str | None]:
        return {"price": price, "face": face, "allotted": allotted}

    ladder = [
        row("99.5", "100.00", "100.00"),
        row("99.4", "50.00", "30.00"),
        row("99.4", "70.00", "40.00"),
        row("99.3", "10.00", "0.00"),
        row(None, "5.00", "5.00"),  # without a price: not on the ladder of prices
    ]

    assert _steps(ladder) == [(99.5, 100.0, 100.0), (99.4, 120.0, 70.0), (99.3, 10.0, 0.0)]


def test_very_many_bids_are_one_collection_and_one_tenor_is_a_curve(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="no drawing: pip install '.[reports]'")
    place = {"height": 7, "time": "2026-11-27T05:00:00.000Z"}
    shapes = [(float(n), n + 1.0, 100 - n / 1_000, REST) for n in range(20_000)]

    with paper(tmp_path / "many.pdf", "Very many", place) as axes:
        blocks(axes, shapes, floor=70.0)
        drawn = len(axes.collections), len(axes.patches)
    with paper(tmp_path / "one.png", "One", place) as axes:
        _measure(axes, [1.0], [11.5])
        ranges = axes.get_xlim(), axes.get_ylim()
        marks = [label.get_text() for label in axes.get_xticklabels()]

    assert drawn == (1, 0)
    assert ranges == ((0, 1.08), (11.0, 12.0))
    assert marks == ["1 m", "3 m", "6 m", "1 y"]


async def test_auction_is_a_sheet_of_its_members(solo: Solo) -> None:
    auction = await ask(solo, "auction", "show", SOLD, "--json")
    sheet = await ask(solo, "auction", "show", SOLD, "--csv")

    head, *rows = csv.reader(io.StringIO(sheet.out))
    assert head == ["member", "value"]
    assert ["auction", SOLD] in rows
    average = auction.json["auction"]["result"]["average_yield"]
    assert ["result.average_yield", average] in rows


async def test_what_cannot_be_drawn_is_said(
    solo: Solo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = await ask(solo, "report", "wall", "--out", tmp_path / "wall.docx")
    assert odd.code == Exit.USAGE
    assert "should end with one of .pdf, .png, .svg" in odd.err

    nothing = await ask(solo, "report", "wall", "--currency", "USD", "--out", tmp_path / "w.pdf")
    assert nothing.code == Exit.REFUSED
    assert "nothing is owed in USD" in nothing.err

    early = await ask(solo, "report", "auction", RUNNING, "--out", tmp_path / "a.pdf")
    assert early.code == Exit.REFUSED
    assert "there is no result to verify" in early.err

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    without = await ask(solo, "report", "wall", "--out", tmp_path / "w.pdf", "--json")
    assert without.code == Exit.USAGE
    assert "khazana[reports]" in json.loads(without.err)["error"]["advice"]
    assert os.listdir(tmp_path) == []


async def test_a_folder_that_is_not_there_is_said(solo: Solo, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="no drawing: pip install '.[reports]'")
    ran = await ask(solo, "report", "wall", "--out", tmp_path / "none" / "w.pdf")
    assert ran.code == Exit.CONFIGURATION
    assert "cannot be written" in ran.err
