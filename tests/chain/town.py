"""A whole network in one object: genesis, keys, clock, signed transactions, decided blocks.

The institutions of the reference network, their accounts, and numbered accounts of one bank. What
the tests of the chain, of the pool and of proofs stand on; nothing here is a fake: transactions are
signed, certificates carry a quorum's signatures.
"""

import functools
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from consensus.certificates import QuorumCertificate
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote, sign_bytes
from consensus.quorum import quorum
from consensus.types import BlockId, FaultModel, Height, Round, Signature, ValidatorId, VoteType
from node.admission import Admission
from node.chain import Candidate, Chain, Committed
from node.clock import ManualClock
from node.codec import Record, encode
from node.genesis import (
    Amendment,
    BlocksSection,
    ConsensusSection,
    Genesis,
    GenesisAccount,
    GenesisParticipant,
    GenesisRecord,
    TransactionsSection,
    genesis_of,
)
from node.keys import LocalSigner
from node.keys.certificates import create_tls_identity
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.governance.add_validator import AddValidator
from node.ledger.acts.governance.remove_validator import RemoveValidator
from node.ledger.acts.governance.rotate_validator_key import RotateValidatorKey
from node.ledger.acts.governance.schedule_upgrade import ScheduleUpgrade
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.policies import account_address, single_signer
from node.ledger.powers import REFERENCE_OFFICES, default_powers
from node.ledger.protocol import SUPPORTED
from node.ledger.tables import AssetIdentifiers, ParticipantKind, ValidatorRecord
from node.ledger.terms import CashTerms
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    decode_signed,
    transaction_id,
)
from node.mempool import AdmittedTransaction, Mempool
from node.storage import KeyValueStore, MemoryStore, StorageThread

START_MS = 1_600_000_000_000
CASH = "PKR-CB"
BANK = "bank"
SALT = bytes(8)


@functools.lru_cache(maxsize=1_024)
def key(name: str) -> LocalSigner:
    """The key of this name: any text, always the same key."""
    return LocalSigner(name.encode().ljust(32, b".")[:32])


@functools.lru_cache(maxsize=1_024)
def address_of(owner: str, name: str) -> bytes:
    return account_address(owner, single_signer(key(name).public_key), SALT)


@functools.lru_cache(maxsize=64)
def validator_record(name: str, generation: int = 0) -> ValidatorRecord:
    _, certificate = create_tls_identity(name, seed=f"{name}/{generation}".encode().ljust(32))
    return ValidatorRecord(
        name=name,
        participant=name,
        public_key=key(f"{name}/consensus/{generation}").public_key,
        tls_certificate=certificate,
    )


def make_record(
    validators: int = 4,
    *,
    fault_model: FaultModel = FaultModel.BYZANTINE,
    transactions_max: int = 5_000,
    size_bytes_max: int = 4 << 20,
    window_ms: int = 600_000,
    protocol_version: int = 1,
) -> GenesisRecord:
    """The genesis of the four institutions, of which the first so many run validators."""
    participants = tuple(
        GenesisParticipant(
            id=name,
            kind=ParticipantKind.INSTITUTION,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
            office=name,
        )
        for name in REFERENCE_OFFICES
    )
    accounts = tuple(
        GenesisAccount(owner=name, policy=single_signer(key(name).public_key), salt=SALT)
        for name in REFERENCE_OFFICES
    )
    return GenesisRecord(
        format="khz-genesis/1",
        name="town",
        test_network=True,
        development=True,
        time_ms=START_MS,
        fault_model=fault_model,
        protocol_version=protocol_version,
        consensus=ConsensusSection(
            timeout_propose_ms=1_000,
            timeout_prevote_ms=500,
            timeout_precommit_ms=500,
            timeout_growth_ms=500,
            timeout_max_ms=30_000,
            rounds_kept_max=16,
            rounds_ahead_max=8,
            early_messages_max=16,
        ),
        blocks=BlocksSection(
            transactions_max=transactions_max,
            size_bytes_max=size_bytes_max,
            gather_ms=50,
            heartbeat_ms=5_000,
            clock_ahead_max_ms=5_000,
            clock_behind_max_ms=60_000,
        ),
        transactions=TransactionsSection(window_ms=window_ms),
        validators=tuple(validator_record(name) for name in REFERENCE_OFFICES[:validators]),
        participants=participants,
        accounts=accounts,
        powers=default_powers(),
        parameters=(),
    )


