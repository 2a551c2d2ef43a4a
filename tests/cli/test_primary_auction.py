"""A whole auction by the command line, the client and the interface, on a node of one validator."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from node.cli.auction.result import emit_result, with_yields
from node.cli.exits import Exit
from node.client import Client, NoResult, NotFound, Read, Stale, Unproven, reads
from node.client.verifying import Reader, Recency, gather
from node.clock import ManualClock
from node.codec import Record, encode, replace
from node.genesis import genesis_of
from node.ledger.auctions import Form
from node.ledger.auctions.plans import PlannedAuction, PlanRecord
from node.ledger.auctions.records import (
    Accrual,
    AuctionRecord,
    AuctionResult,
    LadderRecord,
    LadderRow,
    RowState,
)
from node.ledger.dates import from_date
from node.ledger.operations import (
    DecideAuction,
    PublishPlan,
)
from node.ledger.securities import CallsRecord
from node.ledger.tables import (
    AUCTIONS,
    LADDERS,
    PLANS,
    AssetRecord,
    ladder_key,
    name_key,
)
from node.recomputing import figures_of
from node.rpc.auction_results import PLANS_MAX
from node.rpc.auctions import PIECES_MAX
from node.storage import layout
from tests.chain.town import BANK, CASH, make_record
from tests.cli.market import AUCTION, BILL, MINISTRY, Market, bid, market_at
from tests.ledger.auctions.books import TERMS


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    """A bank with three accounts of Rs 10,000 each, and an auction that is announced."""
    async with market_at(tmp_path) as market:
        yield market


async def test_whole_auction_by_the_command_line(market: Market) -> None:
    listed = await market.run("list")
    assert AUCTION in listed.out
    assert "announced" in listed.out
    coming = (await market.run("calendar", "--json")).json["calendar"]
    assert [each["step"] for each in coming] == ["opens", "closes", "settles"]
    assert {each["auction"] for each in coming} == {AUCTION}
    assert [each["maturing"] for each in coming] == [None, None, "0"]
    shown = (await market.run("calendar")).out
    assert "nothing is planned" in shown
    settles = datetime.fromisoformat(coming[2]["time"]) + timedelta(hours=5)  # in Karachi
    assert f"{settles:%Y-%m-%d %H:%M}  settles  {AUCTION}" in shown
    await check_plan(market)
    await market.go_to(0)
    bidding = await market.run("calendar", "--csv")
    assert [line.split(",")[1] for line in bidding.out.splitlines()] == [
        "step",
        "closes",
        "settles",
    ]
    for who, price, face in (("a0", "98.5", "4000"), ("a1", "98.25", "6000"), ("a2", "98", "100")):
        ran = await bid(market, who, price, face)
        assert ran.code == Exit.OK, ran.err
        assert "what opens this bid is kept in" in ran.err
    person = market.address("amina", "amina")
    placed = await market.run("bid", AUCTION, "--account", person, "--face", "1000", by="amina")
    assert placed.code == Exit.OK, placed.err
    own = await market.run("bids", BANK, "--auction", AUCTION, "--json")
    assert [each["price"] for each in own.json["bids"]] == [None, None, None]
    # One comes back, and nobody learns what it said.
    back = ("--account", market.address("a2"), "--number", "3")
    assert (await market.run("withdraw", AUCTION, *back, by="a2")).code == Exit.OK

    await market.go_to(10)
    for who in ("a0", "a1"):
        account = market.address(who)
        ran = await market.run("reveal", AUCTION, "--account", account, by=who)
        assert ran.code == Exit.OK, ran.err
    nothing = await market.run("reveal", AUCTION, "--account", market.address("a0"), by="a0")
    assert nothing.code == Exit.REFUSED
    early = await market.run("verify", AUCTION)
    assert early.code == Exit.REFUSED
    assert "there is no result to verify" in early.err
    assert (await market.solo.call("khz_auctionFigures", {"auction": AUCTION}))["figures"] is None

    await market.go_to(20)
    decide = DecideAuction(account=MINISTRY, approvers=(), auction=AUCTION, cut_off_e4=982_500)
    await market.decide(decide, by=("finance-ministry",))

    result = await market.run("result", AUCTION)
    ladder = (await market.run("result", AUCTION, "--csv")).out.splitlines()
    assert ladder[0] == "price,yield,face,allotted,state,reallotted,paid,accrued,issued"
    assert ladder[1].startswith("98.5000,6.6171,")  # (100 / 98.5 - 1) x 365 / 84
    assert "98.3611" in result.out  # (40 x 98.50 + 50 x 98.25) / 90
    assert "at the average" in result.out
    verified = await market.run("verify", AUCTION, "--json")
    assert verified.code == Exit.OK, verified.err
    assert (verified.json["verified"], verified.json["proven"]) == (True, False)
    assert "accrued" not in verified.out
    await market.go_to(40)
    await market.solo.seal()
    genesis = market.folder / "genesis.json"
    genesis.write_text(market.solo.town.genesis.render())
    settled = await market.run("verify", AUCTION, *proven_by(genesis))
    assert settled.code == Exit.OK, settled.err
    assert "DIFFERS" not in settled.out
    assert "each record is proven against the genesis" in settled.out
    printed = (await market.run("result", AUCTION)).out
    assert "delivered        10,000.00\n" in printed
    assert "open" not in printed
    over = await market.run("calendar")
    assert "nothing is announced" in over.out
    references = await market.run("references", "--json")
    assert [each["reference"] for each in references.json["references"]] == ["mtb-3m"]
    await check_show(market)
    await check_reads(market)
    await check_verified_by_program(market)
    await check_that_lies_are_seen(market)


async def check_show(market: Market) -> None:
    """What a person reads has units, local time and weekdays; what a program reads has neither."""
    zone = timezone(timedelta(hours=5))  # as the genesis has it
    opens = datetime.fromtimestamp(market.opens_ms / 1000, zone)
    raw = (await market.run("show", AUCTION, "--json")).json["auction"]
    shown = (await market.run("show", AUCTION)).out
    listed = (await market.run("list")).out
    standing = await market.run("bids", BANK)
    record = await market.run("bids", BANK, "--csv")

    assert raw["terms"]["quantum_e4"] == TERMS.quantum_e4
    assert f"bids            from {opens:%a %Y-%m-%d %H:%M} to" in shown
    assert "local time (UTC+05:00)" in shown
    assert "target          10,000.00 in multiples of 100.00, paid in PKR" in shown
    assert "cut-off          98.2500 per hundred\n" in shown
    average = raw["result"]["average_yield"]
    assert f"average          98.3611 per hundred, a yield of {average} % a year\n" in shown
    assert "without a price  at 98.3611 per hundred\n" in shown
    assert "delivered     10,000.00\n" in shown
    assert "quantum_e4" not in shown
    assert "Z" not in listed
    assert f"{opens:%a %Y-%m-%d %H:%M}" in listed
    assert "may bid                  yes\n" in standing.out
    assert record.out.splitlines()[0].startswith("participant,unrevealed,failed,")


async def check_plan(market: Market) -> None:
    """What is planned stands before what is announced, with what falls due on the day."""
    [summary] = (await market.solo.call("khz_auctions"))["auctions"]
    day = from_date(date.fromisoformat(summary["settlement_day"]))
    planned = PlannedAuction(
        day=day + 89,
        settlement_day=day + 90,
        kind="bill",
        tenor_months=3,
        form=Form.PRICE,
        line=None,
        asset=CASH,
        target=5_000_00,
        provisional=True,
    )
    publish = PublishPlan(
        account=MINISTRY, approvers=(), plan="next", version=0, auctions=(planned,)
    )
    await market.decide(publish, by=("finance-ministry",))

    told = (await market.run("calendar", "--json")).json["plan"]
    shown = await market.run("calendar", "--plan", "--csv")
    async with Client(market.solo.url) as client:
        [plan] = (await client.auction_plans()).value

    [each] = told
    assert (each["target"], each["provisional"], each["plan"]) == ("5000.00", True, "next")
    assert shown.out.splitlines()[0].startswith("day,settlement_day,kind,tenor_months")
    assert shown.out.splitlines()[1].endswith(",yes,next")
    assert (plan.version, plan.auctions[0].target) == (1, Decimal("5000.00"))
    genesis = market.folder / "genesis.json"
    genesis.write_text(market.solo.town.genesis.render())
    proven = await market.run("calendar", "--plan", *proven_by(genesis), "--json")
    alone = await market.run("calendar", "--genesis", genesis)
    assert proven.code == Exit.OK, proven.err
    assert (proven.json["proven"], proven.json["plan"]) == (True, told)
    assert alone.code == Exit.USAGE
    await check_forged_plan(market, genesis, told)


async def check_forged_plan(market: Market, genesis: Path, told: list[dict[str, Any]]) -> None:
    """Whoever asks for proofs is told what the state's root covers, whatever the node shows."""
    key = layout.state_key(PLANS.prefix + name_key("next"))
    store = market.solo.town.store
    good = store.get(key)
    assert good is not None
    record = PlanRecord(version=1, published_ms=1, auctions=())
    store.write([(key, encode(record))], sync=False)
    believed = await market.run("calendar", "--plan")
    proven = await market.run("calendar", "--plan", *proven_by(genesis), "--json")
    store.write([(key, good)], sync=False)

    assert "nothing is planned" in believed.out
    assert proven.json["plan"] == told


