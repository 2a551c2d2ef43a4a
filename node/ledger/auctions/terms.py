"""The rule of an auction, as it is announced: what bids must be, and what is made of them."""

from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.phrases import AuctionFault, Reason
from node.ledger.units import AMOUNT_MAX, MS_PER_DAY, Milliseconds

PRICE_E4_MAX: Final = 100_000_000
"""10,000 per hundred of face: no security has such a price."""
TARGET_MAX: Final = AMOUNT_MAX // 400
"""At the highest price a face costs a hundred times as much, and the interest of a period on all
there may be is half an amount: what is paid for the whole target, even in a circle, is an amount.
"""
MARGIN_E4_MAX: Final = 1_000_000
"""A hundred per cent a year, above the reference or below it."""
BPS: Final = 10_000
"""Basis points of the whole."""
NONCOMPETITIVE_SHARE_BPS_MAX: Final = 5_000
"""At least half is for those who name a price: they make the price of the others."""
COMPETITIVE_BIDS_MAX: Final = 20_000
"""Of one auction. A real one has some 60 to 300."""
NONCOMPETITIVE_BIDS_MAX: Final = 20_000
"""Of one auction, counted apart: no crowd of small bids keeps a dealer out, nor the reverse."""
BIDS_PER_BIDDER_MAX: Final = 100
CLASSES_MAX: Final = 8
"""Kinds of participant, or activities, that an auction names."""
DURATION_MS_MAX: Final = 366 * MS_PER_DAY
"""From the announcement to the settlement."""
EXCLUSION_DAYS_MAX: Final = 3_660

PriceE4 = Annotated[int, msgspec.Meta(ge=1, le=PRICE_E4_MAX)]
"""Per hundred of face, in units of 0.0001: 98.3815 is 983,815."""
BidE4 = Annotated[int, msgspec.Meta(ge=-PRICE_E4_MAX, le=PRICE_E4_MAX)]
"""What is bid: a price or a rate, which are above nothing, or a margin, which need not be."""
ClassList = Annotated[tuple[Name, ...], msgspec.Meta(max_length=CLASSES_MAX)]
ExclusionDays = Annotated[int, msgspec.Meta(ge=0, le=EXCLUSION_DAYS_MAX)]


class Form(IntEnum):
    """What is bid for, and who pays whom."""

    PRICE = 1
    """A security is sold; the highest price is served first."""
    RATE = 2
    """A new line is sold at par to the lowest rate, per cent a year where others bid a price: the
    cut-off becomes its coupon or rental. Pakistan's fixed-rental Ijara sukuk."""
    BUYBACK = 3
    """Holders offer a security to its issuer; the lowest price is served first, and the face that
    is paid for is destroyed."""
    MARGIN = 4
    """A new floater is sold at par to the lowest margin over its reference, per cent a year where
    others bid a price; below zero too. The cut-off becomes the margin of the line."""
    SWITCH = 5
    """Holders offer a line for another, whose price is announced; the lowest price is served first,
    and the face that is taken is destroyed."""


TAKING_FORMS: Final = frozenset({Form.BUYBACK, Form.SWITCH})
"""The issuer takes a line back, the lowest price first."""
LINE_FORMS: Final = frozenset({Form.RATE, Form.MARGIN})
"""Everybody pays par, and the cut-off becomes a term of the line."""


def bounds_of(form: Form) -> tuple[int, int]:
    """Return the least and the most that can be bid, in units of 0.0001."""
    return (-MARGIN_E4_MAX, MARGIN_E4_MAX) if form is Form.MARGIN else (1, PRICE_E4_MAX)


class Method(IntEnum):
    """What an accepted competitive bid pays."""

    MULTIPLE_PRICE = 1
    """Its own price. Pakistan's bills and bonds."""
    UNIFORM_PRICE = 2
    """The cut-off price, as everybody. Pakistan's Ijara sukuk."""


class NoncompetitivePrice(IntEnum):
    """What a non-competitive bid pays."""

    AVERAGE = 1
    """The weighted average price of what competitive bids were allotted."""
    CUT_OFF = 2


