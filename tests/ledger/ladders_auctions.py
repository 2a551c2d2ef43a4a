"""The tables of the auctions desk."""

from collections.abc import Callable, Mapping
from typing import Final

from node.codec import replace
from node.ledger.auctions import (
    Destination,
    Form,
    Method,
    NoncompetitivePrice,
    SealedBid,
    commitment_of,
)
from node.ledger.auctions.records import (
    AuctionRecord,
    AuctionStage,
    BidderRecord,
    BidRecord,
    LadderRecord,
    LadderRow,
    OpenBid,
    RowState,
    StandingRecord,
)
from node.ledger.auctions.terms import COMPETITIVE_BIDS_MAX, NONCOMPETITIVE_BIDS_MAX
from node.ledger.identities import note_identity
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    PlaceBid,
    RevealBid,
    WithdrawBid,
)
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.tables import (
    AUCTIONS,
    BIDDERS,
    BIDS,
    STANDINGS,
    bid_key,
    bidder_key,
    ladder_key,
    name_key,
)
from node.ledger.tables import LADDERS as PIECES
from tests.ledger.auctions.books import TERMS
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.world import BILL, CB, DAY_MS, FM, NOW_MS, PKR, VAR, address

AUCTION: Final = "mtb-3m-574"
HOUR_MS: Final = 3_600_000
STEP: Final = 500_000
"""The denomination of the bill: Rs 5,000."""

GOOD: Final = replace(
    TERMS,
    asset=BILL,
    cash=PKR,
    proceeds=address(FM),
    target=20 * STEP,
    opens_ms=NOW_MS + HOUR_MS,
    closes_ms=NOW_MS + 2 * HOUR_MS,
    reveals_until_ms=NOW_MS + 3 * HOUR_MS,
    decides_until_ms=NOW_MS + 4 * HOUR_MS,
    settles_ms=NOW_MS + DAY_MS,
    noncompetitive_kinds=("person",),
    noncompetitive_least=STEP,
    noncompetitive_most=2 * STEP,
    reference="mtb-3m",
)
OPEN: Final = replace(GOOD, opens_ms=NOW_MS)
CLOSED: Final = replace(GOOD, opens_ms=NOW_MS - 1, closes_ms=NOW_MS)
COMPLETE: Final = replace(GOOD, opens_ms=NOW_MS - 2, closes_ms=NOW_MS - 1, reveals_until_ms=NOW_MS)

SALT: Final = b"\x05" * 32


def sealing(price_e4: int) -> bytes:
    """Return the hash of the bank's bid at a price."""
    bank = address("first-bank")
    return commitment_of(
        SealedBid(auction=AUCTION, account=bank, price_e4=price_e4, face=2 * STEP, salt=SALT)
    )


SEALED: Final = sealing(983_800)

RECORD: Final = AuctionRecord(
    terms=OPEN,
    stage=AuctionStage.OPEN,
    next_ms=OPEN.closes_ms,
    numbered=1,
    sealed=1,
    noncompetitive=0,
    competitive_pieces=0,
    noncompetitive_pieces=0,
    unrevealed=0,
    result=None,
    pieces_settled=0,
    settled=0,
    paid=0,
    failed=0,
    unpaid=0,
    reallotted=0,
    issued=0,
)
BID: Final = BidRecord(
    account=address("first-bank"), bidder="first-bank", commitment=SEALED, bid=None, void=False
)
OPENED: Final = OpenBid(price_e4=983_800, face=2 * STEP, cash_account=address("first-bank"))
EXCLUDED: Final = StandingRecord(unrevealed=1, failed=2, excluded_until_ms=NOW_MS + 1, unentered=0)


def _unidentified(state: LedgerState) -> None:
    note_identity(state, "amina", None)


UNIDENTIFIED_ROW: Final = Row(
    why="a person of whom nobody has said who it is",
    outcome=Outcome.BIDDER_NOT_IDENTIFIED,
    prepare=_unidentified,
)

Preparation = Callable[[LedgerState], None]


def having(record: AuctionRecord, *, sealed: bool = True) -> Preparation:
    """Return what puts the auction there, with or without the bank's sealed bid, number 1."""

    def prepare(state: LedgerState) -> None:
        state.put(AUCTIONS, name_key(AUCTION), record)
        if sealed:
            state.put(BIDS, bid_key(AUCTION, 1), BID)
            theirs = BidderRecord(
                sealed=(1,), face=0, noncompetitive=None, withdrawn=(), failed=False
            )
            state.put(BIDDERS, bidder_key(AUCTION, "first-bank"), theirs)

    return prepare