async def test_one_answer_holds_a_bounded_number_of_plans(market: Market) -> None:
    for number in range(PLANS_MAX + 1):
        record = PlanRecord(version=1, published_ms=1, auctions=())
        market.solo.town.store.write(
            [(layout.state_key(PLANS.prefix + name_key(f"p-{number:02}")), encode(record))],
            sync=False,
        )

    first = await market.solo.call("khz_auctionPlans", {"limit": 100})
    second = await market.solo.call("khz_auctionPlans", {"limit": 100, "after": first["next"]})

    assert (len(first["plans"]), len(second["plans"])) == (PLANS_MAX, 1)
    assert second["next"] is None


async def check_reads(market: Market) -> None:
    """The client reads the same, typed."""
    async with Client(market.solo.url) as client:
        [summary] = (await client.auctions()).value
        auction = (await client.auction(AUCTION)).value
        ladder = (await client.auction_ladder(AUCTION)).value
        bidder = (await client.bidder(BANK, AUCTION)).value
        [reference] = (await client.references()).value
        assert await client.holding(market.address("amina", "amina"), BILL) == Decimal(1000)
        with pytest.raises(NotFound):
            await client.auction("nothing")
        with pytest.raises(NotFound):
            await client.bidder("nobody")
    assert summary.stage == auction.stage == "settled"
    assert auction.result is not None
    assert auction.result.cut_off == Decimal("98.25")
    assert reference.average_yield == auction.result.average_yield
    # Rs 1,000 to amina; 9,000 are left for 4,000 above the cut-off and 5,000 of the 6,000 at it.
    assert [(row.price, row.allotted, row.state, row.paid) for row in ladder] == [
        (Decimal("98.5"), Decimal(4000), "settled", Decimal(3940)),
        (Decimal("98.25"), Decimal(5000), "settled", Decimal("4912.5")),
        (None, Decimal(1000), "settled", Decimal("983.61")),
    ]
    assert [row.accrued for row in ladder] == [None] * 3
    assert auction.settled == Decimal(10000)
    assert bidder.bids == ()
    assert bidder.standing.excluded_until is None


