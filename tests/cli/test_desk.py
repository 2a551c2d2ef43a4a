"""What a ministry does on its desk, by commands: define, plan, announce, decide."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from node.cli.auction.plan import read_plan
from node.cli.exits import CommandError, Exit
from node.codec import encode, replace
from node.ledger.auctions.records import AuctionResult
from node.ledger.auctions.terms import Form
from node.ledger.dates import Holiday, from_date
from node.ledger.operations import AmendCalendar
from node.ledger.tables import AUCTIONS, name_key
from node.storage import layout
from tests.chain.town import BANK, CASH, address_of
from tests.cli.desk import CENTRAL, KARACHI, MINISTRY, Desk, isin_of, open_desk
from tests.cli.terminals import shown
from tests.docs.blocks import ROOT, block
from tests.docs.shell import surroundings


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def test_bill_from_its_definition_to_its_result(desk: Desk, tmp_path: Path) -> None:
    defined = await desk.define("MTB-3M", "bill", "--tenor", "84d")
    assert defined.code == Exit.OK, defined.err
    opens = (desk.now + timedelta(hours=1)).replace(microsecond=0)
    words = (
        *("auction", "announce", "mtb-3m-1", "--asset", "MTB-3M", "--target", "20000"),
        *("--opens", opens.isoformat(), "--closes", "+90m", "--reference", "mtb-3m"),
        *("--noncompetitive", "15", "--noncompetitive-most", "5000"),
    )
    drawn = await desk.run(*words, "--account", desk.ministry, "--dry-run")
    assert drawn.code == Exit.OK, drawn.err
    operation = json.loads(drawn.out)
    assert operation["type"] == "announce_auction"
    assert "20,000 in multiples of 5,000.00, paid in PKR" in drawn.err
    assert "company, person; 15 % of the target, each from 5,000.00 to 5,000" in drawn.err

    announced = await desk.together(*words)
    assert announced.code == Exit.OK, announced.err
    [shown] = (await desk.solo.call("khz_auctions"))["auctions"]
    terms = (await desk.solo.call("khz_auction", {"auction": "mtb-3m-1"}))["auction"]["terms"]
    # What is not said: the cash of its currency, the line's multiple and calendar, the next day.
    assert (terms["cash"], terms["multiple"], terms["calendar"]) == (CASH, "5000.00", "pakistan")
    assert (terms["kinds"], terms["noncompetitive_kinds"]) == (["bank"], ["company", "person"])
    assert (terms["method"], terms["noncompetitive_price"]) == ("multiple_price", "average")
    assert shown["settlement_day"] > f"{opens.date()}"

    again = await desk.together(*words)
    assert again.code == Exit.REFUSED
    assert "mtb-3m-1" in again.err
    early = await desk.alone("auction", "decide", "mtb-3m-1", "--cut-off", "97.5")
    assert early.code == Exit.REFUSED

    await desk.pass_by(1)
    bank = ("--account", desk.solo.address("a0", BANK), "--bids", tmp_path / "bids")
    for price in ("97.5", "97.25"):
        bid = ("auction", "bid", "mtb-3m-1", "--price", price, "--face", "10000", *bank)
        assert (ran := await desk.run(*bid, by=("a0",))).code == Exit.OK, ran.err
    await desk.pass_by(1.6)
    assert (await desk.run("auction", "reveal", "mtb-3m-1", *bank, by=("a0",))).code == Exit.OK
    await desk.pass_by(1.1)

    neither = await desk.alone("auction", "decide", "mtb-3m-1")
    fine = await desk.alone("auction", "decide", "mtb-3m-1", "--cut-off", "97.12345")
    other = await desk.alone("auction", "decide", "mtb-3m-1", "--cut-off", "97.3")
    decided = await desk.alone("auction", "decide", "mtb-3m-1", "--cut-off", "97.5", "--json")
    assert (neither.code, fine.code, other.code) == (Exit.USAGE, Exit.USAGE, Exit.REFUSED)
    assert decided.code == Exit.OK, decided.err
    assert "bid for at 97.5000 or better  10,000.00" in decided.err
    assert decided.json["events"][0]["competitive"] == "10000.00"


async def test_an_act_of_two_offices_goes_one_of_three_ways(desk: Desk) -> None:
    """The block of the page, as it stands, at a terminal that asks for the passphrases."""
    for asset in ("MTB-3M-0511", "MTB-3M-0525"):
        assert (await desk.define(asset, "bill", "--tenor", "84d")).code == Exit.OK
    first = await desk.together(
        *("auction", "announce", "mtb-3m-574", "--asset", "MTB-3M-0511", "--target", "20000"),
        *("--opens", "+1h", "--closes", "+90m"),
    )
    assert first.code == Exit.OK, first.err
    (desk.folder / f"{CENTRAL}.json").rename(desk.folder / "bank.json")
    (desk.folder / f"{MINISTRY}.json").rename(desk.folder / "ministry.json")
    variables = surroundings(
        KHAZANA_URL=desk.solo.url, MINISTRY=desk.ministry, BANK=desk.central, PYTHONPATH=str(ROOT)
    )
    command = ["bash", "-euo", "pipefail", "-c", block("node/cli/README.md", "announce=")]

    with shown(command, variables, folder=desk.folder) as terminal:
        for key in ("ministry.json", "ministry.json", "bank.json"):
            await asyncio.to_thread(terminal.until, f"Passphrase of {key}: ".encode())
            terminal.type(b"open sesame\n")
        assert await asyncio.to_thread(terminal.end) == Exit.OK, terminal.written.decode()

    drawn = json.loads((desk.folder / "announce.json").read_text())
    announced = (await desk.solo.call("khz_auction", {"auction": "mtb-3m-575"}))["auction"]["terms"]
    [proposed] = (await desk.solo.call("khz_proposals"))["proposals"]
    assert (drawn["type"], drawn["terms"]["target"]) == ("announce_auction", "40000")
    assert (announced["asset"], announced["target"]) == ("MTB-3M-0525", "40000.00")
    assert [each["type"] for each in proposed["operations"]] == ["announce_auction"]


async def test_next_auction_is_like_the_one_before(desk: Desk) -> None:
    for asset in ("MTB-A", "MTB-B"):
        assert (await desk.define(asset, "bill", "--tenor", "84d")).code == Exit.OK
    first = await desk.together(
        *("auction", "announce", "mtb-1", "--asset", "MTB-A", "--target", "20000"),
        *("--opens", "+1h", "--closes", "+90m", "--reveals-until", "+30m", "--settles", "+1d"),
        *("--bidders", "bank", "--bidders", "company", "--bidder-share", "25", "--quantum", "0.01"),
        *("--failing-days", "30", "--method", "uniform", "--reallotment", "cut-short"),
    )
    assert first.code == Exit.OK, first.err
    second = await desk.together(
        *("auction", "announce", "mtb-2", "--like", "mtb-1", "--asset", "MTB-B"),
        *("--target", "40000", "--opens", "+1d", "--closes", "+90m", "--bidder-share", "50"),
    )
    assert second.code == Exit.OK, second.err
    # The account is taken over as well, whoever announces: so it is shown.
    assert f"proceeds        {desk.ministry}" in second.err
    # Nor can any of the rule be changed afterwards.
    for told in (
        "prices per hundred, in multiples of 0.01",
        "shared pro rata in steps of 5,000.00",
        "goes to who was cut short at the cut-off",
        "for 30 days who does not pay",
    ):
        assert told in second.err

    one, two = [
        (await desk.solo.call("khz_auction", {"auction": name}))["auction"]["terms"]
        for name in ("mtb-1", "mtb-2")
    ]
    own = {"asset", "target", "bidder_share_bps", *_moments(one)}
    assert {k: v for k, v in one.items() if k not in own} == {
        k: v for k, v in two.items() if k not in own
    }
    assert (one["bidder_share_bps"], two["bidder_share_bps"]) == (2_500, 5_000)
    assert two["reallotment"] == "cut_short"
    for stage in ("reveals_until", "decides_until", "settles"):
        lasts = [_moments(each)[stage] - _moments(each)["closes"] for each in (one, two)]
        assert lasts[0] == lasts[1]


async def test_settlement_is_counted_in_business_days_from_the_cut_off(desk: Desk) -> None:
    """Sold on a Friday, delivered on a Monday, or a day later where that is a holiday."""
    assert (await desk.define("MTB-3M", "bill", "--tenor", "84d")).code == Exit.OK
    ahead = (4 - desk.now.weekday()) % 7 or 7
    friday = (desk.now + timedelta(days=ahead)).date()
    holidays = {
        each["day"]
        for each in (await desk.solo.call("khz_calendar", {"calendar": "pakistan"}))["calendar"][
            "holidays"
        ]
    }

    async def settles(closes: str, cycle: str) -> str:
        ran = await desk.run(
            *("auction", "announce", "a", "--asset", "MTB-3M", "--target", "20000"),
            *("--opens", "+1h", "--closes", closes, "--settles", cycle),
            *("--account", desk.ministry, "--dry-run"),
        )
        assert ran.code == Exit.OK, ran.err
        local = datetime.fromisoformat(json.loads(ran.out)["terms"]["settles"]) + KARACHI
        assert local.time() == datetime.min.time()
        return str(local.date())

    def expected(count: int, first: date) -> str:
        day = first - timedelta(days=1)
        for _ in range(count + 1):  # the business day to which it belongs, and those after it
            day += timedelta(days=1)
            while day.weekday() > 4 or str(day) in holidays:
                day += timedelta(days=1)
        return str(day)

    for moment, first in (
        (f"{friday}T11:00", friday),
        (f"{friday}T23:59", friday),
        (f"{friday + timedelta(days=1)}T11:00", friday + timedelta(days=1)),
    ):
        for count in (1, 2):
            assert await settles(moment, f"T+{count}") == expected(count, first)


async def test_every_form_is_announced(desk: Desk) -> None:
    kinds = {
        "PIB": ("bond", "--rate", "11.5"),
        "NEW": ("bond", "--rate", "0"),
        "PFL": ("bond", "--reference", "mtb-6m", "--cap", "20"),
        "GIS": ("sukuk", "--rate", "10.9", "--pool", f"M-2 motorway={desk.document}"),
    }
    for asset, (kind, *words) in kinds.items():
        ran = await desk.define(asset, kind, *words, "--tenor", "5y")
        assert ran.code == Exit.OK, ran.err
    issued = await desk.run(
        *("tx", "issue", "--asset", "PIB", "--amount", "20000"),
        *(
            "--to",
            desk.solo.address("a0", BANK),
            "--account",
            desk.ministry,
            "--approver",
            desk.central,
        ),
        by=(MINISTRY, CENTRAL),
    )
    assert issued.code == Exit.OK, issued.err
    forms: dict[str, tuple[str, tuple[str, ...]]] = {
        "rate": ("NEW", ()),
        "margin": ("PFL", ()),
        "buyback": ("PIB", ()),
        "switch": ("PIB", ("--destination", "GIS", "--destination-price", "99.25")),
        "price": ("GIS", ()),
    }
    for form, (asset, more) in forms.items():
        ran = await desk.together(
            *("auction", "announce", f"a-{form}", "--asset", asset, "--target", "10000"),
            *("--form", form, "--opens", "+1h", "--closes", "+2h", *more),
        )
        assert ran.code == Exit.OK, (form, ran.err)
    found = {
        each["form"]: (await desk.solo.call("khz_auction", {"auction": each["auction"]}))
        for each in (await desk.solo.call("khz_auctions"))["auctions"]
    }
    terms = {form: each["auction"]["terms"] for form, each in found.items()}
    assert terms.keys() == forms.keys()
    assert {form: each["method"].removesuffix("_price") for form, each in terms.items()} == {
        "rate": "uniform",
        "margin": "uniform",
        "buyback": "multiple",
        "switch": "multiple",
        "price": "uniform",  # of a sukuk
    }
    assert terms["switch"]["destination"] == {"asset": "GIS", "price_e4": 992_500}
    # Announced days before the line is issued: it settles on that day.
    later = (desk.now + timedelta(days=9)).date()
    assert (await desk.define("BILL", "bill", "--tenor", "84d", "--issue", f"{later}")).code == 0
    ran = await desk.run(
        *("auction", "announce", "a-later", "--asset", "BILL", "--target", "10000", "--dry-run"),
        *("--opens", "+1h", "--closes", "+2h", "--account", desk.ministry),
    )
    assert json.loads(ran.out)["terms"]["settles"].startswith(f"{later - timedelta(days=1)}T19:00")
    assert (terms["margin"]["quantum_e4"], terms["price"]["quantum_e4"]) == (100, 1)


async def test_days_of_an_auction_that_are_none_of_business_are_said_before_it_is_signed(
    desk: Desk,
) -> None:
    """The market closes on Friday evening: of what lies after it, and at midnight, nothing is."""
    assert (await desk.define("MTB-3M", "bill", "--tenor", "84d")).code == Exit.OK
    assert (await desk.define("OLD", "bill", "--tenor", "84d", "--brought-back")).code == Exit.OK
    monday = desk.now.date() + timedelta(days=(7 - desk.now.weekday()) % 7)
    friday, saturday, sunday = (monday + timedelta(days=days) for days in (4, 5, 6))
    revealed = Holiday(day=from_date(friday), provisional=True)
    amend = AmendCalendar(
        account=address_of(CENTRAL, CENTRAL),
        approvers=(),
        calendar="pakistan",
        version=1,
        withdrawn=(),
        holidays=(revealed,),
    )

    async def noted(asset: str, **moments: str) -> list[str]:
        options = [
            each for name, at in moments.items() for each in (f"--{name.replace('_', '-')}", at)
        ]
        ran = await desk.run(
            *("auction", "announce", "a", "--asset", asset, "--target", "20000", *options),
            *("--account", desk.ministry, "--dry-run"),
        )
        assert ran.code == Exit.OK, ran.err
        return [line for line in ran.err.splitlines() if line.startswith("no business")]

    week = {"opens": f"{monday}T10:00", "closes": "+2h"}
    midnight = week | {"decides_until": f"{saturday}T00:00", "settles": f"{saturday}T00:01"}
    weekend = {"opens": f"{friday}T20:00", "closes": "+5h", "settles": f"{sunday}T00:00"}
    [said] = await noted("MTB-3M", **midnight)
    [unmoved] = await noted("OLD", **midnight)
    [several] = await noted("MTB-3M", **weekend)

    assert await noted("MTB-3M", **week) == []
    after = f"{monday + timedelta(days=7):%a %Y-%m-%d}"
    moved = f"settles, which moves to {after}"
    assert said.endswith(f"  Sat {saturday} (weekend): {moved}, by calendar pakistan")
    assert "settles, the auction has no calendar, so this is not moved" in unmoved
    assert f"Sat {saturday} (weekend): closes, opened until, decided until; " in several
    assert f"Sun {sunday} (weekend): {moved}" in several
    committed = await desk.solo.town.decide(desk.solo.town.transaction([amend], (CENTRAL,)))
    assert [each.outcome for each in committed.candidate.receipts] == [0]
    [holiday] = await noted("MTB-3M", **weekend)
    assert f"  Fri {friday} (provisional holiday): opens; Sat {saturday} (weekend)" in holiday


async def test_auctions_are_listed_with_the_yield_of_what_was_decided(desk: Desk) -> None:
    """Of a bill, of a bond below par, and none of a rate, which is one itself."""
    chain, store = desk.solo.town.chain, desk.solo.town.store
    kinds = {"BILL": ("bill", "--tenor", "84d"), "PIB": ("bond", "--rate", "11", "--tenor", "5y")}
    for asset, (kind, *terms) in kinds.items():
        assert (await desk.define(asset, kind, *terms)).code == Exit.OK
    for name, asset in (("a-bill", "BILL"), ("b-bond", "PIB"), ("d-open", "PIB")):
        announced = await desk.together(
            *("auction", "announce", name, "--asset", asset, "--target", "20000"),
            *("--opens", "+1h", "--closes", "+2h"),
        )
        assert announced.code == Exit.OK, announced.err
    decided = {}
    for name, cut_off_e4 in (("a-bill", 975_000), ("b-bond", 982_500)):
        record = chain.record(AUCTIONS, name_key(name))
        assert record is not None
        result = AuctionResult(
            asset=record.terms.asset,
            cut_off_e4=cut_off_e4,
            average_price_e4=cut_off_e4,
            average_yield_e4=None,
            noncompetitive_price_e4=cut_off_e4,
            competitive=0,
            noncompetitive=0,
            settlement_day=from_date(desk.now.date()) + 1,
            decided_ms=1,
        )
        decided[name] = replace(record, result=result)
    bond = decided["b-bond"]
    decided["c-rate"] = replace(bond, terms=replace(bond.terms, form=Form.RATE))
    store.write(
        [
            (layout.state_key(AUCTIONS.prefix + name_key(name)), encode(record))
            for name, record in decided.items()
        ],
        sync=False,
    )

    table = await desk.run("auction", "list")
    sheet = await desk.run("auction", "list", "--csv")
    facts = (await desk.run("auction", "list", "--json")).json["auctions"]

    assert table.code == Exit.OK, table.err
    # 100 / 97.5 in 84 of 365 days, and what QuantLib's street convention makes of 11 % at 98.25.
    assert [each["cut_off_yield"] for each in facts] == ["11.1416", "11.4696", None, None]
    assert [line.split(",")[-2:] for line in sheet.out.splitlines()] == [
        ["cut_off", "cut_off_yield"],
        ["97.5000", "11.1416"],
        ["98.2500", "11.4696"],
        ["98.2500", ""],
        ["", ""],
    ]
    lines = table.out.splitlines()
    assert lines[0].endswith("cut-off    its yield")
    for name, ending in (
        ("a-bill", "97.5000    11.1416 %"),
        ("b-bond", "98.2500    11.4696 %"),
        ("c-rate", "98.2500 %  -"),
        ("d-open", "-          -"),
    ):
        assert next(line for line in lines if line.startswith(name)).rstrip().endswith(ending)


_LATER: Final = ("--opens", "+1h", "--closes", "+2h")


async def test_a_definition_that_is_refused_is_told_in_units_of_what_it_would_define(
    desk: Desk,
) -> None:
    """Nothing on the ledger says its decimals yet: the definition does."""
    odd = await desk.define("MTB-3M", "bill", "--tenor", "84d", "--ceiling", "1000001.5")
    nothing = await desk.define("MTB-3M", "bill", "--tenor", "84d", "--multiple", "0")

    assert (odd.code, nothing.code) == (Exit.REFUSED, Exit.REFUSED)
    told = "1000001.50 is not a multiple of 5000.00, the legal denomination of MTB-3M"
    assert told in json.loads(odd.err)["error"]["message"]
    told = "The field multiple is 0.00 MTB-3M; more than nothing is expected"
    assert told in json.loads(nothing.err)["error"]["message"]


async def test_announcements_that_cannot_be(desk: Desk) -> None:
    assert (await desk.define("MTB-3M", "bill", "--tenor", "84d")).code == Exit.OK
    words = ("auction", "announce", "a", "--asset", "MTB-3M", "--target", "20000")

    for more, said in (
        (("--opens", "tomorrow", "--closes", "+2h"), "--opens is 'tomorrow'"),
        (("--opens", "+1h", "--closes", "+0m"), "closes is"),
        ((*_LATER, "--quantum", "0.00001"), "--quantum is 0.00001; expected from 0.0001 to 100"),
        ((*_LATER, "--noncompetitive", "10"), "without --noncompetitive-most"),
        ((*_LATER, "--noncompetitive-most", "5000"), "found --noncompetitive-most, and no share"),
        ((*_LATER, "--noncompetitive-kind", "person"), "found --noncompetitive-kind, and no share"),
        (
            (*_LATER, "--noncompetitive", "0", "--oversubscription", "pro-rata"),
            "found --oversubscription, and no share",
        ),
        ((*_LATER, "--destination", "GIS"), "only a switch"),
        ((*_LATER, "--form", "switch"), "names the line that is given"),
        ((*_LATER, "--propose"), "--propose and --approver"),
        ((*_LATER, "--like", "none"), "none"),
        ((*_LATER, "--quantum", "0"), "--quantum is 0; expected from 0.0001"),
        ((*_LATER, "--bidder-share", "101"), "--bidder-share is 101; expected from 0.01 to 100"),
        ((*_LATER, "--noncompetitive", "51"), "--noncompetitive is 51; expected from 0 to 50"),
        ((*_LATER, "--asset", CASH), "is cash; expected the code of a bill"),
        ((*_LATER, "--settles", "T+0"), "or such as T+1, up to T+99"),
        ((*_LATER, "--settles", "T+1", "--calendar", "nowhere"), "nowhere"),
        (("--opens", "9999-12-31T23:00Z", "--closes", "+30m"), "beyond the days that there are"),
        (("--opens", "9999-12-31T20:00", "--closes", "+2h"), "beyond the days that there are"),
    ):
        ran = await desk.together(*words, *more)
        assert ran.code in {Exit.USAGE, Exit.REFUSED}, more
        assert said in ran.err, more


async def test_other_office_approves_what_was_proposed(desk: Desk) -> None:
    proposed = await desk.alone(
        *("security", "define", "MTB-3M", "--kind", "bill", "--name", "Bill", "--tenor", "3m"),
        *("--issue", f"{desk.now.date() + timedelta(days=1)}", "--document", desk.document),
        *("--multiple", "5000", "--ceiling", "100000", "--cash", CASH, "--propose", "--json"),
        *("--isin", isin_of("MTB-3M")),
    )
    assert proposed.code == Exit.OK, proposed.err
    assert proposed.json["state"] == "open"

    approved = await desk.run(
        *("tx", "approve", proposed.json["proposal"], "--account", desk.central), by=(CENTRAL,)
    )
    again = await desk.run(
        *("tx", "approve", proposed.json["proposal"], "--account", desk.central), by=(CENTRAL,)
    )

    assert approved.code == Exit.OK, approved.err
    assert "applied in block" in approved.out
    assert again.code == Exit.REFUSED
    asset = (await desk.solo.call("khz_asset", {"asset": "MTB-3M"}))["asset"]
    assert asset["issuer"] == MINISTRY
    # What takes no other office is applied at once.
    plan = desk.folder / "plan.csv"
    plan.write_text(_PLAN.format(day=desk.now.date() + timedelta(days=9)))
    published = await desk.alone("auction", "plan", "q1", plan, "--cash", CASH, "--propose")
    assert published.code == Exit.OK, published.err
    assert "it took no other office" in published.out


async def test_definitions_that_cannot_be(desk: Desk) -> None:
    for kind, words, said in (
        ("bill", ("--tenor", "84d", "--rate", "1"), "pays nothing but its face"),
        ("bill", (), "either --matures or --tenor"),
        ("bond", ("--tenor", "5w"), "--tenor is '5w'"),
        ("bond", ("--tenor", "5y", "--rate", "100.5"), "--rate is 100.5 %"),
        ("bond", ("--tenor", "5y", "--brought-back"), "--brought-back is of bills"),
        ("bond", ("--tenor", "5y", "--rate", "1", "--reference", "r"), "expected one of them"),
        ("bond", ("--tenor", "5y", "--step", "2029-01-01=2"), "--step without --rate"),
        ("bond", ("--tenor", "5y", "--rate", "1", "--step", "soon=2"), "--step soon=2"),
        ("bond", ("--tenor", "5y", "--face-unit", "0"), "--face-unit is 0"),
        ("bond", ("--tenor", "5y", "--face-unit", "0.001"), "more decimals than the"),
        ("bond", ("--tenor", "5y", "--face-unit", "a rupee"), "not an amount"),
        (
            "bond",
            ("--tenor", "5y", "--rate", "1", "--floor", "0", "--cap", "9"),
            "found --floor, --cap, and the rate does not float",
        ),
        ("bond", ("--tenor", "5y", "--months", "3"), "found --months, and it pays its face alone"),
        ("bond", ("--tenor", "5y", "--end-of-month"), "found --end-of-month, and it pays its face"),
        (
            "bill",
            ("--tenor", "84d", "--brought-back", "--roll", "none"),
            "found --roll, and --brought-back is not paid by the ledger",
        ),
        ("sukuk", ("--tenor", "5y"), "names the assets that are let"),
        ("sukuk", ("--tenor", "5y", "--pool", "road"), "--pool is 'road'"),
    ):
        ran = await desk.define("NEW", kind, *words)
        assert ran.code == Exit.USAGE, words
        assert said in ran.err, words


async def test_terms_that_are_said_are_those_of_the_line(desk: Desk) -> None:
    later = desk.now.date().replace(year=desk.now.year + 2)
    stepped = await desk.define(
        *("STEP", "bond", "--tenor", "5y", "--rate", "10", "--step", f"{later}=12.5"),
        *("--months", "3", "--day-count", "30/360", "--record-days", "5"),
        *("--pricing-day-count", "30E/360", "--face-unit", "0.5"),
        *("--roll", "modified-following", "--order", "shift-then-calculate", "--end-of-month"),
    )
    zero = await desk.define("ZERO", "sukuk", "--tenor", "12m", "--pool", f"A={desk.document}")
    plain = await desk.define("OLD", "bill", "--tenor", "84d", "--brought-back", dry=True)

    assert (stepped.code, zero.code) == (Exit.OK, Exit.OK), stepped.err + zero.err
    asset = (await desk.solo.call("khz_asset", {"asset": "STEP"}))["asset"]
    assert asset["face_unit"] == "0.50"
    assert (await desk.solo.call("khz_asset", {"asset": "ZERO"}))["asset"]["face_unit"] == "1.00"
    plan = asset["terms"]["plan"]
    assert [each["rate_ppm"] for each in plan["rates"]] == [100_000, 125_000]
    assert (plan["months"], plan["day_count"], plan["record_days"]) == (3, "30/360", 5)
    assert plan["pricing_day_count"] == "30E/360"
    assert (plan["roll"], plan["order"]) == ("modified-following", "shift-then-calculate")
    assert plan["end_of_month"] is True
    payments = (await desk.solo.call("khz_schedule", {"asset": "ZERO"}))["payments"]
    assert [each["principal_per_hundred"] for each in payments] == ["100.000000"]
    assert json.loads(plain.out)["terms"]["type"] == "bill_terms"


async def test_calls_and_instalments_are_terms_that_options_say(desk: Desk) -> None:
    first = desk.now.date().replace(year=desk.now.year + 2)
    last = first.replace(year=first.year + 2)
    right = await desk.define(
        *("CALL", "bond", "--tenor", "5y", "--rate", "10"),
        *("--callable", f"{first}..{last}=101.5", "--callable", f"{last.replace(day=28)}=100"),
        *("--call-notice-days", "14", "--call-in-part"),
        dry=True,
    )
    paid_off = await desk.define(
        *("AMORT", "bond", "--tenor", "2y", "--rate", "10"),
        *("--instalment", "1=25", "--instalment", "3=12.5"),
    )

    call = json.loads(right.out)["terms"]["plan"]["call"]
    assert [each["price_e4"] for each in call["windows"]] == [1_015_000, 1_000_000]
    assert (call["notice_days"], call["in_part"]) == (14, True)
    assert paid_off.code == Exit.OK, paid_off.err
    payments = (await desk.solo.call("khz_schedule", {"asset": "AMORT"}))["payments"]
    repaid = [Decimal(each["principal_per_hundred"]) for each in payments]
    assert repaid == [25, 0, Decimal("12.5"), Decimal("62.5")]
    for words, said in (
        (("--callable", "soon=101"), "--callable soon=101"),
        (("--callable", "2029-02-30=101"), "--callable 2029-02-30=101"),
        (("--callable", "2029-02-11"), "--callable is '2029-02-11'"),
        (("--callable", "2029-02-11=-1"), "--callable is"),
        (("--callable", "2029-02-11=101.00001"), "--callable is"),
        (("--call-in-part",), "found --call-in-part, and nothing is to be called"),
        (("--instalment", "0=5"), "--instalment is '0=5'"),
        (("--instalment", "1=101"), "--instalment is 101 %"),
        (("--instalment", "٣=5"), "--instalment is"),
    ):
        ran = await desk.define("NEW", "bond", "--tenor", "5y", "--rate", "1", *words)
        assert ran.code == Exit.USAGE, words
        assert said in ran.err, (words, ran.err)


_PLAN: Final = "day,settlement_day,kind,tenor_months,target,provisional\n{day},{day},bill,3,500,yes"


async def test_plan_goes_out_as_a_table_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    day = desk.now.date() + timedelta(days=9)
    file = tmp_path / "plan.csv"
    file.write_text(_PLAN.format(day=day) + f"\n{day},{day},bill,1,100,\n")

    first = await desk.alone("auction", "plan", "q1", file, "--cash", CASH, "--json")
    printed = await desk.run("auction", "calendar", "--plan", "--csv")
    file.write_text(printed.out.replace("500", "700"))
    second = await desk.alone("auction", "plan", "q1", file, "--cash", CASH, "--json")
    [plan] = (await desk.solo.call("khz_auctionPlans"))["plans"]
    gone = await desk.alone("auction", "plan", "q1", "--withdraw", "--json")
    unknown = await desk.alone("auction", "plan", "q2", file, "--cash", "NONE")

    assert (first.code, second.code, gone.code) == (Exit.OK,) * 3, first.err + second.err
    assert [(each["tenor_months"], each["target"]) for each in plan["auctions"]] == [
        (1, "100.00"),
        (3, "700.00"),
    ]
    assert [each["provisional"] for each in plan["auctions"]] == [False, True]
    assert gone.json["events"][0]["version"] == 3
    assert unknown.code == Exit.REFUSED
    assert "NONE" in unknown.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,kind\n", "has no column settlement_day, tenor_months, target"),
        ("day,settlement_day,kind,tenor_months,target\n2027-01-01", "tenor_months is ''"),
        (_PLAN.format(day="2027-01-01").replace("yes", "perhaps"), "expected yes or no"),
        ("\N{DIAMETER SIGN}".join(["day"] * 22_000), "more than 65536 bytes"),
    ],
)
def test_table_that_is_no_plan(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plan.csv"
    file.write_text(text)

    with pytest.raises(CommandError, match=said):
        read_plan(file, CASH)

    with pytest.raises(CommandError, match="cannot be read"):
        read_plan(tmp_path / "none.csv", CASH)


async def test_bill_that_is_brought_back(desk: Desk) -> None:
    """The ledger does not pay it, and its schedule says so: one row, on the day of its terms."""
    assert (await desk.define("OLD", "bill", "--tenor", "84d", "--brought-back")).code == Exit.OK
    issued = await desk.together(
        *("tx", "issue", "--asset", "OLD", "--amount", "10000", "--to", desk.ministry)
    )
    assert issued.code == Exit.OK, issued.err

    debt = await desk.run("debt")
    matures = (desk.now + timedelta(days=1 + 84)).date()
    schedule = await desk.run("schedule", "OLD")
    sheet = (await desk.run("schedule", "OLD", "--csv")).out.splitlines()
    facts = (await desk.run("schedule", "OLD", "--json")).json
    early = await desk.together("security", "redeem", "OLD", "10000")
    await desk.pass_by(86 * 24)
    redeemed = await desk.together("security", "redeem", "OLD", "10000", "--json")

    assert "brought back by holders and redeemed: OLD" in debt.out
    assert schedule.code == Exit.OK, schedule.err
    assert "bring it back to its issuer" in schedule.out
    assert f"1  {matures:%a %Y-%m-%d}" in schedule.out
    assert sheet[1:] == [f"1,,{matures},{matures},,,0.0000,,0.0000000000,100.000000,100.0000,,,,,,"]
    [payment] = facts["payments"]
    assert (facts["kind"], facts["brought_back"]) == ("bill", True)
    assert (payment["nominal_day"], payment["payment_day"]) == (f"{matures}",) * 2
    assert early.code == Exit.REFUSED
    assert redeemed.code == Exit.OK, redeemed.err
    assert redeemed.json["events"][0]["supply"] == "0.00"


async def test_what_is_not_late_is_not_funded(desk: Desk) -> None:
    assert (await desk.define("PIB", "bond", "--rate", "11", "--tenor", "5y")).code == Exit.OK

    ran = await desk.alone("security", "fund", "PIB")

    assert ran.code == Exit.REFUSED


async def test_what_is_late_is_told_before_it_is_paid(desk: Desk) -> None:
    assert (await desk.define("MTB-3M", "bill", "--tenor", "84d")).code == Exit.OK
    issued = await desk.together(
        *("tx", "issue", "--asset", "MTB-3M", "--amount", "10000", "--to", desk.central)
    )
    assert issued.code == Exit.OK, issued.err
    early = await desk.alone("security", "fund", "MTB-3M")
    await desk.pass_by(86 * 24)

    ran = await desk.alone("security", "fund", "MTB-3M")

    assert "payment 1" not in early.err.replace("Payment 1", "")
    assert f"payment 1 of MTB-3M, in grace: 10,000.00 {CASH} from {desk.ministry}" in ran.err


def _moments(terms: dict[str, Any]) -> dict[str, datetime]:
    names = ("opens", "closes", "reveals_until", "decides_until", "settles")
    return {name: datetime.fromisoformat(terms[name]) for name in names}
