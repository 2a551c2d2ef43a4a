"""What a security pays and when: pure, from its terms and the business days of its calendar."""

from node.ledger.instruments.accrual import accrued_interest
from node.ledger.instruments.schedule import (
    PART_MAX,
    Payment,
    check_schedule,
    payment_of,
    schedule_of,
)

__all__ = ["PART_MAX", "Payment", "accrued_interest", "check_schedule", "payment_of", "schedule_of"]
