"""Records from JSON: located values, every kind of field, every fault with its path."""

import json
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import Record
from node.genesis.located import DOCUMENT_SIZE_MAX, LocatedError, Path, parse_located
from node.genesis.reading import read_record, render_record


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(Record):
    number: Annotated[int, msgspec.Meta(ge=0, le=9)]
    data: Annotated[bytes, msgspec.Meta(max_length=2)]


class Outer(Record):
    colour: Colour
    flag: bool
    maybe: Inner | None
    pair: tuple[bytes, int]
    many: Annotated[tuple[Inner, ...], msgspec.Meta(max_length=2)]


inners = st.builds(Inner, number=st.integers(0, 9), data=st.binary(max_size=2))
outers = st.builds(
    Outer,
    colour=st.sampled_from(Colour),
    flag=st.booleans(),
    maybe=st.none() | inners,
    pair=st.tuples(st.binary(max_size=3), st.integers(-9, 9)),
    many=st.lists(inners, max_size=2).map(tuple),
)
GOOD: Any = {
    "colour": "red",
    "flag": True,
    "maybe": {"number": 1, "data": "00ff"},
    "pair": ["aa", 3],
    "many": [{"number": 2, "data": ""}],
}


def read(value: Any) -> tuple[Outer | None, list[tuple[Path, str]]]:
    faults: list[tuple[Path, str]] = []
    return read_record(Outer, value, lambda path, message: faults.append((path, message))), faults


@given(outers)
def test_rendered_record_reads_as_itself(record: Outer) -> None:
    assert read(render_record(record)) == (record, [])


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"colour": "blue"}, ("colour",), "blue"),
        ({"colour": 1}, ("colour",), "int"),
        ({"flag": 1}, ("flag",), "bool"),
        ({"maybe": []}, ("maybe",), "an object, found a list"),
        ({"maybe": {"number": True, "data": ""}}, ("maybe", "number"), "int"),
        ({"maybe": {"number": 10, "data": ""}}, ("maybe", "number"), "9"),
        ({"maybe": {"number": 1, "data": "000000"}}, ("maybe", "data"), "2"),
        ({"pair": {}}, ("pair",), "a list, found an object"),
        ({"pair": ["aa"]}, ("pair",), "2 items, found 1"),
        ({"pair": [None, 1]}, ("pair", 0), "digits, found null"),
        ({"pair": ["a", 1]}, ("pair", 0), "pairs"),
        ({"pair": ["a a", 1]}, ("pair", 0), "pairs"),
        ({"pair": ["aa bb", 1]}, ("pair", 0), "lower-case"),
        ({"pair": ["AA", 1]}, ("pair", 0), "lower-case"),
        ({"pair": [7, 1]}, ("pair", 0), "digits, found 7"),
        ({"pair": [False, 1]}, ("pair", 0), "digits, found false"),
        ({"many": "x"}, ("many",), "a list, found the text 'x'"),
        ({"many": [{"number": 1, "data": ""}] * 3}, ("many",), "2"),
        ({"more": 1}, ("more",), "no such key"),
    ],
)
def test_fault_is_reported_at_its_path(change: Any, path: Path, said: str) -> None:
    record, faults = read({**GOOD, **change})

    assert record is None
    assert [each for each, _ in faults] == [path]
    assert said in faults[0][1]


def test_every_fault_is_reported() -> None:
    record, faults = read(
        {"colour": "blue", "maybe": {}, "pair": ["x", "y"], "many": [{"number": -1, "data": ""}]}
    )

    assert record is None
    assert [path for path, _ in faults] == [
        ("colour",),
        (),
        ("maybe",),
        ("maybe",),
        ("pair", 0),
        ("pair", 1),
        ("many", 0, "number"),
    ]


def test_what_has_no_json_form_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        render_record(1.5)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 0, 2]))
def test_located_parser_agrees_with_the_standard_one(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)

    assert parse_located(text).value == json.loads(text)


@given(st.text(alphabet='{}[]",:01.-eE \n\\untrlafs', max_size=30))
def test_located_parser_refuses_what_the_standard_one_does(text: str) -> None:
    try:
        value = parse_located(text).value
    except LocatedError:
        return
    assert value == json.loads(text)


def test_line_of_a_value_that_is_not_there_is_that_of_its_surroundings() -> None:
    located = parse_located('{\n"a":\n[1,\n2]}')

    assert located.line(("a", 1)) == 4
    assert located.line(("a", 7)) == 3
    assert located.line(("b",)) == 1


def test_document_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(LocatedError, match="allowed"):
        parse_located(" " * (DOCUMENT_SIZE_MAX + 1))
