"""The final word on one transaction: applied, refused, or expired. There is always one.

The same bytes are handed in again until a node answers with a receipt. A refusal at a node's door
is final only while no node can hold the transaction: once a hand-in has ended without an answer,
one may, and then only a block counts, or the end of the transaction's time in a block.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from node.client.drafts import Draft
from node.client.errors import (
    CallFailed,
    Expired,
    Forgotten,
    Limited,
    NotReady,
    Pruned,
    Refused,
    Unreachable,
    WaitTimeout,
)
from node.client.reads import Receipt
from node.client.transport import Transport
from node.ledger.outcomes import Outcome

REJECTED: Final = -32003
INTERNAL: Final = -32603

WAIT_MS: Final = 10_000
"""For how long one node is asked to wait before another is tried: a node may die after taking a
transaction and before telling anyone."""
PAUSE_MIN_S: Final = 0.1
PAUSE_MAX_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a node knows of a transaction, and up to which block time."""

    time: datetime
    status: str
    receipt: Receipt | None
    forgotten_until: datetime | None = None


async def reach_final(transport: Transport, draft: Draft, *, wait_ms: int = WAIT_MS) -> Receipt:
    """Hand in a transaction until it is final; return its receipt when it is applied.

    Ends only with the final word or by cancellation: `asyncio.timeout` around it gives up without
    one, and handing in the same draft again later goes on.

    Raises:
        Refused: by a block, or at the door of the first node that answered.
        Expired: its time passed in a block, and no block has it.
        Forgotten: its time is over, and no endpoint keeps the blocks that could hold it.
        DraftError: a signature is missing.
        CallFailed: a node does not understand the call.
    """
    params = {"transaction": draft.raw().hex(), "wait": "final", "timeout_ms": wait_ms}
    taken = False
    forgetful: set[str] = set()
    pause_s = PAUSE_MIN_S
    while True:
        try:
            answer = await transport.call(
                "khz_submit", params, Found, wait_s=wait_ms / 1000, patience_s=0
            )
            if answer.receipt is not None:
                return applied(draft.id.hex(), answer.receipt)
            taken = True
        except WaitTimeout:
            # The node took it and could not bring it into a block in time; ask another as well.
            taken = True
            transport.pass_over()
        except Unreachable:
            taken = True
        except (Limited, NotReady) as error:
            transport.pass_over()
            await asyncio.sleep(error.retry_after_ms / 1000)
        except Pruned:
            # Its time is over, so that no door takes it any more: only blocks can tell.
            taken = True
            _pass_over_forgetful(transport, draft.id.hex(), forgetful)
        except CallFailed as error:
            if error.code == REJECTED and not taken:
                raise refused_at_door(draft, error) from None
            if error.code not in (REJECTED, INTERNAL):
                raise
            taken = True
            transport.pass_over()
        try:
            receipt = await _look_up(transport, draft)
            if receipt is not None:
                return receipt
        except (Pruned, Forgotten):
            _pass_over_forgetful(transport, draft.id.hex(), forgetful)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


def _pass_over_forgetful(transport: Transport, transaction_id: str, forgetful: set[str]) -> None:
    """Ask the next endpoint; there may be one that has kept what this one has deleted.

    Raises:
        Forgotten: all of them have deleted it.
    """
    forgetful.add(transport.preferred)
    if forgetful.issuperset(transport.endpoints):
        raise Forgotten(transaction_id)
    transport.pass_over()


async def _look_up(transport: Transport, draft: Draft) -> Receipt | None:
    """Return the receipt if a block has the transaction.

    Raises:
        Refused, Expired: as `reach_final`.
        Pruned, Forgotten: the node has deleted the blocks that could hold it.
    """
    try:
        found = await transport.call("khz_transaction", {"id": draft.id.hex()}, Found)
    except Pruned:
        raise
    except (CallFailed, Unreachable):
        return None
    if found.receipt is not None:
        return applied(draft.id.hex(), found.receipt)
    check_expired(draft.id.hex(), found, draft.body.valid_until_ms)
    return None


def check_expired(transaction_id: str, found: Found, valid_until_ms: int) -> None:
    """Raise if no block can hold the transaction any more.

    Raises:
        Expired: block time is past its end, and no block up to there has it.
        Forgotten: it is, and a block that the node no longer keeps may have it.
    """
    time_ms = milliseconds(found.time)
    if found.receipt is None and time_ms > valid_until_ms:
        until = found.forgotten_until
        if found.status == "final" or (until is not None and valid_until_ms <= milliseconds(until)):
            raise Forgotten(transaction_id)
        raise Expired(transaction_id, valid_until_ms=valid_until_ms, time_ms=time_ms)


def applied(transaction_id: str, receipt: Receipt) -> Receipt:
    """Return the receipt of a transaction that took effect.

    Raises:
        Refused: it did not.
    """
    outcome = receipt.outcome
    if not outcome.applied:
        raise Refused(
            transaction_id,
            code=outcome.code,
            name=outcome.name,
            sentence=outcome.sentence,
            details=outcome.details,
            told=outcome.told,
            reason=outcome.reason,
            height=receipt.height,
        )
    return receipt


def refused_at_door(draft: Draft, error: CallFailed) -> Refused:
    """Return the refusal that a node's error tells of."""
    data = error.data
    numbers = data.get("numbers")
    details: Mapping[str, Any] = numbers if isinstance(numbers, dict) else {}
    if data.get("name") == Outcome.EXPIRED.name:
        found, expected = details.get("found"), details.get("expected")
        return Expired(
            draft.id.hex(),
            valid_until_ms=found if isinstance(found, int) else draft.body.valid_until_ms,
            time_ms=expected if isinstance(expected, int) else draft.body.valid_until_ms,
        )
    code, name, sentence = data.get("outcome"), data.get("name"), data.get("sentence")
    told, reason = data.get("told"), data.get("reason_code")
    return Refused(
        draft.id.hex(),
        code=code if isinstance(code, int) else 0,
        name=name if isinstance(name, str) else "REFUSED",
        sentence=sentence if isinstance(sentence, str) else error.message,
        details=details,
        told=told if isinstance(told, str) else None,
        reason=(
            {"code": reason, "arguments": data.get("reason_arguments")}
            if isinstance(reason, str)
            else None
        ),
    )


def milliseconds(moment: datetime) -> int:
    """Return a time as milliseconds since 1970-01-01 UTC."""
    return round(moment.timestamp() * 1000)
