"""The pages of the debt: sums, drawings, auctions worked out again, and their bounds."""

import json
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from node.chain import Chain
from node.cli.auction.result import with_yields
from node.codec import Record, encode, replace
from node.debt import CURVES, KINDS, average_yield_at
from node.explorer import securities as room
from node.explorer.catalogues import catalogues
from node.explorer.charts import LABELS_MAX, WIDTH, dotted, stacked
from node.explorer.contents import (
    AuctionContent,
    AuctionsContent,
    SecuritiesContent,
    SecurityContent,
)
from node.explorer.explorer import Asked, Explorer
from node.explorer.limits import (
    DEBT_CALLS_MAX,
    DEBT_KEPT_MS,
    PAGE_BYTES_MAX,
    PLAN_CALLS_MAX,
    ROWS_MAX,
)
from node.explorer.plots import rounded
from node.ledger.auctions import Destination, Form, due_for
from node.ledger.auctions.plans import PlanRecord
from node.ledger.auctions.records import AuctionRecord, LadderRecord
from node.ledger.auctions.switches import sums_of
from node.ledger.dates import from_date
from node.ledger.operations import DefineStrips
from node.ledger.tables import ASSETS, AUCTIONS, LADDERS, PLANS, ladder_key, name_key
from node.ledger.terms import CallWindow
from node.provision.pakistan import define_pakistan
from node.recomputing import FIGURES
from node.rpc import debt
from node.rpc.recomputing import PIECES_RECOMPUTED_MAX, RecomputedFigure, recomputing
from node.rpc.results import at_head
from node.storage import layout
from tests.chain.town import CASH, address_of, make_record
from tests.explorer.owing import (
    AUCTIONED,
    BIDS,
    BOND,
    PLAN,
    PLANNED,
    RUNNING,
    SOLD,
    SUKUK,
    TODAY,
    owe_serviced_bill,
)
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import BILL, Stage, plain, stage
from tests.explorer.widest import (
    widest_auctions,
    widest_ladder,
    widest_securities,
    widest_security,
)
from tests.ledger.debt import SERVICED_BILL, call, callable_bond
from tests.rpc.test_securities import BOTH, CENTRAL, MINISTRY, define

ROOTS = {"en": "", "ur": "/ur"}


def worked_out(chain: Chain, auction: str, record: AuctionRecord) -> list[RecomputedFigure]:
    """Return the figures of an auction that is decided and short."""
    work = recomputing(chain, auction, record)
    assert work is not None
    return work()


async def told(shown: Stage, path: str) -> dict[str, Any]:
    status, text = await shown.get(path)
    assert status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


async def test_what_is_owed_adds_up_and_is_drawn() -> None:
    async with stage() as shown:
        page = await told(shown, "/securities.json")
        [figures] = page["figures"]

        assert page["complete"]
        assert [line["asset"] for line in page["lines"]] == [SUKUK, BILL, AUCTIONED, BOND]
        assert Decimal(figures["outstanding"]) == sum(
            Decimal(line["outstanding"]) for line in page["lines"]
        )
        assert figures["coupon"] == "11.5000"
        assert figures["auction_yield"] == page["curve"][0]["average_yield"]
        assert [column["period"] for column in page["wall"]] == [
            *(f"{year}-Q{quarter}" for year, quarter in ((2020, 4), (2021, 1))),
            *(f"2021-Q{quarter}" for quarter in (2, 3, 4)),
            *(f"2022-Q{quarter}" for quarter in (1, 2, 3)),
        ]
        assert sum(Decimal(each["total"]) for each in page["wall"]) == Decimal(
            figures["outstanding"]
        )
        assert [each["months"] for each in page["curve"]] == [6]
        assert [each["auction"] for each in page["auctions"]] == [RUNNING, SOLD]
        assert [each["payment_day"] for each in page["payments"]] == sorted(
            each["payment_day"] for each in page["payments"]
        )
        for root in ROOTS.values():
            html = (await shown.get(f"{root}/securities"))[1]
            assert len(Parsed(html).all("svg")) == 2
            assert f'href="{root}/auctions/{SOLD}"' in html
            assert 'aria-current="page"' in html


