"""Why an auction cannot be held as it is announced, decided as proposed, or planned."""

from enum import unique

from node.ledger.phrases.phrase import Phrase


@unique
class AuctionFault(Phrase):
    """Of AUCTION_TERMS_NOT_VALID; amounts are of the asset that is auctioned."""

    TIMES_OUT_OF_ORDER = "{after:field} is {later:time}, not after {before:field}, {earlier:time}"
    SETTLES_BEFORE_DECISION = "it settles at {settles:time}, before the decision may be made"
    SETTLES_TOO_FAR = "it settles at {settles:time}, more than {most:count} days ahead"
    LINE_PAYS_ONE_PRICE = (
        "one {form:kind} is paid on a line: everybody gets the cut-off, who bids without one too"
    )
    REFERENCE_OF_BUYBACK = "what is bought back is no reference for floating coupons"
    DESTINATION_OF_SWITCH = "a switch names a line as its destination, and no other auction does"
    SWITCHED_FOR_ITSELF = "{asset:asset} would be switched for itself"
    TARGET_BELOW_MULTIPLE = (
        "the target is {target:amount_number} and the multiple {multiple:amount_number}"
    )
    TARGET_TOO_LARGE = (
        "the target is {target:amount_number}, at most {most:amount_number} can be paid for at any"
        " price"
    )
    NO_MULTIPLE = (
        "{name:field} is {found:amount_number}, not a positive multiple of {multiple:amount_number}"
    )
    FILLED_WHOLE_OUT_OF_RANGE = "filled_whole is {found:amount_number}"
    NONCOMPETITIVE_BOUNDS = (
        "a non-competitive bid is from {least:amount_number} to {most:amount_number}"
    )
    SHARE_FOR_NOBODY = "there is a share for non-competitive bids, and nobody may make one"
    RULE_WITHOUT_SHARE = "there is no share for non-competitive bids, and yet a rule about them"
    NOBODY_MAY_BID = "nobody may bid competitively"
    CLASSES_OUT_OF_ORDER = "classes of bidders are not in ascending order, each once"
    BIDS_BOTH_WAYS = "a {kind:text} may bid with and without a price"
    NO_SUCH_CLASS = "{found:text} is none of {known:words}"
    ISSUERS_DIFFER = (
        "{asset:asset} is of {issuer:participant}, and what is given for it of {other:participant}"
    )
    TARGET_ABOVE_SUPPLY = "there are {supply:amount} of {asset:asset}, fewer than the target"
    REFERENCE_OF_NO_BILL = "the average yield of {asset:asset} is no reference: it is of no bill"


@unique
class CashFault(Phrase):
    """Of AUCTION_TERMS_NOT_VALID and PLAN_NOT_VALID: what is paid, and for what."""

    CASH_IS_NONE = "{cash:asset} is no cash"
    CASH_AUCTIONED = "{asset:asset} is cash, and not auctioned"
    CASH_DIFFERS = (
        "{cash:asset} is {currency:asset} with {decimals:count} decimals, the face of {asset:asset}"
        " is {face_currency:asset} with {face_decimals:count}"
    )


@unique
class LineFault(Phrase):
    """Of AUCTION_TERMS_NOT_VALID and CUT_OFF_NOT_ACCEPTED: a line cannot be sold like this."""

    MARGIN_OF_FIXED = "what is sold by margin floats, and this does not"
    MARGIN_GIVEN = "what is sold by margin is defined with a margin of 0, and this is not"
    MARGIN_HELD = "its margin is not decided any more: {supply:amount} are held"
    MARGIN_DECIDED = "its margin is not decided any more: an auction decided that it is 0"
    MARGIN_RECORD_OVER = (
        "its margin is not decided any more: the record of payment {payment:count} is over"
    )
    RATE_OF_NO_COUPON = "what is sold by rate pays coupons or rentals, and this does not"
    RATE_GIVEN = "what is sold by rate is defined with a single rate of 0, and this is not"
    RATE_HELD = "its rate is not decided any more: {supply:amount} are held"
    SETTLES_AFTER_MATURITY = "{asset:asset} would settle on {day:day} and matures on {maturity:day}"
    SETTLES_BEFORE_ISSUE = "{asset:asset} would settle on {day:day} and is issued on {issue:day}"
    SETTLES_AFTER_REGISTER = (
        "{asset:asset} would settle on {day:day} and its register closes with {last:day}"
    )
    STRIP_NOT_SOLD = "{asset:asset} is a strip, which comes of stripping a bond alone"


@unique
class CutOffFault(Phrase):
    """Of CUT_OFF_NOT_ACCEPTED."""

    NO_BID_AT_PRICE = "no bid has this price"
    TARGET_SPENT_BEFORE = (
        "bids better than it are for {better:amount_number}, and {left:amount_number} is left for"
        " bids with a price"
    )
    RATE_TOO_HIGH = "a rate is at most {most:rate_number}"


@unique
class AuctionPlanFault(Phrase):
    """Of PLAN_NOT_VALID."""

    PLANNED_OF_NO_KIND = (
        "the auction planned for {day:day} is of {found:text}, none of {known:words}"
    )
    PLANNED_TO_SETTLE_LATE = (
        "the auction planned for {day:day} would settle on {settles:day}, not within {most:count}"
        " days"
    )
    PLANNED_TARGET_OUT_OF_RANGE = (
        "the auction planned for {day:day} has a target of {target:amount_number} of"
        " {asset:asset}; more than nothing and at most {most:amount_number} was expected"
    )
    PLAN_OUT_OF_ORDER = (
        "its auctions are not in order of day, kind, tenor, line and form, each once"
    )
    PLAN_IS_OVER = "its last day is {last:day_number}, and today is {today:day}"
    PLAN_TOO_LONG = "it spans {days:count} days, more than {most:count}"
    NOTHING_TO_WITHDRAW = "there is nothing to withdraw"
    PLANNED_OTHER_KIND = "{asset:asset} is a {kind:kind}, and planned as a {planned:kind}"