def proven_by(genesis: Path) -> tuple[str | Path, ...]:
    """Return the options by which records are proven, of a network whose clock is years behind."""
    return ("--genesis", genesis, "--max-age", "0")


def recent(market: Market) -> Recency:
    """Return what is demanded by default, by the clock of the network."""
    return Recency(clock=market.solo.town.clock)


async def check_verified_by_program(market: Market) -> None:
    """The client proves what it works out; the interface tells the same figures unproven."""
    genesis = market.solo.town.genesis
    told = await market.solo.call("khz_auctionFigures", {"auction": AUCTION})
    async with Client(market.solo.url, network=genesis) as client:
        proven = await client.verify_auction(AUCTION, recency=recent(market))
    async with Client(market.solo.url) as client:
        believed = await client.verify_auction(AUCTION)
        given = await client.verify_auction(AUCTION, genesis=genesis, recency=recent(market))

    assert (proven.verified, proven.proven, proven.differing) == (True, True, ())
    assert (believed.proven, given) == (False, proven)
    assert believed.figures == proven.figures
    assert told["stage"] == "settled"
    assert [(each["name"], each["recomputed"], each["agrees"]) for each in told["figures"]] == [
        (each.name, each.recomputed, True) for each in proven.figures
    ]
    assert {each.name: each.recomputed for each in proven.figures}["cut_off"] == "98.2500"


class Astray(Client):
    """A client of a node that proves something else than it is asked for."""

    def __init__(self, market: Market, other: str, name: str | None = None) -> None:
        """Prove a record of this kind: of this name, or of the one that is asked for."""
        super().__init__(market.solo.url, network=market.solo.town.genesis)
        self._other = other
        self._name = name

    @override
    async def prove(self, kind: str, **asked: Any) -> Read[reads.Proof]:
        return await super().prove(self._other, name=self._name or asked["name"])


