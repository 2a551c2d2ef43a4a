"""Bids on paper: from the mandate to the settlement, and whose fault is what was not entered."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from node.codec import encode, replace
from node.ledger.auctions import SealedBid, commitment_of
from node.ledger.auctions.records import EnvelopeRecord, MandateRecord, StandingRecord
from node.ledger.auctions.terms import BIDS_PER_BIDDER_MAX
from node.ledger.errors import InvariantViolation
from node.ledger.events import (
    AllotmentSettled,
    AuctionClosed,
    BidEntered,
    BidMandateGiven,
    BidMandateRevoked,
    BidsVoided,
    BookCompleted,
    EnvelopeLodged,
    EnvelopeReturned,
    EnvelopesUnentered,
    ProposalApplied,
)
from node.ledger.operations import (
    Approve,
    CloseAccount,
    CommitBid,
    EnterBid,
    GiveBidMandate,
    LodgeEnvelope,
    Propose,
    ReturnEnvelope,
    RevealBid,
    RevokeBidMandate,
    WithdrawBid,
)
from node.ledger.outcomes import Outcome
from node.ledger.powers import offices_min
from node.ledger.tables import (
    BIDDERS,
    BIDS,
    ENVELOPES,
    MANDATES,
    PROPOSALS,
    STANDINGS,
    bid_key,
    name_key,
)
from tests.ledger.auctions.market import (
    BIDS_OF_BANKS,
    TERMS,
    Bid,
    auction,
    commit_all,
    decide,
    go_to,
    ladder,
    make_auction,
    placed,
    reveal,
    reveal_all,
    salt_of,
    sealed,
)
from tests.ledger.ladders_auctions import AUCTION, STEP
from tests.ledger.world import BILL, CB, CC, FM, VAR, World, address

BANK_A: Final[Bid] = ("bank-a", 984_000, 30)
SALT: Final = 77


def content_of(who: str, price_e4: int | None, steps: int, salt: int = SALT) -> SealedBid:
    return SealedBid(
        auction=AUCTION,
        account=address(who),
        price_e4=price_e4,
        face=steps * STEP,
        salt=salt_of(salt),
    )


def mandate(who: str, office: str = CB, payer: str | None = None) -> GiveBidMandate:
    return GiveBidMandate(account=address(who), cash_account=address(payer or who), office=office)


def lodge(who: str, content: SealedBid, office: str = CB) -> LodgeEnvelope:
    return LodgeEnvelope(
        account=address(office),
        approvers=(),
        bidding=address(who),
        auction=AUCTION,
        commitment=commitment_of(content),
    )


def enter(content: SealedBid, number: int, *offices: str) -> EnterBid:
    first, *others = offices or (CB, FM)
    return EnterBid(
        account=address(first),
        approvers=tuple(address(each) for each in others),
        auction=AUCTION,
        number=number,
        asset=BILL,
        price_e4=content.price_e4,
        face=content.face,
        salt=content.salt,
    )


def make_paper(*contents: tuple[str, SealedBid]) -> World:
    """Open an auction in which these envelopes are with the central bank, numbered from 1."""
    world = make_auction()
    for who in dict.fromkeys(who for who, _ in contents):
        world.do(mandate(who), by=(who,))
    for who, content in contents:
        world.do(lodge(who, content), by=(CB,))
    world.check()
    return world


def standing(world: World, who: str) -> StandingRecord | None:
    return world.get(STANDINGS, name_key(who))


# --- the whole of it -----------------------------------------------------------------------------


def test_bid_on_paper_is_a_bid_like_any_other_from_the_mandate_to_the_settlement() -> None:
    world = make_auction()
    assert world.do(mandate("bank-a", payer="bank-b"), by=("bank-a", "bank-b")) == (
        BidMandateGiven(account=address("bank-a"), cash_account=address("bank-b"), office=CB),
    )
    content = content_of(*BANK_A)
    assert world.do(lodge("bank-a", content), by=(CB,)) == (
        EnvelopeLodged(auction=AUCTION, number=1, account=address("bank-a"), office=CB),
    )
    assert go_to(world, TERMS.closes_ms) == (
        AuctionClosed(auction=AUCTION, sealed=1, noncompetitive=0),
    )

    assert world.do(enter(content, 1), by=(CB, FM)) == (
        BidEntered(
            auction=AUCTION,
            number=1,
            account=address("bank-a"),
            office=CB,
            asset=BILL,
            price_e4=984_000,
            face=30 * STEP,
        ),
    )

    go_to(world, TERMS.reveals_until_ms)
    # The ladder says nothing of paper.
    [row] = ladder(world)
    assert (row.number, row.price_e4, row.face) == (1, 984_000, 30 * STEP)
    world.do(decide(984_000), by=(FM,))
    events = go_to(world, TERMS.settles_ms)
    while auction(world).next_ms is not None:
        events += go_to(world, world.time_ms + 1)
    [settled] = [event for event in events if isinstance(event, AllotmentSettled)]
    assert (settled.account, settled.cash_account) == (address("bank-a"), address("bank-b"))
    assert standing(world, CB) is None
    for table in (BIDS, BIDDERS, ENVELOPES):
        assert not world.records.scan(table, b"", 1)
    assert world.get(MANDATES, address("bank-a")) == MandateRecord(
        cash_account=address("bank-b"), office=CB
    )


def test_first_office_proposes_what_it_reads_and_the_second_confirms_it() -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    go_to(world, TERMS.closes_ms)
    operations = encode((enter(content, 1, CB),))
    propose = Propose(account=address(CB), operations=operations, expires_ms=TERMS.reveals_until_ms)
    world.do(propose, by=(CB,))
    [(proposal, _)] = world.records.scan(PROPOSALS, b"", 2)
    assert world.get(BIDS, bid_key(AUCTION, 1)).bid is None  # type: ignore[union-attr]

    events = world.do(Approve(account=address(FM), proposal=proposal), by=(FM,))

    assert [type(event) for event in events[1:]] == [ProposalApplied, BidEntered]
    world.check()


@pytest.mark.parametrize("second", [VAR, CC])
def test_second_office_is_one_of_those_that_the_matrix_names(second: str) -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    go_to(world, TERMS.closes_ms)

    refused = world.submit(enter(content, 1, CB, second), by=(CB, second))

    assert refused.outcome is Outcome.OFFICES_MISSING
    assert offices_min("enter_bid", "bill") == 2


def test_two_offices_enter_nothing_that_the_bidder_has_not_written() -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    go_to(world, TERMS.closes_ms)

    for changes in (
        {"price_e4": 984_100},
        {"face": 31 * STEP},
        {"salt": salt_of(SALT + 1)},
    ):
        wrong = replace(enter(content, 1), **changes)
        assert world.submit(wrong, by=(CB, FM)).outcome is Outcome.SEALED_BID_DIFFERS
    world.do(enter(content, 1), by=(CB, FM))


@pytest.mark.parametrize("first", ["paper", "key"])
@pytest.mark.parametrize("second", ["paper", "key"])
def test_what_was_sealed_once_is_bid_for_once(first: str, second: str) -> None:
    world, content = make_paper(), content_of(*BANK_A)
    world.do(mandate("bank-a"), by=("bank-a",))
    commit = CommitBid(
        account=address("bank-a"), auction=AUCTION, commitment=commitment_of(content)
    )
    ways: dict[str, tuple[CommitBid | LodgeEnvelope, str]] = {
        "paper": (lodge("bank-a", content), CB),
        "key": (commit, "bank-a"),
    }

    operation, who = ways[first]
    world.do(operation, by=(who,))
    operation, who = ways[second]
    assert world.submit(operation, by=(who,)).outcome is Outcome.SEALED_BID_EXISTS
    world.do(lodge("bank-a", content_of(*BANK_A, salt=SALT + 1)), by=(CB,))
    world.check()


def test_hash_of_somebody_elses_envelope_opens_nothing() -> None:
    theirs = content_of(*BANK_A)
    world = make_paper(("bank-a", theirs))
    world.do(mandate("bank-b"), by=("bank-b",))
    world.do(lodge("bank-b", theirs), by=(CB,))
    go_to(world, TERMS.closes_ms)

    assert world.submit(enter(theirs, 2), by=(CB, FM)).outcome is Outcome.SEALED_BID_DIFFERS


# --- mandates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["bank-a", "bank-b"])
def test_mandate_is_taken_back_by_either_account_and_then_nothing_is_lodged(by: str) -> None:
    world = make_auction()
    world.do(mandate("bank-a", payer="bank-b"), by=("bank-a", "bank-b"))

    revoke = RevokeBidMandate(account=address(by), bidding=address("bank-a"))
    assert world.do(revoke, by=(by,)) == (BidMandateRevoked(account=address("bank-a"), office=CB),)

    refused = world.submit(lodge("bank-a", content_of(*BANK_A)), by=(CB,))
    assert refused.outcome is Outcome.BID_MANDATE_MISSING
    world.check()


def test_mandate_taken_back_after_the_close_leaves_no_choice_to_who_has_seen_the_others() -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    go_to(world, TERMS.closes_ms)
    revoke = RevokeBidMandate(account=address("bank-a"), bidding=address("bank-a"))
    world.do(revoke, by=("bank-a",))

    world.do(enter(content, 1), by=(CB, FM))


def test_bidder_with_a_key_withdraws_its_envelope_before_the_close() -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    withdraw = WithdrawBid(account=address("bank-a"), auction=AUCTION, number=1)
    world.do(withdraw, by=("bank-a",))
    world.check()

    assert auction(world).sealed == 0
    assert not world.records.scan(ENVELOPES, b"", 1)
    go_to(world, TERMS.closes_ms)
    assert world.submit(enter(content, 1), by=(CB, FM)).outcome is Outcome.ENVELOPE_UNKNOWN


def test_envelope_that_was_taken_back_is_not_lodged_again() -> None:
    """Its office still has the paper, and the mandate stands for another envelope."""
    world = make_paper(("bank-a", content_of(*BANK_A)))
    withdraw = WithdrawBid(account=address("bank-a"), auction=AUCTION, number=1)
    world.do(withdraw, by=("bank-a",))
    again, other = (
        LodgeEnvelope(
            account=address(CB),
            approvers=(),
            bidding=address("bank-a"),
            auction=AUCTION,
            commitment=commitment_of(content),
        )
        for content in (content_of(*BANK_A), replace(content_of(*BANK_A), salt=bytes(32)))
    )

    assert world.submit(again, by=(CB,)).outcome is Outcome.ENVELOPE_WITHDRAWN
    world.do(other, by=(CB,))
    # By its own key the bidder may hand it in, and what an office gave back it may lodge again.
    commit = CommitBid(
        account=address("bank-a"), auction=AUCTION, commitment=commitment_of(content_of(*BANK_A))
    )
    world.do(commit, by=("bank-a",))
    world.do(ReturnEnvelope(account=address(CB), approvers=(), auction=AUCTION, number=2), by=(CB,))
    world.do(other, by=(CB,))
    world.check()
    go_to(world, TERMS.closes_ms)
    go_to(world, TERMS.reveals_until_ms)
    go_to(world, TERMS.decides_until_ms)
    assert not world.records.scan(BIDDERS, b"", 1)


def test_bidder_with_a_key_opens_its_envelope_itself() -> None:
    content = content_of(*BANK_A)
    world = make_paper(("bank-a", content))
    go_to(world, TERMS.closes_ms)

    opening = replace(reveal(BANK_A, 1), salt=content.salt)
    world.do(opening, by=("bank-a",))

    assert world.submit(enter(content, 1), by=(CB, FM)).outcome is Outcome.SEALED_BID_OPENED
    go_to(world, TERMS.reveals_until_ms)
    assert standing(world, CB) is None


def test_closed_account_has_no_mandate() -> None:
    world = make_auction()
    world.do(mandate("exchange", payer="bank-a"), by=("exchange", "bank-a"))

    world.do(CloseAccount(account=address("exchange")), by=("exchange",))

    assert world.get(MANDATES, address("exchange")) is None
    world.check()


def test_invariant_names_a_mandate_of_a_closed_account_and_an_envelope_without_a_bid() -> None:
    stray = MandateRecord(cash_account=address("bank-a"), office=CB)
    world = make_auction()
    world.records.write({MANDATES.prefix + address("closed"): encode(stray)})
    with pytest.raises(InvariantViolation, match="which is no open account"):
        world.check()
    envelope = EnvelopeRecord(office=CB, lodged_by=CB, cash_account=address("bank-a"), priced=True)
    world = make_auction()
    world.records.write({ENVELOPES.prefix + bid_key(AUCTION, 9): encode(envelope)})
    with pytest.raises(InvariantViolation, match="is no sealed bid"):
        world.check()


# --- who is to blame -----------------------------------------------------------------------------


def test_what_is_not_entered_counts_against_the_office_and_not_the_bidder() -> None:
    world = make_paper(
        ("bank-a", content_of(*BANK_A)),
        ("bank-a", content_of("bank-a", 983_900, 10)),
        ("amina", content_of("amina", None, 2)),
    )
    world.do(sealed(("bank-b", 983_800, 5), 4), by=("bank-b",))
    go_to(world, TERMS.closes_ms)
    world.do(enter(content_of(*BANK_A), 1), by=(CB, FM))

    events = go_to(world, TERMS.reveals_until_ms)

    assert events == (
        BookCompleted(
            auction=AUCTION,
            asset=BILL,
            competitive=30 * STEP,
            noncompetitive=0,
            unrevealed=3,
        ),
        EnvelopesUnentered(auction=AUCTION, participant=CB, count=2),
    )
    assert standing(world, CB) == StandingRecord(
        unrevealed=0, failed=0, excluded_until_ms=0, unentered=2
    )
    assert standing(world, "bank-a") is None
    assert standing(world, "amina") is None
    theirs = standing(world, "bank-b")
    assert theirs is not None
    assert (theirs.unrevealed, theirs.unentered) == (1, 0)
    assert theirs.excluded_until_ms > world.time_ms
    assert auction(world).unrevealed == 3


def test_envelope_is_returned_unopened_and_is_no_bid_and_no_fault() -> None:
    world = make_paper(("bank-a", content_of(*BANK_A)), ("amina", content_of("amina", None, 2)))
    for number, who in ((1, "bank-a"), (2, "amina")):
        operation = ReturnEnvelope(
            account=address(CB), approvers=(), auction=AUCTION, number=number
        )
        assert world.do(operation, by=(CB,)) == (
            EnvelopeReturned(auction=AUCTION, number=number, account=address(who)),
        )
    world.check()

    assert (auction(world).sealed, auction(world).noncompetitive) == (0, 0)
    go_to(world, TERMS.closes_ms)
    go_to(world, TERMS.reveals_until_ms)
    assert standing(world, CB) is None


# --- without a price -----------------------------------------------------------------------------


def test_envelope_without_a_price_is_served_as_a_bid_without_one() -> None:
    content = content_of("amina", None, 4)
    world = make_paper(("amina", content))
    commit = [sealed(bid, number) for number, bid in enumerate(BIDS_OF_BANKS, 2)]
    for bid, operation in zip(BIDS_OF_BANKS, commit, strict=True):
        world.do(operation, by=(bid[0],))
    assert go_to(world, TERMS.closes_ms) == (
        AuctionClosed(auction=AUCTION, sealed=5, noncompetitive=1),
    )
    for number, bid in enumerate(BIDS_OF_BANKS, 2):
        world.do(reveal(bid, number), by=(bid[0],))

    world.do(enter(content, 1), by=(CB, FM))
    go_to(world, TERMS.reveals_until_ms)
    world.do(decide(983_800), by=(FM,))

    assert [
        (row.number, row.allotted // STEP) for row in ladder(world) if row.price_e4 is None
    ] == [(1, 4)]
    world.check()


def voided(world: World, events: Sequence[Any], first: int) -> None:
    assert events[-1] == BidsVoided(auction=AUCTION, number=first, bidder="amina")
    go_to(world, TERMS.reveals_until_ms)
    assert [row for row in ladder(world) if row.price_e4 is None] == []
    assert standing(world, CB) is None


def test_one_on_paper_beside_an_electronic_one_voids_both() -> None:
    content = content_of("amina", None, 2)
    world = make_paper(("amina", content))
    world.do(placed("amina", 4), by=("amina",))
    go_to(world, TERMS.closes_ms)

    events = world.do(enter(content, 1), by=(CB, FM))

    assert isinstance(events[0], BidEntered)
    voided(world, events, 2)


def test_two_on_paper_are_both_void() -> None:
    first, second = content_of("amina", None, 2), content_of("amina", None, 3, salt=78)
    world = make_paper(("amina", first), ("amina", second))
    go_to(world, TERMS.closes_ms)
    assert len(world.do(enter(first, 1), by=(CB, FM))) == 1

    events = world.do(enter(second, 2), by=(CB, FM))

    voided(world, events, 1)


def test_envelope_that_nobody_opens_voids_no_other_bid() -> None:
    world = make_paper(("amina", content_of("amina", None, 2)))
    commit_of_a = sealed(BANK_A, 2)
    world.do(commit_of_a, by=("bank-a",))
    world.do(placed("amina", 4), by=("amina",))
    go_to(world, TERMS.closes_ms)
    world.do(reveal(BANK_A, 2), by=("bank-a",))
    go_to(world, TERMS.reveals_until_ms)

    [row] = [row for row in ladder(world) if row.price_e4 is None]
    assert (row.number, row.face) == (3, 4 * STEP)


def test_who_names_no_price_does_not_name_one_in_an_envelope_whoever_opens_it() -> None:
    content = content_of("amina", 984_000, 2)
    world = make_paper(("amina", content))
    go_to(world, TERMS.closes_ms)
    itself = RevealBid(
        account=address("amina"),
        cash_account=address("amina"),
        auction=AUCTION,
        number=1,
        asset=BILL,
        price_e4=984_000,
        face=content.face,
        salt=content.salt,
    )

    assert world.submit(enter(content, 1), by=(CB, FM)).outcome is Outcome.BIDDER_NOT_ACCEPTED
    assert world.submit(itself, by=("amina",)).outcome is Outcome.BIDDER_NOT_ACCEPTED


# --- limits --------------------------------------------------------------------------------------


def test_envelopes_and_electronic_bids_count_to_the_same_limits() -> None:
    most = TERMS.bids_per_bidder
    assert most <= BIDS_PER_BIDDER_MAX
    world = make_auction()
    world.do(mandate("bank-a"), mandate("amina"), by=("bank-a", "amina"))
    for salt in range(1, most):
        world.do(sealed(("bank-a", 984_000, 1), salt), by=("bank-a",))
    for salt in range(1, most + 1):
        world.do(lodge("amina", content_of("amina", None, 1, salt)), by=(CB,))
    world.do(lodge("bank-a", content_of(*BANK_A)), by=(CB,))

    for refused in (
        world.submit(lodge("bank-a", content_of(*BANK_A)), by=(CB,)),
        world.submit(sealed(("bank-a", 984_000, 1), most), by=("bank-a",)),
        world.submit(lodge("amina", content_of("amina", None, 1)), by=(CB,)),
    ):
        assert refused.outcome is Outcome.BIDS_FULL_FOR_BIDDER


def test_what_paper_and_keys_bid_for_together_is_within_the_bidders_limit() -> None:
    terms = replace(TERMS, bidder_share_bps=3_000)
    world = make_auction(terms)
    world.do(mandate("bank-a"), by=("bank-a",))
    content = content_of("bank-a", 984_000, 20)
    world.do(lodge("bank-a", content), by=(CB,))
    world.do(sealed(("bank-a", 983_900, 11), 2), by=("bank-a",))
    go_to(world, terms.closes_ms)
    world.do(reveal(("bank-a", 983_900, 11), 2), by=("bank-a",))

    refused = world.submit(enter(content, 1), by=(CB, FM))

    assert refused.outcome is Outcome.BIDDER_LIMIT_EXCEEDED
    assert dict(refused.details)["found"] == 31 * STEP


def test_envelopes_are_forgotten_where_all_bids_are_rejected() -> None:
    world = make_paper(("bank-a", content_of(*BANK_A)))
    go_to(world, TERMS.closes_ms)
    go_to(world, TERMS.reveals_until_ms)  # nobody has opened anything: rejected
    while auction(world).next_ms is not None:
        go_to(world, world.time_ms + 1)

    assert not world.records.scan(ENVELOPES, b"", 1)


def test_whole_book_of_paper_and_keys_is_worked_out_as_one() -> None:
    world = make_auction()
    commit_all(world, BIDS_OF_BANKS)
    world.do(mandate("bank-a"), by=("bank-a",))
    content = content_of("bank-a", 984_100, 10)
    world.do(lodge("bank-a", content), by=(CB,))
    go_to(world, TERMS.closes_ms)
    reveal_all(world, BIDS_OF_BANKS)
    world.do(enter(content, 6), by=(CB, FM))
    go_to(world, TERMS.reveals_until_ms)

    world.do(decide(983_900), by=(FM,))

    assert [(row.number, row.allotted // STEP) for row in ladder(world) if row.allotted] == [
        (6, 10),
        (1, 30),
        (2, 30),
    ]
