"""Which waiting transactions go into a block: in their order, as many as it can hold."""

from collections.abc import Callable, Iterable

from node.chain.rules import ITEM_OVERHEAD_BYTES, BlockEnvelope
from node.ledger.outcomes import Outcome
from node.mempool import AdmittedTransaction


def select(
    transactions: Iterable[AdmittedTransaction],
    envelope: BlockEnvelope,
    *,
    count_max: int,
    left_bytes: int,
    is_new: Callable[[bytes, int], bool],
    was_applied: Callable[[bytes], bool],
) -> tuple[tuple[AdmittedTransaction, ...], tuple[bytes, ...]]:
    """Return those that the block takes, and the ids of those that no later block will take either.

    Args:
        transactions: each id once; no more are looked at than fit.
        envelope: of the block.
        left_bytes: how large they may be together, each with its frame.
        is_new: whether the transaction of this id and end of validity was certainly never applied.
        was_applied: whether the one of this id was; asked for those that may have been.
    """
    chosen: list[AdmittedTransaction] = []
    dropped: list[bytes] = []
    accepts = envelope.accepts
    for transaction in transactions:
        if len(chosen) == count_max:
            break
        id_, body = transaction.id, transaction.body
        refusal = None if accepts(body) else envelope.refusal(body)
        if refusal is Outcome.TOO_FAR_AHEAD:
            # The clock of whoever admitted it is ahead of this block: a later one can hold it.
            continue
        if refusal is not None or (not is_new(id_, body.valid_until_ms) and was_applied(id_)):
            dropped.append(id_)
            continue
        left_bytes -= transaction.size_bytes + ITEM_OVERHEAD_BYTES
        if left_bytes < 0:
            break
        chosen.append(transaction)
    return tuple(chosen), tuple(dropped)
