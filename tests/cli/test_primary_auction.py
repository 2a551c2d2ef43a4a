"""A whole auction by the command line, the client and the interface, on a node of one validator."""

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from node.cli.auction.recomputing import figures_of
from node.cli.auction.sealed import FILE_SIZE_MAX, FILES_MAX, load
from node.cli.exits import CommandError, Exit
from node.cli.tx.operations import OperationReader
from node.client import Client, NotFound
from node.codec import Record, encode, replace
from node.keys.keystore import Work, store_key
from node.ledger.auctions.records import LadderRecord, LadderRow, RowState
from node.ledger.operations import (
    AnnounceAuction,
    DecideAuction,
    DefineAsset,
    OpenAccount,
    RegisterParticipant,
    Transfer,
)
from node.ledger.policies import single_signer
from node.ledger.tables import (
    AUCTIONS,
    LADDERS,
    AssetIdentifiers,
    ParticipantKind,
    ladder_key,
    name_key,
)
from node.ledger.terms import BillTerms
from node.ledger.units import MS_PER_DAY
from node.rpc.auctions import PIECES_MAX
from node.storage import layout
from tests.chain.town import BANK, CASH, SALT, address_of, key, make_record
from tests.cli.asked import ask
from tests.cli.running import Ran
from tests.ledger.auctions.books import TERMS
from tests.ledger.world import ISIN
from tests.rpc.solo import Solo, solo_node

AUCTION: Final = "mtb-3m-574"
BILL: Final = "MTB-3M"
MINUTE_MS: Final = 60_000
CENTRAL, MINISTRY = (
    address_of("central-bank", "central-bank"),
    address_of("finance-ministry", "finance-ministry"),
)
REGULATOR: Final = address_of("virtual-asset-regulator", "virtual-asset-regulator")
LITTLE: Final = Work(memory_kib=1_024, passes=1, lanes=1)
BOTH: Final = ("central-bank", "finance-ministry")


