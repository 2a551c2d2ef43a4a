"""The tables of bids on paper: mandates, envelopes, and their entry by two offices."""

from collections.abc import Callable
from typing import Final

from node.codec import replace
from node.ledger.auctions import SealedBid, commitment_of
from node.ledger.auctions.records import (
    AuctionStage,
    BidderRecord,
    EnvelopeRecord,
    MandateRecord,
)
from node.ledger.auctions.terms import (
    BIDS_PER_BIDDER_MAX,
    COMPETITIVE_BIDS_MAX,
    NONCOMPETITIVE_BIDS_MAX,
)
from node.ledger.operations import (
    EnterBid,
    GiveBidMandate,
    LodgeEnvelope,
    ReturnEnvelope,
    RevokeBidMandate,
)
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.tables import (
    BIDDERS,
    BIDS,
    ENVELOPES,
    MANDATES,
    STANDINGS,
    bid_key,
    bidder_key,
    name_key,
)
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.ladders_auctions import (
    AUCTION,
    BID,
    CLOSED,
    DIFFERENT_ROW,
    EXCLUDED,
    OPENED,
    RECORD,
    SALT,
    SEALED,
    STEP,
    UNIDENTIFIED_ROW,
    UNKNOWN_ROW,
    having,
    sealing,
    with_record,
    with_terms,
)
from tests.ledger.world import BILL, CB, FM, NOW_MS, VAR, address

BANK: Final = address("first-bank")
MANDATE: Final = MandateRecord(cash_account=address("amina"), office=CB)
ENVELOPE: Final = EnvelopeRecord(
    office=CB, lodged_by=CB, cash_account=address("amina"), priced=True
)
REVEALING: Final = replace(RECORD, terms=CLOSED, stage=AuctionStage.REVEALING)
ANOTHER_ROW: Final = Row(
    why="an envelope that another office was handed",
    outcome=Outcome.ENVELOPE_OF_ANOTHER_OFFICE,
    prepare=putting(ENVELOPES, bid_key(AUCTION, 1), replace(ENVELOPE, office=VAR)),
)


def mandated(state: LedgerState) -> None:
    having(RECORD)(state)
    state.put(MANDATES, BANK, MANDATE)


def mandated_by_amina(state: LedgerState) -> None:
    having(RECORD)(state)
    state.put(MANDATES, address("amina"), MANDATE)


def having_withdrawn(*hashes: bytes) -> Callable[[LedgerState], None]:
    """Let the bank have taken envelopes back."""

    def prepare(state: LedgerState) -> None:
        key = bidder_key(AUCTION, "first-bank")
        theirs = state.get(BIDDERS, key)
        assert theirs is not None
        state.put(BIDDERS, key, replace(theirs, withdrawn=hashes))

    return prepare


def lodged(state: LedgerState) -> None:
    mandated(state)
    state.put(ENVELOPES, bid_key(AUCTION, 1), ENVELOPE)


def revealing(state: LedgerState) -> None:
    having(REVEALING)(state)
    state.put(ENVELOPES, bid_key(AUCTION, 1), ENVELOPE)


def electronic(state: LedgerState) -> None:
    """Let the bid be one that its bidder's own key has handed in."""
    state.delete(ENVELOPES, bid_key(AUCTION, 1))


def of_amina(state: LedgerState) -> None:
    """Let the envelope be one of Amina, who bids without a price."""
    content = SealedBid(
        auction=AUCTION, account=address("amina"), price_e4=None, face=2 * STEP, salt=SALT
    )
    bid = replace(BID, account=address("amina"), bidder="amina", commitment=commitment_of(content))
    having(replace(REVEALING, sealed=0, noncompetitive=1), sealed=False)(state)
    state.put(BIDS, bid_key(AUCTION, 1), bid)
    theirs = BidderRecord(sealed=(1,), face=0, noncompetitive=None, withdrawn=(), failed=False)
    state.put(BIDDERS, bidder_key(AUCTION, "amina"), theirs)
    state.put(ENVELOPES, bid_key(AUCTION, 1), replace(ENVELOPE, priced=False))


GIVE_BID_MANDATE: Final = Ladder(
    act="give_bid_mandate",
    good=GiveBidMandate(account=BANK, cash_account=address("amina"), office=CB),
    by=("first-bank", "amina"),
    rows=(
        *acting_rows(),
        Row(
            why="who would pay does not sign",
            outcome=Outcome.SIGNATURES_MISSING,
            by=("first-bank",),
        ),
        Row(
            why="an office that nobody holds",
            outcome=Outcome.OFFICE_VACANT,
            change={"office": "post-office"},
        ),
        Row(
            why="the same as before",
            outcome=Outcome.BID_MANDATE_UNCHANGED,
            prepare=putting(MANDATES, BANK, MANDATE),
            alone=True,
        ),
        surplus_row("first-bank", "amina"),
    ),
)

