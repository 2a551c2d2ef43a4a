"""A ledger to try things on: the reference network, keys by label, everything in memory.

`make_world()` founds the four institutions; `make_market()` adds, by ordinary transactions, what
the tables of the acts speak of: a bank, a licensed exchange with clients, rupees, a bill, holds.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from unittest import mock

from node.codec import decode, encode
from node.index.moves import moves_of
from node.keys import LocalSigner
from node.ledger.due import apply_due
from node.ledger.events import Event
from node.ledger.explaining import explain
from node.ledger.founding import FoundingAccount, FoundingParticipant, GenesisLedger, found
from node.ledger.identifiers import ADDRESS_SIZE, is_isin
from node.ledger.invariants import check_state, decode_state
from node.ledger.operations import (
    CloseAccount,
    DefineAsset,
    GrantLicence,
    HoldAccount,
    IdentifyPerson,
    Issue,
    OpenAccount,
    Operation,
    PlaceHold,
    RegisterParticipant,
    Transfer,
    UpdateParticipantStatus,
)
from node.ledger.outcomes import Outcome
from node.ledger.plain import PlainTransfers, Standing
from node.ledger.policies import AccountPolicy, account_address, single_signer
from node.ledger.powers import (
    CENTRAL_BANK,
    FINANCE_MINISTRY,
    REFERENCE_OFFICES,
    VIRTUAL_ASSET_REGULATOR,
    default_powers,
)
from node.ledger.protocol import DEBT_DESK, LATEST_VERSION, protocol_of, ruling_version
from node.ledger.rehearsing import Rehearsal
from node.ledger.state import LedgerState, MemoryRecords, R, Table
from node.ledger.tables import (
    HOLDINGS,
    Activity,
    AssetIdentifiers,
    HoldingRecord,
    LicencePhase,
    ParticipantKind,
    ParticipantStatus,
    ValidatorRecord,
    holding_key,
)
from node.ledger.terms import BillTerms, CashTerms
from node.ledger.transactions import TransactionBody, network_of, transaction_id
from node.ledger.transition import BlockContext, BlockResult, Receipt, apply_block

GENESIS_HASH: Final = hashlib.sha256(b"a network for tests").digest()
DAY_MS: Final = 86_400_000
TODAY: Final = 20_000
"""Days since 1970-01-01 of the world's first block."""
NOW_MS: Final = TODAY * DAY_MS
"""05:00 of that day in Pakistan."""
SALT: Final = bytes(8)
COMMITMENT: Final = bytes(32)

CB: Final = CENTRAL_BANK
FM: Final = FINANCE_MINISTRY
VAR: Final = VIRTUAL_ASSET_REGULATOR
CC: Final = "crypto-council"

PKR: Final = "PKR"
BILL: Final = "MTB-3M-574"
PLAIN: Final = "PLAIN"
"""Cash that was defined without forced transfer."""


@cache
def public_key(label: str) -> bytes:
    """Return the public key that this label signs with."""
    return LocalSigner(hashlib.sha256(label.encode()).digest()).public_key


def policy(label: str) -> AccountPolicy:
    """Return the policy of an account that this label's key signs for alone."""
    return single_signer(public_key(label))


def address(label: str) -> bytes:
    """Return the address of the account that `label` owns with the key of its own name."""
    return account_address(label, policy(label), SALT)


def with_check_digit(body: str) -> str:
    """Return the ISIN with these eleven first characters."""
    return next(f"{body}{digit}" for digit in range(10) if is_isin(f"{body}{digit}"))


ISIN: Final = with_check_digit("PK12M000574")


