"""What must hold after every block, whatever was in it. A broken one stops the node.

`check_block` looks at what a block changed and costs little; every node runs it on every block.
`check_state` looks at every record; tests, simulation and the offline check of a database run it.

1. The supply of an asset is the sum of what is available and held of it everywhere.
2. No supply is above the ceiling of its asset; nothing is negative; every amount is below 2^64.
3. What is held of a holding is the sum of the holds on it; an empty holding has no record.
4. Every account has a registered owner, every holding and hold an account and an asset.
5. An office has one holder, who has no other; identifiers point at who has them, the tokens of
   persons among them: no two participants are known to be one person.
6. What expires stands in the queue at its time, and nothing else stands there; open proposals are
   counted for whoever made them.
7. At least one validator rules; its key is noted as used; the newest set noted is the ruling one.
8. An upgrade that is scheduled leads to the version after the one that rules.
9. Calendars are in order, and appointments are by calendars that there are.
10. No auction allots more than it offers, nor delivers more than it allots, and what was delivered
    was paid for; bids belong to an auction that is not over (`auctioning/books.py`).
11. What was issued of a security and not redeemed is held by somebody on its register; what was due
    was paid, is owed by name, or is residue (`servicing/books.py`).
12. There is as much of every strip as is stripped of its lines, and a line with what is stripped of
    it is not above its ceiling (`stripping/books.py`).
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from node.codec import Record, decode
from node.hashing import Domain, tagged_hash
from node.ledger.auctioning.books import contradictions_of_auctions, contradictions_of_sums
from node.ledger.auctions.records import AuctionRecord
from node.ledger.calendars import mover_key, queue_of
from node.ledger.dates import DatesError, check_calendar
from node.ledger.errors import InvariantViolation
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.identities import is_withdrawn_key, token_key
from node.ledger.registers import Scheme
from node.ledger.securities import (
    PAYMENTS,
    POSITIONS,
    SERVICES,
    PaymentRecord,
    PaymentStatus,
    PositionRecord,
    residue_at_most,
)
from node.ledger.servicing import contradictions_of_securities, escrow_address, service_due_key
from node.ledger.state import R, StateRows, Table, Written
from node.ledger.stripping import contradictions_of_strips
from node.ledger.tables import (
    ACCOUNTS,
    APPOINTMENTS,
    ASSETS,
    AUCTIONS,
    CALENDARS,
    CONSENSUS_KEYS,
    DUE,
    HOLDINGS,
    HOLDS,
    IDENTIFIERS,
    IDENTITIES,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    PROPOSAL_COUNTS,
    PROPOSALS,
    PROTOCOL,
    RECORDS_DUE,
    TABLES,
    VALIDATOR_SETS,
    VALIDATORS,
    AccountRecord,
    AccountStatus,
    AssetRecord,
    DueKind,
    DueRecord,
    HoldingRecord,
    HoldRecord,
    ParticipantKind,
    RulingKey,
    due_key,
    identifier_key,
    name_key,
)
from node.ledger.units import AMOUNT_MAX

_TABLE_OF: Final[dict[bytes, Table[Record]]] = {table.prefix: table for table in TABLES}

_ASSET_START: Final = 1 + ADDRESS_SIZE
"""Where the asset's code begins in the full key of a holding."""

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


def check_block(written: Iterable[Written]) -> None:
    """Check what a block changed: what each asset gained is what its holdings gained.

    Raises:
        InvariantViolation: it is not, or an amount left its range, or an auction gave more than it
            had.
    """
    gained: defaultdict[bytes, int] = defaultdict(int)
    faces: defaultdict[bytes, int] = defaultdict(int)
    on_register: dict[bytes, None] = {}
    for table, full_key, before, now in written:
        if table is HOLDINGS:
            difference = 0
            if now is not None:
                difference = _total(now, full_key)
            if before is not None:
                difference -= _total(before, full_key)
            gained[full_key[_ASSET_START:]] += difference
        elif table is ASSETS:
            key = full_key[1:]
            issued = _supply(now, key) - _supply(before, key)
            gained[key] -= issued
            faces[key] -= issued
        elif table is POSITIONS:
            asset = full_key[1:].partition(b"/")[0]
            faces[asset] += _face(now) - _face(before)
            on_register[asset] = None
        elif table is PAYMENTS and now is not None:
            _check_settled(now, full_key)
        elif table is AUCTIONS:
            assert isinstance(now, AuctionRecord)  # never deleted
            for contradiction in contradictions_of_sums(full_key[1:], now):
                raise InvariantViolation(contradiction)
    for asset, difference in gained.items():
        if difference:
            raise InvariantViolation(
                f"the holdings of {asset.decode()} and its supply differ by {difference}"
            )
    for asset in on_register:
        if faces[asset]:
            raise InvariantViolation(
                f"the positions of {asset.decode()} and its supply differ by {faces[asset]}"
            )