async def test_what_cannot_be_verified_is_an_error_of_its_own(market: Market) -> None:
    genesis = market.solo.town.genesis
    async with Client(market.solo.url, network=genesis) as client:
        with pytest.raises(NotFound, match="the ledger does not have the auction nothing"):
            await client.verify_auction("nothing", recency=recent(market))
        with pytest.raises(NoResult) as early:
            await client.verify_auction(AUCTION, recency=recent(market))
        assert (type(early.value), early.value.stage) == (NoResult, "announced")
        elsewhere = genesis_of(
            replace(make_record(validators=1, protocol_version=3), name="elsewhere")
        )
        with pytest.raises(Unproven) as unproven:
            await client.verify_auction(AUCTION, genesis=elsewhere)
        assert (unproven.value.record, unproven.value.fault) == (
            f"the auction {AUCTION}",
            "wrong-network",
        )
    async with Astray(market, "asset", name=CASH) as client:
        with pytest.raises(Unproven, match="is not what the node proves") as another:
            await client.verify_auction(AUCTION, recency=recent(market))
        assert another.value.fault is None


async def test_absence_of_another_record_proves_nothing(market: Market) -> None:
    """That there is no plan of a name does not say that nothing was called of a security."""
    async with Astray(market, "plan") as client:
        with pytest.raises(Unproven, match="the calls MTB is not what the node proves"):
            await Reader(client, market.solo.town.genesis, recent(market)).record_or_none(
                "calls", "MTB", CallsRecord
            )
        with pytest.raises(Unproven):
            await client.verify_auction(AUCTION, recency=recent(market))


class Behind(Client):
    """A client of a node that answers once with the proof of an earlier block."""

    kept: Read[reads.Proof] | None = None

    @override
    async def prove(self, kind: str, **asked: Any) -> Read[reads.Proof]:
        kept, self.kept = self.kept, None
        return kept or await super().prove(kind, **asked)


async def test_record_that_is_proven_of_an_older_block_than_asked_for_is_refused(
    market: Market,
) -> None:
    town = market.solo.town
    head = town.chain.head
    last = ManualClock(head.time_ms + 7_200_000)
    async with Client(market.solo.url, network=town.genesis) as client:
        for enough in (
            Recency(clock=last),
            Recency(max_age_s=None),
            Recency(clock=last, min_height=head.height),
        ):
            with pytest.raises(NoResult):
                await client.verify_auction(AUCTION, recency=enough)
        with pytest.raises(Stale, match=f"block {head.height + 1} or later was asked for"):
            await client.verify_auction(
                AUCTION, recency=Recency(clock=last, min_height=head.height + 1)
            )
        last.advance(1)
        with pytest.raises(Stale, match="is 7200 s ago; at most 7200 were asked for") as old:
            await client.verify_auction(AUCTION, recency=Recency(clock=last))
        with pytest.raises(Stale):  # this machine's clock is years ahead
            await client.verify_auction(AUCTION)
    assert (old.value.record, old.value.fault) == (f"the auction {AUCTION}", None)
    assert (old.value.height, old.value.time_ms) == (head.height, head.time_ms)


async def test_no_record_is_taken_as_of_an_earlier_block_than_the_one_before_it(
    market: Market,
) -> None:
    async with Behind(market.solo.url, network=market.solo.town.genesis) as client:
        reader = Reader(client, market.solo.town.genesis, recent(market))
        kept = await client.prove("asset", name=CASH)
        await market.solo.seal()
        assert (await client.prove("asset", name=CASH)).height == kept.height + 1

        await reader.record("auction", AUCTION, AuctionRecord)
        client.kept = kept
        with pytest.raises(Stale, match=f"and the record before it as of {kept.height + 1}"):
            await reader.record("asset", CASH, AssetRecord)
        assert (await reader.record("asset", CASH, AssetRecord)).decimals == 2


class Balanced(Client):
    """A client of two nodes by one address, of which one is behind as often as it is told."""

    behind: Read[reads.Proof] | None = None
    times = 0

    @override
    async def prove(self, kind: str, **asked: Any) -> Read[reads.Proof]:
        if kind == "asset" and self.behind is not None and self.times:
            self.times -= 1
            return self.behind
        return await super().prove(kind, **asked)


async def test_all_is_asked_anew_where_another_node_answers_that_is_behind(market: Market) -> None:
    async with Balanced(market.solo.url, network=market.solo.town.genesis) as client:
        client.behind = await client.prove("asset", name=CASH)
        await market.solo.seal()
        for times, error in ((2, NoResult), (3, Stale)):
            client.times = times
            with pytest.raises(error):
                await client.verify_auction(AUCTION, recency=recent(market))
            assert client.times == 0


