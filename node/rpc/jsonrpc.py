"""JSON-RPC 2.0 over bytes: strict reading, dispatch by a table, answers in bytes. No HTTP here.

What this file decides beyond the letter of the specification:

- JSON that two readers could read differently is refused: duplicate keys, NaN, numbers beyond a
  double, lone surrogates, anything but UTF-8.
- An id is a string of at most 128 characters or an integer within ±(2^53 - 1). A fraction, a null
  or a larger number could come back to the caller as another id, so it is refused (-32600) and the
  answer's id is null.
- A member without an id is a notification: it is carried out and gets no answer, not even an error.
- A batch runs those of its members that wait at the same time, and answers in the order of the
  batch. It rests while it is at work for long.
- The answer to a body has a largest size. A call that there is no room to answer is refused
  (-32008), and those after it in the batch are not carried out.
- A result is a `msgspec.Struct`, so that the generated document and the answer cannot differ.

Limits: the body by the caller, the batch by `batch_max`, nesting by the parser's recursion limit.

Source: https://www.jsonrpc.org/specification
"""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar, get_type_hints

import msgspec

from node.access import Scope
from node.rpc.errors import (
    AnswerTooLarge,
    Forbidden,
    InternalError,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    ParseError,
    RpcError,
)

BATCH_MAX: Final = 100
VALUES_MAX: Final = 1 << 14
"""Values in one body. Ids of transactions alone, a thousand a call, are 16,000 in a mebibyte."""
ANSWER_BYTES_MAX: Final = 4 << 20
"""Of the answer to one body, whatever number of calls is in it."""
ANSWER_SMALL_BYTES: Final = 1 << 10
"""What a call that was carried out answers in so few is given in any case."""
TURN_BYTES: Final = 1 << 15
"""Of answers that are rendered in one turn of the loop."""
TURN_S: Final = 0.002
"""In which a batch rests for a turn of the loop: whoever decides blocks is on it too."""
ID_LENGTH_MAX: Final = 128
ID_INTEGER_MAX: Final = (1 << 53) - 1  # the integers every JSON reader keeps exactly
INTEGER_DIGITS_MAX: Final = 400

_DOUBTFUL: Final = 1 << 62
_decode: Final = msgspec.json.Decoder().decode
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_REQUEST_KEYS: Final = frozenset({"jsonrpc", "method", "params", "id"})

Params = TypeVar("Params", bound=msgspec.Struct)

Begun: TypeAlias = bytes | Coroutine[Any, Any, bytes | None] | None
"""The response, None where there is none, or what returns it in time."""


class NoParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A method that takes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Generic[Params]):
    """One entry of the table: what the dispatcher calls and what the document says of it."""

    name: str
    params: type[Params]
    result: Any
    """A `msgspec.Struct` type, or a union of them."""
    call: Callable[[Params], Any]
    waits: bool
    """Whether the call is a coroutine. What only reads memory is a plain function: it is answered
    where it is met, without a task."""
    summary: str
    """First line of the handler's docstring."""
    description: str
    """The rest of it."""
    errors: tuple[type[RpcError], ...]
    """What it may answer besides -32602 and -32603."""
    scope: Scope = Scope.READ
    """Whoever calls it needs this."""
    socket_only: bool = False
    """Whether it needs a connection that stays, `/ws`."""


