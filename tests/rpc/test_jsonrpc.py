"""The sentences of the JSON-RPC specification, and what we refuse beyond it."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.rpc.errors import Limited, NotFound, ParseError
from node.rpc.jsonrpc import (
    ANSWER_BYTES_MAX,
    TURN_BYTES,
    VALUES_MAX,
    Dispatcher,
    NoParams,
    method,
    methods_of,
    parse,
    parse_strictly,
)


class SubtractParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    minuend: Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
    subtrahend: Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]


class Number(msgspec.Struct, frozen=True, kw_only=True):
    value: int


class Arithmetic:
    def __init__(self) -> None:
        self.calls = 0
        self.gate: asyncio.Event | None = None

    @method("subtract")
    async def subtract(self, params: SubtractParams) -> Number:
        """Subtract."""
        self.calls += 1
        return Number(value=params.minuend - params.subtrahend)

    @method("missing", NotFound)
    async def missing(self, params: NoParams) -> Number:  # noqa: ARG002
        """Never find anything."""
        raise NotFound("nothing is there", {"earliest_height": 7})

    @method("broken")
    async def broken(self, params: NoParams) -> Number:  # noqa: ARG002
        """Be our bug."""
        raise ZeroDivisionError("secret detail")

    @method("meet")
    async def meet(self, params: NoParams) -> Number:  # noqa: ARG002
        """Wait for a second caller."""
        if self.gate is None:
            self.gate = asyncio.Event()
            await self.gate.wait()
        else:
            self.gate.set()
        return Number(value=0)


class Reports:
    def __init__(self) -> None:
        self.errors: list[tuple[str, BaseException]] = []

    def __call__(self, name: str, error: BaseException) -> str:
        self.errors.append((name, error))
        return "trace-1"


def make_dispatcher(
    handlers: Arithmetic | None = None, reports: Reports | None = None
) -> Dispatcher:
    return Dispatcher(methods_of(handlers or Arithmetic()), report=reports or Reports())


async def ask(body: object, dispatcher: Dispatcher | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await (dispatcher or make_dispatcher()).answer(raw)
    return None if answer is None else json.loads(answer)


def call(name: str = "subtract", params: object = (42, 23), **members: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": name, "params": params, "id": 1, **members}


def notification(name: str = "subtract", params: object = (42, 23)) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": name, "params": params}


@pytest.mark.parametrize("params", [[42, 23], {"subtrahend": 23, "minuend": 42}])
async def test_params_may_be_positional_or_named(params: object) -> None:
    assert await ask(call(params=params)) == {"jsonrpc": "2.0", "id": 1, "result": {"value": 19}}


async def test_notification_is_carried_out_and_not_answered() -> None:
    handlers = Arithmetic()

    assert await ask(notification(), make_dispatcher(handlers)) is None

    assert handlers.calls == 1


@pytest.mark.parametrize("name", ["nobody", "broken", "missing"])
async def test_notification_is_not_answered_even_when_it_fails(name: str) -> None:
    assert await ask(notification(name, [])) is None


async def test_batch_of_notifications_is_not_answered() -> None:
    assert await ask([notification(), notification()]) is None


async def test_empty_batch_gets_one_error() -> None:
    answer = await ask([])

    assert answer["error"]["code"] == -32600
    assert answer["id"] is None


async def test_mixed_batch_gets_an_answer_for_each_member_that_wants_one() -> None:
    answers = await ask([call(id="a"), notification(), 1, [], call("nobody", id="b"), call(id=7)])

    assert [(answer["id"], answer.get("error", {}).get("code")) for answer in answers] == [
        ("a", None),
        (None, -32600),
        (None, -32600),
        ("b", -32601),
        (7, None),
    ]


async def test_members_of_a_batch_run_at_the_same_time() -> None:
    answers = await ask([call("meet", [], id=1), call("meet", [], id=2)])

    assert [answer["result"] for answer in answers] == [{"value": 0}, {"value": 0}]


@pytest.mark.adversarial(72)
@pytest.mark.parametrize(
    ("count", "code", "data"),
    [
        (101, -32600, {"batch_max": 100}),
        (2_000, -32600, {"batch_max": 100}),
        (100_000, -32700, {"values_max": VALUES_MAX}),
    ],
)
async def test_batch_longer_than_the_limit_gets_one_error_and_nothing_is_carried_out(
    count: int, code: int, data: dict[str, int]
) -> None:
    handlers = Arithmetic()

    answer = await ask([call()] * count, make_dispatcher(handlers))

    assert (answer["error"]["code"], answer["error"]["data"]) == (code, data)
    assert handlers.calls == 0


@pytest.mark.adversarial(72)
@pytest.mark.adversarial(45)
@pytest.mark.parametrize("value", [b"[],", b"{},", b"0,"])
async def test_body_of_more_values_than_anybody_needs_is_refused(value: bytes) -> None:
    most = VALUES_MAX // (1 + (value != b"0,"))
    dispatcher = make_dispatcher()

    answer = await dispatcher.answer(b"[" + value * most + b"0]")

    assert answer is not None
    error = json.loads(answer)["error"]
    assert (error["code"], error["data"]) == (-32700, {"values_max": VALUES_MAX})
    read = await dispatcher.answer(b"[" + value * (most - 1) + b"0]")
    assert read is not None
    assert "batch_max" in json.loads(read)["error"]["data"]


async def test_nested_batch_is_not_a_request() -> None:
    assert [answer["error"]["code"] for answer in await ask([[call()], [[call()]]])] == [-32600] * 2


@pytest.mark.adversarial(72)
@pytest.mark.parametrize(
    "call_id",
    [
        "1.5",
        "1.0",
        "1e2",
        "null",
        str(1 << 70),
        str(1 << 53),
        "true",
        "[]",
        "{}",
        '"' + "x" * 129 + '"',
    ],
)
async def test_id_that_might_not_come_back_the_same_is_refused(call_id: str) -> None:
    handlers = Arithmetic()
    body = f'{{"jsonrpc":"2.0","method":"subtract","params":[1,1],"id":{call_id}}}'.encode()

    answer = await ask(body, make_dispatcher(handlers))

    assert answer["error"]["code"] == -32600
    assert answer["id"] is None
    assert handlers.calls == 0


@pytest.mark.parametrize("call_id", [0, -1, (1 << 53) - 1, 1 - (1 << 53), "", "x" * 128, "ä"])
async def test_id_within_the_limits_comes_back_the_same(call_id: object) -> None:
    assert (await ask(call(id=call_id)))["id"] == call_id


@pytest.mark.adversarial(72)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"jsonrpc": "2.0", "method"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        '{"id":1}'.encode("utf-16"),
        b'{"jsonrpc":"2.0","jsonrpc":"2.0","method":"subtract","params":[1,1],"id":1}',
        b'{"jsonrpc":"2.0","method":"subtract","params":{"minuend":1,"minuend":2},"id":1}',
        b'{"jsonrpc":"2.0","method":"subtract","params":[NaN,1],"id":1}',
        b'{"jsonrpc":"2.0","method":"subtract","params":[Infinity,1],"id":1}',
        b'{"jsonrpc":"2.0","method":"subtract","params":[1,1],"id":1e400}',
        b'{"jsonrpc":"2.0","method":"subtract","params":[1,1],"id":' + b"9" * 10_000 + b"}",
        b'{"jsonrpc":"2.0","method":"subtract","params":[1,1],"id":"\\ud800"}',
        b'{"jsonrpc":"2.0","method":"\\udfff","params":[1,1],"id":1}',
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b'{"id":1} {"id":2}',
    ],
)
async def test_ambiguous_or_broken_json_is_a_parse_error(body: bytes) -> None:
    answer = await ask(body)

    assert answer["error"]["code"] == -32700
    assert answer["id"] is None


async def test_pair_of_surrogates_is_one_character() -> None:
    body = b'{"jsonrpc":"2.0","method":"subtract","params":[2,1],"id":"\\ud83d\\ude00"}'

    assert (await ask(body))["id"] == "\U0001f600"


@pytest.mark.parametrize(
    "request_",
    [
        {"jsonrpc": "1.0", "method": "subtract", "id": 1},
        {"method": "subtract", "id": 1},
        {"jsonrpc": "2.0", "method": 1, "params": "bar"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "method": "subtract", "params": None, "id": 1},
        {"jsonrpc": "2.0", "method": "subtract", "params": "x", "id": 1},
        {"jsonrpc": "2.0", "method": "subtract", "parms": [1, 1], "id": 1},
        "text",
        7,
        None,
        True,
    ],
)
async def test_json_that_is_no_request_is_an_invalid_request(request_: object) -> None:
    answer = await ask(request_)

    assert answer["error"]["code"] == -32600
    assert answer["id"] is None


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ([1], "subtrahend"),
        ([1, 2, 3], "3 parameters"),
        ({"minuend": 1}, "subtrahend"),
        ({"minuend": 1, "subtrahend": 1, "extra": 1}, "extra"),
        ({"minuend": "1", "subtrahend": 1}, "minuend"),
        ({"minuend": 1.5, "subtrahend": 1}, "minuend"),
        ({"minuend": True, "subtrahend": 1}, "minuend"),
        ({"minuend": 1 << 60, "subtrahend": 1}, "minuend"),
    ],
)
async def test_wrong_params_name_the_parameter(params: object, named: str) -> None:
    answer = await ask(call(params=params))

    assert answer["error"]["code"] == -32602
    assert named in answer["error"]["message"]
    assert answer["id"] == 1


async def test_refusal_carries_its_data() -> None:
    assert (await ask(call("missing", [])))["error"] == {
        "code": -32001,
        "message": "nothing is there",
        "data": {"earliest_height": 7},
    }


async def test_our_bug_shows_a_trace_id_and_nothing_else() -> None:
    reports = Reports()

    answer = await ask(call("broken", []), make_dispatcher(reports=reports))

    assert answer["error"]["code"] == -32603
    assert answer["error"]["data"] == {"trace_id": "trace-1"}
    assert "secret" not in json.dumps(answer)
    ((name, error),) = reports.errors
    assert name == "broken"
    assert isinstance(error, ZeroDivisionError)


async def test_charge_sees_the_number_of_calls_and_its_refusal_carries_nothing_out() -> None:
    handlers = Arithmetic()
    charged: list[int] = []

    def charge(count: int) -> None:
        charged.append(count)
        raise Limited("enough", retry_after_ms=5)

    with pytest.raises(Limited):
        await make_dispatcher(handlers).answer(json.dumps([call()] * 3).encode(), charge=charge)

    assert charged == [3]
    assert handlers.calls == 0


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    lines: list[str]


class Library:
    """Answers of any size, by what only reads and by what waits."""

    def __init__(self) -> None:
        self.turns: list[int] = []
        self.turn = 0
        self.now_s = 0.0

    @method("read")
    def read(self, params: SubtractParams) -> Lines:
        """Return so many lines of a hundred bytes, after so many milliseconds."""
        self.turns.append(self.turn)
        self.now_s += params.subtrahend / 1000
        return Lines(lines=["x" * 97] * params.minuend)

    @method("fetch")
    async def fetch(self, params: SubtractParams) -> Lines:
        """Do the same."""
        lines: Lines = self.read(params)
        return lines

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


def _library(*, answer_bytes_max: int = ANSWER_BYTES_MAX) -> tuple[Library, Dispatcher]:
    library = Library()
    return library, Dispatcher(
        methods_of(library),
        report=Reports(),
        now_s=lambda: library.now_s,
        answer_bytes_max=answer_bytes_max,
    )


def _read(lines: int, *, name: str = "read", milliseconds: int = 0) -> dict[str, object]:
    return call(name, {"minuend": lines, "subtrahend": milliseconds})


@pytest.mark.parametrize(
    ("lines", "milliseconds", "a_turn"), [(TURN_BYTES // 400, 0, 5), (1, 1, 2), (1, 30, 1)]
)
@pytest.mark.parametrize("every", [1, 2, 11])
async def test_batch_of_much_work_rests_while_it_is_answered(
    lines: int, milliseconds: int, a_turn: int, every: int
) -> None:
    """Whether or not some of its calls wait for something."""
    library, dispatcher = _library()
    calls = [
        _read(lines, milliseconds=milliseconds, name="read" if place % every else "fetch")
        if every > 1
        else _read(lines, milliseconds=milliseconds)
        for place in range(10)
    ]

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(library.count_turns(), name="turns")
        answers = json.loads(await dispatcher.answer(json.dumps(calls).encode()) or b"")
        counting.cancel()

    assert [len(answer["result"]["lines"]) for answer in answers] == [lines] * 10
    if every == 1:
        assert max(map(library.turns.count, library.turns)) <= a_turn
    assert len(set(library.turns)) >= 2


async def test_batch_of_little_is_answered_where_it_is_met() -> None:
    _, dispatcher = _library()

    begun = dispatcher.begin(json.dumps([_read(1)] * 100).encode())

    assert isinstance(begun, bytes)
    assert len(json.loads(begun)) == 100


@pytest.mark.parametrize("name", ["read", "fetch"])
async def test_answer_that_is_too_large_is_refused_with_how_large_one_is(name: str) -> None:
    library, dispatcher = _library(answer_bytes_max=10_000)

    answer = await ask(_read(101, name=name), dispatcher)

    assert (answer["error"]["code"], answer["id"]) == (-32008, 1)
    assert answer["error"]["data"] == {"answer_bytes_max": 10_000}
    assert "result" in await ask(_read(99, name=name), dispatcher)
    assert len(library.turns) == 2


@pytest.mark.parametrize("name", ["read", "fetch"])
async def test_batch_is_answered_as_far_as_there_is_room(name: str) -> None:
    library, dispatcher = _library(answer_bytes_max=10_000)

    answers = await ask([_read(30, name=name)] * 7, dispatcher)

    assert ["result" in answer for answer in answers] == [True] * 3 + [False] * 4
    assert {answer["error"]["code"] for answer in answers[3:]} == {-32008}
    # What waits has begun before any of it is answered; the rest is not carried out.
    assert len(library.turns) == (4 if name == "read" else 7)


async def test_what_was_carried_out_and_says_little_is_told_in_any_case() -> None:
    _, dispatcher = _library(answer_bytes_max=10_000)

    answers = await ask([_read(99, name="fetch"), *[_read(5, name="fetch")] * 9], dispatcher)

    assert all("result" in answer for answer in answers)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
members = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | json_values,
        "method": st.sampled_from(["subtract", "missing", "meet2"]) | json_values,
        "params": st.lists(json_values, max_size=3) | json_values,
        "id": st.integers() | json_values,
    },
)


@pytest.mark.adversarial(72)
@given(
    st.binary()
    | st.builds(
        lambda value: json.dumps(value).encode(),
        members | json_values | st.lists(members, max_size=5),
    )
)
def test_no_body_makes_the_node_answer_with_an_internal_error(body: bytes) -> None:
    reports = Reports()

    answer = asyncio.run(ask(body, make_dispatcher(reports=reports)))

    assert not reports.errors
    for item in answer if isinstance(answer, list) else [answer]:
        if item is not None:
            assert item["jsonrpc"] == "2.0"
            assert ("result" in item) != ("error" in item)
            assert item.get("error", {}).get("code") != -32603


_TEXTS = st.text(max_size=6) | st.sampled_from(["a", "id", ":", "\\", '"'])
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(_TEXTS, inner), max_size=4),
    max_leaves=12,
)


def _written(value: object) -> str:
    """Return the JSON of a value in which objects are lists of pairs, whose keys may be equal."""
    if isinstance(value, list) and value and all(isinstance(each, tuple) for each in value):
        members = (f"{json.dumps(key, ensure_ascii=False)}: {_written(of)}" for key, of in value)
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _parsed(body: bytes, how: Callable[[bytes], Any]) -> object:
    try:
        value = how(body)
    except ParseError as error:
        return error.message
    return repr(value)  # by which 1, 1.0 and True differ


@given(_VALUES.map(_written).map(str.encode) | st.binary(max_size=40))
def test_parser_says_what_the_strict_one_says(body: bytes) -> None:
    assert _parsed(body, parse) == _parsed(body, parse_strictly)


def test_whatever_is_nested_at_the_interpreters_bound_is_read_or_refused() -> None:
    """Reading and counting run out of frames at different depths, and the caller has used some."""

    def tried(depth: int, frames: int) -> None:
        if frames:
            tried(depth, frames - 1)
            return
        with contextlib.suppress(ParseError):
            parse(b'{"a":' * depth + b"1" + b"}" * depth)

    for frames in (0, 20, 50):
        for depth in range(700, 1_010):
            tried(depth, frames)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":":","a":2}',
        b'[{"a":{"b":1,"b":1}}]',
        b'{"a":1e400}',
        b'{"a":"\\ud800"}',
        b'{"\\u0061":1,"a":2}',
        b"[" + b"9" * 401 + b"]",
        b'{"a":NaN}',
    ],
)
def test_what_readers_differ_about_is_refused_on_the_fast_way_too(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse(body)
