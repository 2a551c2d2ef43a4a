"""Schedules by the interface, the client and the command line, before the issue and after."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from node.cli.exits import Exit
from node.client import CallFailed, Client, ClientNetwork, NotFound
from node.codec import encode, replace
from node.ledger.dates import Holiday, Roll, date_of, from_date
from node.ledger.operations import AmendCalendar, DefineAsset
from node.ledger.powers import CENTRAL_BANK, FINANCE_MINISTRY
from node.ledger.terms import BillTerms, BondTerms, CallWindow, CashTerms
from node.ledger.units import MS_PER_DAY
from node.provision.pakistan import PAKISTAN, define_pakistan
from tests.chain.town import START_MS, address_of, make_record
from tests.cli.asked import ask
from tests.ledger.debt import (
    BOND,
    SOURCE,
    call,
    callable_bond,
    define_bond,
    fix,
    floating,
    issue,
    plan,
    two_years_after,
)
from tests.rpc.solo import BANK, CASH, Solo, solo_node

CENTRAL: Final = address_of(CENTRAL_BANK, CENTRAL_BANK)
MINISTRY: Final = address_of(FINANCE_MINISTRY, FINANCE_MINISTRY)
BOTH: Final = (CENTRAL_BANK, FINANCE_MINISTRY)
TODAY: Final = START_MS // MS_PER_DAY


def define(asset: str = BOND, **changes: Any) -> DefineAsset:
    """Define a bond of this network, issued tomorrow."""
    issued = TODAY + 1
    whole = plan(
        issue_day=issued,
        maturity_day=two_years_after(issued),
        calendar=PAKISTAN,
        cash=CASH,
        paying_agent=MINISTRY,
        residue_account=CENTRAL,
        **changes,
    )
    good = define_bond(asset)
    terms = BondTerms(face_currency="PKR", plan=whole)
    return replace(good, account=MINISTRY, approvers=(CENTRAL,), terms=terms)


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node on whose ledger a bond is defined, and the half of it issued."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=2) as solo:
        town = solo.town
        await town.decide(town.transaction([define_pakistan(central_bank=CENTRAL), define()], BOTH))
        bought = replace(
            issue(500_000),
            account=MINISTRY,
            approvers=(CENTRAL,),
            to=address_of(BANK, "a0"),
        )
        await town.decide(town.transaction([bought], BOTH))
        yield solo


def client_of(solo: Solo) -> Client:
    return Client(solo.url, network=ClientNetwork.of(solo.town.genesis))


async def pass_to(solo: Solo, day: str) -> None:
    """Let blocks come until the midnight that begins a day has passed, and what it brings."""
    town = solo.town
    wanted = next(n for n in range(TODAY, TODAY + 1_000) if date_of(n).isoformat() == day)
    town.clock.advance(wanted * MS_PER_DAY - 5 * 3_600_000 - town.clock.now_ms())
    for _ in range(3):
        await town.decide()
        town.clock.advance(1_000)


async def test_schedule_is_the_same_before_the_definition_and_after(solo: Solo) -> None:
    before = await solo.call("khz_schedule", {"terms": encode(define().terms).hex()})
    after = await solo.call("khz_schedule", {"asset": BOND})

    assert before["payments"] == after["payments"]
    assert [each["interest"] for each in after["payments"]] == ["7/200"] * 4
    assert [each["interest_per_hundred"] for each in after["payments"]] == ["3.5000000000"] * 4
    assert [each["principal_per_hundred"] for each in after["payments"]] == [
        "0.000000",
        "0.000000",
        "0.000000",
        "100.000000",
    ]
    assert after["cash"] == CASH
    assert (after["calendar"], after["calendar_version"]) == (PAKISTAN, 1)
    assert all(each["made"] is None for each in after["payments"])


async def test_a_bill_that_is_brought_back_has_a_schedule_before_its_issue_and_after(
    solo: Solo, tmp_path: Path
) -> None:
    """The ledger pays nothing of it: neither record nor funding, and no calendar moves its day."""
    matures = TODAY + 1 + 90  # a Sunday
    terms = BillTerms(issue_day=TODAY + 1, maturity_day=matures, face_currency="PKR")
    definition = replace(define("MTB-OLD"), terms=terms)
    written = tmp_path / "bill.json"
    operation = solo.server._views.renderer.record(definition)
    written.write_text(json.dumps({"type": "define_asset", **operation}))

    before = await solo.call("khz_schedule", {"terms": encode(terms).hex()})
    shown_before = await ask(solo, "schedule", "--terms", written)
    async with client_of(solo) as client:
        read_before = (await client.schedule(terms=terms)).value
    await solo.town.decide(solo.town.transaction([definition], BOTH))
    after = await solo.call("khz_schedule", {"asset": "MTB-OLD"})
    shown_after = await ask(solo, "schedule", "MTB-OLD")
    async with client_of(solo) as client:
        read_after = (await client.schedule("MTB-OLD")).value

    day = date_of(matures).isoformat()
    [row] = after["payments"]
    assert date_of(matures).isoweekday() == 7
    assert before["payments"] == after["payments"]
    assert (row["start"], row["end"]) == (date_of(TODAY + 1).isoformat(), day)
    assert (row["nominal_day"], row["payment_day"], row["passed"]) == (day, day, [])
    assert (row["record_day"], row["funding_day"], row["made"]) == (None, None, None)
    assert (row["principal_per_hundred"], row["price"]) == ("100.000000", "100.0000")
    assert (row["interest"], row["final"]) == ("0/1", True)
    assert (before["asset"], after["asset"]) == (None, "MTB-OLD")
    for told in (before, after):
        assert (told["kind"], told["brought_back"], told["currency"]) == ("bill", True, "PKR")
        assert [told[name] for name in ("cash", "calendar", "calendar_version", "roll")] == (
            [None] * 4
        )
    assert read_before == read_after
    assert (read_after[0].record_day, read_after[0].payment_day) == (None, day)
    for printed in (shown_before, shown_after):
        assert printed.code == Exit.OK, printed.err
        assert f"1  Sun {day}" in printed.out
        assert "bring it back to its issuer" in printed.out


async def test_terms_of_a_bill_that_contradict_themselves_are_explained(solo: Solo) -> None:
    terms = BillTerms(issue_day=TODAY, maturity_day=TODAY, face_currency="PKR")

    for wrong, told in (
        (terms, "not after the day of issue"),
        (replace(terms, face_currency="pkr"), "ISO 4217"),
    ):
        error = await solo.refused("khz_schedule", {"terms": encode(wrong).hex()})
        assert error["code"] == -32602
        assert told in error["message"], error


async def test_what_floats_shows_what_is_fixed_and_marks_what_is_not(
    solo: Solo, tmp_path: Path
) -> None:
    town, floater = solo.town, "PFL-2Y-1"
    definition = define(floater, **floating())
    written = tmp_path / "floater.json"
    operation = solo.server._views.renderer.record(definition)
    written.write_text(json.dumps({"type": "define_asset", **operation}))
    before = await ask(solo, "schedule", "--terms", written, "--json")
    await town.decide(town.transaction([definition], BOTH))
    town.clock.advance(1_000)
    await town.decide()  # its fixing day is today: no auction gives the reference
    awaited = await solo.call("khz_schedule", {"asset": floater})
    table = await ask(solo, "schedule", floater)
    by_offices = replace(fix(1), account=CENTRAL, approvers=(MINISTRY,), asset=floater)
    await town.decide(town.transaction([by_offices], BOTH))
    fixed = await solo.call("khz_schedule", {"asset": floater})

    assert before.code == Exit.OK, before.err
    first, second = awaited["payments"][:2]
    assert [each["fixing"] for each in before.json["payments"]] == [None] * 4
    assert (first["rate"], first["interest"], first["interest_per_hundred"]) == (None,) * 3
    assert first["fixing"] == {"reference": None, "auction": None, "source": None}
    assert first["fixing_day"] < second["fixing_day"]
    assert table.code == Exit.OK, table.err
    assert table.out.count("not fixed") == 8
    assert "awaited" in table.out
    assert second["fixing_day"] in table.out
    first, second = fixed["payments"][:2]
    assert (first["rate"], first["interest"]) == ("12.7500", "51/800")
    assert first["fixing"] == {"reference": "11.2500", "auction": None, "source": SOURCE}
    assert second["rate"] is None
    async with client_of(solo) as client:
        known, unknown, *_ = (await client.schedule(floater)).value
    assert (known.rate, known.interest_per_hundred) == (Decimal("12.75"), Decimal("6.375"))
    assert known.fixing is not None
    assert known.fixing.source == SOURCE
    assert (unknown.rate, unknown.fixing) == (None, None)


def business_from(day: int) -> str:
    """Return the first day from this one on that is at no weekend; no holiday is near here."""
    return next(each for n in range(7) if (each := date_of(day + n)).weekday() < 5).isoformat()


async def test_terms_that_could_be_say_from_when_on_they_could_be_repaid(solo: Solo) -> None:
    window = CallWindow(from_day=TODAY + 300, to_day=TODAY + 600, price_e4=1_010_000)
    terms = encode(define(**callable_bond(windows=(window,))).terms).hex()

    found = await solo.call("khz_schedule", {"terms": terms})

    assert found["call"]["earliest_day"] == business_from(TODAY + 300)


async def test_what_is_called_is_in_the_schedule_at_its_price(solo: Solo) -> None:
    town, code = solo.town, "PIB-CALL"
    second_year = CallWindow(from_day=TODAY + 300, to_day=TODAY + 600, price_e4=1_010_000)
    right = callable_bond(windows=(second_year,))
    await town.decide(town.transaction([define(code, **right)], BOTH))
    schedule = await solo.call("khz_schedule", {"asset": code})
    before = schedule["payments"]
    assert schedule["call"] == {
        "windows": [
            {
                "from_day": date_of(TODAY + 300).isoformat(),
                "to_day": date_of(TODAY + 600).isoformat(),
                "price": "101.0000",
            }
        ],
        "notice_days": right["call"].notice_days,
        "earliest_day": business_from(TODAY + 300),
        "in_part": right["call"].in_part,
    }
    promised = await ask(solo, "schedule", code)
    (window,) = schedule["call"]["windows"]
    days = rf"\w+ {window['from_day']} to \w+ {window['to_day']}"
    early = rf"^may be repaid early from {days} at 101.00$"
    assert re.search(early, promised.out, re.MULTILINE)
    notice = "\nalso in part, 30 days after it is called or later"
    today = rf"{notice}: called today, from \w+ {business_from(TODAY + 300)} on\n"
    assert re.search(today, promised.out)
    assert "may be repaid early" not in (await ask(solo, "schedule", BOND)).out
    day = next(n for n in range(TODAY, TODAY + 600) if date_of(n).isoformat() == before[1]["end"])
    act = call(day, account=MINISTRY, approvers=(CENTRAL,), asset=code)
    await town.decide(town.transaction([act], BOTH))

    whole = await solo.call("khz_schedule", {"asset": code})
    after = whole["payments"]

    assert whole["call"] == {**schedule["call"], "earliest_day": None}
    assert [(each["price"], each["called"]) for each in before] == [("100.0000", False)] * 4
    assert [(each["price"], each["called"], each["final"]) for each in after] == [
        ("100.0000", False, False),
        ("101.0000", True, True),
    ]
    printed = await ask(solo, "schedule", code)
    assert "101.00" in printed.out
    assert f"{notice}\n" in printed.out
    async with client_of(solo) as client:
        last = (await client.schedule(code)).value[-1]
    assert (last.price, last.called) == (Decimal(101), True)


async def test_a_payment_stands_beside_its_day_by_the_terms_and_why_it_is_another(
    solo: Solo,
) -> None:
    town = solo.town
    before = (await solo.call("khz_schedule", {"asset": BOND}))["payments"][0]
    nominal = from_date(date.fromisoformat(before["nominal_day"]))  # 14 March 2021, a Sunday
    amended = AmendCalendar(
        account=CENTRAL,
        approvers=(MINISTRY,),
        calendar=PAKISTAN,
        version=1,
        withdrawn=(),
        holidays=(
            Holiday(day=nominal - 2, provisional=True),
            Holiday(day=nominal + 1, provisional=True),
            Holiday(day=nominal + 2, provisional=False),
        ),
    )
    await town.decide(town.transaction([amended], BOTH))
    found = await solo.call("khz_schedule", {"asset": BOND})
    table = await ask(solo, "schedule", BOND)
    async with client_of(solo) as client:
        row = (await client.schedule(BOND)).value[0]
    await pass_to(solo, found["payments"][0]["payment_day"])
    past = (await solo.call("khz_schedule", {"asset": BOND}))["payments"][0]

    first = found["payments"][0]
    assert (first["nominal_day"], before["payment_day"]) == ("2021-03-14", "2021-03-15")
    assert before["passed"] == [{"day": "2021-03-14", "why": "weekend"}]
    assert before["provisional"] == []
    assert (found["calendar_version"], found["roll"]) == (2, "following")
    assert first["payment_day"] == "2021-03-17"
    assert [(each["day"], each["why"]) for each in first["passed"]] == [
        ("2021-03-14", "weekend"),
        ("2021-03-15", "provisional holiday"),
        ("2021-03-16", "holiday"),
    ]
    # The record is two business days before, and the first of these holidays moves it too.
    assert first["record_day"] == "2021-03-10"
    assert first["provisional"] == ["2021-03-12", "2021-03-15"]
    assert [each.why for each in row.passed] == ["weekend", "provisional holiday", "holiday"]
    assert row.provisional == ("2021-03-12", "2021-03-15")
    assert "version 2; one without business moves to the following one" in table.out
    assert (
        "Sun 2021-03-14  Wed 2021-03-17  weekend 2021-03-14; provisional holiday 2021-03-15;"
        " holiday 2021-03-16" in table.out
    )
    assert "2021-03-12, 2021-03-15" in table.out
    # What is over moves no more, and what it moved over stays said.
    assert (past["passed"], past["provisional"]) == (first["passed"], [])


async def test_a_payment_that_rolls_back_says_what_it_moved_over(solo: Solo) -> None:
    town, code = solo.town, "PIB-BACK"
    await town.decide(town.transaction([define(code, roll=Roll.PRECEDING)], BOTH))

    found = await solo.call("khz_schedule", {"asset": code})

    first = found["payments"][0]
    assert found["roll"] == "preceding"
    assert (first["nominal_day"], first["payment_day"]) == ("2021-03-14", "2021-03-12")
    assert [each["day"] for each in first["passed"]] == ["2021-03-14", "2021-03-13"]
    assert "preceding one of business" in (await ask(solo, "schedule", code)).out


async def test_what_was_paid_stands_beside_its_payment(solo: Solo) -> None:
    first = (await solo.call("khz_schedule", {"asset": BOND}))["payments"][0]

    await pass_to(solo, first["payment_day"])

    made = (await solo.call("khz_schedule", {"asset": BOND}))["payments"][0]["made"]
    assert made["status"] == "late"
    assert (made["face"], made["interest_due"], made["paid"]) == ("5000.00", "175.00", "0.00")
    async with client_of(solo) as client:
        row = (await client.schedule(BOND)).value[0]
        assert row.payment_day == first["payment_day"]
        assert row.interest_per_hundred == Decimal("3.5")
        assert row.made is not None
        assert row.made.interest_due == 175
        with pytest.raises(NotFound):
            await client.schedule("PIB-NONE")
        with pytest.raises(CallFailed, match="cash pays nothing"):
            await client.schedule(CASH)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "one of asset and terms"),
        ({"asset": BOND, "terms": "00"}, "one of asset and terms"),
        ({"terms": "zz"}, "hexadecimal"),
        ({"terms": "c0"}, "terms: not a canonical"),
        ({"terms": "00" * 32_769}, "terms"),
        ({"asset": CASH}, "cash pays nothing"),
        ({"terms": encode(CashTerms()).hex()}, "cash pays nothing"),
    ],
)
async def test_what_has_no_schedule_is_said(solo: Solo, params: dict[str, Any], told: str) -> None:
    error = await solo.refused("khz_schedule", params)

    assert error["code"] == -32602
    assert told in error["message"]


async def test_terms_that_contradict_themselves_are_explained(solo: Solo) -> None:
    terms = define().terms
    assert isinstance(terms, BondTerms)
    late = replace(terms, plan=replace(terms.plan, maturity_day=terms.plan.issue_day))
    odd = replace(terms, plan=replace(terms.plan, maturity_day=terms.plan.maturity_day + 3))

    for wrong, told in ((late, "not after the day of issue"), (odd, "no whole number of steps")):
        error = await solo.refused("khz_schedule", {"terms": encode(wrong).hex()})
        assert told in error["message"]


async def test_command_prints_the_table_the_rows_and_the_json(solo: Solo, tmp_path: Path) -> None:
    operation = solo.server._views.renderer.record(define("PIB-NEW"))
    file = tmp_path / "bond.json"
    file.write_text(json.dumps({"type": "define_asset", **operation}))

    table = await ask(solo, "schedule", BOND)
    rows = await ask(solo, "schedule", "--terms", file, "--csv")
    whole = await ask(solo, "schedule", BOND, "--json")
    wrong = await ask(solo, "schedule")

    assert table.code == rows.code == whole.code == Exit.OK, table.err + rows.err
    assert "a bond, paid in" in table.out
    assert "3.50" in table.out
    read = list(csv.reader(io.StringIO(rows.out)))
    assert [row[8] for row in read] == ["interest per 100"] + ["3.5000000000"] * 4
    assert [row[6:8] for row in read] == [["rate", "fixing"], *[["7.0000", ""]] * 4]
    assert [each["payment_day"] for each in whole.json["payments"]] == [row[3] for row in read[1:]]
    assert wrong.code == Exit.USAGE
