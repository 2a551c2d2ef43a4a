"""The first nine bids of a real auction, restated as facts: the bids, and what the sheet printed.

Source: State Bank of Pakistan, Market Treasury Bills, 574th auction of the 3-month bill, held on
9 September 2020, settled on 10 September, maturing on 3 December 2020 (84 days); the bid sheet as
copied at fdocuments.us ("Average Yield Discount Amount Realized 2020-9-9"). The sheet names no
bidders: here each bid has a primary dealer of its own. The security's code is of our making, with a
valid check digit; the sheet prints none.

Rule: realised = face x price / 100. The sheet prints millions of rupees with three decimals, that
is thousands of rupees, each column rounded half up **from the unrounded value**: running totals are
not sums of printed figures, and a printed discount need not be face less printed realised (bid 2:
8.0715 is printed 8.072, while 500.000 - 491.929 is 8.071).

What settles is exact to the paisa: a price has four decimals and these faces are whole millions, so
no bid has a fraction of a paisa, and `realised_paisa` checks that it has none.
"""

from dataclasses import dataclass
from typing import Final

ISIN: Final = "PKTB0574M033"
AUCTION_DATE: Final = "2020-09-09"
SETTLEMENT_DATE: Final = "2020-09-10"
MATURITY_DATE: Final = "2020-12-03"
TENOR_DAYS: Final = 84
DENOMINATION_RUPEES: Final = 5_000
"""Bills are held in multiples of this face value (InvestPak; Public Debt rules)."""

PRICE_SCALE: Final = 10_000  # prices per 100 of face have four decimals
PAISA: Final = 100  # paisa in a rupee
THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """One line of the sheet."""

    number: int
    face_rupees: int
    price_e4: int
    """Price per 100 of face, times 10,000."""
    printed_realised: int
    """As printed, in thousands of rupees (the third decimal of a million); likewise below."""
    printed_discount: int
    printed_cumulative_face: int
    printed_cumulative_realised: int
    printed_cumulative_discount: int

    @property
    def price(self) -> str:
        """The price per 100 of face as the sheet prints it."""
        return f"{self.price_e4 // PRICE_SCALE}.{self.price_e4 % PRICE_SCALE:04d}"


def _bid(
    number: int, face_mn: int, price_e4: int, realised: int, discount: int, *cumulative: int
) -> Bid:
    face, total_realised, total_discount = cumulative
    return Bid(
        number=number,
        face_rupees=face_mn * 1_000_000,
        price_e4=price_e4,
        printed_realised=realised,
        printed_discount=discount,
        printed_cumulative_face=face,
        printed_cumulative_realised=total_realised,
        printed_cumulative_discount=total_discount,
    )


# number, face (Rs mn), price x 10^4; realised, discount, cumulative face, realised and discount as
# printed, in Rs thousand.
BIDS: Final = (
    _bid(1, 100, 983879, 98_388, 1_612, 100_000, 98_388, 1_612),
    _bid(2, 500, 983857, 491_929, 8_072, 600_000, 590_316, 9_684),
    _bid(3, 500, 983847, 491_924, 8_077, 1_100_000, 1_082_240, 17_760),
    _bid(4, 1_000, 983837, 983_837, 16_163, 2_100_000, 2_066_077, 33_923),
    _bid(5, 500, 983827, 491_914, 8_087, 2_600_000, 2_557_990, 42_010),
    _bid(6, 500, 983817, 491_909, 8_092, 3_100_000, 3_049_899, 50_101),
    _bid(7, 25_000, 983815, 24_595_375, 404_625, 28_100_000, 27_645_274, 454_726),
    _bid(8, 300, 983815, 295_145, 4_856, 28_400_000, 27_940_418, 459_582),
    _bid(9, 250, 983735, 245_934, 4_066, 28_650_000, 28_186_352, 463_648),
)

FACE_TOTAL_RUPEES: Final = sum(bid.face_rupees for bid in BIDS)


def realised_paisa(bid: Bid) -> int:
    """Return what the dealer pays, exactly.

    Raises:
        ValueError: the amount has a fraction of a paisa: such a bid cannot settle without a rule of
            rounding, and this sheet needs none.
    """
    paisa, fraction = divmod(bid.face_rupees * PAISA * bid.price_e4, 100 * PRICE_SCALE)
    if fraction:
        raise ValueError(f"bid {bid.number} has a fraction of a paisa")
    return paisa


def discount_paisa(bid: Bid) -> int:
    """Return what the dealer earns by maturity: face less what was paid."""
    return bid.face_rupees * PAISA - realised_paisa(bid)


def as_printed(paisa: int) -> int:
    """Round an amount as the sheet does: to thousands of rupees, halves up; at least zero."""
    unit = THOUSAND * PAISA
    return (paisa + unit // 2) // unit


def in_millions(thousands: int) -> str:
    """Write thousands of rupees as the sheet does: "98.388", "24595.375"."""
    return f"{thousands // THOUSAND}.{thousands % THOUSAND:03d}"