REVOKE_BID_MANDATE: Final = Ladder(
    act="revoke_bid_mandate",
    good=RevokeBidMandate(account=address("amina"), bidding=BANK),
    by=("amina",),
    prepare=mandated,
    rows=(
        *acting_rows(),
        Row(
            why="there is none",
            outcome=Outcome.BID_MANDATE_UNKNOWN,
            change={"bidding": address("exchange")},
        ),
        Row(
            why="neither the one that bids nor the one that pays",
            outcome=Outcome.BID_MANDATE_UNKNOWN,
            change={"account": address("exchange")},
            by=("exchange",),
        ),
        surplus_row("amina"),
    ),
)

LODGE_ENVELOPE: Final = Ladder(
    act="lodge_envelope",
    good=LodgeEnvelope(
        account=address(CB), approvers=(), bidding=BANK, auction=AUCTION, commitment=bytes(32)
    ),
    by=(CB,),
    prepare=mandated,
    rows=(
        *acting_rows(),
        Row(
            why="no such bidder",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"bidding": bytes(20)},
        ),
        UNKNOWN_ROW,
        Row(
            why="an office that takes no bids",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(VAR)},
            by=(VAR,),
        ),
        Row(
            why="without a mandate",
            outcome=Outcome.BID_MANDATE_MISSING,
            prepare=lambda state: state.delete(MANDATES, BANK),
        ),
        Row(
            why="a mandate of another office",
            outcome=Outcome.BID_MANDATE_MISSING,
            prepare=putting(MANDATES, BANK, replace(MANDATE, office=FM)),
        ),
        Row(
            why="the account that would pay is closed",
            outcome=Outcome.BID_MANDATE_MISSING,
            prepare=putting(MANDATES, BANK, replace(MANDATE, cash_account=address("closed"))),
        ),
        Row(
            why="early",
            outcome=Outcome.AUCTION_STEP_TOO_EARLY,
            prepare=with_terms(opens_ms=NOW_MS + 1),
        ),
        Row(
            why="late",
            outcome=Outcome.AUCTION_STEP_TOO_LATE,
            prepare=with_terms(closes_ms=NOW_MS),
        ),
        Row(
            why="of a class that may not bid here",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            prepare=with_terms(kinds=("institution",)),
        ),
        Row(
            why="the bank is excluded",
            outcome=Outcome.BIDDER_EXCLUDED,
            prepare=putting(STANDINGS, name_key("first-bank"), EXCLUDED),
        ),
        Row(
            why="one bid too many of the bank",
            outcome=Outcome.BIDS_FULL_FOR_BIDDER,
            prepare=with_terms(bids_per_bidder=1),
        ),
        Row(
            why="one bid too many of the auction",
            outcome=Outcome.AUCTION_FULL,
            prepare=with_record(sealed=COMPETITIVE_BIDS_MAX),
        ),
        Row(
            why="the hash of a bid that there is",
            outcome=Outcome.SEALED_BID_EXISTS,
            change={"commitment": SEALED},
        ),
        Row(
            why="an envelope that its bidder took back",
            outcome=Outcome.ENVELOPE_WITHDRAWN,
            prepare=having_withdrawn(bytes(32)),
        ),
        Row(
            why="of a bidder that took back as many as are remembered",
            outcome=Outcome.ENVELOPE_WITHDRAWN,
            prepare=having_withdrawn(*(bytes([n]) * 32 for n in range(1, 1 + BIDS_PER_BIDDER_MAX))),
            alone=True,
        ),
        surplus_row(CB),
    ),
)

LODGE_WITHOUT_A_PRICE: Final = Ladder(
    act="lodge_envelope",
    good=replace(LODGE_ENVELOPE.good, bidding=address("amina")),
    by=(CB,),
    prepare=mandated_by_amina,
    rows=(
        UNIDENTIFIED_ROW,
        Row(
            why="one bid too many without a price",
            outcome=Outcome.AUCTION_FULL,
            prepare=with_record(noncompetitive=NONCOMPETITIVE_BIDS_MAX),
        ),
    ),
)