class Oversubscription(IntEnum):
    """How non-competitive bids share what is not enough for all."""

    PRO_RATA = 1
    SMALLEST_FIRST = 2
    """From the lowest amount to the highest; who comes when it runs out gets what is left."""


class Reallotment(IntEnum):
    """Who gets what was allotted to a bidder that does not pay."""

    NONE = 1
    """Nobody: its face is not issued, or stays with whoever had offered it."""
    CUT_SHORT = 2
    """Those who were cut short at the cut-off, in their order, up to what they bid for: at their
    own price, which is that of the cut-off. Nobody is served beyond it."""


class Destination(Record):
    """What holders get in a switch."""

    asset: AssetCode
    """Another line of the same issuer, new or reopened."""
    price_e4: PriceE4
    """Fixed, without the interest accrued, which is added on the day of the settlement."""


class AuctionTerms(Record):
    """What the ministry announces, for good. Amounts are face, in minor units."""

    asset: AssetCode
    """The security: a new one, or one that exists and is reopened, bought back or switched."""
    form: Form
    cash: AssetCode
    """In what is paid: cash in the currency and with the decimals of the security's face."""
    proceeds: Address
    """The issuer's account that receives it, or that pays: in a buyback, and in a switch what
    is left."""
    method: Method
    target: int
    """The face offered: never is more allotted."""
    multiple: int
    """Of which every bid's face is a multiple; itself a multiple of the asset's denomination."""
    quantum_e4: PriceE4
    """Of which every price is a multiple; of a margin or rate, a basis point is 100."""
    opens_ms: Milliseconds
    closes_ms: Milliseconds
    """Sealed and non-competitive bids come from the opening to before this, the cut-off time."""
    reveals_until_ms: Milliseconds
    """Sealed bids are opened from the close to before this."""
    decides_until_ms: Milliseconds
    """The ministry decides before this, or all bids are rejected."""
    settles_ms: Milliseconds
    """Delivery against payment, in the first blocks from then on; its day counts for yields."""
    calendar: Name | None
    """By which the settlement moves off a day that is none of business, to the next one that is."""
    kinds: ClassList
    """Of participant, that may bid competitively."""
    licences: ClassList
    """Activities; who has an active licence for one may bid competitively as well."""
    bids_per_bidder: Annotated[int, msgspec.Meta(ge=1, le=BIDS_PER_BIDDER_MAX)]
    bidder_share_bps: Annotated[int, msgspec.Meta(ge=1, le=BPS)]
    """Of the target: the most face that one bidder's opened bids may add up to."""
    noncompetitive_kinds: ClassList
    """Of participant, that may bid without a price: of these, who may not bid competitively."""
    noncompetitive_share_bps: Annotated[int, msgspec.Meta(ge=0, le=NONCOMPETITIVE_SHARE_BPS_MAX)]
    """Of the target, for all of them together; they are served first. 0: there are none."""
    noncompetitive_least: int
    noncompetitive_most: int
    """Of one person's bid."""
    noncompetitive_price: NoncompetitivePrice
    oversubscription: Oversubscription
    prorata_step: int
    """In what amounts shares are given out where not all can be filled."""
    filled_whole: int
    """Bids at the margin of at most this face are filled before the others share; 0: none."""
    reallotment: Reallotment
    failing_exclusion_days: ExclusionDays
    """How long who did not pay may not bid; 0: it is only noted."""
    unrevealed_exclusion_days: ExclusionDays
    """How long who left a sealed bid unopened may not bid; 0: it is only noted."""
    reference: Name | None
    """Under which name a bill's weighted average is kept for floating coupons, such as mtb-6m."""
    destination: Destination | None
    """In a switch; the rest of the terms speaks of what is taken."""


def lines_of(terms: AuctionTerms) -> tuple[AssetCode, ...]:
    """Return the lines whose face an auction changes: what is sold or taken, and what is given."""
    given = terms.destination
    return (terms.asset,) if given is None else (terms.asset, given.asset)


