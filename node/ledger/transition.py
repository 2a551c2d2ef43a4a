"""The state transition: a block of transactions in, receipts and changes out. The room's door.

Transactions come authenticated: their signatures fit, their envelope holds, no id comes twice. Each
is applied whole or refused whole; a refused one leaves the state as it was, and its receipt says
which rule refused it. What falls due by height or time comes before the block's transactions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from node.codec import Record
from node.ledger.acting import WORK_PER_BLOCK_MAX, ActContext, BlockContext, Catalogue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.amending import SetAmendment, amend_set
from node.ledger.authority import SignedAuthority
from node.ledger.catalogue import ACT_OF, CATALOGUE
from node.ledger.due import apply_due
from node.ledger.events import Event
from node.ledger.invariants import check_block
from node.ledger.outcomes import Details, Outcome, Reject
from node.ledger.parameters import Parameters, parameters_of
from node.ledger.plain import PlainTransfers, Standing
from node.ledger.protocol import take_effect
from node.ledger.rehearsing import Perform, perform_plainly
from node.ledger.state import LedgerState, Written
from node.ledger.stripping import STRIPS_PER_BLOCK_MAX
from node.ledger.tables import ACCUSATIONS, AccusationRecord
from node.ledger.transactions import TransactionBody, TransactionError
from node.ledger.validators import note_changed_set, validators_of

__all__ = [
    "Application",
    "BlockContext",
    "BlockResult",
    "Event",
    "Parameters",
    "Receipt",
    "SetAmendment",
    "Standing",
    "always_in_force",
    "apply_block",
    "check_in_force",
    "is_in_force",
    "parameters_of",
    "validators_of",
]


_APPLIED: Final = Outcome.APPLIED


class Receipt(Record):
    """What became of a transaction: final, and part of what the block's header commits to."""

    outcome: Outcome
    operation: int | None
    """Index of the operation refused; None when applied, or when the whole was refused."""
    details: Details
    """What was found and expected, for the outcome's sentence; empty when applied."""
    events: tuple[Event, ...]
    """In the order they happened; empty when refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What became of a block's transactions, and what happened in it by itself."""

    receipts: tuple[Receipt, ...]
    """In the order of the transactions."""
    events: tuple[Event, ...]
    """Of what fell due by height or time, before the transactions."""
    counts: Mapping[tuple[type[Record], Outcome], int]
    """How many transactions have such a first operation and came to such an outcome."""
    written: tuple[Written, ...]
    """What is no longer as it was before the block, in the order of the first write."""


def apply_block(
    state: LedgerState,
    context: BlockContext,
    transactions: Sequence[tuple[bytes, TransactionBody]],
    accusations: Sequence[tuple[bytes, AccusationRecord]] = (),
    amendment: SetAmendment | None = None,
    perform: Perform = perform_plainly,
    standing: Standing | None = None,
) -> BlockResult:
    """Apply what is due and then the transactions, in order, to the state.

    Args:
        state: fresh, on the records after the block before; holds the changes afterwards.
        transactions: id and body of each.
        accusations: id and record of each that the block shows; proven, and made for the first
            time.
        amendment: of the set of validators, if this is the first block after one. It comes before
            everything else.
        perform: how what may have been rehearsed is done.
        standing: what is known of the accounts of the state before.

    Raises:
        InvariantViolation: the result contradicts itself; the state must not be committed.
        Reject: the state does not bear the amendment.
    """
    amended = () if amendment is None else (amend_set(state, context.height, amendment),)
    events = (
        *amended,
        *take_effect(state, context.height),
        *apply_due(state, context.time_ms, perform),
    )
    receipts, counts = Application(state, context, standing).apply_each(transactions)
    for accusation_id, accusation in accusations:
        state.put(ACCUSATIONS, accusation_id, accusation)
    note_changed_set(state, context.height + 1)
    written = state.written()
    check_block(written)
    return BlockResult(receipts=receipts, events=events, counts=counts, written=written)