def reference_genesis(
    offices: Sequence[str] = REFERENCE_OFFICES, *, version: int = LATEST_VERSION
) -> GenesisLedger:
    """Return the founding of a network in which each office runs a validator."""
    return GenesisLedger(
        participants=tuple(
            FoundingParticipant(
                id=office,
                kind=ParticipantKind.INSTITUTION,
                jurisdiction="PK",
                lei=None,
                file_commitment=COMMITMENT,
                office=office,
            )
            for office in offices
        ),
        accounts=tuple(
            FoundingAccount(owner=office, policy=policy(office), salt=SALT) for office in offices
        ),
        validators=tuple(
            ValidatorRecord(
                name=office,
                participant=office,
                public_key=public_key(f"{office}/consensus"),
                tls_certificate=f"certificate of {office}".encode(),
            )
            for office in offices
        ),
        powers=default_powers(tuple(offices)),
        parameters=(),
        protocol_version=version,
    )


@dataclass
class World:
    """Committed records, a block to apply at a time, and a clock."""

    records: MemoryRecords = field(default_factory=MemoryRecords)
    height: int = 0
    time_ms: int = NOW_MS
    counter: int = 0
    moved: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    """What the events say that every account has, by asset."""
    standing: Standing = field(default_factory=Standing)
    """What plain transfers have found out of accounts, kept from block to block as by a chain."""

    def context(self) -> BlockContext:
        height = self.height + 1
        return BlockContext(
            height=height,
            time_ms=self.time_ms,
            genesis_hash=GENESIS_HASH,
            version=ruling_version(protocol_of(LedgerState(self.records)), height),
        )

    def body(self, *operations: Operation, by: Sequence[str]) -> TransactionBody:
        """Return a transaction of these operations, signed by the keys of these labels."""
        self.counter += 1
        return TransactionBody(
            version=1,
            network=network_of(GENESIS_HASH),
            valid_until_ms=self.time_ms + 60_000,
            salt=self.counter.to_bytes(8, "big"),
            signers=tuple(sorted({public_key(label) for label in by})),
            operations=operations,
            memo="",
        )

    def block(self, *bodies: TransactionBody) -> BlockResult:
        """Apply a block of these transactions and commit it."""
        state = LedgerState(self.records)
        transactions = [(identify(body), body) for body in bodies]
        result = apply_block(state, self.context(), transactions, standing=self.standing)
        for receipt in result.receipts:
            assert decode(encode(receipt), Receipt) == receipt
        if state.has_written(Standing.TABLES):
            self.standing = Standing()
        if any(isinstance(body.operations[0], Transfer) for body in bodies):
            # Plain transfers have a short way through: it leads where the long one does.
            long = LedgerState(self.records)
            with mock.patch.object(PlainTransfers, "apply", return_value=None):
                assert apply_block(long, self.context(), transactions) == result
            assert long.changes() == state.changes()
        if result.events:
            # What falls due may have been rehearsed: it shows in nothing.
            rehearsal = Rehearsal()
            apply_due(LedgerState(self.records), self.time_ms, rehearsal.learn)
            twin = LedgerState(self.records)
            performed = apply_block(twin, self.context(), transactions, perform=rehearsal.perform)
            assert performed == result
        self.commit(state, result)
        return result

    def commit(self, state: LedgerState, result: BlockResult) -> None:
        """Take over what a block came to, and count what its events say everybody has."""
        self.records.write(state.changes())
        self.height += 1
        for event in (*result.events, *(e for each in result.receipts for e in each.events)):
            for asset, account, amount in moves_of(event):
                self.moved[asset, account] += amount

    def submit(self, *operations: Operation, by: Sequence[str]) -> Receipt:
        """Apply a block of one transaction; when refused, nothing may have changed."""
        before = dict(self.records.items())
        receipt = self.block(self.body(*operations, by=by)).receipts[0]
        if receipt.outcome is not Outcome.APPLIED:
            assert dict(self.records.items()) == before
            assert receipt.events == ()
        return receipt

    def do(self, *operations: Operation, by: Sequence[str]) -> tuple[Event, ...]:
        """Submit what must be applied; return its events."""
        receipt = self.submit(*operations, by=by)
        assert receipt.outcome is Outcome.APPLIED, explain(receipt.outcome, receipt.details)
        return receipt.events

    def get(self, table: Table[R], key: bytes) -> R | None:
        return self.records.record(table, key)

    def holding(self, label: str, asset: str = PKR) -> tuple[int, int]:
        """Return what the account of this label has: available and held."""
        record = self.get(HOLDINGS, holding_key(address(label), asset))
        return (0, 0) if record is None else (record.available, record.held)

    def check(self) -> None:
        """Check every invariant, and that the events tell what every account has."""
        check_state(decode_state(self.records.items()))
        assert {key: total for key, total in self.moved.items() if total} == self.totals()

    def totals(self) -> dict[tuple[str, bytes], int]:
        """Return what every account has, available and held, by asset."""
        place = len(HOLDINGS.prefix) + ADDRESS_SIZE
        found: dict[tuple[str, bytes], int] = {}
        for key, value in self.records.items():
            if key.startswith(HOLDINGS.prefix):
                record = decode(value, HoldingRecord)
                asset, account = key[place:].decode(), key[len(HOLDINGS.prefix) : place]
                found[asset, account] = record.available + record.held
        return found

    def pass_days(self, days: int) -> None:
        self.time_ms += days * DAY_MS

    def copy(self) -> "World":
        """Return a world that goes its own way from here."""
        records = MemoryRecords()
        records.write(dict(self.records.items()))
        return World(records, self.height, self.time_ms, self.counter, self.moved.copy())