def _total(record: Record, full_key: bytes) -> int:
    assert isinstance(record, HoldingRecord)
    available, held = record.available, record.held
    total = available + held
    if available < 0 or held < 0 or not 0 < total <= AMOUNT_MAX:
        raise InvariantViolation(
            f"holding {full_key[1:].hex()} is {available} available and {held} held"
        )
    return total


def _supply(record: Record | None, key: bytes) -> int:
    if record is None:
        return 0
    assert isinstance(record, AssetRecord)
    if not 0 <= record.supply <= record.ceiling <= AMOUNT_MAX:
        raise InvariantViolation(
            f"the supply of {key.decode()} is {record.supply}, its ceiling {record.ceiling}"
        )
    return record.supply


def _face(record: Record | None) -> int:
    assert record is None or isinstance(record, PositionRecord)
    return 0 if record is None else record.face


def _check_settled(record: Record, full_key: bytes) -> None:
    assert isinstance(record, PaymentRecord)
    accounted = record.paid + record.withheld + record.residue
    due = record.interest_due + record.principal_due
    if accounted > due or (record.status is PaymentStatus.SETTLED and accounted != due):
        raise InvariantViolation(
            f"payment {full_key[1:].hex()} was of {due}, and {accounted} is accounted for"
        )
    most = residue_at_most(record.row, record.holders)
    if record.residue > most:
        raise InvariantViolation(
            f"payment {full_key[1:].hex()} has a residue of {record.residue}, more than rounding"
            f" leaves of {record.holders} holders: {most}"
        )


def check_state(records: Iterable[StateRecord]) -> None:
    """Check every record of a state against the others.

    Raises:
        InvariantViolation: names the first contradiction found.
    """
    for contradiction in contradictions(_Rows(records)):
        raise InvariantViolation(contradiction)


def contradictions(rows: StateRows) -> Iterator[str]:
    """Yield what is wrong with a state of any size, one sentence each.

    Holds in memory what grows with the assets, the offices, the open proposals and the bids of
    auctions that are not over, never with the accounts. An amount out of its range ends the rules
    that sum it up.
    """
    for rule in _RULES:
        try:
            yield from rule(rows)
        except InvariantViolation as violation:
            yield str(violation)


class _Rows:
    """A state held in memory."""

    def __init__(self, records: Iterable[StateRecord]) -> None:
        self._rows: dict[bytes, dict[bytes, Record]] = {table.prefix: {} for table in TABLES}
        for table, key, record in records:
            self._rows[table.prefix][key] = record

    def items(self, table: Table[R]) -> Iterator[tuple[bytes, R]]:
        """Yield all records of a table, ascending by key."""
        yield from sorted(self._rows[table.prefix].items())  # type: ignore[misc]  # by table

    def get(self, table: Table[R], key: bytes) -> R | None:
        """Return the record at this key of the table, or None."""
        return self._rows[table.prefix].get(key)  # type: ignore[return-value]  # filed by table


def _amounts(rows: StateRows) -> Iterator[str]:
    """Check rules 1 and 2."""
    totals: defaultdict[bytes, int] = defaultdict(int)
    for key, holding in rows.items(HOLDINGS):
        totals[key[ADDRESS_SIZE:]] += _total(holding, HOLDINGS.prefix + key)
    for key, asset in rows.items(ASSETS):
        total = totals.pop(key, 0)
        if _supply(asset, key) != total:
            yield f"the supply of {key.decode()} is {asset.supply}, its holdings {total}"
    for key in sorted(totals):
        yield f"there are holdings of {key.decode()}, which is not defined"


