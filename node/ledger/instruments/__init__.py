"""What a security pays and when: pure, from its terms and the business days of its calendar."""

from node.ledger.instruments.accrual import accrued_interest, accrued_share
from node.ledger.instruments.schedule import (
    NOT_CALLED,
    NOTHING_FIXED,
    PART_MAX,
    PAYMENTS_MAX,
    Call,
    Calls,
    Payment,
    Rates,
    as_noted,
    check_schedule,
    fixing_nominal,
    floating_rate,
    last_called,
    last_record_day,
    payment_of,
    periods_of,
    schedule_of,
)

__all__ = [
    "NOTHING_FIXED",
    "NOT_CALLED",
    "PART_MAX",
    "PAYMENTS_MAX",
    "Call",
    "Calls",
    "Payment",
    "Rates",
    "accrued_interest",
    "accrued_share",
    "as_noted",
    "check_schedule",
    "fixing_nominal",
    "floating_rate",
    "last_called",
    "last_record_day",
    "payment_of",
    "periods_of",
    "schedule_of",
]