def fault_of(terms: AuctionTerms, *, now_ms: int) -> Reason | None:
    """Return what contradicts itself in terms announced now, or None."""
    times = (
        ("now", now_ms),
        ("opens", terms.opens_ms),
        ("closes", terms.closes_ms),
        ("reveals_until", terms.reveals_until_ms),
        ("decides_until", terms.decides_until_ms),
    )
    for (before, earlier), (after, later) in pairwise(times):
        if later <= earlier:
            return AuctionFault.TIMES_OUT_OF_ORDER.of(
                after=after, later=later, before=before, earlier=earlier
            )
    if terms.settles_ms < terms.decides_until_ms:
        return AuctionFault.SETTLES_BEFORE_DECISION.of(settles=terms.settles_ms)
    if terms.settles_ms > now_ms + DURATION_MS_MAX:
        return AuctionFault.SETTLES_TOO_FAR.of(
            settles=terms.settles_ms, most=DURATION_MS_MAX // MS_PER_DAY
        )
    return _fault_of_form(terms) or _fault_of_amounts(terms) or _fault_of_classes(terms)


def _fault_of_form(terms: AuctionTerms) -> Reason | None:
    if terms.form in LINE_FORMS and (
        terms.method is not Method.UNIFORM_PRICE
        or terms.noncompetitive_price is not NoncompetitivePrice.CUT_OFF
    ):
        return AuctionFault.LINE_PAYS_ONE_PRICE.of(form=terms.form.name.lower())
    if terms.form in TAKING_FORMS and terms.reference is not None:
        return AuctionFault.REFERENCE_OF_BUYBACK.of()
    if (terms.form is Form.SWITCH) is not (terms.destination is not None):
        return AuctionFault.DESTINATION_OF_SWITCH.of()
    if terms.destination is not None and terms.destination.asset == terms.asset:
        return AuctionFault.SWITCHED_FOR_ITSELF.of(asset=terms.asset)
    return None


def _fault_of_amounts(terms: AuctionTerms) -> Reason | None:
    if not 0 < terms.multiple <= terms.target <= AMOUNT_MAX:
        return AuctionFault.TARGET_BELOW_MULTIPLE.of(target=terms.target, multiple=terms.multiple)
    if terms.target > TARGET_MAX:
        return AuctionFault.TARGET_TOO_LARGE.of(target=terms.target, most=TARGET_MAX)
    # Shares are given out in steps of the multiple, so that nothing below it is ever allotted.
    for name, amount in (("target", terms.target), ("prorata_step", terms.prorata_step)):
        if amount <= 0 or amount > AMOUNT_MAX or amount % terms.multiple:
            return AuctionFault.NO_MULTIPLE.of(name=name, found=amount, multiple=terms.multiple)
    if not 0 <= terms.filled_whole <= AMOUNT_MAX:
        return AuctionFault.FILLED_WHOLE_OUT_OF_RANGE.of(found=terms.filled_whole)
    if terms.noncompetitive_share_bps:
        least, most = terms.noncompetitive_least, terms.noncompetitive_most
        if not 0 < least <= most <= AMOUNT_MAX:
            return AuctionFault.NONCOMPETITIVE_BOUNDS.of(least=least, most=most)
        if not terms.noncompetitive_kinds:
            return AuctionFault.SHARE_FOR_NOBODY.of()
    elif terms.noncompetitive_kinds or terms.noncompetitive_least or terms.noncompetitive_most:
        return AuctionFault.RULE_WITHOUT_SHARE.of()
    return None


def _fault_of_classes(terms: AuctionTerms) -> Reason | None:
    if not terms.kinds and not terms.licences:
        return AuctionFault.NOBODY_MAY_BID.of()
    for names in (terms.kinds, terms.licences, terms.noncompetitive_kinds):
        if any(left >= right for left, right in pairwise(names)):
            return AuctionFault.CLASSES_OUT_OF_ORDER.of()
    both = [kind for kind in terms.noncompetitive_kinds if kind in terms.kinds]
    if both:
        return AuctionFault.BIDS_BOTH_WAYS.of(kind=both[0])
    return None