def identify(body: TransactionBody) -> bytes:
    """Return the id of a transaction; its bytes must decode to the same body."""
    encoded = encode(body)
    assert decode(encoded, TransactionBody) == body
    return transaction_id(GENESIS_HASH, encoded)


def make_world(*, version: int = LATEST_VERSION) -> World:
    """Found the reference network: four institutions with an account and a validator each."""
    world = World()
    state = LedgerState(world.records)
    found(state, reference_genesis(version=version))
    world.records.write(state.changes())
    return world


# --- operations with defaults that apply in the market -------------------------------------------


def register(
    participant: str, kind: ParticipantKind = ParticipantKind.PERSON, by: str = VAR
) -> RegisterParticipant:
    return RegisterParticipant(
        account=address(by),
        approvers=(),
        participant=participant,
        kind=kind,
        jurisdiction="PK",
        lei=None,
        file_commitment=COMMITMENT,
    )


def open_for(owner: str, by: str = VAR) -> OpenAccount:
    """Open the account `address(owner)`."""
    return OpenAccount(
        account=address(by), approvers=(), owner=owner, policy=policy(owner), salt=SALT
    )


def identified(participant: str, by: str = "exchange", token: str | None = None) -> IdentifyPerson:
    """Say who a person is: the human being of this token, or of the name's own."""
    return IdentifyPerson(
        account=address(by),
        approvers=(),
        participant=participant,
        token=token_of(token or participant),
    )


def token_of(human: str) -> bytes:
    """Return the token that the state's register of persons gives for a human being."""
    return hashlib.sha256(f"token of {human}".encode()).digest()


def transfer(source: str, to: str, amount: int, asset: str = PKR) -> Transfer:
    return Transfer(account=address(source), to=address(to), asset=asset, amount=amount)


def define_cash(asset: str, *, forced_transfer_allowed: bool = True) -> DefineAsset:
    return DefineAsset(
        account=address(CB),
        approvers=(address(FM),),
        asset=asset,
        name="Pakistani rupee",
        issuer=CB,
        identifiers=AssetIdentifiers(isin=None, currency="PKR", dti=None),
        terms=CashTerms(),
        term_sheet_hash=COMMITMENT,
        decimals=2,
        multiple=1,
        ceiling=10**18,
        forced_transfer_allowed=forced_transfer_allowed,
    )