async def check_that_lies_are_seen(market: Market) -> None:
    """Each published figure that is altered comes out as the one that differs."""
    async with Client(market.solo.url) as client:
        found = await gather(client, AUCTION, market.solo.town.genesis, recent(market))

    def differing(of_result: Any = None, of_row: Any = None, **of_auction: Any) -> set[str]:
        result = replace(found.auction.result, **(of_result or {}))
        assert isinstance(result, AuctionResult)
        first, *others = found.pieces
        row = replace(first.rows[0], **(of_row or {}))
        pieces = (replace(first, rows=(row, *first.rows[1:])), *others)
        auction = replace(found.auction, result=result, **of_auction)
        altered = dataclasses.replace(found, auction=auction, pieces=pieces)
        return {each.name for each in figures_of(altered, result) if not each.agrees}

    assert differing() == set()
    assert differing({"average_price_e4": 983_612}) == {"average_price"}
    assert differing({"average_yield_e4": 10_000}) == {"average_yield"}
    assert differing({"average_yield_e4": None}) == {"average_yield"}
    assert differing({"noncompetitive_price_e4": 983_600}) == {"noncompetitive_price", "paid"}
    assert differing({"competitive": 910_000}) == {"competitive"}
    assert differing(paid=100) == {"paid"}
    assert differing({"cut_off_e4": 982_400}) == {"cut_off"}
    assert "cut_off" in differing({"cut_off_e4": 985_000})
    assert "rows" in differing(of_row={"allotted": 390_000})
    assert "order" in differing(of_row={"price_e4": 980_000})


async def test_only_what_is_proven_is_verified(market: Market, tmp_path: Path) -> None:
    genesis, other = tmp_path / "genesis.json", tmp_path / "other.json"
    genesis.write_text(market.solo.town.genesis.render())
    founded = genesis_of(replace(make_record(validators=1, protocol_version=3), name="elsewhere"))
    other.write_text(founded.render())

    unknown = await market.run("verify", "nothing", *proven_by(genesis))
    early = await market.run("verify", AUCTION, *proven_by(genesis))
    elsewhere = await market.run("verify", AUCTION, *proven_by(other))
    amended = await market.run("verify", AUCTION, "--amendment", other)
    old = await market.run("verify", AUCTION, "--genesis", genesis, "--json")

    assert old.code == Exit.REFUSED
    assert "at most 7200 were asked for" in old.err
    assert "record-stale" in old.err
    assert unknown.code == early.code == elsewhere.code == Exit.REFUSED
    assert "the ledger does not have the auction nothing" in unknown.err
    assert "there is no result to verify" in early.err
    assert "wrong-network" in elsewhere.err
    assert amended.code == Exit.USAGE


async def test_one_answer_holds_a_bounded_part_of_a_ladder(market: Market) -> None:
    pieces = PIECES_MAX + 1
    row = LadderRow(
        number=1, price_e4=None, face=100, allotted=0, state=RowState.OPEN, reallotted=0
    )
    record = market.solo.town.chain.record(AUCTIONS, name_key(AUCTION))
    records = [
        (
            LADDERS.prefix + ladder_key("long", piece),
            LadderRecord(rows=(row,), accrual=None, destination_accrual=None),
        )
        for piece in range(pieces)
    ]
    long = (AUCTIONS.prefix + name_key("long"), replace(record, noncompetitive_pieces=pieces))
    batch = [(layout.state_key(full), encode(value)) for full, value in (*records, long)]
    market.solo.town.store.write(batch, sync=False)

    first = await market.solo.call("khz_auctionLadder", {"auction": "long", "limit": 200})
    second = await market.solo.call(
        "khz_auctionLadder", {"auction": "long", "limit": 200, "after": first["next"]}
    )

    assert (len(first["rows"]), len(second["rows"])) == (PIECES_MAX, 1)
    assert second["next"] is None


