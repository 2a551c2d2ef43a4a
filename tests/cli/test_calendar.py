"""Calendars of business days, by commands."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.cli.calendar.define import read_holidays
from node.cli.exits import CommandError, Exit
from tests.cli.desk import CENTRAL, Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def test_moon_was_seen_a_day_later(desk: Desk) -> None:
    calendar = (await desk.solo.call("khz_calendar", {"calendar": "pakistan"}))["calendar"]
    doubtful = [each["day"] for each in calendar["holidays"] if each["provisional"]]
    coming = [day for day in doubtful if day > f"{desk.now.date()}"]
    moved = date.fromisoformat(coming[0])
    bank = ("--account", desk.central)

    wrong = await desk.run(
        *("calendar", "amend", "--confirm", f"{moved + timedelta(days=40)}", *bank), by=(CENTRAL,)
    )
    nothing = await desk.run("calendar", "amend", *bank, by=(CENTRAL,))
    twice = await desk.run(
        *("calendar", "amend", "--confirm", coming[0], "--withdraw", coming[0], *bank),
        by=(CENTRAL,),
    )
    amended = await desk.run(
        *("calendar", "amend", "--confirm", coming[-1], "--withdraw", f"{moved}"),
        *("--holiday", f"{moved + timedelta(days=30)}", *bank, "--json"),
        by=(CENTRAL,),
    )

    assert (wrong.code, nothing.code, twice.code) == (Exit.USAGE,) * 3
    assert "is no provisional holiday" in wrong.err
    assert amended.code == Exit.OK, amended.err
    (event,) = amended.json["events"]
    assert event["withdrawn"] == [f"{moved}"]
    assert event["confirmed"] == [coming[-1]]
    assert event["version"] == calendar["version"] + 1


async def test_calendar_is_defined_from_options_and_from_what_another_one_prints(
    desk: Desk,
) -> None:
    bank = ("--account", desk.central)
    file = desk.folder / "holidays.csv"
    printed = await desk.run("calendar", "show", "--csv")
    file.write_text(printed.out)

    karachi = await desk.run(
        *("calendar", "define", "karachi", "--title", "Banks in Karachi", "--weekend", "sunday"),
        *("--holiday", "2030-03-23", "--provisional", "2030-03-10", *bank, "--json"),
        by=(CENTRAL,),
    )
    dubai = await desk.run(
        *("calendar", "define", "dubai", file, "--title", "Dubai", *bank), by=(CENTRAL,)
    )
    always = await desk.run(
        *("calendar", "define", "always", "--title", "None", "--weekend", "none", *bank),
        by=(CENTRAL,),
    )
    again = await desk.run(
        *("calendar", "define", "karachi", "--title", "Another", *bank), by=(CENTRAL,)
    )

    assert karachi.code == Exit.OK, karachi.err
    assert (dubai.code, always.code, again.code) == (Exit.OK, Exit.OK, Exit.REFUSED)
    assert "CALENDAR_EXISTS" in again.err
    found = {
        name: (await desk.solo.call("khz_calendar", {"calendar": name}))["calendar"]
        for name in ("pakistan", "karachi", "dubai", "always")
    }
    assert found["karachi"]["weekend"] == ["sunday"]
    assert found["karachi"]["holidays"] == [
        {"day": "2030-03-10", "provisional": True},
        {"day": "2030-03-23", "provisional": False},
    ]
    assert found["always"]["weekend"] == found["always"]["holidays"] == []
    assert found["dubai"]["weekend"] == ["saturday", "sunday"]
    assert found["dubai"]["holidays"] == found["pakistan"]["holidays"]
    assert any(each["provisional"] for each in found["dubai"]["holidays"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day\n2030-01-01\n", "no column holiday"),
        ("holiday,status\n2030-01-01,perhaps\n", "line 2: status is 'perhaps'"),
        ("holiday\n2030-02-30\n", "line 2: "),
    ],
)
def test_table_of_no_holidays(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "holidays.csv"
    file.write_text(text)

    with pytest.raises(CommandError, match=said):
        [*read_holidays(file)]


async def test_calendars_that_cannot_be(desk: Desk) -> None:
    for more, said in (
        (("--weekend", "none", "--weekend", "sunday"), "expected one of them"),
        (("--holiday", "2030-01-01", "--provisional", "2030-01-01"), "2030-01-01 twice"),
    ):
        ran = await desk.run(
            *("calendar", "define", "new", "--title", "New", *more, "--account", desk.central),
            by=(CENTRAL,),
        )
        assert ran.code == Exit.USAGE, more
        assert said in ran.err
