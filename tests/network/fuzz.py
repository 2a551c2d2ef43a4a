"""Seeded fuzzing of the wire messages, as long as one likes: prints what was done.

    python -m tests.network.fuzz [--cases 1000000] [--seed 1]

Each case alters a good frame of some kind: fields replaced, left out, added or swapped, bytes
changed, cut or inserted. Whatever comes out is a message that encodes to the same bytes, or is
refused with a `WireError`; any other exception ends the run with the seed and the frame.
"""

import argparse
from collections import Counter
from random import Random
from typing import Any, Final

import msgpack

from node.network import WireError, WireLimits
from node.network.messages import decode_message, encode_message
from tests.network.samples import SAMPLES

LIMITS: Final = WireLimits()

ODDITIES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    -(1 << 63),
    1.5,
    float("nan"),
    float("inf"),
    "",
    "central-bank",
    "UPPER",
    "name\n",
    "x" * 33,
    b"",
    b"x",
    bytes(31),
    bytes(32),
    bytes(33),
    bytes(64),
    [],
    [[]],
    [None],
    [b""],
    [bytes(32)] * 3,
    {},
    {"a": 1},
    msgpack.ExtType(1, b"x"),
)
"""What a field is replaced by."""


def check_harmless(frame: bytes) -> str:
    """Return "message" or the fault; a frame either is a message, byte for byte, or is refused."""
    try:
        message = decode_message(frame, LIMITS)
    except WireError as error:
        return error.fault.value
    assert encode_message(message) == frame
    return "message"


def alter(random: Random) -> bytes:
    """Return an altered frame of some kind."""
    frame = encode_message(random.choice(SAMPLES))
    for _ in range(random.randint(0, 2)):
        tree = msgpack.unpackb(frame, raw=False, strict_map_key=False)
        if not isinstance(tree, list) or not tree:
            break
        place = random.randrange(len(tree))
        match random.randrange(4):
            case 0:
                tree[place] = random.choice(ODDITIES)
            case 1:
                del tree[place]
            case 2:
                tree.insert(place, random.choice(ODDITIES))
            case _:
                other = random.randrange(len(tree))
                tree[place], tree[other] = tree[other], tree[place]
        frame = msgpack.packb(tree)
    altered = bytearray(frame)
    for _ in range(random.choice((0, 0, 1, 3))):
        place = random.randrange(len(altered) + 1)
        match random.randrange(3):
            case 0:
                altered[place : place + 1] = bytes((random.randrange(256),))
            case 1:
                del altered[place:]
            case _:
                altered[place:place] = random.randbytes(random.randint(1, 9))
    return bytes(altered)


def run(cases: int, seed: int) -> Counter[str]:
    """Try so many cases; return what came out, by fault."""
    random = Random(seed)
    results: Counter[str] = Counter()
    for number in range(cases):
        frame = alter(random)
        try:
            results[check_harmless(frame)] += 1
        except Exception as error:
            error.add_note(f"case {number} of seed {seed}: {frame.hex()}")
            raise
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for result, count in run(arguments.cases, arguments.seed).most_common():
        print(f"{count:>9}  {result}")  # noqa: T201


if __name__ == "__main__":
    main()