async def test_interest_accrued_stands_beside_what_was_paid(market: Market) -> None:
    """After the record of a payment the buyer is compensated: the figure is below zero."""
    row = LadderRow(
        number=1,
        price_e4=990_000,
        face=10_000,
        allotted=10_000,
        state=RowState.SETTLED,
        reallotted=0,
    )
    result = AuctionResult(
        asset=BILL,
        cut_off_e4=990_000,
        average_price_e4=990_000,
        average_yield_e4=None,
        noncompetitive_price_e4=990_000,
        competitive=10_000,
        noncompetitive=0,
        settlement_day=20_000,
        decided_ms=1,
    )
    record = market.solo.town.chain.record(AUCTIONS, name_key(AUCTION))
    assert record is not None
    sold = replace(record, competitive_pieces=1, result=result)
    accrual = Accrual(day=20_000, numerator=-1, denominator=3_000)
    batch: list[tuple[bytes, Record]] = [
        (AUCTIONS.prefix + name_key("sold"), sold),
        (
            LADDERS.prefix + ladder_key("sold", 0),
            LadderRecord(rows=(row,), accrual=accrual, destination_accrual=None),
        ),
    ]
    market.solo.town.store.write(
        [(layout.state_key(full), encode(value)) for full, value in batch], sync=False
    )

    [shown] = (await market.solo.call("khz_auctionLadder", {"auction": "sold"}))["rows"]

    assert (shown["paid"], shown["accrued"]) == ("98.97", "-0.03")


# --- on paper ------------------------------------------------------------------------------------


def office_of(market: Market, name: str) -> tuple[str, ...]:
    return ("--account", market.address(name, name))


async def form_of(market: Market, *words: str) -> dict[str, Any]:
    """Print the form of a bid on paper, and read it."""
    ran = await market.run("envelope", AUCTION, *words, "--json")
    assert ran.code == Exit.OK, ran.err
    form: dict[str, Any] = ran.json
    return form


async def test_bid_on_paper_by_the_command_line(market: Market) -> None:
    bank, person = market.address("a0"), market.address("amina", "amina")
    given = await market.run("mandate", "--account", bank, "--office", "central-bank", by="a0")
    assert given.code == Exit.OK, given.err
    words = ("--account", person, "--office", "finance-ministry")
    assert (await market.run("mandate", *words, by="amina")).code == Exit.OK
    await market.go_to(0)
    priced = await form_of(market, "--account", bank, "--price", "98.5", "--face", "4000")
    unpriced = await form_of(market, "--account", person, "--face", "1000")
    assert (priced["office"], priced["cash_account"]) == ("central-bank", bank)
    paper = await market.run(
        "envelope", AUCTION, "--account", bank, "--price", "98.5", "--face", "4000",
        "--salt", priced["salt"],
    )  # fmt: skip
    spread = "".join(paper.out.split())
    assert priced["commitment"] in spread
    assert priced["salt"] in spread
    again = await form_of(
        market, "--account", bank, "--price", "98.5", "--face", "4000", "--salt", priced["salt"]
    )
    assert again["commitment"] == priced["commitment"]

    nothing = await market.run("envelopes", AUCTION)
    assert "no envelopes" in nothing.out
    for form, office in ((priced, "central-bank"), (unpriced, "finance-ministry")):
        lodging = ("--bidder", form["account"], "--hash", form["commitment"])
        ran = await market.run("lodge", AUCTION, *office_of(market, office), *lodging, by=office)
        assert ran.code == Exit.OK, ran.err
    slip = ("--bidder", bank, "--hash", "00" * 32)
    central = office_of(market, "central-bank")
    assert (await market.run("lodge", AUCTION, *central, *slip, by="central-bank")).code == Exit.OK
    back = await market.run("lodge", AUCTION, *central, "--return", "3", by="central-bank")
    assert back.code == Exit.OK, back.err
    listed = await market.run("envelopes", AUCTION, "--csv")
    assert [line.split(",")[:3] for line in listed.out.splitlines()] == [
        ["number", "office", "bidder"],
        ["1", "central-bank", BANK],
        ["2", "finance-ministry", "amina"],
    ]

    await market.go_to(10)
    contents = ("--number", "1", "--price", "98.5", "--face", "4000", "--salt", priced["salt"])
    first = await market.run("enter", AUCTION, *central, *contents, by="central-bank")
    assert first.code == Exit.OK, first.err
    assert "The second one runs the same command" in first.out
    twice = await market.run("enter", AUCTION, *central, *contents, by="central-bank")
    assert twice.code == Exit.REFUSED
    assert "your office has entered envelope 1 already" in twice.err
    ministry = office_of(market, "finance-ministry")
    misread = ("--number", "1", "--price", "98.4", "--face", "4000", "--salt", priced["salt"])
    wrong = await market.run("enter", AUCTION, *ministry, *misread, by="finance-ministry")
    assert wrong.code == Exit.REFUSED
    assert "Read price, face and salt again" in wrong.err
    second = await market.run("enter", AUCTION, *ministry, *contents, by="finance-ministry")
    assert second.code == Exit.OK, second.err
    assert "entered by two offices" in second.out
    third = await market.run("enter", AUCTION, *ministry, *contents, by="finance-ministry")
    assert third.code == Exit.REFUSED
    assert "two offices have entered envelope 1" in third.err
    without = ("--number", "2", "--face", "1000", "--salt", unpriced["salt"])
    for office in ("finance-ministry", "central-bank"):
        ran = await market.run(
            "enter", AUCTION, *office_of(market, office), *without, "--json", by=office
        )
        assert ran.code == Exit.OK, ran.err
        assert ran.json["state"] == ("applied" if office == "central-bank" else "open")
    await check_paper_reads(market, priced["commitment"])

    await market.go_to(20)
    decide = DecideAuction(account=MINISTRY, approvers=(), auction=AUCTION, cut_off_e4=985_000)
    await market.decide(decide, by=("finance-ministry",))
    await market.go_to(40)
    await market.solo.seal()
    genesis = market.folder / "genesis.json"
    genesis.write_text(market.solo.town.genesis.render())
    verified = await market.run("verify", AUCTION, *proven_by(genesis))
    assert verified.code == Exit.OK, verified.err
    assert "DIFFERS" not in verified.out
    assert "central-bank" not in (await market.run("result", AUCTION, "--json")).out


