"""What a node tells, as typed values. Members that a newer node adds are ignored.

Amounts are `Decimal`, exact, in units of the asset; times are aware `datetime`s in UTC; hashes and
ids are lower-case hexadecimal text, as people and tools write them.
"""

from node.client.reads.assets import Asset, Hold, Holding
from node.client.reads.auctions import (
    Auction,
    AuctionPlan,
    AuctionResult,
    AuctionSummary,
    AuctionVerification,
    Bid,
    Bidder,
    LadderRow,
    PlannedAuction,
    Standing,
)
from node.client.reads.blocks import Block, BlockTransaction, Header, Proof
from node.client.reads.calendars import BusinessDay, Calendar, CalendarSummary, Holiday
from node.client.reads.debt import (
    Contract,
    Fixing,
    PassedDay,
    Payment,
    PaymentMade,
    Reference,
    Strip,
    Strips,
    Withholding,
    WithholdingRate,
)
from node.client.reads.governance import Parameter, Power, Proposal
from node.client.reads.network import (
    Amendment,
    Mempool,
    Peer,
    Status,
    Upgrade,
    Validator,
    Validators,
)
from node.client.reads.quotes import InterestByDayCount, InterestQuote, Quote, SwitchQuote
from node.client.reads.read import Read
from node.client.reads.registry import Account, Licence, Participant, Policy, Signer
from node.client.reads.transactions import (
    OutcomeRead,
    Receipt,
    Simulation,
    Transaction,
    TransactionState,
)

__all__ = [
    "Account",
    "Amendment",
    "Asset",
    "Auction",
    "AuctionPlan",
    "AuctionResult",
    "AuctionSummary",
    "AuctionVerification",
    "Bid",
    "Bidder",
    "Block",
    "BlockTransaction",
    "BusinessDay",
    "Calendar",
    "CalendarSummary",
    "Contract",
    "Fixing",
    "Header",
    "Hold",
    "Holding",
    "Holiday",
    "InterestByDayCount",
    "InterestQuote",
    "LadderRow",
    "Licence",
    "Mempool",
    "OutcomeRead",
    "Parameter",
    "Participant",
    "PassedDay",
    "Payment",
    "PaymentMade",
    "Peer",
    "PlannedAuction",
    "Policy",
    "Power",
    "Proof",
    "Proposal",
    "Quote",
    "Read",
    "Receipt",
    "Reference",
    "Signer",
    "Simulation",
    "Standing",
    "Status",
    "Strip",
    "Strips",
    "SwitchQuote",
    "Transaction",
    "TransactionState",
    "Upgrade",
    "Validator",
    "Validators",
    "Withholding",
    "WithholdingRate",
]
