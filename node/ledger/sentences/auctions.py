"""Auctions: terms, times, bids, envelopes, the cut-off, plans."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "AUCTION_UNKNOWN": "No auction is called '{auction}'. Check the name, or announce it first.",
    "BID_MANDATE_MISSING": (
        "Account {account} has let {expected} hand in its bids on paper, and {found} acts. Mandates"
        " are given first, by it and by the account that pays (give_bid_mandate)."
    ),
    "ENVELOPE_OF_ANOTHER_OFFICE": (
        "Envelope {number} of the auction {auction} is with {expected}, and {found} act. The office"
        " that it was handed to must stand behind this."
    ),
    "AUCTION_EXISTS": (
        "An auction is already called '{auction}', and names are not used again. Take another."
    ),
    "AUCTION_TERMS_NOT_VALID": (
        "The terms of the auction cannot work: {reason}. Correct the announcement."
    ),
    "AUCTION_ASSET_DIFFERS": (
        "The auction {auction} sells {expected}; this bid is for {found}. Name what it sells."
    ),
    "AUCTION_STEP_TOO_EARLY": (
        "The auction {auction} takes a {operation} from {expected} ms on; block time is {found} ms."
        " Come back then."
    ),
    "AUCTION_STEP_TOO_LATE": (
        "The auction {auction} took a {operation} before {expected} ms; block time is {found} ms."
        " Nothing can be added now."
    ),
    "BIDDER_NOT_ACCEPTED": (
        "Participant {participant}, a {kind}, may not {operation} in the auction {auction}: its"
        " announcement says who may bid, with a price or without one. Bid in the part that is open"
        " to this kind, or leave it."
    ),
    "BIDDER_EXCLUDED": (
        "Participant {participant} may not bid before {expected} ms: it left {unrevealed} sealed"
        " bids unopened and {failed} allotments unpaid. Block time is {found} ms."
    ),
    "BIDDER_NOT_IDENTIFIED": (
        "Participant {participant} may not bid yet: one person bids under one name, and nobody has"
        " said which person it is. Its registrar, or an office that registers persons, states its"
        " token first (identify_person)."
    ),
    "BIDS_FULL_FOR_BIDDER": (
        "Participant {participant} has {expected} sealed bids in the auction {auction}, as many as"
        " one may. Withdraw one to hand in another."
    ),
    "AUCTION_FULL": (
        "The auction {auction} has {expected} bids of this kind, as many as one can have. Use the"
        " bids there are: withdraw one before the close, or place it in the next auction."
    ),
    "SEALED_BID_UNKNOWN": (
        "Account {account} has no sealed bid {number} in the auction {auction}. It was withdrawn,"
        " belongs to another account, or never existed."
    ),
    "ENVELOPE_UNKNOWN": (
        "No envelope has the number {number} in the auction {auction}. It was taken back, came from"
        " its bidder's own key, or never existed; `khz_envelopes` lists those there are."
    ),
    "SEALED_BID_OPENED": (
        "Sealed bid {number} of the auction {auction} is already opened. Nothing more is to be"
        " done for it."
    ),
    "SEALED_BID_DIFFERS": (
        "What was opened is not what was sealed: its hash is {found}, that of bid {number} in the"
        " auction {auction} is {expected}. Give price, face and salt as they were sealed."
    ),
    "PRICE_OFF_QUANTUM": (
        "The price is {found} and the auction {auction} takes multiples of {expected}, in units of"
        " 0.0001 per hundred. Round the price to such a multiple."
    ),
    "FACE_NOT_A_MULTIPLE": (
        "The face is {found} minor units and the auction {auction} takes positive multiples of"
        " {expected}. Bid for such a multiple."
    ),
    "BIDDER_LIMIT_EXCEEDED": (
        "The bids of {participant} in the auction {auction} would be for {found} minor units; one"
        " bidder may bid for {expected}. What is above it stays unopened."
    ),
    "NONCOMPETITIVE_FACE_NOT_ACCEPTED": (
        "A bid without a price in the auction {auction} is for {lowest} to {highest} minor units;"
        " this one is for {found}. Bid for a face within these bounds."
    ),
    "AUCTION_NOT_TO_BE_DECIDED": (
        "The auction {auction} is {found}; it is decided once its book is complete, and once only."
        " `khz_auction` says at which stage it is and what comes next."
    ),
    "CUT_OFF_NOT_ACCEPTED": (
        "The cut-off {found} of the auction {auction}, in units of 0.0001, is not accepted:"
        " {reason}. Take the price of a bid at which the target suffices for all better ones."
    ),
    "ACCRUAL_NOT_KNOWN": (
        "What has accrued on {asset} until day {found} is not known: the rate of the period is not"
        " fixed. Fix it before something is delivered."
    ),
    "BID_MANDATE_UNCHANGED": (
        "Account {account} has already let {office} hand in its bids on paper, paid from the same"
        " account. Nothing to change."
    ),
    "BID_MANDATE_UNKNOWN": (
        "Account {account} has given no mandate for paper bids that this account could take back."
        " The one that bids or the one that pays takes it back, while there is one."
    ),
    "BID_OUT_OF_RANGE": (
        "The bid is {found} in units of 0.0001; the auction {auction} takes {lowest} to {highest}."
        " Only a margin may be zero or below."
    ),
    "SEALED_BID_EXISTS": (
        "This hash is already sealed bid {number} of its bidder in the auction {auction}. One paper"
        " or file is one bid: for another one, seal it with another salt."
    ),
    "SWITCH_NOT_POSSIBLE": (
        "What would be given, {asset}, is worth nothing: the interest that stays with others is as"
        " much as its price. Announce a higher price, or settle before the record of a payment."
    ),
    "PLAN_VERSION_PASSED": (
        "The plan {plan} is in version {expected}, and version {found} was to be replaced. Look at"
        " it as it is, and publish what still holds."
    ),
    "PLAN_NOT_VALID": (
        "The plan {plan} is not one: {reason}. Publish it without this contradiction."
    ),
    "ENVELOPE_WITHDRAWN": (
        "Account {account} took this envelope back in the auction {auction}, or took back"
        " {expected} others. Ask the bidder for a new one, sealed with another salt, or let it bid"
        " by its own key."
    ),
}