async def check_paper_reads(market: Market, commitment: str) -> None:
    """The client reads mandates and envelopes, typed; the bidder's own book says who had each."""
    bank = market.address("a0")
    async with Client(market.solo.url) as client:
        mandate = (await client.bid_mandate(bank)).value
        none = (await client.bid_mandate(market.address("a1"))).value
        first, second = (await client.envelopes(AUCTION)).value
        bidder = (await client.bidder(BANK, AUCTION)).value
        with pytest.raises(NotFound):
            await client.envelopes("nothing")
    assert mandate is not None
    assert (mandate.office, mandate.cash_account) == ("central-bank", bank)
    assert none is None
    assert (first.commitment, first.price, first.face) == (
        commitment,
        Decimal("98.5"),
        Decimal(4000),
    )
    assert (second.competitive, second.price, second.face) == (False, None, Decimal(1000))
    assert [bid.office for bid in bidder.bids] == ["central-bank"]
    assert bidder.standing.unentered == 0
    page = await market.solo.call("khz_envelopes", {"auction": AUCTION, "limit": 1})
    following = {"auction": AUCTION, "after": page["next"]}
    assert [each["number"] for each in page["envelopes"]] == [1]
    rest = await market.solo.call("khz_envelopes", following)
    assert ([each["number"] for each in rest["envelopes"]], rest["next"]) == ([2], None)


async def test_what_does_not_stand_on_the_paper_is_refused_before_it_is_sent(
    market: Market,
) -> None:
    bank = market.address("a0")
    words = ("--account", bank, "--face", "4000")
    central = office_of(market, "central-bank")
    for ran, code in (
        (await market.run("envelope", AUCTION, *words, "--salt", "12"), Exit.USAGE),
        (await market.run("envelope", AUCTION, *words, "--price", "98.50001"), Exit.USAGE),
        (await market.run("mandate", "--account", bank, by="a0"), Exit.USAGE),
        (await market.run("lodge", AUCTION, *central, by="central-bank"), Exit.USAGE),
        (
            await market.run(
                "enter", AUCTION, *central, "--number", "7", "--face", "1", "--salt", "0" * 64,
                by="central-bank",
            ),
            Exit.REFUSED,
        ),
        (
            await market.run("mandate", "--account", bank, "--revoke", by="a0"),
            Exit.REFUSED,
        ),
    ):  # fmt: skip
        assert ran.code == code, ran.err


