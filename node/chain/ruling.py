"""Who decides the next height: those of the state, or an amendment in their place."""

from node.chain.head import validator_set
from node.genesis import AmendmentError, AmendmentFault, Genesis
from node.ledger.amending import check_amendment
from node.ledger.explaining import explain
from node.ledger.outcomes import Reject
from node.ledger.state import LedgerState
from node.ledger.tables import ValidatorRecord
from node.ledger.transition import validators_of


def ruling_records(
    state: LedgerState, genesis: Genesis, height: int
) -> tuple[ValidatorRecord, ...]:
    """Return those who decide this height, as `history.validators` has them, in full.

    Args:
        state: after the height before.

    Raises:
        AmendmentError: nobody of the set before stands behind the one that an amendment puts
            in its place, or the state does not bear it.
    """
    decided = validators_of(state)
    amendment = genesis.amendment_at(height)
    if amendment is None:
        return decided
    amendment.check_follows(validator_set(decided))
    try:
        check_amendment(state, amendment.validators)
    except Reject as reject:
        raise AmendmentError(
            AmendmentFault.NOT_BORNE, explain(reject.outcome, reject.details)
        ) from None
    return amendment.validators