def _accounts(rows: StateRows) -> Iterator[str]:
    """Check rule 3, and rule 4 for what accounts have: one account after the other.

    What is being paid out on a security stands at an address that is no account's.
    """
    escrows = {escrow_address(key.decode()) for key, _ in rows.items(SERVICES)}
    entries = heapq.merge(
        ((key[:ADDRESS_SIZE], 0, key, record) for key, record in rows.items(ACCOUNTS)),
        ((key[:ADDRESS_SIZE], 1, key, record) for key, record in rows.items(HOLDINGS)),
        ((key[:ADDRESS_SIZE], 2, key, record) for key, record in rows.items(HOLDS)),
        key=itemgetter(0, 1),
    )
    for address, group in groupby(entries, key=itemgetter(0)):
        account: AccountRecord | None = None
        holdings: dict[bytes, HoldingRecord] = {}
        held: defaultdict[bytes, int] = defaultdict(int)
        for _, _, key, record in group:
            if isinstance(record, AccountRecord):
                account = record
            elif isinstance(record, HoldingRecord):
                holdings[key] = record
            else:
                assert isinstance(record, HoldRecord)
                if record.amount <= 0:
                    yield f"hold {key.hex()} is of {record.amount}"
                held[address + name_key(record.asset)] += record.amount
        if account is not None and rows.get(PARTICIPANTS, name_key(account.owner)) is None:
            yield f"account {address.hex()} belongs to {account.owner}, who is not registered"
        closed = address not in escrows and (
            account is None or account.status is AccountStatus.CLOSED
        )
        for key, holding in holdings.items():
            if closed:
                yield f"holding {key.hex()} is in no open account"
            if holding.held != held[key]:
                yield f"holding {key.hex()} has {holding.held} held, its holds are {held[key]}"
        for key in sorted(held.keys() - holdings.keys()):
            yield f"there are holds on {key.hex()}, which is no holding"


def _owners(rows: StateRows) -> Iterator[str]:
    """Check the rest of rule 4."""
    for key, asset in rows.items(ASSETS):
        if rows.get(PARTICIPANTS, name_key(asset.issuer)) is None:
            yield f"asset {key.decode()} is of {asset.issuer}, who is not registered"
    for key, _ in rows.items(LICENCES):
        if rows.get(PARTICIPANTS, key.partition(b"/")[0]) is None:
            yield f"licence {key.decode()} is of nobody registered"


def _registers(rows: StateRows) -> Iterator[str]:
    """Check rule 5: everything claimed is noted as the claimant's, and nothing else is noted."""
    held = claimed = 0
    agree_on_offices = agree_on_identifiers = True
    for key, participant in rows.items(PARTICIPANTS):
        if participant.office is not None:
            held += 1
            office = rows.get(OFFICES, name_key(participant.office))
            agree_on_offices &= office is not None and name_key(office.participant) == key
        if participant.lei is not None:
            claimed += 1
            agree_on_identifiers &= _belongs(rows, Scheme.LEI, participant.lei, key)
    for key, asset in rows.items(ASSETS):
        for scheme, identifier in (
            (Scheme.ISIN, asset.identifiers.isin),
            (Scheme.DTI, asset.identifiers.dti),
        ):
            if identifier is not None:
                claimed += 1
                agree_on_identifiers &= _belongs(rows, scheme, identifier, key)
    persons = True
    for key, identity in rows.items(IDENTITIES):
        claimed += 1
        record = rows.get(IDENTIFIERS, token_key(identity.token))
        agree_on_identifiers &= record is not None and name_key(record.holder) == key
        of = rows.get(PARTICIPANTS, key)
        persons &= of is not None and of.kind is ParticipantKind.PERSON
    if not persons:
        yield "somebody is identified who is no person"
    if not agree_on_offices or held != _count(rows, OFFICES):
        yield "the offices and those who hold them do not agree"
    noted = sum(not is_withdrawn_key(key) for key, _ in rows.items(IDENTIFIERS))
    if not agree_on_identifiers or claimed != noted:
        yield "the identifiers and those who have them do not agree"


def _belongs(rows: StateRows, scheme: Scheme, identifier: str, holder: bytes) -> bool:
    record = rows.get(IDENTIFIERS, identifier_key(scheme, identifier))
    return record is not None and name_key(record.holder) == holder


