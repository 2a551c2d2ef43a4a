"""Why something is no good: a closed vocabulary of phrases, for the outcomes that say `reason`."""

from node.ledger.phrases.auctions import (
    AuctionFault,
    AuctionPlanFault,
    CashFault,
    CutOffFault,
    LineFault,
)
from node.ledger.phrases.envelope import EncodingFault, PolicyFault, PowerFault
from node.ledger.phrases.phrase import KINDS, Kind, Meaning, Phrase, Reason, Value
from node.ledger.phrases.securities import (
    CallFault,
    StripFault,
    StrippingFault,
    WithholdingFault,
)
from node.ledger.phrases.terms import CalendarFault, ScheduleFault, TermsFault
from node.ledger.phrases.vocabulary import SUBJECTS, VOCABULARY, WRITTEN_MAX, recognise

__all__ = [
    "KINDS",
    "SUBJECTS",
    "VOCABULARY",
    "WRITTEN_MAX",
    "AuctionFault",
    "AuctionPlanFault",
    "CalendarFault",
    "CallFault",
    "CashFault",
    "CutOffFault",
    "EncodingFault",
    "Kind",
    "LineFault",
    "Meaning",
    "Phrase",
    "PolicyFault",
    "PowerFault",
    "Reason",
    "ScheduleFault",
    "StripFault",
    "StrippingFault",
    "TermsFault",
    "Value",
    "WithholdingFault",
    "recognise",
]
