"""Auctions of securities, worked out: sealed bids, the ladder, the allotment, the averages.

Pure and exact: integers in, integers out, every division with its rounding and every tie with its
rule. What is here, anybody can run again over the published ladder and come to the same figures.
"""

from node.ledger.auctions.allotment import Allotment, allot
from node.ledger.auctions.averages import (
    accrued_on,
    average_price_e4,
    average_yield_e4,
    consideration,
    due_for,
)
from node.ledger.auctions.ladders import competitive_ladder, noncompetitive_ladder, pieces_of
from node.ledger.auctions.problems import AuctionError
from node.ledger.auctions.sealing import SealedBid, commitment_of
from node.ledger.auctions.switches import Exchange, exchange
from node.ledger.auctions.terms import (
    AuctionTerms,
    Destination,
    Form,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    Reallotment,
    fault_of,
)

__all__ = [
    "Allotment",
    "AuctionError",
    "AuctionTerms",
    "Destination",
    "Exchange",
    "Form",
    "Method",
    "NoncompetitivePrice",
    "Oversubscription",
    "Reallotment",
    "SealedBid",
    "accrued_on",
    "allot",
    "average_price_e4",
    "average_yield_e4",
    "commitment_of",
    "competitive_ladder",
    "consideration",
    "due_for",
    "exchange",
    "fault_of",
    "noncompetitive_ladder",
    "pieces_of",
]
