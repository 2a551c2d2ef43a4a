"""The sentences of outcomes in which people read other figures than the ledger writes.

The words in braces are the same details. All other outcomes have the ledger's own sentence.
"""

from collections.abc import Mapping
from typing import Final

PEOPLE: Final[Mapping[str, str]] = {
    "FACE_NOT_A_MULTIPLE": (
        "The face is {found} and the auction {auction} takes positive multiples of"
        " {expected}. Bid for such a multiple."
    ),
    "BIDDER_LIMIT_EXCEEDED": (
        "The bids of {participant} in the auction {auction} would be for {found}; one bidder"
        " may bid for {expected}. What is above it stays unopened."
    ),
    "NONCOMPETITIVE_FACE_NOT_ACCEPTED": (
        "A bid without a price in the auction {auction} is for {lowest} to {highest}; this"
        " one is for {found}. Bid for a face within these bounds."
    ),
    "ACCRUAL_NOT_KNOWN": (
        "What has accrued on {asset} until {found} is not known: the rate of the period is"
        " not fixed. Fix it before something is delivered."
    ),
    "EXPIRED": (
        "The transaction was valid until {found}; the time of the block is {expected}. It"
        " was not applied and never will be; sign a new one."
    ),
    "TOO_FAR_AHEAD": (
        "The transaction is valid until {found}, later than {expected}, the furthest this"
        " network accepts now. Choose an earlier end."
    ),
    "TIME_NOT_ACCEPTED": (
        "The field {field} is {found}; it must lie after the time of the block, {earliest},"
        " and not after {latest}. Choose a time within these bounds."
    ),
    "AUCTION_STEP_TOO_EARLY": (
        "The auction {auction} takes this ({operation}) from {expected} on; the time of the"
        " block is {found}. Come back then."
    ),
    "AUCTION_STEP_TOO_LATE": (
        "The auction {auction} took this ({operation}) before {expected}; the time of the"
        " block is {found}. Nothing can be added now."
    ),
    "BIDDER_EXCLUDED": (
        "Participant {participant} may not bid before {expected}: it left {unrevealed}"
        " sealed bids unopened and {failed} allotments unpaid. The time of the block is"
        " {found}."
    ),
    "PRICE_OFF_QUANTUM": (
        "The price is {found} per hundred and the auction {auction} takes multiples of"
        " {expected}. Round the price to such a multiple."
    ),
    "BID_OUT_OF_RANGE": (
        "The bid is {found}; the auction {auction} takes {lowest} to {highest}. Only a"
        " margin may be zero or below."
    ),
    "CUT_OFF_NOT_ACCEPTED": (
        "The cut-off {found} of the auction {auction} is not accepted: {reason}. Take the"
        " price of a bid at which the target suffices for all better ones."
    ),
    "RATE_ALREADY_FIXED": (
        "The rate of payment {payment} of {asset} is fixed at {found} a year, by {source}."
        " What is fixed does not change."
    ),
    "HOLDING_INSUFFICIENT": (
        "Account {account} has {found} {asset} available, not counting {held} on hold;"
        " {expected} are needed. Nothing was moved."
    ),
    "NOT_A_MULTIPLE": (
        "{found} is not a multiple of {expected}, the legal denomination of {asset}. Issues"
        " and ceilings are whole denominations; holdings may be smaller."
    ),
    "FACE_NOT_IN_UNITS": (
        "{found} of {asset} are no whole units of its face, of {expected} each. Less than"
        " the legal denomination may be held and moved, in whole units."
    ),
    "CEILING_EXCEEDED": (
        "The supply of {asset} would be {found}; its ceiling is {expected}. Issue less."
    ),
    "STRIP_NOT_A_MULTIPLE": (
        "{found} of {asset} cannot be stripped or put together: some strip would be no whole"
        " amount, or the bond no whole denominations. Take a multiple of {expected}."
    ),
    "NOT_DUE": (
        "{asset} matures on {expected} and today is {found}. It cannot be redeemed earlier."
    ),
    "HOLIDAY_UNKNOWN": "{day} is no holiday of the calendar '{calendar}'. Nothing to withdraw.",
    "TAX_STATUS_DAY_PAST": (
        "A taxpayer cannot be of another status from {found} on: today is {today}, and records that"
        " are taken keep what ruled. Give a later day."
    ),
    "TAX_STATUS_DAY_USED": (
        "A taxpayer cannot be of another status from {found} on: before the clock of the network"
        " was set back, what ruled up to {expected} was relied on. Give a later day."
    ),
    "TAX_STATUS_CHANGING": (
        "The positions of {participant} are still being marked with its status from {found} on."
        " Submit it again in some seconds."
    ),
    "CALENDAR_DAY_PAST": (
        "{found} cannot become or cease to be a holiday of the calendar '{calendar}': today"
        " is {today}, and only days after it change. Give the change for a later day."
    ),
    "CALENDAR_DAY_USED": (
        "{found} cannot become or cease to be a holiday of the calendar '{calendar}': what"
        " was paid already relied on its days up to {expected}. Give the change for a later"
        " day."
    ),
    "NOTHING_LEFT_TO_PAY": (
        "{asset} would have no payment left: its last record would have been taken at the"
        " end of {found}. Correct the days, or leave it out."
    ),
    "CALL_NOT_WITHIN_TERMS": (
        "{asset} cannot be called on {found}: {reason}. The terms name the days, the notice"
        " and the price."
    ),
    "AMOUNT_OUT_OF_RANGE": (
        "The field {field} is {found}; more than nothing is expected, and at most"
        " {expected}. Give another amount."
    ),
}
