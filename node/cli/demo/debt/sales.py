"""What is auctioned in the demonstration, what is bid, and what comes of it by hand.

Bids in the first of the bill: 1,000 million at 94.7000, 800 at 94.6500, 1,000 and 500 at the
cut-off of 94.6000, 300 below it; one that is never opened; two people without a price, 5 million
each. Of 3,000 million on offer 10 go to the people and 1,800 to the two best, so that 1,190 are
left for 1,500 at the margin: 793.33 and 396.67 by their shares, in steps of a million 793 and 397.
The 1,000 million at the margin are bid for on paper. The fourth dealer has no money: its 397
million are not issued.

The floater is sold at par to the lowest margin over its reference; the cut-off of 0.5 per cent is
what it pays. In the switch bonds are taken from the lowest price on, and floaters given for them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from node.cli.demo.debt.securities import BILL, BOND, FLOATER, MARGIN_PPM, MULTIPLE, REFERENCE
from node.cli.demo.debt.stage import MILLION, MINUTE_MS, MORNING, OFFSET_MINUTES, DebtStage
from node.ledger.auctions import (
    AuctionTerms,
    Destination,
    Form,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    Reallotment,
)
from node.ledger.dates import from_date, moment_ms
from node.provision.acts import RUPEE
from node.provision.pakistan import PAKISTAN

HOUR_MS: Final = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A bid and what comes of it, by hand."""

    bidder: str
    price_e4: int | None
    """None: without a price."""
    millions: int
    allotted: int = 0
    """In millions."""
    opened: bool = True
    pays: bool = True
    on_paper: bool = False
    """In an envelope that the central bank lodges, and enters with the ministry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An auction as it is played; in a switch the price of a bid is that of the line taken."""

    name: str
    asset: str
    target: int
    """In millions."""
    cut_off_e4: int
    bids: tuple[Bid, ...]
    form: Form = Form.PRICE
    given: Destination | None = None
    """In a switch."""


FIRST: Final = (
    Sale(
        name="mtb-6m-1",
        asset=BILL,
        target=3_000,
        cut_off_e4=946_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=947_000, millions=1_000, allotted=1_000),
            Bid(bidder="dealer-1", price_e4=930_000, millions=100, opened=False),
            Bid(bidder="dealer-2", price_e4=946_500, millions=800, allotted=800),
            Bid(
                bidder="dealer-3",
                price_e4=946_000,
                millions=1_000,
                allotted=793,
                on_paper=True,
            ),
            Bid(bidder="dealer-4", price_e4=946_000, millions=500, allotted=397, pays=False),
            Bid(bidder="dealer-2", price_e4=945_000, millions=300),
            Bid(bidder="amina", price_e4=None, millions=5, allotted=5),
            Bid(bidder="bilal", price_e4=None, millions=5, allotted=5),
        ),
    ),
    Sale(
        name="pib-6m-1",
        asset=BOND,
        target=1_000,
        cut_off_e4=997_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=998_000, millions=600, allotted=600),
            Bid(bidder="dealer-2", price_e4=997_000, millions=400, allotted=400),
            Bid(bidder="dealer-3", price_e4=995_000, millions=200),
        ),
    ),
    Sale(
        name="pfl-6m-1",
        asset=FLOATER,
        target=750,
        cut_off_e4=MARGIN_PPM,  # per cent in units of 0.0001 are millionths
        form=Form.MARGIN,
        bids=(
            Bid(bidder="dealer-2", price_e4=4_500, millions=500, allotted=500),
            Bid(bidder="dealer-3", price_e4=MARGIN_PPM, millions=250, allotted=250),
            Bid(bidder="dealer-1", price_e4=6_000, millions=100),
        ),
    ),
)
SECOND: Final = (
    Sale(
        name="mtb-6m-2",
        asset=BILL,
        target=500,
        cut_off_e4=964_000,
        bids=(
            Bid(bidder="dealer-1", price_e4=965_000, millions=300, allotted=300),
            Bid(bidder="dealer-3", price_e4=964_000, millions=300, allotted=200),
        ),
    ),
    Sale(
        name="pib-6m-2",
        asset=BOND,
        target=100,
        cut_off_e4=999_000,
        bids=(
            Bid(bidder="dealer-2", price_e4=999_000, millions=100, allotted=100),
            Bid(bidder="dealer-3", price_e4=998_500, millions=50),
        ),
    ),
    Sale(
        name="switch-1",
        asset=BOND,
        target=60,
        cut_off_e4=999_000,
        form=Form.SWITCH,
        given=Destination(asset=FLOATER, price_e4=1_002_500),
        bids=(
            Bid(bidder="dealer-2", price_e4=998_000, millions=40, allotted=40),
            Bid(bidder="dealer-2", price_e4=999_000, millions=20, allotted=20),
            Bid(bidder="dealer-3", price_e4=999_500, millions=20),
        ),
    ),
)


def terms_of(stage: DebtStage, sale: Sale, opens_ms: int, settles: date) -> AuctionTerms:
    """Return the terms of an auction that opens at a time of the day before it settles."""
    # People bid for bills alone: there they need to know no price.
    of_people = sale.asset == BILL
    of_margin = sale.form is Form.MARGIN
    return AuctionTerms(
        asset=sale.asset,
        form=sale.form,
        cash=RUPEE,
        proceeds=stage.ministry.address,
        method=Method.UNIFORM_PRICE if of_margin else Method.MULTIPLE_PRICE,
        target=sale.target * MILLION,
        multiple=MULTIPLE,
        quantum_e4=100 if of_margin else 1,
        opens_ms=opens_ms,
        closes_ms=opens_ms + HOUR_MS,
        reveals_until_ms=opens_ms + 2 * HOUR_MS,
        decides_until_ms=opens_ms + 3 * HOUR_MS,
        settles_ms=moment_ms(from_date(settles), MORNING + 60, OFFSET_MINUTES),
        calendar=PAKISTAN,
        kinds=("bank",),
        licences=(),
        bids_per_bidder=5,
        bidder_share_bps=10_000,
        noncompetitive_kinds=("person",) if of_people else (),
        noncompetitive_share_bps=1_000 if of_people else 0,
        noncompetitive_least=MULTIPLE if of_people else 0,
        noncompetitive_most=5 * MILLION if of_people else 0,
        noncompetitive_price=(
            NoncompetitivePrice.CUT_OFF if of_margin else NoncompetitivePrice.AVERAGE
        ),
        oversubscription=Oversubscription.SMALLEST_FIRST,
        prorata_step=MILLION,
        filled_whole=0,
        reallotment=Reallotment.NONE,
        failing_exclusion_days=30,
        unrevealed_exclusion_days=0,
        reference=REFERENCE if of_people else None,
        destination=sale.given,
    )
