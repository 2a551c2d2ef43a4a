"""What the client raises.

::

    ClientError
    ├── Unreachable       no endpoint answered in the time given: nothing is known
    ├── BadAnswer         an endpoint answered what no node of this interface answers
    ├── WrongNetwork      an endpoint belongs to another network
    ├── CallFailed        the node answered with an error: code, sentence, data
    │   ├── NotFound      no such thing (-32001)
    │   │   └── Pruned    that node no longer keeps it (-32001)
    │   ├── NotReady      it cannot serve that now (-32002)
    │   ├── Forbidden     not at that address, or not with that API key (-32004)
    │   ├── Limited       too many calls, or a full pool (-32005)
    │   ├── NoIndex       it keeps no index, from which that is answered (-32007)
    │   └── WaitTimeout   not final in the time asked for (-32010)
    ├── Refused           final: the transaction is refused, by a block or at the door
    │   └── Expired       final: its time has passed in a block, and no block has it
    ├── Unproven          what a node told is not what it proves, or its proof does not hold
    │   └── Stale         its proof holds, of an older block than was asked for
    ├── NoResult          an auction is not decided: there is nothing to verify
    │   └── NoBidAccepted none is to come: no bid was accepted
    ├── Changing          an auction went on each time that it was read; ask again
    ├── Forgotten         not final: no node that was asked keeps the blocks that could tell
    └── DraftError        a transaction under construction cannot be what was asked for

`Refused` and `Expired` are final answers: the transaction was not applied and never will be.
`Forgotten` is the one end that says nothing: it may have been applied.
"""

from collections.abc import Mapping
from typing import Any, Final

from node.ledger.outcomes import Outcome
from node.telling import TELLER

RETRY_AFTER_MS_DEFAULT: Final = 500
RETRY_AFTER_MS_MAX: Final = 60_000
"""However long a node says, then one is asked again: it may be wrong, or wish us ill."""
NOT_FOUND: Final = -32001

_OUTCOMES: Final[Mapping[int, Outcome]] = {outcome.value: outcome for outcome in Outcome}


class ClientError(Exception):
    """Base of everything this package raises on purpose."""


class Unreachable(ClientError):
    """No endpoint answered.

    Attributes:
        endpoints: the last failure of each, by address.
    """

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        tried = "; ".join(f"{endpoint}: {reason}" for endpoint, reason in endpoints.items())
        super().__init__(f"no node answered ({tried})")
        self.endpoints = dict(endpoints)


class BadAnswer(ClientError):
    """An endpoint answered with something that is not an answer of this interface."""


class WrongNetwork(ClientError):
    """An endpoint belongs to another network than the client's.

    Attributes:
        expected: the genesis hash that the client was given, hexadecimal.
        found: the endpoint's.
    """

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            f"the node belongs to the network with genesis {found}, this client to {expected};"
            " check the address and the genesis file"
        )
        self.expected = expected
        self.found = found


class CallFailed(ClientError):
    """The node answered with an error.

    Attributes:
        code: of the interface's table; permanent.
        message: one sentence.
        data: the same for programs.
    """

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = dict(data)

    @property
    def retry_after_ms(self) -> int:
        """When it may be worth asking again: from 1 to `RETRY_AFTER_MS_MAX`."""
        said = self.data.get("retry_after_ms")
        return wait_ms(said if isinstance(said, int) else RETRY_AFTER_MS_DEFAULT)


class NotFound(CallFailed):
    """There is no such thing."""


class Pruned(NotFound):
    """That node no longer keeps it; another may."""

    @property
    def earliest_height(self) -> int | None:
        """The first height whose block that node keeps."""
        earliest = self.data.get("earliest_height")
        return earliest if isinstance(earliest, int) else None


class NotReady(CallFailed):
    """The node cannot serve that now."""


class Forbidden(CallFailed):
    """The node does not answer that here, or not without another API key."""


class Limited(CallFailed):
    """Too many calls, or a full pool."""


class NoIndex(CallFailed):
    """The node keeps no index, from which that would be answered. Ask another."""


class WaitTimeout(CallFailed):
    """A transaction was not final in the time asked for; ask again by its id."""


