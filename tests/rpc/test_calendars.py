"""Calendars by the interface, the client and the command line: the same answer by each."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from node.cli.exits import Exit
from node.client import Client, ClientNetwork, NotFound
from node.codec import replace
from node.ledger.dates import Calendar, check_calendar
from node.ledger.powers import REFERENCE_OFFICES
from node.provision.pakistan import PAKISTAN, define_pakistan, pakistan_holidays
from tests.chain.town import address_of, make_record
from tests.cli.asked import ask
from tests.rpc.solo import Solo, solo_node

CENTRAL_BANK = REFERENCE_OFFICES[0]


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node on whose ledger the calendar of Pakistan is defined."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=1) as solo:
        central_bank = address_of(CENTRAL_BANK, CENTRAL_BANK)
        pakistan = define_pakistan(central_bank=central_bank)
        karachi = replace(pakistan, calendar="karachi", title="Karachi", holidays=())
        await solo.town.decide(solo.town.transaction([pakistan, karachi], [CENTRAL_BANK]))
        yield solo


def client_of(solo: Solo) -> Client:
    return Client(solo.url, network=ClientNetwork.of(solo.town.genesis))


def test_calendar_of_pakistan_is_in_order() -> None:
    calendar = Calendar(version=1, weekend=0b1100000, holidays=pakistan_holidays())

    check_calendar(calendar)
    assert len(calendar.holidays) == 3 * (7 + 9) - len(
        {(3, 23)}  # the third day of Eid-ul-Fitr 2026
    ) - len({(5, 28)})  # the second of Eid-ul-Azha 2026
    assert sum(holiday.provisional for holiday in calendar.holidays) == 3 * 9 - 2


async def test_calendars_are_listed_page_by_page(solo: Solo) -> None:
    first = await solo.call("khz_calendars", {"limit": 1})
    second = await solo.call("khz_calendars", {"limit": 1, "after": first["next"]})

    assert [each["calendar"] for each in first["calendars"]] == ["karachi"]
    assert second["calendars"] == [
        {
            "calendar": PAKISTAN,
            "title": "Business days in Pakistan",
            "version": 1,
            "holidays": len(pakistan_holidays()),
        }
    ]
    assert second["next"] is None
    async with client_of(solo) as client:
        assert [each.calendar for each in (await client.calendars()).value] == ["karachi", PAKISTAN]


async def test_calendar_is_shown_with_what_is_provisional(solo: Solo) -> None:
    result = await solo.call("khz_calendar", {"calendar": PAKISTAN})

    calendar = result["calendar"]
    assert calendar["weekend"] == ["saturday", "sunday"]
    assert {"day": "2027-03-10", "provisional": True} in calendar["holidays"]
    assert {"day": "2027-08-14", "provisional": False} in calendar["holidays"]
    assert (calendar["version"], calendar["used_until"], calendar["moving"]) == (1, None, False)
    assert result["today"] == "2020-09-13"
    async with client_of(solo) as client:
        read = (await client.calendar(PAKISTAN)).value
    assert [each.day.isoformat() for each in read.holidays] == [
        each["day"] for each in calendar["holidays"]
    ]
    told = await ask(solo, "calendar", "show", "--year", "2027")
    assert "2027-03-10  Wednesday  provisional" in told.out
    assert "2026-" not in told.out


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (
            "2027-03-10",
            {
                "business": False,
                "why": "provisional holiday",
                "following": "2027-03-15",
                "modified_following": "2027-03-15",
                "preceding": "2027-03-09",
                "counted": "2027-03-16",
            },
        ),
        ("2027-03-09", {"business": True, "why": "business day", "counted": "2027-03-16"}),
        ("2027-05-01", {"why": "holiday", "following": "2027-05-03"}),  # a Saturday
        ("2027-01-31", {"why": "weekend", "modified_following": "2027-01-29"}),
        ("9999-12-31", {"why": "business day", "following": "9999-12-31", "counted": None}),
    ],
)
async def test_day_is_judged_by_a_calendar(solo: Solo, day: str, expected: dict[str, Any]) -> None:
    params = {"calendar": PAKISTAN, "day": day, "business_days": 2}

    result = await solo.call("khz_businessDay", params)

    assert result.items() >= {"day": day, "business_days": 2, **expected}.items()
    async with client_of(solo) as client:
        read = await client.business_day(PAKISTAN, date.fromisoformat(day), business_days=2)
    assert read.value.why == result["why"]
    told = await ask(solo, "calendar", "check", day, "--plus", "2")
    assert f"{day}: {result['why']}" in told.out
    as_json = await ask(solo, "calendar", "check", day, "--plus", "2", "--json")
    assert as_json.json == result


@pytest.mark.parametrize(
    "words",
    [
        ("pakistan", "2026-12-25"),
        ("2026-12-25", "pakistan"),
        ("2026-12-25",),
        ("--calendar", "pakistan", "2026-12-25"),
    ],
)
async def test_name_and_day_come_in_any_order(solo: Solo, words: tuple[str, ...]) -> None:
    told = await ask(solo, "calendar", "check", *words)

    assert told.code == Exit.OK, told.err
    assert "2026-12-25: holiday" in told.out
    assert "calendar pakistan, version 1" in told.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pakistan", "25-12-2026"), "'25-12-2026' is no day of the calendar, expected YYYY-MM-DD"),
        (("2026-02-30",), "'2026-02-30' is no day of the calendar"),
        (("9" * 41,), f"'{'9' * 40}' is no day of the calendar"),
        (("pakistan", "karachi"), "found 'pakistan' 'karachi', expected at most one calendar"),
        (("karachi", "--calendar", "pakistan"), "expected at most one calendar and one day"),
        (("2026-12-25", "2026-12-26"), "expected at most one calendar and one day"),
        (tuple(f"name{number}" for number in range(100)), "found 'name0' 'name1' 'name2' 'name3',"),
    ],
)
async def test_words_that_are_no_day_say_what_to_type(
    solo: Solo, words: tuple[str, ...], says: str
) -> None:
    told = await ask(solo, "calendar", "check", *words)

    assert told.code == Exit.USAGE
    assert says in told.err
    assert "uch as" in told.err


async def test_day_is_a_row_of_a_sheet(solo: Solo) -> None:
    told = await ask(solo, "calendar", "check", PAKISTAN, "2027-03-10", "--csv")

    head, row = csv.reader(io.StringIO(told.out))
    facts = dict(zip(head, row, strict=True))
    assert (facts["business"], facts["why"]) == ("no", "provisional holiday")
    assert facts["following"] == "2027-03-15"
    assert "height" not in facts


async def test_day_that_is_left_out_is_today(solo: Solo) -> None:
    result = await solo.call("khz_businessDay", {"calendar": "karachi"})

    assert (result["day"], result["why"]) == ("2020-09-13", "weekend")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"calendar": "lahore"}, "there is no calendar 'lahore'"),
        ({"calendar": "karachi", "day": "2027-02-30"}, "day is out of range"),
        ({"calendar": "karachi", "day": "20270210AB"}, "day"),
        ({"calendar": "karachi", "day": "1969-12-31"}, "before 1970-01-01"),
        ({"calendar": "karachi", "business_days": 367}, "business_days"),
    ],
)
async def test_question_that_has_no_answer_is_refused(
    solo: Solo, params: dict[str, Any], says: str
) -> None:
    error = await solo.refused("khz_businessDay", params)

    assert says in error["message"]


async def test_calendar_that_is_not_there_is_not_found(solo: Solo) -> None:
    async with client_of(solo) as client:
        with pytest.raises(NotFound, match="there is no calendar 'lahore'"):
            await client.calendar("lahore")
    told = await ask(solo, "calendar", "show", "lahore")
    assert told.code != Exit.OK
    listed = await ask(solo, "calendar", "list")
    assert "Business days in Pakistan" in listed.out
