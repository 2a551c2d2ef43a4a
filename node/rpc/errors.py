"""What the interface answers when it does not answer with a result.

    RpcError                       any refusal; carries code, sentence and data
    ├── ParseError        -32700   not JSON, or JSON with two meanings
    ├── InvalidRequest    -32600   JSON, but not a request
    ├── MethodNotFound    -32601
    ├── InvalidParams     -32602   names the parameter
    ├── InternalError     -32603   our bug: a trace id and nothing else; the log has the rest
    ├── NotFound          -32001   no such thing
    │   └── Pruned        -32001   no longer kept here; says from where on things are
    ├── NotReady          -32002   this node cannot serve that now; says when to ask again
    ├── Rejected          -32003   a transaction refused, by its outcome
    ├── Forbidden         -32004   the listener and the key, if any, do not allow it
    │   └── KeyRefused    -32004   the key is none, or not known, revoked or expired
    ├── Limited           -32005   too many requests, or a full pool; says when to ask again
    ├── NoIndex           -32007   this node keeps no index, from which that is answered
    └── WaitTimeout       -32010   not final within the time asked; ask again by id

The codes are permanent. -32006 (a duplicate that conflicts) stays reserved: an id is the hash of
the content, so two contents cannot claim one id.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, TypeAlias

from node.access import Scope

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""What our answers are made of. No floats: what is not an integer is a decimal string."""

RETRY_AFTER_MS_DEFAULT: Final = 1_000


class RpcError(Exception):
    """A refusal in the terms of JSON-RPC.

    Attributes:
        code: the class's permanent number.
        message: one sentence for a person.
        data: the same for a program; stable names.
    """

    code: ClassVar[int]
    summary: ClassVar[str]
    """What the code means, for the generated document."""

    def __init__(self, message: str, data: Mapping[str, JsonValue] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, JsonValue] = dict(data or {})

    def body(self) -> dict[str, JsonValue]:
        """Return the `error` member of a response."""
        return {"code": self.code, "message": self.message, "data": self.data}


class ParseError(RpcError):
    code = -32700
    summary = "The body is not JSON, or is JSON that two readers could read differently."


class InvalidRequest(RpcError):
    code = -32600
    summary = "The JSON is not a request, or a batch is empty or too long."


class MethodNotFound(RpcError):
    code = -32601
    summary = "There is no such method here."


class InvalidParams(RpcError):
    code = -32602
    summary = "A parameter is missing, unknown, of another type or out of its range."


class InternalError(RpcError):
    code = -32603
    summary = "The node made a mistake. `trace_id` finds it in the node's log."

    def __init__(self, trace_id: str) -> None:
        super().__init__(
            "the node could not answer; its log has the reason under this trace id",
            {"trace_id": trace_id},
        )


class NotFound(RpcError):
    code = -32001
    summary = "There is no such thing, or it is no longer kept."


class Pruned(NotFound):
    """What is asked for may have been, and this node keeps nothing of it any more."""

    def __init__(self, what: str, *, height: int, earliest: int) -> None:
        super().__init__(
            f"{what}: pruned, earliest kept is block {earliest}; ask a node that keeps all blocks",
            {"height": height, "earliest_height": earliest, "pruned": True},
        )


class NotReady(RpcError):
    code = -32002
    summary = "The node cannot serve that now; `retry_after_ms` says when to ask again."


class Rejected(RpcError):
    code = -32003
    summary = "The transaction is refused; `name` is the permanent name of the outcome."


class Forbidden(RpcError):
    code = -32004
    summary = "The caller may not do that here; `scope` is what its key would have to be for."

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            f"this listener does not answer that without an API key of scope {scope.value!r}",
            {"scope": scope.value},
        )


class KeyRefused(Forbidden):
    """The API key that was shown opens nothing: 401 of HTTP."""

    def __init__(self, message: str) -> None:
        RpcError.__init__(self, message)


class Limited(RpcError):
    code = -32005
    summary = "Too much was asked, or the pool is full; `retry_after_ms` says when to ask again."

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message, {"retry_after_ms": retry_after_ms})
        self.retry_after_ms = retry_after_ms


class NoIndex(RpcError):
    code = -32007
    summary = "This node keeps no index, from which that would be answered. Another one may."


class WaitTimeout(RpcError):
    code = -32010
    summary = "Not final within the time asked for. Ask again with `khz_transaction` and the id."