class Refused(ClientError):
    """The transaction is refused, and that is final: it changed nothing and never will.

    Attributes:
        transaction_id: hexadecimal.
        outcome: which rule, or None for one that this client does not know.
        code: its permanent number.
        name: its permanent name.
        sentence: what was found, what was expected, what to do.
        details: the numbers and names in the sentence.
        told: the sentence with amounts in units, dates, rates in per cent.
        reason: why, by a phrase of the ledger, `code` and `arguments`; None: the outcome has none.
        height: the block whose receipt says so; None where no block has it: refused at the door.
    """

    def __init__(
        self,
        transaction_id: str,
        *,
        code: int,
        name: str,
        sentence: str,
        details: Mapping[str, Any] | None = None,
        told: str | None = None,
        reason: Mapping[str, Any] | None = None,
        height: int | None = None,
    ) -> None:
        super().__init__(f"{name}: {told or sentence}")
        self.transaction_id = transaction_id
        self.code = code
        self.name = name
        self.sentence = sentence
        self.details = dict(details or {})
        self.told = told or sentence
        self.reason = None if reason is None else dict(reason)
        self.height = height

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, where this client knows its number."""
        return _OUTCOMES.get(self.code)


class Expired(Refused):
    """The transaction's time has passed in a block, and no block up to it has the transaction."""

    def __init__(self, transaction_id: str, *, valid_until_ms: int, time_ms: int) -> None:
        details = {"found": valid_until_ms, "expected": time_ms}
        super().__init__(
            transaction_id,
            code=Outcome.EXPIRED,
            name=Outcome.EXPIRED.name,
            sentence=Outcome.EXPIRED.sentence.format_map(details),
            details=details,
            told=TELLER.tell(Outcome.EXPIRED.name, details),
        )


class Forgotten(ClientError):
    """What became of a transaction cannot be known: its time is over, and every node asked has
    deleted the blocks that could hold it. It may have been applied: do not sign another before a
    node that keeps all blocks was asked.

    Attributes:
        transaction_id: hexadecimal.
    """

    def __init__(self, transaction_id: str) -> None:
        super().__init__(
            f"what became of transaction {transaction_id} is not known here: its time is over, and"
            " the blocks that could hold it are pruned. It may have been applied: ask a node that"
            " keeps all blocks before you sign another"
        )
        self.transaction_id = transaction_id


class Unproven(ClientError):
    """A record is not proven: its proof does not hold, or is that of another.

    Attributes:
        record: which, in words, such as "the auction mtb-3m-574".
        fault: what is wrong with the proof, a `node.proofs.ProofFault`; None: it is another's.
    """

    def __init__(self, record: str, sentence: str, *, fault: str | None = None) -> None:
        super().__init__(sentence)
        self.record = record
        self.fault = fault


class Stale(Unproven):
    """A record is proven as of an older block than was asked for: it may be another by now.

    Attributes:
        height: of that block.
        time_ms: of that block.
    """

    def __init__(self, record: str, sentence: str, *, height: int, time_ms: int) -> None:
        super().__init__(record, sentence)
        self.height = height
        self.time_ms = time_ms


class NoResult(ClientError):
    """An auction has no result that could be verified.

    Attributes:
        auction: its name.
        stage: how far it has come, as `Auction.stage` has it.
    """

    def __init__(self, auction: str, *, stage: str) -> None:
        super().__init__(f"auction {auction} is {stage}: there is no result to verify")
        self.auction = auction
        self.stage = stage


class NoBidAccepted(NoResult):
    """An auction is over without a result: no bid was accepted."""


class Changing(ClientError):
    """An auction went on each time that it was read: its records are not of one moment.

    Attributes:
        auction: its name.
    """

    def __init__(self, auction: str, *, attempts: int) -> None:
        super().__init__(f"auction {auction} was changed {attempts} times while it was read")
        self.auction = auction


class DraftError(ClientError):
    """A transaction under construction cannot be what was asked for; the sentence says why."""


_BY_CODE: Final[Mapping[int, type[CallFailed]]] = {
    NOT_FOUND: NotFound,
    -32002: NotReady,
    -32004: Forbidden,
    -32005: Limited,
    -32007: NoIndex,
    -32010: WaitTimeout,
}


def wait_ms(said: int) -> int:
    """Return how long to wait where a node said so many milliseconds."""
    return min(max(said, 1), RETRY_AFTER_MS_MAX)


def call_failed(code: int, message: str, data: Mapping[str, Any]) -> CallFailed:
    """Return the error for a code of the interface's table."""
    if code == NOT_FOUND and data.get("pruned") is True:
        return Pruned(code, message, data)
    return _BY_CODE.get(code, CallFailed)(code, message, data)
