"""What an entry of the state says, in a sentence for people."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from node.addresses import render_address
from node.blocks import Header
from node.codec import Record
from node.genesis import Genesis
from node.genesis.reading import render_record
from node.ledger import tables
from node.ledger.identifiers import ADDRESS_SIZE, is_asset_code
from node.ledger.state import Table
from node.ledger.tables import AssetRecord, HoldingRecord

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WORD: Final = re.compile(r"[!-~]*")
_TIME_MS_MAX: Final = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An entry whose place in the state has been verified, decoded."""

    table: Table[Record]
    key: bytes
    record: Record | None
    """None: the state holds no such record."""


def statement_of(entries: Sequence[Proven], header: Header, genesis: Genesis) -> str:
    """Return the sentence for the first entry, which the others help to read."""
    said = _say(entries[0], entries[1:], genesis)
    return (
        f"{said}, after block {header.height} of the network {genesis.name}"
        f" at {render_time(header.time_ms)}."
    )


def render_time(time_ms: int) -> str:
    """Return a time as RFC 3339 text in UTC; beyond the year 9999 as the bare number."""
    if time_ms > _TIME_MS_MAX:
        return f"{time_ms} ms"
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _say(entry: Proven, others: Sequence[Proven], genesis: Genesis) -> str:
    code = entry.key[ADDRESS_SIZE:].decode(errors="replace")
    # A proof of absence can name anything, also what reads like an asset that is held.
    if entry.table is tables.HOLDINGS and is_asset_code(code):
        return _say_holding(entry, code, others, genesis)
    key = _render_key(entry, genesis)
    if entry.record is None:
        return f"The ledger's {entry.table.name} hold nothing under {key}"
    record = json.dumps(render_record(entry.record), ensure_ascii=False)
    return f"The ledger's {entry.table.name} hold {record} under {key}"


def _say_holding(entry: Proven, code: str, others: Sequence[Proven], genesis: Genesis) -> str:
    account = render_address(entry.key[:ADDRESS_SIZE], test=genesis.test_network)
    asset = _asset(entry.key[ADDRESS_SIZE:], others)
    name = code if asset is None else f"{code} ({asset.name})"
    if not isinstance(entry.record, HoldingRecord):
        return f"Account {account} holds no {name}"
    available, held = entry.record.available, entry.record.held
    if asset is None:
        return f"Account {account} holds {available} minor units of {name}, and {held} under holds"
    return (
        f"Account {account} holds {_render_amount(available, asset.decimals)} {name}"
        f" available and {_render_amount(held, asset.decimals)} under holds"
    )


def _asset(key: bytes, entries: Sequence[Proven]) -> AssetRecord | None:
    for entry in entries:
        if entry.table is tables.ASSETS and entry.key == key:
            return entry.record if isinstance(entry.record, AssetRecord) else None
    return None


def _render_amount(amount: int, decimals: int) -> str:
    if decimals == 0:
        return f"{amount:,}"
    scale = 10**decimals
    return f"{amount // scale:,}.{amount % scale:0{decimals}d}"


def _render_key(entry: Proven, genesis: Genesis) -> str:
    if entry.table is tables.ACCOUNTS and len(entry.key) == ADDRESS_SIZE:
        return render_address(entry.key, test=genesis.test_network)
    text = entry.key.decode(errors="replace")
    # No key of the ledger has a space in it; with one it could be a sentence of its own.
    return f"'{text}'" if _WORD.fullmatch(text) else entry.key.hex()
