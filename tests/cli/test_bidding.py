"""Bids by the command line: what is checked before it is sealed, kept, and opened."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.cli.auction.sealed import FILE_SIZE_MAX, FILES_MAX, load
from node.cli.exits import CommandError, Exit
from node.cli.tx import options
from node.ledger.transactions import MEMO_MAX
from tests.chain.town import CASH
from tests.cli.asked import ask
from tests.cli.market import AUCTION, Market, bid, market_at


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    """A bank with three accounts of Rs 10,000 each, and an auction that is announced."""
    async with market_at(tmp_path) as market:
        yield market


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
    assert re.search(
        r"AUCTION_STEP_TOO_EARLY: .* from \S+ \S+ UTC\+05:00 on; .* \S+ UTC\+05:00\.", ran.err
    )
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


async def test_a_figure_that_is_none_is_named_by_its_option(market: Market) -> None:
    """Twelve ways to mistype a price or a face: none is guessed, and nothing is kept."""
    await market.go_to(0)
    for price, face, said in (
        ("", "4000", "--price: '' is not an amount"),
        ("٩٨", "4000", "--price: '٩٨' is not an amount"),
        ("98,5", "4000", "--price: '98,5' is not an amount"),
        ("1e2", "4000", "--price: '1e2' is not an amount"),
        ("98.50001", "4000", "--price: 98.50001 has more decimals than the 4 that there are"),
        ("-98", "4000", "the price is -98; expected a multiple of 0.0001"),
        ("0", "4000", "the price is 0; expected a multiple"),
        ("98", "", "--face: '' is not an amount"),
        ("98", "-4000", "--face: '-4000' is not an amount"),
        ("98", "4000.005", "--face: 4000.005 has more decimals than the 2"),
        ("98", "9" * 21, "is not an amount"),
        ("98", "10100", "one bidder may bid for 100 % of the target of 10000.00"),
    ):
        ran = await bid(market, "a0", price, face)
        assert ran.code == Exit.USAGE, ran.err
        assert said in ran.err, ran.err
    assert not (market.folder / "bids").exists()


async def test_a_second_bid_without_a_price_is_kept_back(market: Market) -> None:
    """Two would both be void, and the person would get nothing."""
    await market.go_to(0)
    words = ("bid", AUCTION, "--account", market.address("amina", "amina"), "--face", "1000")
    assert (await market.run(*words, by="amina")).code == Exit.OK

    second = await market.run(*words, by="amina")

    assert second.code == Exit.REFUSED
    assert "amina has a bid without a price in mtb-3m-574, number 1" in second.err
    own = await market.run("bids", "amina", "--auction", AUCTION, "--json")
    assert [each["void"] for each in own.json["bids"]] == [False]


async def test_of_several_bids_none_is_opened_where_one_cannot_be(market: Market) -> None:
    """The limit is on all that a bidder has opened: each of two is within it, both are not."""
    await market.go_to(0)
    for price in ("98.5", "98.25"):
        assert (await bid(market, "a0", price, "6000")).code == Exit.OK
    await market.go_to(10)
    words = ("reveal", AUCTION, "--account", market.address("a0"))

    both = await market.run(*words, by="a0")
    one = await market.run(*words, "--number", "1", by="a0")
    other = await market.run(*words, by="a0")

    assert both.code == other.code == Exit.REFUSED
    assert "BIDDER_LIMIT_EXCEEDED" in both.err
    assert "None of them was opened. Open those that can be with --number" in both.err
    assert one.code == Exit.OK, one.err
    assert "None of them was opened" not in other.err  # there was but one left


async def test_an_amount_of_what_is_not_there_and_a_memo_without_end_are_told(
    market: Market,
) -> None:
    accounts = ("--account", market.address("a0"), "--to", market.address("a1"))
    words = ("tx", "transfer", *accounts, *market.signing("a0"))

    unknown = await ask(market.solo, *words, "--asset", "NOPE", "--amount", "1.00")
    long = await ask(market.solo, *words, "--asset", CASH, "--amount", "1", "--memo", "x" * 141)

    assert unknown.code == long.code == Exit.USAGE
    assert "amount: it is of an asset that is not defined" in unknown.err
    assert "found 141 characters, expected at most 140" in long.err


async def test_an_auction_that_nobody_won_has_nothing_to_come(market: Market) -> None:
    for minute in (0, 10, 20, 30):
        await market.go_to(minute)

    result = await market.run("result", AUCTION)
    verified = await market.run("verify", AUCTION)
    shown = await market.run("show", AUCTION)

    assert "no bid was accepted" in result.out
    assert "No bid was accepted, and nothing is to come." in verified.err
    assert f"auction {AUCTION}: rejected, no bid was accepted\n" in shown.out


def test_the_longest_memo_is_that_of_the_ledger() -> None:
    assert options._MEMO_MAX == MEMO_MAX