@pytest.mark.parametrize(
    ("method", "form", "average"),
    [
        # As printed by the State Bank of Pakistan of its auction of 3 March 2021.
        ("multiple_price", "price", "9.0310"),
        ("uniform_price", "price", "9.2790"),
        ("uniform_price", "rate", None),
    ],
)
def test_average_yield_of_a_bond_stands_beside_its_average_price(
    method: str, form: str, average: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = {
        "issue_day": "2020-08-20",
        "maturity_day": "2023-08-20",
        "months": 6,
        "rates": [{"from_day": "2020-08-20", "rate_ppm": 70_000}],
        "floating": None,
        "instalments": [],
        "day_count": "ACT/ACT ICMA",
        "pricing_day_count": "ACT/ACT ICMA",
    }
    row = {"state": "settled", "accrued": None, "issued": None, "paid": None, "reallotted": "0.00"}
    bids = (("95.6713", 1), ("95.6574", 2_000), ("95.0711", 250))
    rows = [
        {**row, "price": price, "face": f"{face}.00", "allotted": f"{face}.00"}
        for price, face in bids
    ]
    unserved = {**row, "face": "9.00", "allotted": "0.00", "state": "open"}
    rows += [{**unserved, "price": "95.0481"}, {**unserved, "price": None, "allotted": "9.00"}]
    result = {
        "cut_off": "95.0711",
        "average_price": "95.5923",
        "average_yield": None,
        "noncompetitive_price": "95.5923",
        "competitive": "2251.00",
        "noncompetitive": "9.00",
        "settlement_day": "2021-03-04",
        "decided": "2021-03-03T06:00:00.000Z",
    }
    auction = {
        "auction": "pib-51",
        "stage": "decided",
        "terms": {
            "asset": "PIB",
            "form": form,
            "method": method,
            "noncompetitive_price": "average",
            "noncompetitive_share_bps": 0,
        },
        "decimals": 2,
        "destination": None,
        "result": result,
        "settlement_day": "2021-03-04",
        "settled": "0.00",
        "failed": "0.00",
        "reallotted": "0.00",
    }

    found = with_yields(auction, {"kind": "bond", "terms": {"plan": plan}}, rows)
    place = {"height": 7, "time": "2021-03-03T06:00:00.000Z"}
    emit_result({**found, **place}, zone=UTC, as_json=False, as_csv=False)
    told = capsys.readouterr().out

    assert found["result"]["average_yield"] == average
    assert (f", a yield of {average} % a year\n" in told) is (average is not None)


def test_result_says_what_each_bid_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {"yield": None, "accrued": None, "issued": None, "paid": None, "reallotted": "0.00"}
    row = {"price": "99.3000", "face": "3000000.00", "allotted": "2100000.00", "state": "settled"}
    result = {
        "auction": "pib-1",
        "stage": "settled",
        "height": 7,
        "time": "2026-12-01T05:00:00.000Z",
        "terms": {
            "asset": "PIB",
            "cash": "PKR",
            "form": "price",
            "noncompetitive_price": "cut_off",
            "noncompetitive_share_bps": 1_000,
        },
        "destination": None,
        "result": {
            "cut_off": "99.3000",
            "average_price": "99.3000",
            "average_yield": None,
            "noncompetitive_price": "99.3000",
            "competitive": "2100000.00",
            "noncompetitive": "0.00",
            "settlement_day": "2026-12-01",
            "decided": "2026-11-30T06:00:00.000Z",
        },
        "settled": "3000000.00",
        "failed": "900000.00",
        "reallotted": "900000.00",
        "paid": "2979000.00",
        "ladder": [
            {**nothing, **row, "reallotted": "900000.00", "paid": "2979000.00"},
            {**nothing, **row, "price": "99.2000", "allotted": "0.00", "state": "open"},
            {**nothing, **row, "price": None, "allotted": "0.00", "state": "open"},
        ],
    }

    emit_result(result, zone=UTC, as_json=False, as_csv=False)
    told = capsys.readouterr().out
    rejection = {**result, "result": None, "stage": "rejected"}
    emit_result(rejection, zone=UTC, as_json=False, as_csv=False)
    rejected = capsys.readouterr().out
    emit_result(result, zone=UTC, as_json=False, as_csv=True)
    sheet = capsys.readouterr().out.splitlines()

    assert "allotted         2,100,000.00 with a price, 0.00 without\n" in told
    assert "re-allotted      900,000.00\n" in told
    assert "settlement day   Tue 2026-12-01\n" in told
    head, first, second, third = told.split("\n\n")[2].splitlines()
    assert head.split() == ["price", "yield", "face", "allotted", "reallotted", "paid"]
    assert first.split()[2:] == [
        *("3,000,000.00", "2,100,000.00", "900,000.00", "2,979,000.00", "settled")
    ]
    assert second.endswith("not accepted")
    assert third.startswith("at the cut-off ")
    assert "no bid was accepted" in rejected
    assert sheet[0] == "price,yield,face,allotted,state,reallotted,paid,accrued,issued"
    assert sheet[1] == "99.3000,,3000000.00,2100000.00,settled,900000.00,2979000.00,,"
