"""What the methods about auctions take and give: see `params` and `results`.

Prices and yields are decimal text as the market prints them: 98.3815 per hundred, 7.1485 per cent.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from node.rpc.params import AddressText, Limit, NameText, Params, ParticipantId
from node.rpc.recomputing import RecomputedFigure
from node.rpc.results import Address, Amount, Hex, Object, Result, Time

PLANS_MAX: Final = 10
"""Of one answer: 640 planned auctions."""
AuctionName: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=32, description="name of the auction")
]
Price: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        description="per hundred of face, with four decimals; in an auction of the rate or margin"
        " per cent a year, a margin perhaps below zero"
    ),
]
Yield: TypeAlias = Annotated[str, msgspec.Meta(description="per cent a year, with four decimals")]


class AuctionsParams(Params, frozen=True, kw_only=True):
    """`khz_auctions`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class AuctionParams(Params, frozen=True, kw_only=True):
    """`khz_auction`."""

    auction: AuctionName


class AuctionLadderParams(Params, frozen=True, kw_only=True):
    """`khz_auctionLadder`."""

    auction: AuctionName
    after: Annotated[
        Annotated[str, msgspec.Meta(pattern="^[0-9]{1,5}$", max_length=5)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Annotated[
        int, msgspec.Meta(ge=1, le=200, description="pieces of 250 rows; an answer holds at most 8")
    ] = 8


class AuctionFiguresParams(Params, frozen=True, kw_only=True):
    """`khz_auctionFigures`."""

    auction: AuctionName


class BidderParams(Params, frozen=True, kw_only=True):
    """`khz_bidder`."""

    participant: ParticipantId
    auction: Annotated[
        AuctionName | None, msgspec.Meta(description="null: only how the bidder stands")
    ] = None


class BidMandateParams(Params, frozen=True, kw_only=True):
    """`khz_bidMandate`."""

    address: AddressText


class EnvelopesParams(Params, frozen=True, kw_only=True):
    """`khz_envelopes`."""

    auction: AuctionName
    after: Annotated[
        Annotated[str, msgspec.Meta(pattern="^[0-9]{1,10}$", max_length=10)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Limit = 100


class ReferencesParams(Params, frozen=True, kw_only=True):
    """`khz_references`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class AuctionPlansParams(Params, frozen=True, kw_only=True):
    """`khz_auctionPlans`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class PlannedAuctionView(msgspec.Struct, frozen=True, kw_only=True):
    """An auction that is to be announced."""

    day: str
    settlement_day: str
    kind: str
    """`bill`, `bond` or `sukuk`."""
    tenor_months: int
    form: str
    line: str | None
    """Which is to be reopened, bought back or switched; null: a new one, or not yet chosen."""
    asset: str
    """The cash that it is to be paid in."""
    currency: str | None
    target: Amount
    provisional: bool


class AuctionPlanView(msgspec.Struct, frozen=True, kw_only=True):
    """The ruling version of a plan."""

    plan: str
    version: int
    published: Time
    auctions: list[PlannedAuctionView]
    """In order of day; none: it was withdrawn."""


class AuctionPlansResult(Result, frozen=True, kw_only=True):
    """A page of the plans, by name."""

    plans: list[AuctionPlanView]
    next: str | None


class AuctionResultView(msgspec.Struct, frozen=True, kw_only=True):
    """What the ministry's decision came to."""

    cut_off: Price
    average_price: Price
    """Weighted by face, of what competitive bids were allotted."""
    average_yield: Yield | None
    noncompetitive_price: Price
    competitive: Amount
    """Face allotted."""
    noncompetitive: Amount
    settlement_day: str
    """As the calendar was when it was decided."""
    decided: Time


class AuctionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An auction, in short."""

    auction: str
    asset: str
    form: str
    """`price`, `rate`, `margin`, `buyback` or `switch`: what is bid for, and who pays whom."""
    destination: str | None
    """The line that is given in a switch."""
    stage: str
    target: Amount
    opens: Time
    closes: Time
    settles: Time
    settlement_day: str
    """By the calendar as it is; once it is decided, as it was then."""
    currency: str | None
    """ISO 4217, of the cash that is paid."""
    result: AuctionResultView | None
    settled: Amount
    """Face delivered against payment."""


class AuctionsResult(Result, frozen=True, kw_only=True):
    """A page of the auctions, by name."""

    today: str
    """The ledger's local day."""
    auctions: list[AuctionSummary]
    next: str | None


class AuctionView(msgspec.Struct, frozen=True, kw_only=True):
    """An auction."""

    auction: str
    stage: str
    """By the ledger's last step; the times in the terms say what can be done."""
    terms: Object
    """As announced; prices in units of 0.0001, shares in hundredths of a per cent."""
    decimals: int
    """Of the asset and of the cash."""
    sealed: int
    noncompetitive_bids: int
    unrevealed: int
    """Sealed bids that were never opened; known once the book is complete."""
    settlement_day: str
    """For which accrued interest and yields count; before the decision as the calendar has it."""
    result: AuctionResultView | None
    settled: Amount
    """Face delivered against payment, re-allotted or not."""
    paid: Amount
    """For it, with the interest accrued; in a switch what was left of its worth."""
    failed: Amount
    """Face allotted and not paid for; but for what was re-allotted, it is not issued."""
    reallotted: Amount
    """Of it, what others were delivered by the announced rule."""
    issued: Amount | None
    """In a switch: the face of the destination that was given. Null in any other form."""
    destination: str | None
    """The line that is given in a switch."""
    destination_price: Price | None
    """Of it, as it was announced."""


class AuctionReply(Result, frozen=True, kw_only=True):
    """One auction."""

    auction: AuctionView


class LadderRowView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid without its bidder."""

    price: Price | None
    """Null: a bid without a price."""
    face: Amount
    allotted: Amount
    state: str
    """`open`, `settled` or `failed`."""
    reallotted: Amount
    """Face delivered besides, of what others did not pay for."""
    paid: Amount | None
    """For what was delivered, with the interest accrued, in a switch what was left of its worth;
    null: nothing was."""
    accrued: Amount | None
    """Of what was delivered; below zero where the next payment stays with others. Null where
    nothing accrues."""
    issued: Amount | None
    """In a switch: what was given for it of the destination. Null in any other form."""
    issued_accrued: Amount | None
    """Interest accrued on that; null where nothing accrues."""


class AuctionLadderResult(Result, frozen=True, kw_only=True):
    """A page of a ladder, in the order in which bids are served."""

    auction: str
    rows: list[LadderRowView]
    next: str | None


class AuctionFiguresResult(Result, frozen=True, kw_only=True):
    """What the result of an auction comes to, by the node's own records."""

    auction: str
    stage: str
    """As `khz_auction` has it."""
    figures: list[RecomputedFigure] | None
    """Null: nothing is decided, or the ladder has more than 8 pieces of 250 rows, which a client
    works out."""


class StandingView(msgspec.Struct, frozen=True, kw_only=True):
    """What a bidder has failed to do, in all auctions."""

    unrevealed: int
    """Sealed bids left unopened."""
    failed: int
    """Allotments left unpaid."""
    excluded_until: Time | None
    """Before then it may not bid; null where it never was excluded."""
    unentered: int
    """Envelopes of others that it lodged as an office and did not enter."""


class BidView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid of one bidder."""

    number: int
    account: Address
    commitment: Hex | None
    """What was handed in under seal; null: a bid without a price."""
    price: Price | None
    """Null: sealed, or without a price."""
    face: Amount | None
    """Null: sealed."""
    cash_account: Address | None
    void: bool
    office: str | None
    """That handed it in on paper; null: it came from the bidder's own key."""


class BidderResult(Result, frozen=True, kw_only=True):
    """How a bidder stands, and its bids in an auction until that is over."""

    participant: str
    standing: StandingView
    bids: list[BidView]


class BidMandateView(msgspec.Struct, frozen=True, kw_only=True):
    """Who may hand in an account's bids on paper."""

    office: str
    cash_account: Address
    """From which they are paid."""


class BidMandateResult(Result, frozen=True, kw_only=True):
    """The mandate of an account, if it has given one."""

    address: Address
    mandate: BidMandateView | None


class EnvelopeView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid that was handed in on paper."""

    number: int
    account: Address
    bidder: str
    office: str
    """That it was handed to."""
    lodged_by: str
    """Who held that office: if it is not entered, it counts against this participant."""
    cash_account: Address
    competitive: bool
    """Whether its bidder names a price."""
    commitment: Hex
    price: Price | None
    """Null: not entered, or without a price."""
    face: Amount | None
    """Null: not entered."""
    void: bool


class EnvelopesResult(Result, frozen=True, kw_only=True):
    """A page of the envelopes of an auction, by number."""

    auction: str
    envelopes: list[EnvelopeView]
    next: str | None


class ReferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """The weighted average of the last auction under a name."""

    reference: str
    auction: str
    day: str
    settlement_day: str
    average_price: Price
    average_yield: Yield


class ReferencesResult(Result, frozen=True, kw_only=True):
    """A page of the references, by name."""

    references: list[ReferenceView]
    next: str | None