async def test_an_auction_is_worked_out_again_from_its_ladder() -> None:
    async with stage() as shown:
        page = await told(shown, f"/auctions/{SOLD}.json")

        assert (
            [each["name"] for each in page["figures"]]
            == [
                *FIGURES[: FIGURES.index("accrued")],  # a bill: nothing accrues
                *FIGURES[FIGURES.index("settled") : FIGURES.index("issued")],
            ]
        )
        assert all(each["agrees"] for each in page["figures"])
        assert page["rows"] == BIDS
        assert [each["position"] for each in page["ladder"]] == list(range(1, ROWS_MAX + 1))
        rest = await told(shown, f"/auctions/{SOLD}.json?index={page['next_row']}")
        assert [each["position"] for each in rest["ladder"]] == list(range(ROWS_MAX + 1, BIDS + 1))
        assert rest["next_row"] is None
        # 182 days from the settlement: the lower the price, the higher the yield.
        first = page["ladder"][0]
        days = (date.fromisoformat("2021-03-14") - date.fromisoformat("2020-09-13")).days
        price = Decimal(first["row"]["price"])
        expected = (100 / price - 1) * 365 / days * 100
        assert abs(Decimal(first["yield_percent"]) - expected) < Decimal("0.0001")
        html = (await shown.get(f"/auctions/{SOLD}"))[1]
        assert ">Yield</th>" in html
        assert "Every figure comes out as it was published." in html
        assert 'class="cut"' in html
        running = (await shown.get(f"/auctions/{RUNNING}"))[1]
        assert "The ladder is there once the book is complete." in running


async def test_a_result_that_its_ladder_does_not_come_to_is_told_in_red() -> None:
    async with stage() as shown:
        chain = shown.solo.town.chain
        record = chain.record(AUCTIONS, name_key(SOLD))
        assert record is not None
        assert record.result is not None

        def differing(**wrong: int) -> list[str]:
            assert record is not None
            assert record.result is not None
            published = replace(record, result=replace(record.result, **wrong))
            figures = worked_out(chain, SOLD, published)
            return [each.name for each in figures if not each.agrees]

        assert differing() == []
        assert differing(average_price_e4=1) == ["average_price"]
        assert differing(competitive=1, noncompetitive=1) == ["competitive", "noncompetitive"]
        assert differing(cut_off_e4=record.result.cut_off_e4 + 137) == [
            "cut_off",
            "average_price",
            "noncompetitive_price",
            "competitive",
            "rows",
            "average_yield",
        ]
        assert differing(cut_off_e4=1) == ["cut_off"]  # no bid has it
        summed = worked_out(chain, SOLD, replace(record, paid=1, settled=2, failed=3))
        assert [each.name for each in summed if not each.agrees] == ["settled", "failed", "paid"]
        for root in ROOTS.values():
            html = await rendered(
                shown, root, widest_ladder(at_head(chain.head), {"asset": BILL, "form": "price"})
            )
            assert 'class="verdict bad"' in html


async def test_what_is_no_auction_and_no_cursor_is_refused() -> None:
    async with stage() as shown:
        for path, status in (
            ("/auctions/none", 404),
            (f"/auctions/{'x' * 33}", 400),
            (f"/auctions/{SOLD}?index=-1", 400),
            (f"/auctions/{SOLD}?index={BIDS + 1}", 400),
            (f"/securities?after={'x' * 33}", 400),
            ("/auctions?after=", 400),
        ):
            assert (await shown.get(path))[0] == status, path


async def test_a_bond_says_which_strips_there_are_of_it() -> None:
    async with stage() as shown:
        town = shown.solo.town
        ministry, central = (
            address_of(office, office) for office in ("finance-ministry", "central-bank")
        )
        before = await told(shown, f"/securities/{BOND}.json")
        registered = DefineStrips(
            account=ministry,
            approvers=(central,),
            asset=BOND,
            series="PIBS",
            term_sheet_hash=bytes(32),
        )
        town.clock.advance(1_000)
        both = ("finance-ministry", "central-bank")
        committed = await town.decide(town.transaction([registered], both))
        assert committed.candidate.receipts[0].outcome == 0

        page = await told(shown, f"/securities/{BOND}.json")

        assert before["strips"] is None
        assert len(page["strips"]["coupons"]) == len(page["schedule"]["payments"])
        for root in ROOTS.values():
            status, html = await shown.get(f"{root}/securities/{BOND}")
            assert status == 200
            assert Parsed(html).faults == []
            assert f'href="{root}/assets/{BOND}-P"' in html
            assert "92,233,720," not in (await shown.get(f"{root}/assets"))[1]
        coupon = page["strips"]["coupons"][0]["asset"]
        assert (await told(shown, f"/assets/{coupon}.json"))["asset"]["ceiling"] == (
            "92233720368547758.07"
        )
        assert (await told(shown, f"/securities/{BOND}-P.json"))["strips"] is None