def define_bill(asset: str = BILL, isin: str = ISIN) -> DefineAsset:
    """A bill of 84 days, in multiples of Rs 5,000."""
    return DefineAsset(
        account=address(FM),
        approvers=(address(CB),),
        asset=asset,
        name="Market Treasury Bill, 3 months",
        issuer=FM,
        identifiers=AssetIdentifiers(isin=isin, currency="PKR", dti=None),
        terms=BillTerms(issue_day=TODAY, maturity_day=TODAY + 84, face_currency="PKR"),
        term_sheet_hash=COMMITMENT,
        decimals=2,
        multiple=500_000,
        ceiling=500_000 * 10_000,
        forced_transfer_allowed=True,
    )


def issue_cash(amount: int, to: str = CB, asset: str = PKR) -> Issue:
    return Issue(account=address(CB), approvers=(), asset=asset, amount=amount, to=address(to))


def issue_bill(amount: int, to: str = FM) -> Issue:
    return Issue(
        account=address(FM),
        approvers=(address(CB),),
        asset=BILL,
        amount=amount,
        to=address(to),
    )


def hold_account(target: str) -> HoldAccount:
    return HoldAccount(
        account=address(VAR),
        approvers=(),
        target=address(target),
        reason="Inquiry",
        legal_reference="FIA 17/2026",
    )


def suspend(participant: str) -> UpdateParticipantStatus:
    return UpdateParticipantStatus(
        account=address(VAR),
        approvers=(),
        participant=participant,
        status=ParticipantStatus.SUSPENDED,
        reason="Inquiry",
        legal_reference="FIA 18/2026",
    )


def place_hold(
    holder: str, amount: int, *, expires_ms: int | None = None, asset: str = PKR
) -> PlaceHold:
    return PlaceHold(
        account=address(VAR),
        approvers=(),
        holder=address(holder),
        asset=asset,
        amount=amount,
        reason="Inquiry",
        legal_reference="FIA 19/2026",
        expires_ms=expires_ms,
    )


def make_market(*, version: int = LATEST_VERSION) -> World:
    """Found the network and let it do business.

    Accounts `first-bank` (Rs 10,000, bills of Rs 50,000), `amina` (Rs 5,000), `bilal` (Rs 1,000, of
    which Rs 400 held), `held` (Rs 10, on hold), `suspended` (Rs 10), `closed`. `amina`, `bilal` and
    the others are clients of the licensed `exchange`, which has identified these two. `unbanked` is
    registered and has no account.
    """
    world = make_world(version=version)
    clients = ("amina", "bilal", "held", "suspended", "closed")
    known = ("amina", "bilal") if version >= DEBT_DESK else ()
    world.do(
        register("first-bank", ParticipantKind.BANK, by=CB),
        open_for("first-bank", by=CB),
        register("exchange", ParticipantKind.COMPANY),
        open_for("exchange"),
        GrantLicence(
            account=address(VAR),
            approvers=(),
            participant="exchange",
            activity=Activity.EXCHANGE,
            phase=LicencePhase.NO_OBJECTION,
            expires_ms=None,
        ),
        by=(CB, VAR),
    )
    world.do(
        *(register(client, by="exchange") for client in (*clients, "unbanked")),
        *(open_for(client, by="exchange") for client in clients),
        *(identified(client) for client in known),
        by=("exchange",),
    )
    world.do(
        define_cash(PKR),
        define_cash(PLAIN, forced_transfer_allowed=False),
        define_bill(),
        issue_cash(100_000_000),
        issue_cash(1_000, to="amina", asset=PLAIN),
        issue_bill(500_000 * 100),
        transfer(CB, "first-bank", 1_000_000),
        transfer(FM, "first-bank", 500_000 * 10, BILL),
        transfer(CB, "amina", 500_000),
        transfer(CB, "bilal", 100_000),
        transfer(CB, "held", 1_000),
        transfer(CB, "suspended", 1_000),
        by=(CB, FM),
    )
    world.do(
        place_hold("bilal", 40_000),
        hold_account("held"),
        suspend("suspended"),
        CloseAccount(account=address("closed")),
        by=(VAR, "closed"),
    )
    world.check()
    return world