def with_record(**changes: object) -> Preparation:
    """Return what changes fields of the auction's record."""

    def prepare(state: LedgerState) -> None:
        record = state.get(AUCTIONS, name_key(AUCTION))
        assert record is not None
        state.put(AUCTIONS, name_key(AUCTION), replace(record, **changes))

    return prepare


def with_terms(**changes: object) -> Preparation:
    """Return what changes fields of the auction's terms."""

    def prepare(state: LedgerState) -> None:
        record = state.get(AUCTIONS, name_key(AUCTION))
        assert record is not None
        terms = replace(record.terms, **changes)
        state.put(AUCTIONS, name_key(AUCTION), replace(record, terms=terms))

    return prepare


UNKNOWN_ROW: Final = Row(
    why="no such auction", outcome=Outcome.AUCTION_UNKNOWN, change={"auction": "mtb-3m-575"}
)
DIFFERENT_ROW: Final = Row(
    why="it sells something else",
    outcome=Outcome.AUCTION_ASSET_DIFFERS,
    change={"asset": "PKR"},
)


def announced(**changes: object) -> dict[str, object]:
    """Return the change to these terms."""
    return {"terms": replace(GOOD, **changes)}


INVALID_TERMS: Final[Mapping[str, Mapping[str, object]]] = {
    "it has opened": {"opens_ms": NOW_MS},
    "it closes before it opens": {"closes_ms": GOOD.opens_ms},
    "nothing can be opened": {"reveals_until_ms": GOOD.closes_ms},
    "nothing can be decided": {"decides_until_ms": GOOD.reveals_until_ms},
    "it settles before the decision": {"settles_ms": GOOD.decides_until_ms - 1},
    "it settles in two years": {"settles_ms": NOW_MS + 700 * DAY_MS},
    "it settles when the bill matures": {"settles_ms": NOW_MS + 84 * DAY_MS},
    "a target of nothing": {"target": 0},
    "a negative multiple": {"multiple": -STEP},
    "a target off the multiple": {"target": 20 * STEP + 1},
    "a step off the multiple": {"prorata_step": STEP + 1},
    "a negative small bid": {"filled_whole": -1},
    "bids without a price of nothing": {"noncompetitive_least": 0},
    "least above most": {"noncompetitive_least": 3 * STEP},
    "a share for nobody": {"noncompetitive_kinds": ()},
    "a rule without a share": {"noncompetitive_share_bps": 0},
    "nobody may bid": {"kinds": ()},
    "a class twice": {"kinds": ("bank", "bank")},
    "a class with and without a price": {"kinds": ("bank", "person")},
    "no such kind": {"kinds": ("bunk",)},
    "no such activity": {"licences": ("banking",)},
    "a bill is paid with": {"cash": BILL},
    "a bill is sold by rate": {
        "form": Form.RATE,
        "method": Method.UNIFORM_PRICE,
        "noncompetitive_price": NoncompetitivePrice.CUT_OFF,
        "reference": None,
    },
    "everybody has a rate of its own": {"form": Form.RATE},
    "a bill is sold by margin": {
        "form": Form.MARGIN,
        "method": Method.UNIFORM_PRICE,
        "noncompetitive_price": NoncompetitivePrice.CUT_OFF,
        "reference": None,
    },
    "everybody has a margin of its own": {"form": Form.MARGIN},
    "what is bought back is a reference": {"form": Form.BUYBACK},
    "a switch for nothing": {"form": Form.SWITCH, "reference": None},
    "something is given for what is sold": {
        "destination": Destination(asset=BILL, price_e4=1_000_000)
    },
    "a switch for itself": {
        "form": Form.SWITCH,
        "reference": None,
        "destination": Destination(asset=BILL, price_e4=1_000_000),
    },
}

