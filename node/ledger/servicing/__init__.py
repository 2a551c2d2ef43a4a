"""The life of serviced securities: records, payments by the ledger itself, redemption.

::

    defined ─▶ row planned ──record day ends──▶ RECORDED ──business day before──▶ ANNOUNCED
                   ▲                               │                                  │ the day
                   └──────── the next one ─────────┘                                  ▼
                                                                                     DUE
        SETTLED ◀──last holder── PAYING ◀── the agent has it, or `fund_payment` ──────┤
                                    ▲                                                 │ not yet
                                    └───── tried every day ───── LATE ▶ IN_GRACE ▶ IN_DEFAULT

`fixer.py` fixes the rates of what floats; `caller.py` repays early; `records.py` fixes who is owed,
in constant work; `payer.py` takes the whole from the paying agent and pays it out; `agenda.py` says
what happens when, and `foresight.py` whom the next block will pay. Older payments come before
younger ones.
"""

from node.ledger.servicing.agenda import (
    FundingChecked,
    PaymentUnfunded,
    ServicingEvent,
    fund_now,
    meet_day,
    serve,
)
from node.ledger.servicing.books import contradictions_of_securities
from node.ledger.servicing.caller import SecurityCalled, call
from node.ledger.servicing.fixer import (
    RateAwaited,
    RateFixed,
    begin_fixings,
    fix_by_source,
    set_margin,
)
from node.ledger.servicing.foresight import Foresight, foresee
from node.ledger.servicing.payer import (
    HOLD_WORTH,
    HOLDERS_AT_FIRST_MAX,
    HOLDERS_PER_BLOCK_MAX,
    LAST_WORTH,
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    WithholdingCollected,
    escrow_address,
)
from node.ledger.servicing.records import (
    RecordTaken,
    RecordWaits,
    begin_service,
    check_begins,
    service_due_key,
)

__all__ = [
    "HOLDERS_AT_FIRST_MAX",
    "HOLDERS_PER_BLOCK_MAX",
    "HOLD_WORTH",
    "LAST_WORTH",
    "Foresight",
    "FundingChecked",
    "HoldRedeemed",
    "HolderPaid",
    "HoldersPaid",
    "PaymentFunded",
    "PaymentSettled",
    "PaymentUnfunded",
    "RateAwaited",
    "RateFixed",
    "RecordTaken",
    "RecordWaits",
    "SecurityCalled",
    "ServicingEvent",
    "WithholdingCollected",
    "begin_fixings",
    "begin_service",
    "call",
    "check_begins",
    "contradictions_of_securities",
    "escrow_address",
    "fix_by_source",
    "foresee",
    "fund_now",
    "meet_day",
    "serve",
    "service_due_key",
    "set_margin",
]