def _count(rows: StateRows, table: Table[Record]) -> int:
    return sum(1 for _ in rows.items(table))


def _queue(rows: StateRows) -> Iterator[str]:
    """Check rule 6."""
    expected = 0
    agree = True
    for key, hold in rows.items(HOLDS):
        if hold.expires_ms is not None:
            expected += 1
            due = rows.get(DUE, due_key(hold.expires_ms, key[ADDRESS_SIZE:]))
            agree &= due == DueRecord(kind=DueKind.HOLD_EXPIRES, target=key)
    proposers: Counter[bytes] = Counter()
    for key, proposal in rows.items(PROPOSALS):
        expected += 1
        due = rows.get(DUE, due_key(proposal.expires_ms, key))
        agree &= due == DueRecord(kind=DueKind.PROPOSAL_EXPIRES, target=key)
        account = rows.get(ACCOUNTS, proposal.proposer)
        proposers[b"" if account is None else name_key(account.owner)] += 1
    for key, appointment in rows.items(APPOINTMENTS):
        expected += 1
        place = due_key(appointment.due_ms, key.partition(b"/")[2])
        due = rows.get(queue_of(appointment), place)
        agree &= due == DueRecord(kind=DueKind.APPOINTMENT, target=key)
    for key, calendar in rows.items(CALENDARS):
        if calendar.moving_since_ms is not None:
            expected += 1
            mover = rows.get(DUE, mover_key(key.decode(), calendar.moving_since_ms))
            agree &= mover is not None and mover.kind is DueKind.CALENDAR_AMENDED
            agree &= mover is not None and mover.target.startswith(key + b"/")
    for key, auction in rows.items(AUCTIONS):
        if auction.next_ms is not None:
            expected += 1
            due = rows.get(DUE, due_key(auction.next_ms, tagged_hash(Domain.AUCTION, key)))
            agree &= due == DueRecord(kind=DueKind.AUCTION_STEP, target=key)
    for key, service in rows.items(SERVICES):
        if service.due_ms is not None:
            expected += 1
            due = rows.get(DUE, service_due_key(service.due_ms, key.decode()))
            agree &= due == DueRecord(kind=DueKind.SERVICE, target=key)
    if not agree or expected != _count(rows, DUE) + _count(rows, RECORDS_DUE):
        yield "what expires and the queue do not agree"
    if proposers != {key: count.open for key, count in rows.items(PROPOSAL_COUNTS)}:
        yield "the open proposals and their counts do not agree"


def _validators(rows: StateRows) -> Iterator[str]:
    """Check rule 7."""
    validators = dict(rows.items(VALIDATORS))
    if not validators:
        yield "no validator rules"
    for name, validator in validators.items():
        used = rows.get(CONSENSUS_KEYS, validator.public_key)
        if used is None or used.validator != validator.name:
            yield f"the key of validator {name.decode()} is not noted as its own"
    ruling = sorted((record.name, record.public_key) for record in validators.values())
    newest: tuple[RulingKey, ...] = ()
    for _, ruled in rows.items(VALIDATOR_SETS):
        newest = ruled.validators
    if ruling != [(each.name, each.public_key) for each in newest]:
        yield "the newest validator set noted is not the one that rules"


def _protocol(rows: StateRows) -> Iterator[str]:
    """Check rule 8."""
    for _, protocol in rows.items(PROTOCOL):
        upgrade = protocol.upgrade
        if upgrade is not None and upgrade.version != protocol.version + 1:
            yield f"version {protocol.version} rules, an upgrade leads to {upgrade.version}"


def _calendars(rows: StateRows) -> Iterator[str]:
    """Check rule 9."""
    for key, record in rows.items(CALENDARS):
        try:
            check_calendar(record.calendar)
        except DatesError as error:
            yield f"calendar {key.decode()} is not in order: {error}"
    for key, _ in rows.items(APPOINTMENTS):
        name = key.partition(b"/")[0]
        if rows.get(CALENDARS, name) is None:
            yield f"an appointment is by calendar {name.decode()}, which is not defined"


_RULES: Final = (
    _amounts,
    _accounts,
    _owners,
    _registers,
    _queue,
    _validators,
    _protocol,
    _calendars,
    contradictions_of_auctions,
    contradictions_of_securities,
    contradictions_of_strips,
)
