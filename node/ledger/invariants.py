"""What must hold after every block, whatever was in it. A broken one stops the node.

`check_block` looks at what a block changed and costs little; every node runs it on every block.
`check_state` looks at every record; tests, simulation and the offline check of a database run it.

1. The supply of an asset is the sum of what is available and held of it everywhere.
2. No supply is above the ceiling of its asset; nothing is negative; every amount is below 2^64.
3. What is held of a holding is the sum of the holds on it; an empty holding has no record.
4. Every account has a registered owner, every holding and hold an account and an asset.
5. An office has one holder, who has no other; identifiers point at who has them.
6. What expires stands in the queue at its time, and nothing else stands there.
7. At least one validator rules; its key is noted as used.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from node.codec import Record, decode
from node.ledger.errors import InvariantViolation
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.state import LedgerState, Table
from node.ledger.tables import (
    ASSETS,
    HOLDINGS,
    TABLES,
    AssetRecord,
    HoldingRecord,
)
from node.ledger.units import AMOUNT_MAX

_TABLE_OF: Final[dict[bytes, Table[Record]]] = {table.prefix: table for table in TABLES}


def decode_state(items: Iterable[tuple[bytes, bytes]]) -> list[tuple[Table[Record], bytes, Record]]:
    """Return table, key and record for each full key and encoded record.

    Raises:
        CodecError: a record that is not one of its table.
        KeyError: a key of no table.
    """
    decoded = []
    for full_key, value in items:
        table = _TABLE_OF[full_key[:1]]
        decoded.append((table, full_key[1:], decode(value, table.record)))
    return decoded


def check_block(state: LedgerState) -> None:
    """Check what the block changed: what each asset gained is what its holdings gained.

    Raises:
        InvariantViolation: it is not, or an amount left its range.
    """
    gained: defaultdict[bytes, int] = defaultdict(int)
    for table, key, before, now in state.written():
        if table is HOLDINGS:
            asset = key[ADDRESS_SIZE:]
            if now is not None:
                gained[asset] += _total(now, key)
            if before is not None:
                gained[asset] -= _total(before, key)
        elif table is ASSETS:
            gained[key] -= _supply(now, key) - _supply(before, key)
    for asset, difference in gained.items():
        if difference:
            raise InvariantViolation(
                f"the holdings of {asset.decode()} and its supply differ by {difference}"
            )


def _total(record: Record, key: bytes) -> int:
    assert isinstance(record, HoldingRecord)
    available, held = record.available, record.held
    if available < 0 or held < 0 or not 0 < available + held <= AMOUNT_MAX:
        raise InvariantViolation(f"holding {key.hex()} is {available} available and {held} held")
    return available + held


def _supply(record: Record | None, key: bytes) -> int:
    if record is None:
        return 0
    assert isinstance(record, AssetRecord)
    if not 0 <= record.supply <= record.ceiling <= AMOUNT_MAX:
        raise InvariantViolation(
            f"the supply of {key.decode()} is {record.supply}, its ceiling {record.ceiling}"
        )
    return record.supply