@dataclass
class Town:
    """A network of one node that holds everybody's keys."""

    genesis: Genesis
    store: KeyValueStore
    chain: Chain
    clock: ManualClock
    pool: Mempool
    admission: Admission
    generations: dict[str, int] = field(default_factory=dict)
    salts: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # Transactions.

    def body(
        self,
        operations: Sequence[Record],
        signers: Sequence[str],
        *,
        valid_until_ms: int | None = None,
        salt: bytes | None = None,
        network: bytes | None = None,
    ) -> TransactionBody:
        if valid_until_ms is None:
            window_ms = self.genesis.transactions.window_ms
            valid_until_ms = self.chain.head.time_ms + window_ms // 2
        return TransactionBody(
            version=1,
            network=self.genesis.network if network is None else network,
            valid_until_ms=valid_until_ms,
            salt=salt or next(self.salts).to_bytes(8),
            signers=tuple(sorted(key(name).public_key for name in signers)),
            operations=tuple(operations),  # type: ignore[arg-type]
            memo="",
        )

    def sign(self, body: TransactionBody, signers: Sequence[str]) -> bytes:
        return sign(body, signers, self.genesis.hash)

    def transaction(
        self,
        operations: Sequence[Record],
        signers: Sequence[str],
        *,
        valid_until_ms: int | None = None,
        salt: bytes | None = None,
    ) -> bytes:
        body = self.body(operations, signers, valid_until_ms=valid_until_ms, salt=salt)
        return self.sign(body, signers)

    def transfer(
        self,
        sender: str,
        receiver: str,
        amount: int = 1,
        *,
        valid_until_ms: int | None = None,
        salt: bytes | None = None,
    ) -> bytes:
        operation = Transfer(
            account=address_of(BANK, sender),
            to=address_of(BANK, receiver),
            asset=CASH,
            amount=amount,
        )
        return self.transaction([operation], [sender], valid_until_ms=valid_until_ms, salt=salt)

    def id_of(self, raw: bytes) -> bytes:
        return transaction_id(self.genesis.hash, decode_signed(raw)[0].body)

    def vouch(self, raw: bytes) -> AdmittedTransaction:
        """As it would be admitted, whatever anybody has against it."""
        body = decode_signed(raw)[1]
        return AdmittedTransaction(id=self.id_of(raw), raw=raw, body=body, size_bytes=len(raw))

    def admit(self, *raws: bytes) -> list[AdmittedTransaction]:
        """Authenticated, not in the pool; every one of them must be good."""
        admitted = self.admission.verify_batch(raws)
        assert all(isinstance(each, AdmittedTransaction) for each in admitted), admitted
        return admitted  # type: ignore[return-value]

    def wait(self, *raws: bytes) -> list[AdmittedTransaction]:
        """Authenticated and in the pool."""
        admitted = self.admit(*raws)
        for transaction in admitted:
            self.pool.add(transaction)
        return admitted

    # Blocks.

    def signer(self, validator: str) -> LocalSigner:
        """The key that rules the next height; of one who is no validator, its first."""
        generations = range(self.generations.get(validator, 0) + 1)
        signers = [key(f"{validator}/consensus/{each}") for each in generations]
        ruling = {each.public_key for each in self.chain.validators}
        return next((each for each in signers if each.public_key in ruling), signers[0])

    def certify(self, candidate: Candidate, *, round_: int | None = None) -> QuorumCertificate:
        return self.certificate(
            candidate.height,
            candidate.block_id,
            round_=candidate.header.round if round_ is None else round_,
        )

    def certificate(
        self,
        height: int,
        block_id: bytes,
        *,
        round_: int = 0,
        names: Sequence[str] | None = None,
        kind: VoteType = VoteType.PRECOMMIT,
    ) -> QuorumCertificate:
        if names is None:
            everybody = [validator.id for validator in self.chain.validators]
            names = everybody[: quorum(self.genesis.fault_model, len(everybody))]
        return QuorumCertificate(
            kind=kind,
            height=Height(height),
            round=Round(round_),
            block_id=BlockId(block_id),
            signatures=tuple(
                (
                    ValidatorId(name),
                    self.vote(name, height, block_id, round_=round_, kind=kind).signature,
                )
                for name in names
            ),
        )

    def vote(
        self,
        name: str,
        height: int,
        block_id: bytes | None,
        *,
        round_: int = 0,
        kind: VoteType = VoteType.PRECOMMIT,
    ) -> SignedVote:
        vote = Vote(
            kind=kind,
            height=Height(height),
            round=Round(round_),
            block_id=None if block_id is None else BlockId(block_id),
            validator=ValidatorId(name),
        )
        signature = self.signer(name).sign(sign_bytes(vote, self.genesis.domain(height)))
        return SignedVote(vote=vote, signature=Signature(signature))

    def proposal(
        self, name: str, height: int, block_id: bytes, *, round_: int = 0
    ) -> SignedProposal:
        proposal = Proposal(
            height=Height(height),
            round=Round(round_),
            block_id=BlockId(block_id),
            valid_round=None,
            proposer=ValidatorId(name),
        )
        signature = self.signer(name).sign(sign_bytes(proposal, self.genesis.domain(height)))
        return SignedProposal(proposal=proposal, signature=Signature(signature), polka=None)

    def build(
        self,
        transactions: Iterable[AdmittedTransaction] = (),
        *,
        evidence: Sequence[bytes] = (),
        round_: int = 0,
    ) -> Candidate:
        self.clock.advance(1_000)
        return self.chain.build(
            round=round_,
            time_ms=self.clock.now_ms(),
            transactions=transactions,
            evidence=evidence,
        )

    async def decide(self, *raws: bytes, evidence: Sequence[bytes] = ()) -> Committed:
        """Build a block of these transactions, certify and commit it."""
        candidate = self.build(self.admit(*raws), evidence=evidence)
        assert len(candidate.transaction_ids) == len(raws)
        committed = await self.chain.commit(candidate, self.certify(candidate))
        self.pool.remove(candidate.transaction_ids)
        return committed

    # What a town needs before there is anything to transfer.

    async def settle(self, accounts: int = 10, amount: int = 1_000_000) -> None:
        """Open numbered accounts `a0`, `a1`, … of one bank, each with an amount of cash."""
        for raws in self.settle_blocks(accounts, amount):
            await self.decide(*raws)

    def settle_blocks(self, accounts: int, amount: int = 1_000_000) -> Iterator[list[bytes]]:
        """Yield the transactions of each block of `settle`; signed when they are asked for."""
        central = address_of("central-bank", "central-bank")
        ministry = address_of("finance-ministry", "finance-ministry")
        bank = RegisterParticipant(
            account=central,
            approvers=(),
            participant=BANK,
            kind=ParticipantKind.BANK,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        )
        both = ["central-bank", "finance-ministry"]
        yield [self.transaction([bank, define_cash(central, (ministry,))], both)]
        names = [f"a{number}" for number in range(accounts)]
        for first in range(0, accounts, 5_000):
            yield [
                self.transaction(open_and_fund(central, chunk, amount), ["central-bank"])
                for chunk in _chunks(names[first : first + 5_000], 50)
            ]

    def add_validator(self, name: str) -> bytes:
        record = validator_record(name, self.generations.get(name, 0))
        operation = AddValidator(
            account=address_of(REFERENCE_OFFICES[0], REFERENCE_OFFICES[0]),
            approvers=tuple(address_of(office, office) for office in REFERENCE_OFFICES[1:]),
            name=name,
            participant=name,
            public_key=record.public_key,
            tls_certificate=record.tls_certificate,
        )
        return self.transaction([operation], REFERENCE_OFFICES)

    def rotate_validator(self, name: str) -> bytes:
        """Give it the keys of its next generation."""
        self.generations[name] = self.generations.get(name, 0) + 1
        record = validator_record(name, self.generations[name])
        operation = RotateValidatorKey(
            account=address_of(REFERENCE_OFFICES[0], REFERENCE_OFFICES[0]),
            approvers=tuple(address_of(office, office) for office in REFERENCE_OFFICES[1:]),
            name=name,
            public_key=record.public_key,
            tls_certificate=record.tls_certificate,
        )
        return self.transaction([operation], REFERENCE_OFFICES)

    def schedule_upgrade(self, version: int, height: int) -> bytes:
        operation = ScheduleUpgrade(
            account=address_of(REFERENCE_OFFICES[0], REFERENCE_OFFICES[0]),
            approvers=tuple(address_of(office, office) for office in REFERENCE_OFFICES[1:]),
            version=version,
            height=height,
        )
        return self.transaction([operation], REFERENCE_OFFICES)

    def remove_validator(self, name: str) -> bytes:
        operation = RemoveValidator(
            account=address_of(REFERENCE_OFFICES[0], REFERENCE_OFFICES[0]),
            approvers=tuple(address_of(office, office) for office in REFERENCE_OFFICES[1:]),
            name=name,
        )
        return self.transaction([operation], REFERENCE_OFFICES)