ANNOUNCE_AUCTION: Final = Ladder(
    act="announce_auction",
    good=AnnounceAuction(
        account=address(FM), approvers=(address(CB),), auction=AUCTION, terms=GOOD
    ),
    by=(CB, FM),
    rows=(
        *acting_rows(),
        Row(
            why="the proceeds go nowhere",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change=announced(proceeds=bytes(20)),
        ),
        Row(
            why="no such security",
            outcome=Outcome.ASSET_UNKNOWN,
            change=announced(asset="NOPE"),
        ),
        Row(
            why="the ministry alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="the proceeds go to somebody else",
            outcome=Outcome.NOT_ISSUER,
            change=announced(proceeds=address("first-bank")),
        ),
        Row(
            why="the auction has no name",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"auction": "MTB/3M"},
        ),
        Row(
            why="the reference has no name",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change=announced(reference="MTB 3M"),
        ),
        Row(
            why="the multiple is none of the denomination",
            outcome=Outcome.NOT_A_MULTIPLE,
            change=announced(multiple=STEP + 1),
        ),
        Row(
            why="more than may exist",
            outcome=Outcome.CEILING_EXCEEDED,
            change=announced(target=10_000 * STEP),
        ),
        Row(
            why="no such calendar",
            outcome=Outcome.CALENDAR_UNKNOWN,
            change=announced(calendar="karachi"),
        ),
        Row(
            why="a name that was used",
            outcome=Outcome.AUCTION_EXISTS,
            prepare=putting(AUCTIONS, name_key(AUCTION), RECORD),
        ),
        *(
            Row(
                why=why,
                outcome=Outcome.AUCTION_TERMS_NOT_VALID,
                change=announced(**changes),
                alone=True,
            )
            for why, changes in INVALID_TERMS.items()
        ),
        surplus_row(CB, FM),
    ),
)

COMMIT_BID: Final = Ladder(
    act="commit_bid",
    good=CommitBid(account=address("first-bank"), auction=AUCTION, commitment=bytes(32)),
    by=("first-bank",),
    prepare=having(RECORD),
    rows=(
        *acting_rows(),
        UNKNOWN_ROW,
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
            why="of a class that names no price",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            change={"account": address("amina")},
            by=("amina",),
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
        surplus_row("first-bank"),
    ),
)

COMMIT_BID_LICENSED: Final = Ladder(
    act="commit_bid",
    good=CommitBid(account=address("exchange"), auction=AUCTION, commitment=SEALED),
    by=("exchange",),
    prepare=having(replace(RECORD, terms=replace(OPEN, licences=("exchange",)))),
    rows=(
        Row(
            why="a licence that does not count here",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            prepare=with_terms(licences=("custody",)),
        ),
    ),
)

WITHDRAW_BID: Final = Ladder(
    act="withdraw_bid",
    good=WithdrawBid(account=address("first-bank"), auction=AUCTION, number=1),
    by=("first-bank",),
    prepare=having(RECORD),
    rows=(
        *acting_rows(),
        UNKNOWN_ROW,
        Row(
            why="late",
            outcome=Outcome.AUCTION_STEP_TOO_LATE,
            prepare=with_terms(closes_ms=NOW_MS),
        ),
        Row(
            why="no such bid",
            outcome=Outcome.SEALED_BID_UNKNOWN,
            change={"number": 2},
        ),
        Row(
            why="another's bid",
            outcome=Outcome.SEALED_BID_UNKNOWN,
            change={"account": address("amina")},
            by=("amina",),
        ),
        surplus_row("first-bank"),
    ),
)

REVEAL_BID: Final = Ladder(
    act="reveal_bid",
    good=RevealBid(
        account=address("first-bank"),
        cash_account=address("amina"),
        auction=AUCTION,
        number=1,
        asset=BILL,
        price_e4=983_800,
        face=2 * STEP,
        salt=SALT,
    ),
    by=("first-bank", "amina"),
    prepare=having(replace(RECORD, terms=CLOSED, stage=AuctionStage.REVEALING)),
    rows=(
        *acting_rows(),
        Row(
            why="who would pay does not sign",
            outcome=Outcome.SIGNATURES_MISSING,
            by=("first-bank",),
        ),
        UNKNOWN_ROW,
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
            why="no such bid",
            outcome=Outcome.SEALED_BID_UNKNOWN,
            change={"number": 2},
        ),
        Row(
            why="opened before",
            outcome=Outcome.SEALED_BID_OPENED,
            prepare=putting(BIDS, bid_key(AUCTION, 1), replace(BID, bid=OPENED)),
        ),
        Row(
            why="another price than was sealed",
            outcome=Outcome.SEALED_BID_DIFFERS,
            change={"price_e4": 983_801},
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
        surplus_row("first-bank", "amina"),
    ),
)

