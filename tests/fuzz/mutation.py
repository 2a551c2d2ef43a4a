"""How a good input is spoiled: on its tree where its form has one, and on its bytes.

Chance comes in as a `Random`, so that hypothesis can draw it (and shrink what it finds), a campaign
can seed it, and a coverage-guided run can take it from its own engine.
"""

import json
import re
from random import Random
from typing import Any, Final

import msgpack

from tests.fuzz.harness import Form

ODDITIES: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    255,
    (1 << 31) - 1,
    1 << 32,
    (1 << 53) - 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    -(1 << 63),
    1.5,
    float("nan"),
    float("inf"),
    "",
    "0",
    "central-bank",
    "UPPER",
    "name\n",
    "x" * 33,
    "é" * 300,
    "\ud7ff\x00",
    "0x10",
    "١٢٣",
    "~nobody-of-this-name/file",
    b"",
    b"x",
    bytes(20),
    bytes(31),
    bytes(32),
    bytes(33),
    bytes(64),
    b"\xff" * 300,
    [],
    [[]],
    [None],
    [None] * 40,
    [b""],
    [bytes(32)] * 3,
    {},
    {"a": 1},
    {"": {}},
    msgpack.ExtType(1, b"x"),
    msgpack.Timestamp(1, 0),
)
"""What a value is replaced by."""

TEXTS: Final = (
    b"null",
    b"true",
    b"NaN",
    b"-0",
    b"1e400",
    b"1.0",
    b"9" * 25,
    b"9" * 500,
    b"1" * 5000,
    b'"\\ud800"',
    b'"\xff"',
    b"[" * 200,
    b'{"a":' * 200,
    b"[" * 2000,
    b"''",
    b'"""',
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    "١".encode(),
    b"K",  # the Kelvin sign, whose lower case is an ASCII letter
    "İ".encode(),
    b"1979-05-27T07:32:00Z",
    b"\r\n",
    b"-",
    b"~x/",
)
"""What stands in the middle of a text."""

_DEPTH_MAX: Final = 12
_SPLIT: Final = re.compile(rb"[A-Za-z0-9_.]+|\"[^\"\n]*\"|.", re.DOTALL)


def alter(random: Random, data: bytes, form: Form) -> bytes:
    """Return the input with up to a few things wrong."""
    for _ in range(random.randint(0, 2)):
        match form:
            case Form.MESSAGEPACK:
                data = _packed(random, data, 0)
            case Form.JSON:
                data = _jsoned(random, data)
            case Form.TEXT:
                data = _worded(random, data)
            case Form.BYTES:
                pass
    return _cut(random, data, random.choice((0, 0, 1, 3) if form is not Form.BYTES else (1, 2, 4)))


def _packed(random: Random, data: bytes, depth: int) -> bytes:
    """Alter a MessagePack tree, or one of the trees that travel as bytes inside it."""
    try:
        tree = msgpack.unpackb(data, raw=False, strict_map_key=False)
        packed: bytes = msgpack.packb(_branch(random, tree, depth, binary=True))
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException):
        return data  # It was altered into something that is no tree, or has no bytes.
    return packed


def _jsoned(random: Random, data: bytes) -> bytes:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return _worded(random, data)
    if random.randrange(3) == 0:
        return _worded(random, data)
    ascii_ = bool(random.randrange(2))
    text = json.dumps(_branch(random, tree, 0, binary=False), indent=2, ensure_ascii=ascii_)
    return text.encode("utf-8", "surrogatepass") + (b"\n" if data.endswith(b"\n") else b"")


def _branch(random: Random, tree: Any, depth: int, *, binary: bool) -> Any:
    """Return the tree with one node, somewhere in it, replaced, left out, doubled or moved."""
    if depth < _DEPTH_MAX and tree and random.randrange(8):
        if isinstance(tree, list):
            place = random.randrange(len(tree))
            if random.randrange(3):
                return [
                    *tree[:place],
                    _branch(random, tree[place], depth + 1, binary=binary),
                    *tree[place + 1 :],
                ]
            return _shuffled(random, tree, place, binary=binary)
        if isinstance(tree, dict):
            key = random.choice(list(tree))
            if random.randrange(4):
                return {**tree, key: _branch(random, tree[key], depth + 1, binary=binary)}
            if random.randrange(2):
                return {name: value for name, value in tree.items() if name != key}
            return {**tree, str(_oddity(random, binary=False)): tree[key]}
        if isinstance(tree, bytes) and random.randrange(2):
            return _packed(random, tree, depth + 1)
        if isinstance(tree, str) and random.randrange(2):
            altered = _cut(random, tree.encode("utf-8", "surrogatepass"), 1)
            return altered.decode("utf-8", "replace")
        if type(tree) is int and random.randrange(2):
            return tree + random.choice((-1, 1, 1 << 8, -(1 << 16), 1 << 31))
    return _oddity(random, binary=binary)


def _shuffled(random: Random, items: list[Any], place: int, *, binary: bool) -> list[Any]:
    items = list(items)
    match random.randrange(4):
        case 0:
            del items[place]
        case 1:
            items.insert(place, _oddity(random, binary=binary))
        case 2:
            items[place:place] = [items[place]] * random.choice((1, 1, 20))
        case _:
            other = random.randrange(len(items))
            items[place], items[other] = items[other], items[place]
    return items


def _oddity(random: Random, *, binary: bool) -> Any:
    oddity = random.choice(ODDITIES)
    if not binary and isinstance(oddity, bytes | msgpack.ExtType | msgpack.Timestamp):
        return oddity.hex() if isinstance(oddity, bytes) else "\ud800"
    if not binary and isinstance(oddity, list):
        return json.loads(json.dumps(oddity, default=bytes.hex))
    return oddity


def _worded(random: Random, data: bytes) -> bytes:
    """Alter a text by its words: one replaced, left out, doubled, or moved; or a line."""
    words = data.splitlines(keepends=True) if random.randrange(3) == 0 else _SPLIT.findall(data)
    if not words:
        return random.choice(TEXTS)
    place = random.randrange(len(words))
    match random.randrange(5):
        case 0:
            words[place] = random.choice(TEXTS)
        case 1:
            del words[place]
        case 2:
            words.insert(place, words[place])
        case 3:
            words.insert(place, random.choice(TEXTS))
        case _:
            other = random.randrange(len(words))
            words[place], words[other] = words[other], words[place]
    return b"".join(words)


def _cut(random: Random, data: bytes, times: int) -> bytes:
    """Change, cut or insert bytes."""
    altered = bytearray(data)
    for _ in range(times):
        place = random.randrange(len(altered) + 1)
        match random.randrange(4):
            case 0:
                altered[place : place + 1] = bytes((random.randrange(256),))
            case 1:
                del altered[place:]
            case 2:
                del altered[place : place + random.randint(1, 9)]
            case _:
                altered[place:place] = random.randbytes(random.randint(1, 9))
    return bytes(altered)
