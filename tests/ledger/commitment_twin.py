"""The commitment as its description reads: from a dictionary, from scratch, without an idea."""

import hashlib
from functools import cache
from itertools import count, islice

from node.ledger.commitment import hash_of_key


def _tagged(tag: str, data: bytes) -> bytes:
    return hashlib.sha256(f"khazana/{tag}/1".encode().ljust(64, b"\0") + data).digest()


def twin(records: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the root, and every branch by its path."""
    leaves = {}
    for key, value in records.items():
        key_hash = _tagged("state-key", key)
        leaves[key_hash.hex()] = key_hash + _tagged("state-value", value)
    branches: dict[bytes, bytes] = {}
    root = _branch("", leaves, branches)
    if not records:
        del branches[b""]
    return root, branches


def _branch(prefix: str, leaves: dict[str, bytes], branches: dict[bytes, bytes]) -> bytes:
    taken, alone, body = 0, 0, b""
    for number, digit in enumerate("0123456789abcdef"):
        beneath = {path: leaf for path, leaf in leaves.items() if path.startswith(prefix + digit)}
        if len(beneath) == 1:
            alone += 2**number
            body += next(iter(beneath.values()))
        elif beneath:
            body += _branch(prefix + digit, beneath, branches)
        if beneath:
            taken += 2**number
    branch = taken.to_bytes(2, "big") + alone.to_bytes(2, "big") + body
    branches[bytes(int(digit, 16) for digit in prefix)] = branch
    return _tagged("state-node", branch)


@cache
def neighbours() -> tuple[bytes, ...]:
    """Return keys whose hashes begin with two bytes of zeros: they lie beneath one branch."""
    numbered = (number.to_bytes(4) for number in count())
    return tuple(islice((key for key in numbered if hash_of_key(key)[:2] == bytes(2)), 10))