def method(
    name: str, *errors: type[RpcError], scope: Scope = Scope.READ, socket_only: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function of one typed parameter object as the handler of this method: an async one if
    it waits for anything."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__khz_method__ = (name, errors, scope, socket_only)  # type: ignore[attr-defined]
        return function

    return mark


def methods_of(handlers: object) -> tuple[Method[Any], ...]:
    """Return the table of an object's marked handlers, in the order of their definition.

    Given a class, the table describes its methods and cannot be called.
    """
    found: list[Method[Any]] = []
    kind = handlers if isinstance(handlers, type) else type(handlers)
    for attribute, function in vars(kind).items():
        mark = getattr(function, "__khz_method__", None)
        if mark is None:
            continue
        name, errors, scope, socket_only = mark
        hints = get_type_hints(function)
        result = hints.pop("return")
        (params,) = hints.values()
        summary, _, description = (inspect.getdoc(function) or "").partition("\n\n")
        assert summary, f"{name} needs a docstring"
        found.append(
            Method(
                name=name,
                params=params,
                result=result,
                call=getattr(handlers, attribute),
                waits=inspect.iscoroutinefunction(function),
                summary=summary,
                description=" ".join(description.split()),
                errors=errors,
                scope=scope,
                socket_only=socket_only,
            )
        )
    return tuple(found)


def parse(body: bytes) -> Any:
    """Return the JSON value of these bytes, read strictly.

    Raises:
        ParseError: not UTF-8, not JSON, nested too deeply, or ambiguous.
    """
    # msgspec is eight times faster and takes the last of two equal keys. A text has at least as
    # many colons as members, and the value at most as many: where it is equal, none came twice.
    # Escapes can hide half of a surrogate pair.
    if b"\\" not in body:
        try:  # no context manager: this is the way of every call
            value = _decode(body)
            if body.count(b":") == _members(value):  # which goes a frame deeper than what read it
                return value
        except (msgspec.DecodeError, ValueError, RecursionError):
            return parse_strictly(body)
    return parse_strictly(body)


def _check_values(body: bytes) -> None:
    """Refuse what would be many times its size once it is read: an empty list takes three bytes of
    JSON and fifty of memory."""
    if len(body) <= VALUES_MAX:
        return
    count = body.count(b",") + body.count(b"[") + body.count(b"{")
    if count > VALUES_MAX:
        raise ParseError(
            f"not JSON that anybody needs: {count} values, as commas and brackets count them; at"
            f" most {VALUES_MAX} are read",
            {"values_max": VALUES_MAX},
        )


def _members(value: Any) -> int:
    """Return how many members the objects in a value have, or more than any text has where it holds
    a number of which readers differ."""
    kind = type(value)
    if kind is dict:
        count = len(value)
        for each in value.values():
            if type(each) is not str:
                count += _members(each)
        return count
    if kind is list:
        return sum(map(_members, value))
    if kind is float or (kind is int and abs(value) > ID_INTEGER_MAX):
        return _DOUBTFUL
    return 0


def parse_strictly(body: bytes) -> Any:
    """Return the same by the standard library's parser, which says what is wrong, and where.

    Raises:
        ParseError: as `parse`.
    """
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise ParseError("the body is not UTF-8, or holds half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise ParseError(
            f"not JSON: {error.msg.lower()} at byte {error.pos}", {"position": error.pos}
        ) from None
    except RecursionError:
        raise ParseError("not JSON that anybody needs: nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ParseError(f"the key {_shown(key)} stands twice in one object")
            seen.add(key)
    return value


def _integer(text: str) -> int:
    # Turning digits into a number costs the square of their count: bounded here, judged later.
    if len(text) > INTEGER_DIGITS_MAX:
        raise ParseError(f"a number of {len(text)} digits; at most {INTEGER_DIGITS_MAX}")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ParseError("a number that no reader can hold")
    return value


def _constant(text: str) -> NoReturn:
    raise ParseError(f"{text} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


class Dispatcher:
    """A table of methods and the way from request bytes to response bytes.

    Args:
        report: gets what is no `RpcError`, which is our bug, with the name of the method; returns
            the trace id that the caller is told.
        observe: is told each call's method (`unknown` for one that does not exist), `ok` or the
            code of the error, and the seconds it took.
        elsewhere: methods that exist but not here, each with where.
        scopes: what whoever asks may; a method of another is refused (-32004).
        now_s: the clock by which calls are timed.
        answer_bytes_max: of the answer to one body.
    """

    def __init__(
        self,
        methods: Sequence[Method[Any]],
        *,
        report: Callable[[str, BaseException], str],
        observe: Callable[[str, str, float], None] = lambda _name, _result, _seconds: None,
        elsewhere: Mapping[str, str] | None = None,
        batch_max: int = BATCH_MAX,
        scopes: Collection[Scope] = frozenset(Scope),
        now_s: Callable[[], float] = lambda: 0.0,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self._methods: Mapping[str, Method[Any]] = {entry.name: entry for entry in methods}
        self._report = report
        self._observe = observe
        self._elsewhere = elsewhere or {}
        self._scopes = frozenset(scopes)
        self._batch_max = batch_max
        self._encode = msgspec.json.Encoder().encode
        self._now_s = now_s
        self._answer_bytes_max = answer_bytes_max
        assert len(self._methods) == len(methods), "two methods of one name"

    @property
    def methods(self) -> tuple[Method[Any], ...]:
        """The table, in order."""
        return tuple(self._methods.values())

    async def answer(
        self, body: bytes, *, charge: Callable[[int], None] | None = None
    ) -> bytes | None:
        """Return the response to a request or batch; `None` if nothing is to be answered.

        Args:
            charge: called once with the number of calls in the body before any is carried out;
                what it raises leaves this function, and nothing is carried out.
        """
        begun = self.begin(body, charge=charge)
        return await begun if isinstance(begun, Coroutine) else begun

    def begin(self, body: bytes, *, charge: Callable[[int], None] | None = None) -> Begun:
        """Return the response, or, where a call waits for something or there is much to do, what
        returns it; which has to be awaited.
        """
        try:
            _check_values(body)
            value = parse(body)
            calls = value if isinstance(value, list) else [value]
            if not calls:
                raise InvalidRequest("a batch without a member")
            if len(calls) > self._batch_max:
                raise InvalidRequest(
                    f"a batch of {len(calls)} members; at most {self._batch_max}",
                    {"batch_max": self._batch_max},
                )
        except RpcError as error:
            return self.failure(None, error)
        if charge is not None:
            charge(len(calls))
        room = _Room(self._answer_bytes_max)
        if not isinstance(value, list):
            return self._begin_one(value, room)
        # Taken from the end, so that what is read of each is let go with it.
        calls.reverse()
        turn = _Turn(self._now_s)
        begun = self._begin_some(calls, room, turn)
        if calls or isinstance(begun[-1], Coroutine):
            return self._go_on(begun, calls, room, turn)
        return _joined(begun)  # type: ignore[arg-type]  # none of them is to be awaited

    def _begin_some(self, calls: list[Any], room: "_Room", turn: "_Turn") -> list[Begun]:
        """Begin calls, the last one first, until one waits for something or the turn is over."""
        begun: list[Begun] = []
        while calls and not turn.is_over():
            one = self._begin_one(calls.pop(), room)
            begun.append(one)
            if isinstance(one, Coroutine):
                break
            if one is not None:
                turn.rendered_bytes += len(one)
        return begun

    async def _go_on(
        self, begun: list[Begun], calls: list[Any], room: "_Room", turn: "_Turn"
    ) -> bytes | None:
        """Begin the other calls too, with rests, and wait for those that wait."""
        ended: list[bytes | asyncio.Task[bytes | None] | None] = []
        async with asyncio.TaskGroup() as group:
            while True:
                ended += [
                    group.create_task(each, name="rpc-batch")
                    if isinstance(each, Coroutine)
                    else each
                    for each in begun
                ]
                if not calls:
                    break
                if turn.is_over():
                    await asyncio.sleep(0)
                    turn = _Turn(self._now_s)
                begun = self._begin_some(calls, room, turn)
        return _joined(
            [each.result() if isinstance(each, asyncio.Task) else each for each in ended]
        )

    def _begin_one(self, call: Any, room: "_Room") -> Begun:
        try:
            name, params, call_id = _request(call)
        except RpcError as error:
            return self.failure(None, error)
        began = self._now_s()
        entry = self._methods.get(name)
        try:
            if entry is None:
                raise self._unknown(name)
            if entry.scope not in self._scopes:
                raise Forbidden(entry.scope)
            arguments = _convert(params, entry.params)
            room.check()
            if entry.waits:
                return self._end_one(entry, arguments, call_id, began, room)
            result = room.fitting(self._encode(entry.call(arguments)))
        except Exception as error:
            # One of the few places that catch everything: one request must not end the node.
            return self._failed(name if entry else "unknown", call_id, began, error)
        return self._succeeded(name, call_id, began, result)

    async def _end_one(
        self,
        entry: Method[Params],
        arguments: Params,
        call_id: Any,
        began: float,
        room: "_Room",
    ) -> bytes | None:
        try:
            result = room.fitting(self._encode(await entry.call(arguments)))
        except Exception as error:
            return self._failed(entry.name, call_id, began, error)
        return self._succeeded(entry.name, call_id, began, result)

    def _succeeded(self, name: str, call_id: Any, began: float, result: bytes) -> bytes | None:
        self._observe(name, "ok", self._now_s() - began)
        if call_id is _NO_ID:
            return None
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (self._encode(call_id), result)

    def _failed(self, name: str, call_id: Any, began: float, error: Exception) -> bytes | None:
        """Return the response that says so; what is no `RpcError` is our bug."""
        failure = error if isinstance(error, RpcError) else InternalError(self._report(name, error))
        self._observe(name, str(failure.code), self._now_s() - began)
        return None if call_id is _NO_ID else self.failure(call_id, failure)

    def _unknown(self, name: str) -> MethodNotFound:
        place = self._elsewhere.get(name)
        if place is not None:
            return MethodNotFound(f"{name} is not answered here, but on {place}")
        return MethodNotFound(f"there is no method {_shown(name)}; rpc.discover lists them")

    def failure(self, call_id: str | int | None, error: RpcError) -> bytes:
        """Return the response that carries this error."""
        return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (
            self._encode(call_id),
            self._encode(error.body()),
        )


class _Room:
    """How large the answer to one body may still become."""

    __slots__ = ("_bytes_max", "_left_bytes")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._left_bytes = bytes_max

    def check(self) -> None:
        """Refuse to carry out what there is no room to answer.

        Raises:
            AnswerTooLarge: a call before it has found none.
        """
        if self._left_bytes <= 0:
            raise AnswerTooLarge(self._bytes_max)

    def fitting(self, result: bytes) -> bytes:
        """Return the result of a call that was carried out.

        Raises:
            AnswerTooLarge: there is no room for it, nor for any call after it.
        """
        self._left_bytes -= len(result)
        if self._left_bytes < 0 and len(result) > ANSWER_SMALL_BYTES:
            raise AnswerTooLarge(self._bytes_max)
        return result


class _Turn:
    """What a batch has done in one turn of the loop."""

    __slots__ = ("_ends_s", "_now_s", "rendered_bytes")

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._ends_s = now_s() + TURN_S
        self.rendered_bytes = 0

    def is_over(self) -> bool:
        """Return whether others should have their turn."""
        return self.rendered_bytes >= TURN_BYTES or self._now_s() >= self._ends_s


_NO_ID: Final = object()


def _joined(answers: Sequence[bytes | None]) -> bytes | None:
    """Return the response to a batch of these answers, of which notifications have none."""
    given = [answer for answer in answers if answer is not None]
    return b"[" + b",".join(given) + b"]" if given else None


def _request(call: Any) -> tuple[str, Any, Any]:
    if not isinstance(call, dict):
        raise InvalidRequest(f"a request is an object, not {_kind(call)}")
    if not call.keys() <= _REQUEST_KEYS:
        unknown = min(call.keys() - _REQUEST_KEYS)
        raise InvalidRequest(f"a request has no member {_shown(unknown)}")
    if call.get("jsonrpc") != "2.0":
        raise InvalidRequest('the member "jsonrpc" must be exactly "2.0"')
    name = call.get("method")
    if not isinstance(name, str):
        raise InvalidRequest('the member "method" must be a string')
    params = call.get("params", {})
    if not isinstance(params, dict | list):
        raise InvalidRequest('the member "params" must be an object or an array')
    call_id = call.get("id", _NO_ID)
    if call_id is not _NO_ID and not _is_id(call_id):
        raise InvalidRequest(
            f"an id is a string of at most {ID_LENGTH_MAX} characters or an integer within"
            " ±(2^53 - 1)"
        )
    return name, params, call_id


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= ID_LENGTH_MAX
    # `True` is an int to Python and not to JSON.
    return type(value) is int and abs(value) <= ID_INTEGER_MAX


def _convert(params: Any, kind: type[Params]) -> Params:
    if isinstance(params, list):
        names = kind.__struct_encode_fields__
        if len(params) > len(names):
            raise InvalidParams(f"{len(params)} parameters where at most {len(names)} are known")
        params = dict(zip(names, params, strict=False))
    try:
        return msgspec.convert(params, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidParams(_readable(str(error))) from None


def _readable(sentence: str) -> str:
    """Turn msgspec's sentence, which ends in ' - at `$.path`', into one that begins with it."""
    text, _, path = sentence.partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    return f"{where}: {text}" if where else text


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "an array"
    return "null" if value is None else f"a {type(value).__name__}"


def _shown(text: str) -> str:
    """A name from outside, short enough for a sentence."""
    return json.dumps(text if len(text) <= 64 else text[:63] + "…", ensure_ascii=False)