RETURN_ENVELOPE: Final = Ladder(
    act="return_envelope",
    good=ReturnEnvelope(account=address(CB), approvers=(), auction=AUCTION, number=1),
    by=(CB,),
    prepare=lodged,
    rows=(
        *acting_rows(),
        UNKNOWN_ROW,
        Row(
            why="an office that takes no bids",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(VAR)},
            by=(VAR,),
        ),
        ANOTHER_ROW,
        Row(
            why="late",
            outcome=Outcome.AUCTION_STEP_TOO_LATE,
            prepare=with_terms(closes_ms=NOW_MS),
        ),
        Row(
            why="no such envelope",
            outcome=Outcome.ENVELOPE_UNKNOWN,
            change={"number": 2},
            alone=True,
        ),
        Row(
            why="a bid that came by its bidder's own key",
            outcome=Outcome.ENVELOPE_UNKNOWN,
            prepare=electronic,
            alone=True,
        ),
        surplus_row(CB),
    ),
)

ENTER_BID: Final = Ladder(
    act="enter_bid",
    good=EnterBid(
        account=address(FM),
        approvers=(address(CB),),
        auction=AUCTION,
        number=1,
        asset=BILL,
        price_e4=983_800,
        face=2 * STEP,
        salt=SALT,
    ),
    by=(FM, CB),
    prepare=revealing,
    rows=(
        *acting_rows(),
        UNKNOWN_ROW,
        Row(
            why="one office alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="the same office twice",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": (address(FM),)},
            by=(FM,),
        ),
        ANOTHER_ROW,
        DIFFERENT_ROW,
        Row(
            why="early",
            outcome=Outcome.AUCTION_STEP_TOO_EARLY,
            prepare=with_terms(closes_ms=NOW_MS + 1),
        ),
        Row(
            why="late",
            outcome=Outcome.AUCTION_STEP_TOO_LATE,
            prepare=with_terms(reveals_until_ms=NOW_MS),
        ),
        Row(
            why="without the price that such a bidder names",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            change={"price_e4": None},
            alone=True,
        ),
        Row(
            why="no such envelope",
            outcome=Outcome.ENVELOPE_UNKNOWN,
            change={"number": 2},
            alone=True,
        ),
        Row(
            why="a bid that came by its bidder's own key",
            outcome=Outcome.ENVELOPE_UNKNOWN,
            prepare=electronic,
            alone=True,
        ),
        Row(
            why="opened before",
            outcome=Outcome.SEALED_BID_OPENED,
            prepare=putting(BIDS, bid_key(AUCTION, 1), replace(BID, bid=OPENED)),
        ),
        Row(
            why="another price than on the paper",
            outcome=Outcome.SEALED_BID_DIFFERS,
            change={"price_e4": 983_900},
        ),
        Row(
            why="another face",
            outcome=Outcome.SEALED_BID_DIFFERS,
            change={"face": STEP},
        ),
        Row(
            why="another salt",
            outcome=Outcome.SEALED_BID_DIFFERS,
            change={"salt": bytes(32)},
        ),
        Row(
            why="off the quantum",
            outcome=Outcome.PRICE_OFF_QUANTUM,
            prepare=with_terms(quantum_e4=1_000),
        ),
        Row(
            why="off the multiple",
            outcome=Outcome.FACE_NOT_A_MULTIPLE,
            prepare=with_terms(multiple=3 * STEP),
        ),
        Row(
            why="over the limit",
            outcome=Outcome.BIDDER_LIMIT_EXCEEDED,
            prepare=with_terms(bidder_share_bps=999),
        ),
        Row(
            why="a price of nothing",
            outcome=Outcome.BID_OUT_OF_RANGE,
            change={"price_e4": 0},
            prepare=putting(BIDS, bid_key(AUCTION, 1), replace(BID, commitment=sealing(0))),
            alone=True,
        ),
        surplus_row(FM, CB),
    ),
)

ENTER_WITHOUT_A_PRICE: Final = Ladder(
    act="enter_bid",
    good=replace(ENTER_BID.good, price_e4=None),
    by=(FM, CB),
    prepare=of_amina,
    rows=(
        Row(
            why="with a price, which such a bidder may not name",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            change={"price_e4": 983_800},
            alone=True,
        ),
        Row(
            why="another face",
            outcome=Outcome.SEALED_BID_DIFFERS,
            change={"face": STEP},
        ),
        Row(
            why="more than one person may have",
            outcome=Outcome.NONCOMPETITIVE_FACE_NOT_ACCEPTED,
            prepare=with_terms(noncompetitive_most=STEP),
        ),
    ),
)

LADDERS: Final = (
    GIVE_BID_MANDATE,
    REVOKE_BID_MANDATE,
    LODGE_ENVELOPE,
    LODGE_WITHOUT_A_PRICE,
    RETURN_ENVELOPE,
    ENTER_BID,
    ENTER_WITHOUT_A_PRICE,
)