PLACE_BID: Final = Ladder(
    act="place_bid",
    good=PlaceBid(
        account=address("amina"),
        cash_account=address("exchange"),
        auction=AUCTION,
        asset=BILL,
        face=STEP,
    ),
    by=("amina", "exchange"),
    prepare=having(RECORD),
    rows=(
        *acting_rows(),
        Row(
            why="who would pay does not sign",
            outcome=Outcome.SIGNATURES_MISSING,
            by=("amina",),
        ),
        UNKNOWN_ROW,
        DIFFERENT_ROW,
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
            why="a bank names its price",
            outcome=Outcome.BIDDER_NOT_ACCEPTED,
            change={"account": address("first-bank")},
            by=("first-bank", "exchange"),
        ),
        Row(
            why="the person is excluded",
            outcome=Outcome.BIDDER_EXCLUDED,
            prepare=putting(STANDINGS, name_key("amina"), EXCLUDED),
        ),
        UNIDENTIFIED_ROW,
        Row(
            why="one bid too many of the auction",
            outcome=Outcome.AUCTION_FULL,
            prepare=with_record(noncompetitive=NONCOMPETITIVE_BIDS_MAX),
        ),
        Row(
            why="nothing",
            outcome=Outcome.FACE_NOT_A_MULTIPLE,
            change={"face": 0},
        ),
        Row(
            why="a fraction",
            outcome=Outcome.FACE_NOT_A_MULTIPLE,
            change={"face": STEP + 1},
        ),
        Row(
            why="more than one person may have",
            outcome=Outcome.NONCOMPETITIVE_FACE_NOT_ACCEPTED,
            change={"face": 3 * STEP},
        ),
        surplus_row("amina", "exchange"),
    ),
)

COMPLETED: Final = replace(
    RECORD,
    terms=COMPLETE,
    stage=AuctionStage.DECIDING,
    next_ms=COMPLETE.decides_until_ms,
    competitive_pieces=1,
)
LADDER: Final = LadderRecord(
    rows=(
        LadderRow(
            number=1,
            price_e4=983_800,
            face=19 * STEP,
            allotted=0,
            state=RowState.OPEN,
            reallotted=0,
        ),
        LadderRow(
            number=2, price_e4=983_700, face=2 * STEP, allotted=0, state=RowState.OPEN, reallotted=0
        ),
        LadderRow(
            number=3, price_e4=983_600, face=2 * STEP, allotted=0, state=RowState.OPEN, reallotted=0
        ),
    ),
    accrual=None,
    destination_accrual=None,
)


def completed(state: LedgerState) -> None:
    having(COMPLETED)(state)
    state.put(PIECES, ladder_key(AUCTION, 0), LADDER)


DECIDE_AUCTION: Final = Ladder(
    act="decide_auction",
    good=DecideAuction(account=address(FM), approvers=(), auction=AUCTION, cut_off_e4=983_700),
    by=(FM,),
    prepare=completed,
    rows=(
        *acting_rows(),
        UNKNOWN_ROW,
        Row(
            why="the central bank alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(CB)},
            by=(CB,),
        ),
        Row(
            why="early",
            outcome=Outcome.AUCTION_STEP_TOO_EARLY,
            prepare=with_terms(reveals_until_ms=NOW_MS + 1),
        ),
        Row(
            why="late",
            outcome=Outcome.AUCTION_STEP_TOO_LATE,
            prepare=with_terms(decides_until_ms=NOW_MS),
        ),
        Row(
            why="decided before",
            outcome=Outcome.AUCTION_NOT_TO_BE_DECIDED,
            prepare=with_record(stage=AuctionStage.DECIDED),
        ),
        Row(
            why="the price of no bid",
            outcome=Outcome.CUT_OFF_NOT_ACCEPTED,
            change={"cut_off_e4": 983_750},
        ),
        Row(
            why="lower than the target suffices for",
            outcome=Outcome.CUT_OFF_NOT_ACCEPTED,
            change={"cut_off_e4": 983_600},
        ),
        surplus_row(FM),
    ),
)

REJECT_AUCTION: Final = Ladder(
    act="decide_auction",
    good=DecideAuction(account=address(FM), approvers=(), auction=AUCTION, cut_off_e4=None),
    by=(FM,),
    prepare=completed,
    rows=(
        Row(
            why="the regulator rejects nothing",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(VAR)},
            by=(VAR,),
        ),
    ),
)

LADDERS: Final = (
    ANNOUNCE_AUCTION,
    COMMIT_BID,
    COMMIT_BID_LICENSED,
    WITHDRAW_BID,
    REVEAL_BID,
    PLACE_BID,
    DECIDE_AUCTION,
    REJECT_AUCTION,
)
