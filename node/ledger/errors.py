"""What the ledger raises.

::

    LedgerError
    ├── Reject                 (outcomes)  a transaction is refused: caught once, becomes a receipt
    │   └── TransactionError   (transactions)  refused by its envelope, before state is read
    ├── DatesError             (dates)  days from which no calendar or schedule can be made
    ├── PricingError           (pricing)  terms that have no price
    ├── FoundingError          a genesis that cannot be the first state; names every fault
    └── InvariantViolation     the ledger contradicts itself: the node stops
"""


class LedgerError(Exception):
    """Base of everything this room raises on purpose."""


class FoundingError(LedgerError):
    """The first state would be contradictory.

    Attributes:
        faults: one sentence for each fault, in the order of the genesis' fields.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        """Keep the sentences in the order given."""
        super().__init__("; ".join(faults))
        self.faults = faults


class InvariantViolation(LedgerError):
    """A rule that holds by construction does not hold. Never caught: continuing is not safe."""
