"""What fuzzing has found once: each input with the refusal that it gets since.

The first word names the target; `python -m tests.fuzz TARGET --replay FILE` tries one by hand.
"""

import json
import re
from typing import Final

import pytest

from node.codec import encode
from node.snapshots.parts import Leaves, decode_chunk
from tests.fuzz.harness import examine
from tests.fuzz.seeds import chunks, operation_files
from tests.fuzz.serving import good_answers
from tests.fuzz.targets import BY_NAME

NESTED: Final = b"[" * 5_000
DIGITS: Final = b"9" * 5_000


def operation(kind: str, **changes: object) -> bytes:
    """Return a good operation of a kind, as people write it, with some fields changed."""
    shown = (json.loads(each) for each in operation_files()[:-1])
    good = next(each for each in shown if each["type"] == kind)
    return json.dumps(good | changes).encode()


FOUND: Final = {
    "digits of another script were a second spelling of a cursor": (
        "cursor",
        "1٣-0".encode(),
        "ValueError",
    ),
    "a setting nested deeply": ("node-file", b"name = " + NESTED, "ConfigError"),
    "a number of thousands of digits": ("node-file", b"name = " + DIGITS, "ConfigError"),
    "a home of nobody": (
        "node-file",
        b'name = "a"\ntls.key = "~nobody-of-this-name/key"\ntls.certificate = "c"',
        "ConfigError",
    ),
    "a network nested deeply": ("network-file", b"name = " + NESTED, "ConfigError"),
    "a network with thousands of digits": ("network-file", b"time = " + DIGITS, "ConfigError"),
    "an id of thousands of characters was repeated whole": ("id", b"1" * 20_000, "BadParameter"),
    "operations nested deeply": ("operation-file", NESTED, "CommandError"),
    "a number beyond 64 bits inside a proposal": (
        "operation-file",
        operation("propose", operations=[json.loads(operation("set_parameter", value=1 << 70))]),
        "OperationError",
    ),
    "half of a surrogate pair": (
        "operation-file",
        operation("register_participant", participant="\ud800"),
        "OperationError",
    ),
    "a draft nested deeply": ("draft-file", b'{"genesis_hash": ' + NESTED, "DraftError"),
    "an answer of a stream nested deeply": (
        "stream-answer",
        b'{"stream":' + NESTED[:2_000],
        "AnswerRefused",
    ),
    "a sealed bid nested deeply": (
        "sealed-bid-file",
        b'{"more":' + NESTED[:2_000],
        "CommandError",
    ),
    "a network without the hash of a genesis": (
        "answer",
        b"\0"
        + re.sub(rb'"genesis_hash":"\w+"', b'"genesis_hash":"?"', good_answers()["khz_status"]),
        "BadAnswer",
    ),
    "an error of a node that is no UTF-8": ("answer", b'\3{"error":{"\x80":1}}', "Unreachable"),
    "an error of a node nested deeply": ("answer", b'\3{"error":{"a":' + NESTED, "Unreachable"),
    "an error of a node that says when to come back in hundreds of digits": (
        "answer",
        b'\3{"error":{"code":-32005,"message":"busy","data":{"retry_after_ms":%b}}}' % DIGITS[:400],
        "read",
    ),
    "a notification nested deeply": ("notification", b'{"id":' + NESTED, "BadAnswer"),
    "a network's state nested deeply": ("network-state", NESTED, "NoSuchNetwork"),
    "a process's state nested deeply": ("process-state", NESTED, "read"),
    "a process of an infinite number": ("process-state", b'{"pid":1e400,"began":1}', "read"),
}


@pytest.mark.parametrize(("target", "data", "outcome"), FOUND.values(), ids=FOUND)
def test_what_was_found_is_refused(target: str, data: bytes, outcome: str) -> None:
    with BY_NAME[target].opened() as read:
        assert examine(BY_NAME[target], read, data) == outcome


def test_records_of_a_state_may_come_in_another_order() -> None:
    """Two keys with equal values have changed places: it is the same state, by the same root."""
    whole = decode_chunk(chunks()[0])
    assert isinstance(whole, Leaves)
    first = next(at for at, value in enumerate(whole.values) if whole.values.count(value) > 1)
    second = whole.values.index(whole.values[first], first + 1)
    keys = [*whole.keys]
    keys[first], keys[second] = keys[second], keys[first]
    data = encode(Leaves(keys=tuple(keys), values=whole.values))

    with BY_NAME["snapshot-filled"].opened() as read:
        assert examine(BY_NAME["snapshot-filled"], read, data) == "read"
