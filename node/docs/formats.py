"""The page of formats: values and their bytes, out of the vectors that the tests hold them to."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from node.codec import Record, decode
from node.docs.markdown import table
from node.hashing import Domain, tagged_hash
from node.ledger.operations import Operation
from node.ledger.transactions import TransactionBody
from node.ledger.transition import Receipt
from node.rpc.rendering import Renderer

TESTS: Final = Path(__file__).resolve().parents[2] / "tests"
WIDTH: Final = 80
"""Characters of a line; more do not fit beside the table of contents."""
_ANYTHING: Final = Renderer(test=True, decimals_of=lambda _: None, decode_operations=lambda _: ())
"""Amounts are printed in minor units: what the bytes have."""


def formats() -> str:
    """Return the vectors, each with what it stands for."""
    ledger = json.loads((TESTS / "ledger" / "vectors.json").read_text(encoding="utf-8"))
    blocks = json.loads((TESTS / "blocks" / "vectors.json").read_text(encoding="utf-8"))
    return "\n".join([*_hashes(), *_transaction(ledger), *_blocks(blocks), *_operations(ledger)])


def _hashes() -> Iterator[str]:
    yield from ("## Hashes under domain tags", "")
    yield from (
        "SHA-256 of the tag, filled up with zeros to 64 bytes, and what is hashed. Of nothing:",
        "",
    )
    tags = [(f"`{tag.value.decode()}`", f"`{tagged_hash(tag, b'').hex()}`") for tag in Domain]
    yield from table(("tag", "hash of the empty string"), tags)


def _transaction(vectors: Mapping[str, Any]) -> Iterator[str]:
    body = bytes.fromhex(vectors["transaction body"])
    yield from ("## A transaction", "", "The encoded body:", "")
    yield from _hex(vectors["transaction body"])
    yield from ("It holds:", "", *_json(_ANYTHING.record(decode(body, TransactionBody))))
    yield from (
        "What is hashed, and then signed, is the hash of the genesis and this body behind it. On"
        f" the network with the genesis hash `{vectors['genesis hash']}`,",
        f"its id, under `{Domain.TRANSACTION.value.decode()}`, is `{vectors['transaction id']}`.",
        "",
    )


def _blocks(vectors: Mapping[str, str]) -> Iterator[str]:
    yield from ("## Blocks, certificates and evidence", "")
    yield from ("What each holds, field by field, is in `node/blocks/records.py`.", "")
    for name, value in vectors.items():
        yield from (f"{name.replace('_', ' ').capitalize()}:", "", *_hex(value))


def _operations(vectors: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Operations and receipts", "")
    yield from (
        "An operation is an array that begins with its number; the fields follow in the order of"
        " the page of [operations](operations.md). A receipt is outcome, the place of the operation"
        " that failed, details and events; here, of a transaction in which it alone is applied.",
        "",
    )
    for title, names in groupby(vectors["operations"], key=lambda name: name.partition("/")[0]):
        yield from (f"### {title}", "")
        for name in names:
            written, receipt = vectors["operations"][name], vectors["receipts"][name]
            # A union is no class, and yet it is what is there.
            operation: Record = decode(bytes.fromhex(written), Operation)  # type: ignore[arg-type]
            yield from ("The operation:", "", *_json(_ANYTHING.record(operation)))
            yield from _hex(written)
            applied = decode(bytes.fromhex(receipt), Receipt)
            yield from ("Its receipt:", "", *_json(_ANYTHING.record(applied)), *_hex(receipt))


def _hex(value: str) -> Iterator[str]:
    yield from ("```text", *textwrap.wrap(value, WIDTH), "```", "")


def _json(value: Mapping[str, Any]) -> Iterator[str]:
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    yield from ("```text", *textwrap.wrap(text, WIDTH, break_on_hyphens=False), "```", "")
