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
    ├── AnswerTooLarge    -32008   more than is given at once; says how much is
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
    hint: ClassVar[str]
    """What a caller does about it, for the reference."""

    def __init__(self, message: str, data: Mapping[str, JsonValue] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, JsonValue] = dict(data or {})

    def body(self) -> dict[str, JsonValue]:
        """Return the `error` member of a response."""
        return {"code": self.code, "message": self.message, "data": self.data}


class ParseError(RpcError):
    code = -32700
    summary = (
        "The body is not JSON, is JSON that two readers could read differently, or has more values"
        " than are read."
    )
    hint = (
        "Send one JSON value in UTF-8: no member twice, no number that is not an integer, at most"
        " `values_max` commas and brackets."
    )


class InvalidRequest(RpcError):
    code = -32600
    summary = "The JSON is not a request, or a batch is empty or too long."
    hint = (
        'A request has `jsonrpc` "2.0", `method`, `params` as an object, and an `id`; a batch has'
        " at least one and at most `rpc.batch_max` of them."
    )


class MethodNotFound(RpcError):
    code = -32601
    summary = "There is no such method here."
    hint = (
        "`rpc.discover` lists the methods; another release of the node may have more."
        " Subscriptions are made at `/ws`."
    )


class InvalidParams(RpcError):
    code = -32602
    summary = "A parameter is missing, unknown, of another type or out of its range."
    hint = (
        "The message names the parameter; `rpc.discover` says which there are and what each takes."
    )


class InternalError(RpcError):
    code = -32603
    summary = "The node made a mistake. `trace_id` finds it in the node's log."
    hint = "Ask another node. Give the operator the trace id: the log has what happened under it."

    def __init__(self, trace_id: str) -> None:
        super().__init__(
            "the node could not answer; its log has the reason under this trace id",
            {"trace_id": trace_id},
        )


class NotFound(RpcError):
    code = -32001
    summary = "There is no such thing, or it is no longer kept."
    hint = (
        "Check the name or id. If it is quite new, the node may be behind: ask again in a moment."
    )


class Pruned(NotFound):
    """What is asked for may have been, and this node keeps nothing of it any more."""

    hint = "Ask a node that keeps all blocks; `khz_status` says from which height on one has them."

    def __init__(self, what: str, *, height: int, earliest: int) -> None:
        super().__init__(
            f"{what}: pruned, earliest kept is block {earliest}; ask a node that keeps all blocks",
            {"height": height, "earliest_height": earliest, "pruned": True},
        )


class NotReady(RpcError):
    code = -32002
    summary = "The node cannot serve that now; `retry_after_ms` says when to ask again."
    hint = (
        "Ask again after `retry_after_ms`, or ask another node. `/readyz?verbose` says what is"
        " lacking."
    )


class Rejected(RpcError):
    code = -32003
    summary = "The transaction is refused; `name` is the permanent name of the outcome."
    hint = "Do what the sentence says and build another transaction: these bytes will not be taken."


class Forbidden(RpcError):
    code = -32004
    summary = "The caller may not do that here; `scope` is what its key would have to be for."
    hint = (
        "Ask whoever runs the node for an API key of that scope, and show it in the header"
        " `Authorization`."
    )

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            f"this listener does not answer that without an API key of scope {scope.value!r}",
            {"scope": scope.value},
        )


class KeyRefused(Forbidden):
    """The API key that was shown opens nothing: 401 of HTTP."""

    hint = "Is the key whole, and of this node? Keys end, and are taken back: ask for another."

    def __init__(self, message: str) -> None:
        RpcError.__init__(self, message)


class Limited(RpcError):
    code = -32005
    summary = "Too much was asked, or the pool is full; `retry_after_ms` says when to ask again."
    hint = "Wait for `retry_after_ms`, then send the same again; sending it twice is harmless."

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message, {"retry_after_ms": retry_after_ms})
        self.retry_after_ms = retry_after_ms


class NoIndex(RpcError):
    code = -32007
    summary = "This node keeps no index, from which that would be answered. Another one may."
    hint = "Ask a node that keeps one, or have its operator set [index] in node.toml."


class AnswerTooLarge(RpcError):
    code = -32008
    summary = "The answer would be larger than is given at once; `answer_bytes_max` says how large."
    hint = (
        "Ask for less: a smaller `limit`, fewer ids, fewer calls in a batch. Calls of a batch that"
        " got this answer can be sent again in another."
    )

    def __init__(self, bytes_max: int) -> None:
        super().__init__(
            f"the answer to this body would have more than {bytes_max} bytes; ask for fewer rows,"
            " or with fewer calls in a batch",
            {"answer_bytes_max": bytes_max},
        )


class WaitTimeout(RpcError):
    code = -32010
    summary = "Not final within the time asked for. Ask again with `khz_transaction` and the id."
    hint = (
        "Ask `khz_transaction` for the id, or hand the same bytes in again: they are applied once."
    )