class Application:
    """The transactions of a block, applied one after the other: they share what acts are given."""

    __slots__ = ("_acting", "_authority", "_plain", "_state")

    def __init__(
        self, state: LedgerState, context: BlockContext, standing: Standing | None = None
    ) -> None:
        """Begin in a block of this context.

        Args:
            standing: what is known of the accounts of the state before.
        """
        self._state = state
        self._plain = PlainTransfers(state, standing)
        self._authority = SignedAuthority(state, context.time_ms, ())
        self._acting = ActContext(
            state=state,
            block=context,
            transaction_id=b"",
            authority=self._authority,
            catalogue=CATALOGUE,
        )

    def renew(self) -> None:
        """Let the next transaction find what a block offers to all of its own together unused."""
        self._acting.strips_left = STRIPS_PER_BLOCK_MAX
        self._acting.work_left = WORK_PER_BLOCK_MAX

    def plain(self, body: TransactionBody) -> Receipt | None:
        """Return what would become of a plain transfer, and change nothing; None: it is none."""
        transferred = self._plain.apply(body, write=False)
        if transferred is None:
            return None
        return Receipt(outcome=_APPLIED, operation=None, details=(), events=(transferred,))

    def applies_plainly(self, bodies: Iterable[TransactionBody]) -> bool:
        """Return whether `plain` has a receipt for each of these."""
        apply = self._plain.apply
        return None not in [apply(body, write=False) for body in bodies]

    def apply_each(
        self, transactions: Iterable[tuple[bytes, TransactionBody]]
    ) -> tuple[tuple[Receipt, ...], Mapping[tuple[type[Record], Outcome], int]]:
        """Apply these in order, each whole or not at all; return also how many came to what."""
        apply_plainly, receipts = self._plain.apply, []
        others: Counter[tuple[type[Record], Outcome]] = Counter()
        for transaction_id, body in transactions:
            transferred = apply_plainly(body)
            if transferred is not None:
                receipt = Receipt(
                    outcome=_APPLIED, operation=None, details=(), events=(transferred,)
                )
            else:
                receipt = self.apply_at_length(transaction_id, body)
                others[type(body.operations[0]), receipt.outcome] += 1
            receipts.append(receipt)
        self._plain.settle()
        plain = len(receipts) - others.total()
        if plain:
            others[Transfer, _APPLIED] += plain
        return tuple(receipts), others

    def apply(self, transaction_id: bytes, body: TransactionBody) -> Receipt:
        """Apply all operations of a transaction, or none."""
        ((receipt,), _) = self.apply_each(((transaction_id, body),))
        return receipt

    def apply_at_length(self, transaction_id: bytes, body: TransactionBody) -> Receipt:
        """Do so without looking whether it is a plain transfer."""
        state, acting, authority = self._state, self._acting, self._authority
        self._plain.settle()
        self._plain.forget()
        authority.begin(body.signers)
        acting.begin(transaction_id)
        index: int | None = None
        state.begin()
        try:
            for index, operation in enumerate(body.operations):
                acting.index = index
                ACT_OF[type(operation)].apply(acting, operation)
            index = None
            authority.check_all_needed()
        except Reject as reject:
            state.discard()
            outcome, details = reject.outcome, reject.details
            return Receipt(outcome=outcome, operation=index, details=details, events=())
        state.keep()
        # Acts know events only as records; a test holds that each is in the union.
        events: tuple[Event, ...] = tuple(acting.events)  # type: ignore[arg-type]
        return Receipt(outcome=_APPLIED, operation=None, details=(), events=events)


@cache
def always_in_force(version: int) -> frozenset[type[Record]]:
    """Return the operations that a block of this version can hold whatever they say."""
    return frozenset(
        operation
        for operation, act in ACT_OF.items()
        if act.since <= version and act.since_of is None
    )


def is_in_force(body: TransactionBody, version: int) -> bool:
    """Return whether `check_in_force` accepts the body."""
    for operation in body.operations:
        act = ACT_OF[type(operation)]
        if act.since > version or (
            act.since_of is not None and act.in_force_since(operation) > version
        ):
            return False
    return True


def check_in_force(body: TransactionBody, version: int, catalogue: Catalogue = CATALOGUE) -> None:
    """Refuse a body with an operation that a later version of the protocol brings.

    A part of the envelope: a release that knows only this version cannot read the operation, so no
    block of this version holds it.

    Raises:
        TransactionError: OPERATION_NOT_IN_FORCE.
    """
    for operation in body.operations:
        act = catalogue.act_of(operation)
        since = act.in_force_since(operation)
        if since > version:
            raise TransactionError(
                Outcome.OPERATION_NOT_IN_FORCE,
                operation=act.name,
                found=version,
                expected=since,
            )
