"""What must hold after every block, whatever was in it. A broken one stops the node.

`check_block` looks at what a block changed and costs little; every node runs it on every block.
`check_state` looks at every record; tests, simulation and the offline check of a database run it.

1. The supply of an asset is the sum of what is available and held of it everywhere.
2. No supply is above the ceiling of its asset; nothing is negative; every amount is below 2^64.
3. What is held of a holding is the sum of the holds on it; an empty holding has no record.
4. Every account has a registered owner, every holding and hold an account and an asset.
5. An office has one holder, who has no other; identifiers point at who has them.
6. What expires stands in the queue at its time, and nothing else stands there; open proposals are
   counted for whoever made them.
7. At least one validator rules; its key is noted as used; the newest set noted is the ruling one.
8. An upgrade that is scheduled leads to the version after the one that rules.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from node.codec import Record, decode
from node.ledger.errors import InvariantViolation
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.registers import Scheme
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    CONSENSUS_KEYS,
    DUE,
    HOLDINGS,
    HOLDS,
    IDENTIFIERS,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    PROPOSAL_COUNTS,
    PROPOSALS,
    PROTOCOL,
    TABLES,
    VALIDATOR_SETS,
    VALIDATORS,
    AccountStatus,
    AssetRecord,
    DueKind,
    HoldingRecord,
    due_key,
    identifier_key,
    name_key,
)
from node.ledger.units import AMOUNT_MAX

_TABLE_OF: Final[dict[bytes, Table[Record]]] = {table.prefix: table for table in TABLES}

StateRecord: TypeAlias = tuple[Table[Record], bytes, Record]


def decode_state(items: Iterable[tuple[bytes, bytes]]) -> list[StateRecord]:
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


def check_state(records: Iterable[StateRecord]) -> None:
    """Check every record of a state against the others.

    Raises:
        InvariantViolation: names the first contradiction found.
    """
    rows = _Rows(records)
    for contradictions in (
        _amounts(rows),
        _holds(rows),
        _owners(rows),
        _registers(rows),
        _queue(rows),
        _validators(rows),
        _protocol(rows),
    ):
        for contradiction in contradictions:
            raise InvariantViolation(contradiction)


class _Rows:
    """The records of a state, by table and key."""

    def __init__(self, records: Iterable[StateRecord]) -> None:
        self._rows: dict[bytes, dict[bytes, Record]] = {table.prefix: {} for table in TABLES}
        for table, key, record in records:
            self._rows[table.prefix][key] = record

    def of(self, table: Table[R]) -> dict[bytes, R]:
        """Return the records of one table by key."""
        return self._rows[table.prefix]  # type: ignore[return-value]  # filed by their table


def _amounts(rows: _Rows) -> Iterator[str]:
    """Check rules 1 and 2."""
    totals: defaultdict[bytes, int] = defaultdict(int)
    for key, holding in rows.of(HOLDINGS).items():
        totals[key[ADDRESS_SIZE:]] += _total(holding, key)
    assets = rows.of(ASSETS)
    for key, asset in assets.items():
        if _supply(asset, key) != totals[key]:
            yield f"the supply of {key.decode()} is {asset.supply}, its holdings {totals[key]}"
    for key in sorted(totals.keys() - assets.keys()):
        yield f"there are holdings of {key.decode()}, which is not defined"


def _holds(rows: _Rows) -> Iterator[str]:
    """Check rule 3."""
    held: defaultdict[bytes, int] = defaultdict(int)
    for key, hold in rows.of(HOLDS).items():
        if hold.amount <= 0:
            yield f"hold {key.hex()} is of {hold.amount}"
        held[key[:ADDRESS_SIZE] + name_key(hold.asset)] += hold.amount
    holdings = rows.of(HOLDINGS)
    for key, holding in holdings.items():
        if holding.held != held[key]:
            yield f"holding {key.hex()} has {holding.held} held, its holds are {held[key]}"
    for key in sorted(held.keys() - holdings.keys()):
        yield f"there are holds on {key.hex()}, which is no holding"


def _owners(rows: _Rows) -> Iterator[str]:
    """Check rule 4."""
    accounts, participants = rows.of(ACCOUNTS), rows.of(PARTICIPANTS)
    for address, account in accounts.items():
        if name_key(account.owner) not in participants:
            yield f"account {address.hex()} belongs to {account.owner}, who is not registered"
    for key in rows.of(HOLDINGS):
        owner = accounts.get(key[:ADDRESS_SIZE])
        if owner is None or owner.status is AccountStatus.CLOSED:
            yield f"holding {key.hex()} is in no open account"
    for key, asset in rows.of(ASSETS).items():
        if name_key(asset.issuer) not in participants:
            yield f"asset {key.decode()} is of {asset.issuer}, who is not registered"
    for key in rows.of(LICENCES):
        if key.partition(b"/")[0] not in participants:
            yield f"licence {key.decode()} is of nobody registered"


def _registers(rows: _Rows) -> Iterator[str]:
    """Check rule 5."""
    participants, assets = rows.of(PARTICIPANTS), rows.of(ASSETS)
    offices = {
        name_key(participant.office): key
        for key, participant in participants.items()
        if participant.office is not None
    }
    holders = {key: name_key(office.participant) for key, office in rows.of(OFFICES).items()}
    if offices != holders:
        yield "the offices and those who hold them do not agree"
    claims = {
        identifier_key(Scheme.LEI, participant.lei): key
        for key, participant in participants.items()
        if participant.lei is not None
    }
    for key, asset in assets.items():
        for scheme, identifier in (
            (Scheme.ISIN, asset.identifiers.isin),
            (Scheme.DTI, asset.identifiers.dti),
        ):
            if identifier is not None:
                claims[identifier_key(scheme, identifier)] = key
    claimed = {key: name_key(record.holder) for key, record in rows.of(IDENTIFIERS).items()}
    if claims != claimed:
        yield "the identifiers and those who have them do not agree"


def _queue(rows: _Rows) -> Iterator[str]:
    """Check rule 6."""
    expected = {
        due_key(hold.expires_ms, key[ADDRESS_SIZE:]): (DueKind.HOLD_EXPIRES, key)
        for key, hold in rows.of(HOLDS).items()
        if hold.expires_ms is not None
    }
    for key, proposal in rows.of(PROPOSALS).items():
        expected[due_key(proposal.expires_ms, key)] = (DueKind.PROPOSAL_EXPIRES, key)
    if expected != {key: (due.kind, due.target) for key, due in rows.of(DUE).items()}:
        yield "what expires and the queue do not agree"
    accounts = rows.of(ACCOUNTS)
    proposers = Counter(
        name_key(accounts[proposal.proposer].owner) for proposal in rows.of(PROPOSALS).values()
    )
    if proposers != {key: count.open for key, count in rows.of(PROPOSAL_COUNTS).items()}:
        yield "the open proposals and their counts do not agree"


def _validators(rows: _Rows) -> Iterator[str]:
    """Check rule 7."""
    validators, keys = rows.of(VALIDATORS), rows.of(CONSENSUS_KEYS)
    if not validators:
        yield "no validator rules"
    for name, validator in validators.items():
        used = keys.get(validator.public_key)
        if used is None or used.validator != validator.name:
            yield f"the key of validator {name.decode()} is not noted as its own"
    ruling = sorted((record.name, record.public_key) for record in validators.values())
    sets = rows.of(VALIDATOR_SETS)
    newest = sets[max(sets)].validators if sets else ()
    if ruling != [(each.name, each.public_key) for each in newest]:
        yield "the newest validator set noted is not the one that rules"


def _protocol(rows: _Rows) -> Iterator[str]:
    """Check rule 8."""
    for protocol in rows.of(PROTOCOL).values():
        upgrade = protocol.upgrade
        if upgrade is not None and upgrade.version != protocol.version + 1:
            yield f"version {protocol.version} rules, an upgrade leads to {upgrade.version}"