async def test_a_security_says_what_it_pays_and_when() -> None:
    async with stage() as shown:
        page = await told(shown, f"/securities/{BOND}.json")
        schedule = await shown.solo.call("khz_schedule", {"asset": BOND})

        assert page["schedule"]["payments"] == schedule["payments"]
        assert page["next_row"] is None
        assert f'href="/securities/{BOND}"' in (await shown.get("/securities"))[1]
        for path, status in (
            (f"/securities/{CASH}", 400),  # cash pays nothing
            ("/securities/NONE", 404),
            (f"/securities/{BOND}?index=5", 400),
        ):
            assert (await shown.get(path))[0] == status, path
        _, html = await shown.get(f"/securities/{BOND}")
        moved = [each for each in schedule["payments"] if each["passed"]]
        assert moved
        assert html.count("by the terms") == len(moved)
        assert "weekend" in html
        last = await told(shown, f"/securities/{BOND}.json?index=3")
        assert [each["number"] for each in last["schedule"]["payments"]] == [4]


async def test_a_security_says_when_it_may_be_repaid_early_before_it_is_called_and_after() -> None:
    windows = [
        CallWindow(from_day=TODAY + 300, to_day=TODAY + 450, price_e4=1_010_000),
        CallWindow(from_day=TODAY + 451, to_day=TODAY + 600, price_e4=1_000_000),
    ]
    async with plain(record=make_record(validators=1, protocol_version=3)) as shown:
        town = shown.solo.town
        defined = [
            define_pakistan(central_bank=CENTRAL),
            define(BOND),
            define("PIB-CALL", **callable_bond(windows=tuple(windows))),
        ]
        await town.decide(town.transaction(defined, BOTH))
        page = await told(shown, "/securities/PIB-CALL.json")
        right, schedule = page["schedule"]["call"], page["schedule"]["payments"]
        assert [each["price"] for each in right["windows"]] == ["101.0000", "100.0000"]
        assert (await told(shown, f"/securities/{BOND}.json"))["schedule"]["call"] is None
        _, html = await shown.get("/securities/PIB-CALL")
        assert "May be repaid early" in html
        assert f'datetime="{right["windows"][0]["from_day"]}"' in html
        assert right["earliest_day"] >= right["windows"][0]["from_day"]
        assert f'datetime="{right["earliest_day"]}"' in html
        assert "called today, it can be repaid on" in html
        assert "called, at" not in html
        assert "May be repaid early" not in (await shown.get(f"/securities/{BOND}"))[1]

        day = from_date(date.fromisoformat(schedule[1]["end"]))
        called = call(day, account=MINISTRY, approvers=(CENTRAL,), asset="PIB-CALL")
        await town.decide(town.transaction([called], BOTH))
        for root, told_so in (("", "called, at"), ("/ur", "قبل از وقت واپسی، فی سو")):
            _, html = await shown.get(f"{root}/securities/PIB-CALL")
            assert html.count(told_so) == 1
            assert "called today" not in html
            assert "آج اطلاع دی جائے" not in html


async def test_every_security_leads_to_its_schedule_and_cash_does_not() -> None:
    """A bill that the ledger redeems has one, and one that is brought back, which says so."""
    async with stage() as shown:
        await owe_serviced_bill(shown.solo)

        page = await told(shown, "/securities.json")
        _, html = await shown.get("/securities")

        brought_back = {BILL, AUCTIONED}
        assert {SERVICED_BILL, BOND} | brought_back <= {line["asset"] for line in page["lines"]}
        for line in page["lines"]:
            name = line["asset"]
            linked = f'href="/securities/{name}"'
            assert linked in html, name
            assert linked in (await shown.get(f"/assets/{name}"))[1], name
            for root, words in (("", "brings it back to its issuer"), ("/ur", "واپس لاتا ہے")):
                status, security = await shown.get(f"{root}/securities/{name}")
                assert (status, Parsed(security).faults) == (200, []), name
                assert (words in security) is (name in brought_back), name
            told_of = (await told(shown, f"/securities/{name}.json"))["schedule"]
            assert told_of["payments"][-1]["payment_day"] >= line["maturity_day"]
        assert f'href="/securities/{CASH}"' not in (await shown.get(f"/assets/{CASH}"))[1]