@dataclass
class Market:
    """The node, and what people keep outside of it."""

    solo: Solo
    folder: Path
    opens_ms: int

    async def go_to(self, minute: int) -> None:
        """Let the first block come so many minutes after the opening."""
        self.solo.town.clock.advance(
            self.opens_ms + minute * MINUTE_MS - self.solo.town.clock.now_ms()
        )
        await self.solo.seal()

    async def decide(self, *operations: Record, by: tuple[str, ...]) -> None:
        committed = await self.solo.town.decide(self.solo.town.transaction(operations, by))
        [receipt] = committed.candidate.receipts
        assert receipt.outcome == 0, receipt

    async def run(self, command: str, *words: str | Path, by: str = "") -> Ran:
        """Run `khazana auction COMMAND`, signed by the key of this name if there is one."""
        signing: tuple[str | Path, ...] = ()
        if by:
            file, passphrase = self.folder / f"{by}.json", self.folder / "passphrase"
            if not file.exists():
                passphrase.write_text("open sesame\n")
                store_key(file, key(by).seed, "open sesame", purpose="account", work=LITTLE)
            signing = ("--key", file, "--passphrase-file", passphrase)
        if command in {"bid", "reveal"}:
            signing = (*signing, "--bids", self.folder / "bids")
        return await ask(self.solo, "auction", command, *words, *signing)

    def address(self, name: str, owner: str = BANK) -> str:
        return self.solo.address(name, owner)


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    """A bank with three accounts of Rs 10,000 each, and an auction that is announced."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=3, sealing=True) as solo:
        opens_ms = solo.town.chain.head.time_ms + 10 * MINUTE_MS
        market = Market(solo, tmp_path, opens_ms)
        today = opens_ms // MS_PER_DAY
        bill = DefineAsset(
            account=MINISTRY,
            approvers=(CENTRAL,),
            asset=BILL,
            name="Market Treasury Bill, 3 months",
            issuer="finance-ministry",
            identifiers=AssetIdentifiers(isin=ISIN, currency="PKR", dti=None),
            terms=BillTerms(issue_day=today, maturity_day=today + 84, face_currency="PKR"),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=100,
            ceiling=10**12,
            forced_transfer_allowed=False,
        )
        terms = replace(
            TERMS,
            asset=BILL,
            cash=CASH,
            proceeds=MINISTRY,
            target=1_000_000,
            multiple=10_000,
            prorata_step=10_000,
            opens_ms=opens_ms,
            closes_ms=opens_ms + 10 * MINUTE_MS,
            reveals_until_ms=opens_ms + 20 * MINUTE_MS,
            decides_until_ms=opens_ms + 30 * MINUTE_MS,
            settles_ms=opens_ms + 40 * MINUTE_MS,
            noncompetitive_least=10_000,
            noncompetitive_most=100_000,
            reference="mtb-3m",
        )
        announce = AnnounceAuction(
            account=MINISTRY, approvers=(CENTRAL,), auction=AUCTION, terms=terms
        )
        await market.decide(bill, announce, by=BOTH)
        amina = RegisterParticipant(
            account=REGULATOR,
            approvers=(),
            participant="amina",
            kind=ParticipantKind.PERSON,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        )
        opening = OpenAccount(
            account=REGULATOR,
            approvers=(),
            owner="amina",
            policy=single_signer(key("amina").public_key),
            salt=SALT,
        )
        await market.decide(amina, opening, by=("virtual-asset-regulator",))
        give = Transfer(
            account=address_of(BANK, "a2"),
            to=address_of("amina", "amina"),
            asset=CASH,
            amount=200_000,
        )
        await market.decide(give, by=("a2",))
        yield market


async def bid(market: Market, who: str, price: str, face: str) -> Ran:
    words = ("--account", market.address(who), "--price", price, "--face", face)
    return await market.run("bid", AUCTION, *words, by=who)


async def test_whole_auction_by_the_command_line(market: Market) -> None:
    listed = await market.run("list")
    assert AUCTION in listed.out
    assert "announced" in listed.out
    await market.go_to(0)
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

    await market.go_to(20)
    decide = DecideAuction(account=MINISTRY, approvers=(), auction=AUCTION, cut_off_e4=982_500)
    await market.decide(decide, by=("finance-ministry",))

    result = await market.run("result", AUCTION)
    assert "98.3611" in result.out  # (40 x 98.50 + 50 x 98.25) / 90
    assert "at the average" in result.out
    verified = await market.run("verify", AUCTION, "--json")
    assert verified.code == Exit.OK, verified.err
    assert verified.json["verified"] is True
    await market.go_to(40)
    await market.solo.seal()
    settled = await market.run("verify", AUCTION)
    assert settled.code == Exit.OK, settled.err
    assert "DIFFERS" not in settled.out
    references = await market.run("references", "--json")
    assert [each["reference"] for each in references.json["references"]] == ["mtb-3m"]
    await check_reads(market)
    await check_that_lies_are_seen(market)


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
    assert [(row.price, row.allotted, row.state) for row in ladder] == [
        (Decimal("98.5"), Decimal(4000), "settled"),
        (Decimal("98.25"), Decimal(5000), "settled"),
        (None, Decimal(1000), "settled"),
    ]
    assert auction.settled == Decimal(10000)
    assert bidder.bids == ()
    assert bidder.standing.excluded_until is None


async def check_that_lies_are_seen(market: Market) -> None:
    """Each published figure that is altered comes out as the one that differs."""
    published = (await market.run("result", AUCTION, "--json")).json
    async with Client(market.solo.url) as client:
        asset = (await client.asset(BILL)).value
        reader = OperationReader(
            parse_address=client.network.parse_address, decimals_of=lambda _: asset.decimals
        )

    def differing(**changes: Any) -> set[str]:
        altered = copy.deepcopy(published)
        for path, value in changes.items():
            *outer, last = path.split("__")
            place = altered
            for name in outer:
                place = place[int(name[1:]) if name[1:].isdigit() else name]
            place[last] = value
        return {each.name for each in figures_of(altered, asset.terms, reader) if not each.agrees}

    assert differing() == set()
    assert differing(result__average_price="98.3612") == {"average price"}
    assert differing(result__average_yield="1.0000") == {"average yield"}
    assert differing(result__noncompetitive_price="98.3600") == {"price without a bid's own"}
    assert differing(result__competitive="9100.00") == {"allotted with a price"}
    assert differing(paid="1.00") == {"paid"}
    assert differing(result__cut_off="98.2400") == {"cut-off"}
    assert "rows as allotted" in differing(ladder___0__allotted="3900.00")
    assert "order of the ladder" in differing(ladder___0__price="98.0000")


async def test_bid_that_could_not_be_opened_later_is_not_sealed(market: Market) -> None:
    await market.go_to(0)

    off_the_multiple = await bid(market, "a0", "98.5", "4050")
    too_fine = await bid(market, "a0", "98.50001", "4000")
    too_high = await bid(market, "a0", "98500", "4000")
    both = await market.run(
        "bid", AUCTION, "--account", market.address("a0"), "--face", "100", "--price", "98",
        "--cash-account", market.address("a1"), by="a0",
    )  # fmt: skip

    for ran in (off_the_multiple, too_fine, too_high, both):
        assert ran.code == Exit.USAGE, ran.err
    assert not (market.folder / "bids").exists()


async def test_bid_is_kept_before_it_is_handed_in_and_by_nobody_else(market: Market) -> None:
    ran = await bid(market, "a0", "98.5", "4000")

    assert ran.code == Exit.REFUSED  # It has not opened yet.
    assert "AUCTION_STEP_TOO_EARLY" in ran.err
    [file] = (market.folder / "bids").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    told = json.loads(file.read_text())
    assert (told["price"], told["face"]) == ("98.5000", "4000")
    network = market.solo.network.genesis_hash.hex()
    account = market.address("a0")
    found = load(file.parent, network=network, auction=AUCTION, account=account)
    assert list(found) == [told["commitment"]]
    assert load(file.parent, network="00", auction=AUCTION, account=account) == {}

    file.write_text("{")
    await market.go_to(10)
    ran = await market.run("reveal", AUCTION, "--account", account, by="a0")
    assert ran.code == Exit.CONFIGURATION
    assert "is no sealed bid" in ran.err


async def test_files_of_sealed_bids_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a-1.json").write_text("x" * (FILE_SIZE_MAX + 1))
    with pytest.raises(CommandError, match=f"more than {FILE_SIZE_MAX} bytes"):
        load(tmp_path, network="", auction="a", account="")

    for number in range(FILES_MAX):
        (tmp_path / f"a-{number + 2}.json").touch()
    with pytest.raises(CommandError, match=f"at most {FILES_MAX} are read"):
        load(tmp_path, network="", auction="a", account="")


async def test_one_answer_holds_a_bounded_part_of_a_ladder(market: Market) -> None:
    pieces = PIECES_MAX + 1
    row = LadderRow(number=1, price_e4=None, face=100, allotted=0, state=RowState.OPEN)
    record = market.solo.town.chain.record(AUCTIONS, name_key(AUCTION))
    records = [
        (LADDERS.prefix + ladder_key("long", piece), LadderRecord(rows=(row,)))
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
