"""What is owed, by the interface, the client and the command line."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest

from node.cli.exits import Exit
from node.client import Client, ClientNetwork
from node.codec import replace
from node.ledger.operations import Transfer
from node.ledger.terms import BondTerms, Instalment
from node.provision.acts import define_bill
from node.provision.pakistan import define_pakistan
from tests.chain.town import address_of, make_record
from tests.cli.asked import ask
from tests.ledger.debt import BOND, fix, floating, issue
from tests.rpc.solo import BANK, CASH, Solo, solo_node
from tests.rpc.test_securities import BOTH, CENTRAL, MINISTRY, define, pass_to

BILL: Final = "MTB-3M"
SLOW: Final = "PIB-SLOW"
"""A bond that repays a quarter with its second payment."""
SILENT: Final = "PIB-SILENT"
"""A bond of which nothing is issued."""


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node on whose ledger a bill and two bonds are held."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=2) as solo:
        town = solo.town
        slow = define(SLOW)
        assert isinstance(slow.terms, BondTerms)
        instalments = (Instalment(payment=2, share_ppm=250_000),)
        slow = replace(
            slow,
            terms=replace(slow.terms, plan=replace(slow.terms.plan, instalments=instalments)),
        )
        bill = define_bill(
            account=MINISTRY,
            approvers=(CENTRAL,),
            asset=BILL,
            name="=Treasury bill",
            isin="PKTB0574M033",
            issued=date(2020, 9, 10),
            matures=date(2020, 12, 3),
            multiple=100,
            ceiling=10**9,
        )
        acts = [define_pakistan(central_bank=CENTRAL), define(), slow, define(SILENT), bill]
        committed = await town.decide(town.transaction(acts, BOTH))
        assert committed.candidate.receipts[0].outcome == 0
        for asset, amount in ((BOND, 500_000), (SLOW, 400_100), (BILL, 300_000)):
            bought = replace(
                issue(amount),
                account=MINISTRY,
                approvers=(CENTRAL,),
                asset=asset,
                to=address_of(BANK, "a0"),
            )
            committed = await town.decide(town.transaction([bought], BOTH))
            assert committed.candidate.receipts[0].outcome == 0
        yield solo


async def lines(solo: Solo, **params: Any) -> dict[str, Any]:
    found = await solo.call("khz_debt", params)
    return {each["asset"]: each for each in found["lines"]}


async def test_what_floats_is_estimated_at_the_rate_last_fixed(solo: Solo) -> None:
    town, floater = solo.town, "PFL-2Y"
    bought = replace(
        issue(200_000),
        account=MINISTRY,
        approvers=(CENTRAL,),
        asset=floater,
        to=address_of(BANK, "a0"),
    )
    await town.decide(town.transaction([define(floater, **floating()), bought], BOTH))
    town.clock.advance(1_000)
    await town.decide()
    before = (await lines(solo))[floater]
    by_offices = replace(fix(1), account=CENTRAL, approvers=(MINISTRY,), asset=floater)
    await town.decide(town.transaction([by_offices], BOTH))

    after = (await lines(solo))[floater]

    assert before["rate"] is None
    assert {each["interest"] for each in before["payments"]} == {"0.00"}
    assert after["rate"] == "12.7500"
    assert [each["interest"] for each in after["payments"]] == ["127.50"] * 4
    assert [each["status"] for each in after["payments"]] == ["planned", *["estimated"] * 3]
    printed = await ask(solo, "debt")
    assert printed.code == Exit.OK, printed.err


async def test_every_security_that_is_held_is_a_line_and_nothing_else_is(solo: Solo) -> None:
    found = await lines(solo)

    assert list(found) == [BILL, BOND, SLOW]  # neither cash nor what nobody holds
    bond = found[BOND]
    schedule = (await solo.call("khz_schedule", {"asset": BOND}))["payments"]
    assert (bond["kind"], bond["currency"], bond["outstanding"]) == ("bond", "PKR", "5000.00")
    assert (bond["rate"], bond["payments_a_year"]) == ("7.0000", 2)
    assert bond["maturity_day"] == schedule[-1]["end"]
    assert [each["payment_day"] for each in bond["payments"]] == [
        each["payment_day"] for each in schedule
    ]
    assert [each["interest"] for each in bond["payments"]] == ["175.00"] * 4
    assert [each["principal"] for each in bond["payments"]] == ["0.00"] * 3 + ["5000.00"]
    assert {each["status"] for each in bond["payments"]} == {"planned"}


async def test_a_bill_is_due_from_its_maturity_until_it_is_redeemed(solo: Solo) -> None:
    bill = (await lines(solo))[BILL]
    assert (bill["rate"], bill["outstanding"]) == (None, "3000.00")
    assert [each["status"] for each in bill["payments"]] == ["planned"]

    await pass_to(solo, "2020-12-03")

    assert (await lines(solo))[BILL]["payments"] == [
        {
            "number": 1,
            "payment_day": "2020-12-03",
            "interest": "0.00",
            "principal": "3000.00",
            "status": "due",
        }
    ]


async def test_what_was_repaid_is_no_longer_owed(solo: Solo) -> None:
    before = (await lines(solo))[SLOW]["payments"]
    assert [each["principal"] for each in before] == ["0.00", "1000.25", "0.00", "3000.75"]
    assert [each["interest"] for each in before] == ["140.03", "140.03", "105.02", "105.02"]
    give = Transfer(account=address_of(BANK, "a1"), to=MINISTRY, asset=CASH, amount=300_000)
    await solo.town.decide(solo.town.transaction([give], ["a1"]))

    await pass_to(solo, before[0]["payment_day"])
    assert [each["number"] for each in (await lines(solo))[SLOW]["payments"]] == [2, 3, 4]
    await pass_to(solo, before[1]["payment_day"])

    after = (await lines(solo))[SLOW]
    assert after["outstanding"] == "3000.75"
    assert after["payments"] == before[2:]


async def test_what_is_unpaid_stays_and_says_how_it_stands(solo: Solo) -> None:
    before = (await lines(solo))[BOND]["payments"]

    await pass_to(solo, before[0]["payment_day"])

    late = (await lines(solo))[BOND]["payments"]
    assert [each["status"] for each in late] == ["late", "planned", "planned", "planned"]
    assert late[0] == before[0] | {"status": "late"}
    printed = await ask(solo, "debt", "lines")
    assert "late" in printed.out


async def test_pages_end_by_their_limit_and_by_the_work_they_are(
    solo: Solo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def walk(limit: int) -> list[list[str]]:
        pages: list[list[str]] = []
        after: str | None = None
        while True:
            page = await solo.call("khz_debt", {"after": after, "limit": limit})
            pages.append([each["asset"] for each in page["lines"]])
            after = page["next"]
            if after is None:
                return pages

    assert await walk(200) == [[BILL, BOND, SLOW]]
    assert [asset for page in await walk(1) for asset in page] == [BILL, BOND, SLOW]
    monkeypatch.setattr("node.rpc.debt.PAYMENTS_COMPUTED_MAX", 4)
    assert [page for page in await walk(200) if page] == [[BILL, BOND], [SLOW]]


async def test_client_reads_all_pages_as_values(solo: Solo) -> None:
    async with Client(solo.url, network=ClientNetwork.of(solo.town.genesis)) as client:
        owed = (await client.debt()).value

    assert [line.asset for line in owed] == [BILL, BOND, SLOW]
    assert owed[0].maturity_day == date(2020, 12, 3)
    assert owed[1].rate == Decimal(7)
    assert sum(each.principal for each in owed[2].payments) == owed[2].outstanding == 4_001


async def test_command_prints_every_table_the_json_and_the_csv(solo: Solo) -> None:
    everything = await ask(solo, "debt")
    assert everything.code == Exit.OK, everything.err
    for title in ("Outstanding by line", "Maturity ladder", "Debt service", "Cost of debt"):
        assert title in everything.out
    assert "4,001.00" in everything.out

    sheet = await ask(solo, "debt", "lines", "--csv")
    rows = list(csv.reader(io.StringIO(sheet.out)))
    assert [row[0] for row in rows] == ["asset", BILL, BOND, SLOW]
    assert rows[3][5] == "4001.00"

    service = await ask(solo, "debt", "service", "--by", "year", "--json")
    assert list(service.json) == ["today", "service", "height", "block_id", "time"]
    assert sum(Decimal(each["principal"]) for each in service.json["service"]) == 12_001

    unsaid = await ask(solo, "debt", "--csv")
    assert unsaid.code == Exit.USAGE
    assert "expected one of lines, ladder, service, cost" in unsaid.err
    both = await ask(solo, "debt", "cost", "--csv", "--json")
    assert both.code == Exit.USAGE
    assert "expected one of them at most" in json.loads(both.err)["error"]["message"]


async def test_what_participants_wrote_is_no_formula_in_a_sheet(solo: Solo) -> None:
    assert (await lines(solo))[BILL]["name"] == "=Treasury bill"

    for words in (("debt", "lines"), ("calendar", "list"), ("auction", "list"), ("schedule", BOND)):
        sheet = await ask(solo, *words, "--csv")
        assert sheet.code == Exit.OK, sheet.err
        assert sheet.out.endswith("\r\n")
        for row in csv.reader(io.StringIO(sheet.out)):
            assert not any(cell.startswith("=") for cell in row)