async def test_terms_of_an_auction_are_named_in_the_language_of_the_page() -> None:
    async with stage() as shown:
        for root, sentences in (
            ("", ("What an accepted bid pays", "its own price", "0.0001", "100.00")),
            ("/ur", ("منظور بولی کیا ادا کرتی ہے", "اپنی قیمت")),
        ):
            terms = (await shown.get(f"{root}/auctions/{SOLD}"))[1].partition('id="terms"')[2]
            for sentence in sentences:
                assert sentence in terms
            assert "_" not in re.sub("<[^>]*>", "", terms.partition("</dl>")[0])


async def test_lines_go_on_by_cursor() -> None:
    async with stage() as shown:
        after = await told(shown, f"/securities.json?after={BILL}")
        assert [line["asset"] for line in after["lines"]] == [AUCTIONED, BOND]


async def test_a_network_without_debt_has_a_page() -> None:
    async with plain() as shown:
        for path in ("/securities", "/ur/securities", "/auctions"):
            status, html = await shown.get(path)
            assert status == 200
            assert Parsed(html).faults == []


async def test_sums_are_made_once_for_all_who_look(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as shown:
        made: list[int] = []
        asked = debt.DebtMethods.debt

        def counted(self: debt.DebtMethods, params: debt.DebtParams) -> debt.DebtResult:
            made.append(1)
            answer: debt.DebtResult = asked(self, params)
            return answer

        monkeypatch.setattr(debt.DebtMethods, "debt", counted)
        for _ in range(3):
            await shown.get("/securities")
            await shown.solo.town.decide()
        assert len(made) == 1
        shown.solo.town.clock.advance(DEBT_KEPT_MS)
        await shown.get("/securities")
        assert len(made) == 2


async def test_a_page_looks_no_further_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DEBT_CALLS_MAX", 2)
    monkeypatch.setattr(room, "CALL_LIMIT", 1)
    async with stage() as shown:
        page = await told(shown, "/securities.json")

        assert not page["complete"]
        assert len(page["lines"]) <= 2
        # Auctions begin at their beginning, wherever the securities ended.
        assert [each["auction"] for each in page["auctions"]] == [RUNNING, SOLD]
        assert "verdict wait" in (await shown.get("/securities"))[1]
    assert DEBT_CALLS_MAX >= 2


async def test_what_is_planned_stands_before_what_was_announced() -> None:
    async with stage() as shown:
        page = await told(shown, "/auctions.json")
        first = page["planned"][0]
        rest = await told(shown, f"/auctions.json?index={page['next_row']}")

        assert (len(page["planned"]), len(rest["planned"])) == (ROWS_MAX, PLANNED - ROWS_MAX)
        assert rest["next_row"] is None
        assert (first["plan"], first["tenor_months"], first["provisional"]) == (PLAN, 6, True)
        # What it replaces: the bill that matures on the day of its settlement.
        lines = (await told(shown, "/securities.json"))["lines"]
        outstanding = next(each["outstanding"] for each in lines if each["asset"] == AUCTIONED)
        assert Decimal(first["maturing"]) == Decimal(outstanding)
        assert page["planned"][1]["maturing"] == "0"
        assert page["complete"]
        for root, word in (("", "buyback"), ("/ur", "واپس خریداری")):
            html = (await shown.get(f"{root}/auctions"))[1]
            assert Parsed(html).faults == []
            assert word in html
            assert f"khazana query prove plan --name <bdi>{PLAN}" in html
            assert f'href="{root}/assets/{BOND}"' in html
        assert (await shown.get(f"/auctions?index={PLANNED + 1}"))[0] == 400


async def test_plans_are_looked_through_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PLAN_CALLS_MAX", 1)
    monkeypatch.setattr(room, "CALL_LIMIT", 1)
    async with stage() as shown:
        another = encode(PlanRecord(version=1, published_ms=1, auctions=()))
        key = layout.state_key(PLANS.prefix + name_key("2022-h1"))
        shown.solo.town.store.write([(key, another)], sync=False)
        page = await told(shown, "/auctions.json")

        assert not page["complete"]
        assert len(page["planned"]) == ROWS_MAX
        assert "verdict wait" in (await shown.get("/auctions"))[1]
    assert PLAN_CALLS_MAX >= 1


async def rendered(
    shown: Stage,
    root: str,
    content: SecuritiesContent | AuctionsContent | AuctionContent | SecurityContent,
) -> str:
    explorer = shown.solo.server._pages
    assert isinstance(explorer, Explorer)
    template = {
        SecuritiesContent: "securities",
        SecurityContent: "security",
        AuctionsContent: "auctions",
    }.get(type(content), "auction")
    asked = Asked(
        catalogue=catalogues()[root.removeprefix("/") or "en"],
        name=template,
        argument=None,
        query={},
        as_json=False,
    )
    return explorer._render(template, asked, explorer._face(asked), content=content, title='"' * 32)


async def test_pages_are_small_with_every_field_at_its_longest() -> None:
    async with stage() as shown:
        at = at_head(shown.solo.town.chain.head)
        terms = (await shown.solo.call("khz_auction", {"auction": SOLD}))["auction"]["terms"]
        for root in ROOTS.values():
            for content in (
                widest_securities(at),
                widest_ladder(at, terms),
                widest_auctions(at),
                await widest_security(shown, at),
            ):
                html = await rendered(shown, root, content)
                assert Parsed(html).faults == []
                assert len(html.encode()) < PAGE_BYTES_MAX, len(html.encode())


async def test_a_ladder_that_is_too_long_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.rpc.recomputing.PIECES_RECOMPUTED_MAX", 0)
    async with stage() as shown:
        page = await told(shown, f"/auctions/{SOLD}.json")
        assert page["figures"] is None
        answer = await shown.solo.call("khz_auctionFigures", {"auction": SOLD})
        assert (answer["stage"], answer["figures"]) == ("settled", None)
        html = (await shown.get(f"/auctions/{SOLD}"))[1]
        assert f"khazana auction verify <bdi>{SOLD}" in html
    assert PIECES_RECOMPUTED_MAX >= 1


def test_layers_of_a_column_add_up_to_its_height() -> None:
    columns = [("a", [1, 1, 1]), ("b", [3, 0, 0])]
    drawn = str(stacked(columns, layers=KINDS, top="3 m", kind="wall", label="x"))
    heights = [int(part.split('"')[0]) for part in drawn.split(' height="')[1:]]
    assert heights[:3] != []
    assert sum(heights[:3]) == heights[3]


@pytest.mark.parametrize("count", [2, 8, 9, 16, 17])
def test_the_last_column_of_a_wall_has_its_label_and_none_is_cut_off(count: int) -> None:
    columns = [(f"2020-Q{number}", [number]) for number in range(count)]
    drawn = str(stacked(columns, layers=["bill"], top="x", kind="wall", label="x"))
    axis = drawn.split('<g class="axis">')[1]
    places = [int(each.split('"')[0]) for each in axis.split('<text x="')[1:]]
    assert f">{columns[-1][0]}</text>" in axis
    assert len(places) <= LABELS_MAX
    assert min(places) >= 34
    assert max(places) <= WIDTH - 34  # what half a label takes on the screen


def test_points_of_one_market_are_on_one_line() -> None:
    points = [
        (0, 0, "bill", "7", "3 mo"),
        (300, 500, "sukuk", "8", "1 y"),
        (900, 9, "bond", "9", "5 y"),
    ]

    drawn = str(dotted(points, joined=CURVES, kind="curve", label="x"))

    assert drawn.count("<circle") == 3
    assert drawn.count("<polyline") == 1  # one sukuk makes no line
    assert drawn.split('points="')[1].split('"')[0].count(",") == 2


def test_kinds_that_stand_among_each_other_have_lines_of_their_own() -> None:
    points = [
        (600, 900, "bond", "11.88", "4 mo"),
        (602, 0, "bill", "11.26", "4 mo"),
        (900, 1_000, "bond", "12.00", "6 mo"),
        (902, 990, "bill", "11.99", "6 mo"),
    ]

    drawn = str(dotted(points, joined=CURVES, kind="curve", label="x"))

    lines = [each.split('"')[0] for each in drawn.split('points="')[1:]]
    assert [line.count(",") for line in lines] == [2, 2]
    assert [value in drawn for _, _, _, value, _ in points] == [True] * 4
    assert drawn.count(">4 mo<") == drawn.count(">6 mo<") == 1


@pytest.mark.parametrize("step", [0, 1, 15, 30, 60, 110, 250])
@pytest.mark.parametrize("rise", [0, 10, 60, 110, 250])
def test_no_label_of_a_curve_stands_on_another(step: int, rise: int) -> None:
    points = [
        (number * step, number * rise % 1_001, "bill", f"1{number}.25", f"{number} mo")
        for number in range(min(10, 1_000 // (step or 100)))
    ]

    drawn = str(dotted(points, joined=CURVES, kind="curve", label="x"))

    labels = [
        (int(x), int(y), len(text) * 11)
        for x, y, text in re.findall(r'<text x="(\d+)" y="(\d+)">([^<]*)</text>', drawn)
    ]
    assert len(labels) >= 2
    for (x, y, width), (other_x, other_y, other_width) in combinations(labels, 2):
        assert abs(x - other_x) * 2 >= width + other_width - 2 or abs(y - other_y) >= 19
    assert all(x - width // 2 >= 0 and x + width // 2 <= WIDTH for x, _, width in labels)


def test_a_wall_says_how_high_it_is_and_one_column_is_no_wall() -> None:
    drawn = str(stacked([("a", [7])], layers=["bill"], top="<7>", kind="wall", label="x"))

    assert ">&lt;7&gt;</text>" in drawn
    assert int(drawn.split(' width="')[1].split('"')[0]) < 100


@pytest.mark.parametrize(
    ("amount", "english"),
    [
        ("999999.99", "999,999"),
        ("1000000", "1.00 m"),
        ("1845000000.00", "1.85 bn"),
        ("17245000000000", "17.25 tn"),
        ("0.00", "0"),
    ],
)
def test_headlines_round_half_up(amount: str, english: str) -> None:
    assert rounded(catalogues()["en"], amount) == english


def held(shown: Stage) -> tuple[AuctionRecord, list[LadderRecord]]:
    """Return the auction that was held, and its ladder."""
    chain = shown.solo.town.chain
    record = chain.record(AUCTIONS, name_key(SOLD))
    assert record is not None
    pieces = []
    for number in range(record.competitive_pieces + record.noncompetitive_pieces):
        piece = chain.record(LADDERS, ladder_key(SOLD, number))
        assert piece is not None
        pieces.append(piece)
    return record, pieces


def put(shown: Stage, name: str, record: AuctionRecord, pieces: Sequence[LadderRecord]) -> None:
    """Write an auction and its ladder into the state of the node."""
    batch: list[tuple[bytes, Record]] = [
        (AUCTIONS.prefix + name_key(name), record),
        *(
            (LADDERS.prefix + ladder_key(name, number), piece)
            for number, piece in enumerate(pieces)
        ),
    ]
    shown.solo.town.store.write(
        [(layout.state_key(full), encode(value)) for full, value in batch], sync=False
    )


async def test_a_switch_says_what_was_given_for_what() -> None:
    """The auction that was held, as if its ladder were that of a switch for the bond."""
    async with stage() as shown:
        record, pieces = held(shown)
        assert record.result is not None
        terms = replace(
            record.terms,
            form=Form.SWITCH,
            reference=None,
            destination=Destination(asset=BOND, price_e4=1_020_000),
        )
        bond = shown.solo.town.chain.record(ASSETS, name_key(BOND))
        assert bond is not None
        sums = sums_of(terms, record.result, pieces, bond.multiple)
        switched = replace(
            record, terms=terms, paid=sums["paid"], issued=sums["issued"], settled=sums["settled"]
        )
        put(shown, "switched", switched, pieces)

        page = await told(shown, "/auctions/switched.json")
        html = (await shown.get("/auctions/switched"))[1]
        answer = await shown.solo.call("khz_auctionFigures", {"auction": "switched"})
        assert answer["figures"] == page["figures"]

        assert (page["auction"]["destination"], page["auction"]["destination_price"]) == (
            BOND,
            "102.0000",
        )
        assert page["figures"][-1]["name"] == "issued"
        # The ladder stands as that of a sale does, the highest price first.
        assert [each["name"] for each in page["figures"] if not each["agrees"]] == ["order"]
        taken = [each["row"] for each in page["ladder"] if each["row"]["issued"] is not None]
        assert taken
        for row in taken:
            allotted, issued, paid = (
                int(100 * Decimal(row[name])) for name in ("allotted", "issued", "paid")
            )
            price_e4 = int(10_000 * Decimal(row["price"]))
            assert due_for(issued, 1_020_000, None) + paid == due_for(allotted, price_e4, None)
        assert "102.0000" in html
        assert ">Given<" in html
        assert ">In cash<" in html
        ours = (await shown.get(f"/auctions/{SOLD}"))[1]
        assert ">In cash<" not in ours


def held_of_bond(shown: Stage) -> tuple[AuctionRecord, list[LadderRecord]]:
    """Return the same as if it had been of the bond, of which the ledger publishes no yield."""
    record, pieces = held(shown)
    assert record.result is not None
    ours = replace(
        record,
        terms=replace(record.terms, asset=BOND),
        result=replace(record.result, average_yield_e4=None, settlement_day=TODAY + 30),
    )
    return ours, pieces


async def test_what_was_sold_of_a_bond_has_the_yield_that_the_command_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stage() as shown:
        ours, pieces = held_of_bond(shown)
        put(shown, "bonds", ours, pieces)

        page = await told(shown, "/auctions/bonds.json")
        again = await told(shown, "/auctions/bonds.json")
        asset = await told(shown, f"/assets/{BOND}.json")
        rows = (await shown.solo.call("khz_auctionLadder", {"auction": "bonds"}))["rows"]

        printed = with_yields(page["auction"], asset["asset"], rows)["result"]["average_yield"]
        assert page["auction"]["result"]["average_yield"] is None
        listed = {
            each["auction"]: each for each in (await told(shown, "/auctions.json"))["auctions"]
        }
        of_price = {
            row["price"]: row["yield"]
            for row in with_yields(page["auction"], asset["asset"], rows)["ladder"]
        }
        for auction, root in zip(("bonds", SOLD), ROOTS.values(), strict=True):
            line = listed[auction]
            rate = line["cut_off_yield"]
            assert Decimal(rate) > Decimal(line["result"]["average_yield"] or printed)
            assert f">{rate}\N{NARROW NO-BREAK SPACE}%<" in (await shown.get(f"{root}/auctions"))[1]
        assert listed["bonds"]["cut_off_yield"] == of_price[listed["bonds"]["result"]["cut_off"]]
        assert listed[RUNNING]["cut_off_yield"] is None
        assert again["average_yield"] == page["average_yield"] == printed
        # Below par, so above what it pays.
        assert Decimal(printed) > Decimal("11.5")
        for root in ROOTS.values():
            assert printed in (await shown.get(f"{root}/auctions/bonds"))[1]
        monkeypatch.setattr("node.explorer.securities.PRICES_AVERAGED_MAX", 1)
        put(shown, "bonds-again", ours, pieces)
        assert (await told(shown, "/auctions/bonds-again.json"))["average_yield"] is None
        assert (await told(shown, f"/auctions/{SOLD}.json"))["average_yield"] is not None
        assert (await told(shown, f"/auctions/{RUNNING}.json"))["average_yield"] is None


async def test_yields_of_bonds_that_are_remembered_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "AVERAGES_KEPT_MAX", 1)
    averaged: list[object] = []

    def counted(*terms: Any) -> Decimal | None:
        averaged.append(terms)
        return average_yield_at(*terms)

    monkeypatch.setattr(room, "average_yield_at", counted)
    async with stage() as shown:
        ours, pieces = held_of_bond(shown)
        for auction in ("bonds", "bonds-again"):
            put(shown, auction, ours, pieces)

        counts = []
        for auction in ("bonds", "bonds", "bonds-again", "bonds"):
            assert (await told(shown, f"/auctions/{auction}.json"))["average_yield"] is not None
            counts.append(len(averaged))

        assert counts == [1, 1, 2, 3]