def define_cash(account: bytes, approvers: tuple[bytes, ...]) -> DefineAsset:
    return DefineAsset(
        account=account,
        approvers=approvers,
        asset=CASH,
        name="Rupee of the central bank",
        issuer="central-bank",
        identifiers=AssetIdentifiers(isin=None, currency="PKR", dti=None),
        terms=CashTerms(),
        term_sheet_hash=bytes(32),
        decimals=2,
        multiple=1,
        ceiling=1 << 60,
        forced_transfer_allowed=False,
    )


def open_and_fund(central: bytes, names: Sequence[str], amount: int) -> list[Record]:
    operations: list[Record] = []
    for name in names:
        policy = single_signer(key(name).public_key)
        operations += [
            OpenAccount(account=central, approvers=(), owner=BANK, policy=policy, salt=SALT),
            Issue(
                account=central,
                approvers=(),
                asset=CASH,
                amount=amount,
                to=account_address(BANK, policy, SALT),
            ),
        ]
    return operations


def sign(body: TransactionBody, signers: Sequence[str], genesis_hash: bytes) -> bytes:
    encoded = encode(body)
    signed_id = transaction_id(genesis_hash, encoded)
    ordered = sorted((key(name) for name in signers), key=lambda each: each.public_key)
    signatures = tuple(each.sign(signed_id) for each in ordered)
    return encode(SignedTransaction(body=encoded, signatures=signatures))


def make_town(
    store: KeyValueStore | None = None,
    *,
    record: GenesisRecord | None = None,
    thread: StorageThread | None = None,
    count_max: int = 20_000,
    keep_blocks: int = 0,
    versions: Collection[int] = SUPPORTED,
    amendments: Sequence[Amendment] = (),
) -> Town:
    """A town on this store; on an empty one it begins at its genesis."""
    genesis = genesis_of(record or make_record()).amended(amendments)
    store = MemoryStore() if store is None else store
    chain = Chain.open(store, genesis, thread=thread, keep_blocks=keep_blocks, versions=versions)
    clock = ManualClock(max(START_MS, chain.head.time_ms) + 1_000)
    pool = Mempool(clock, count_max=count_max)
    admission = Admission(chain, pool, clock)
    return Town(genesis, store, chain, clock, pool, admission)


def _chunks(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
