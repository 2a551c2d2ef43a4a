"""The chain: the only writer of the committed state, and the only reader of the stored blocks.

One block at a time stands on the head. It is built or checked, which applies it once and gives a
`Candidate`; when consensus has decided it, `commit` writes it with everything that follows from it
in one batch: block, certificate, receipts, ids, state, commitment, head. A node that dies at any
moment has either the whole of that batch or nothing of it. The batch is synced, unless the block is
one of a run that is copied from a peer: then the last of the run is, and those before it with it.

The chain belongs to the event loop. Only the write itself runs in the storage thread, and nothing
else is built or committed while it does.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from consensus.certificates import QuorumCertificate
from consensus.types import Height, Round
from consensus.validators import ValidatorSet
from node.blocks import (
    BLOCK_EVIDENCE_MAX,
    Block,
    Header,
    block_id,
    transactions_root,
)
from node.blocks.certificates import Verify
from node.chain.ahead import Ahead
from node.chain.batch import batch_of, head_entry, head_of
from node.chain.behind import BranchesBehind, are_with_block, catch_up
from node.chain.candidates import Candidate, Candidates
from node.chain.errors import ChainDamaged, InvalidBlock, UpgradeRequired
from node.chain.evidence import check_evidence, select_evidence
from node.chain.execution import CommittedState, Draft, execute, hash_of_validators
from node.chain.head import Head, validator_set
from node.chain.history import History
from node.chain.opening import check_belongs, found_chain, is_empty, load_head
from node.chain.proving import make_proof
from node.chain.pruning import Pruner
from node.chain.receipts import BlockReceipts
from node.chain.recent import RecentIds
from node.chain.records import RECORDS_BYTES_MAX, CommittedRecords
from node.chain.rules import (
    BlockEnvelope,
    Parent,
    check_contents,
    check_header,
    check_result,
    check_transactions,
    contents_size,
)
from node.chain.ruling import ruling_records
from node.chain.selecting import select
from node.chain.trial import Trial
from node.genesis import Genesis
from node.keys import verify as verify_signature
from node.ledger.acting import BlockContext
from node.ledger.commitment import CommitmentError
from node.ledger.errors import InvariantViolation
from node.ledger.parameters import Parameters
from node.ledger.protocol import SUPPORTED, protocol_of, ruling_version
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import Upgrade, ValidatorRecord
from node.ledger.transactions import TransactionBody
from node.ledger.transition import Receipt, Standing, parameters_of
from node.mempool import AdmittedTransaction
from node.proofs import ProofRecord
from node.stages import Stages
from node.storage import Batch, KeyValueStore, StorageError, StorageThread, ended
from node.storage.nodes import StoredNodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A block that is durable now."""

    candidate: Candidate
    certificate: QuorumCertificate
    validators_changed: bool


Listener: TypeAlias = Callable[[Committed], None]


class Chain:
    """The committed blocks and state of one network, on one store."""

    def __init__(
        self,
        store: KeyValueStore,
        genesis: Genesis,
        head: Head,
        *,
        thread: StorageThread | None,
        records_bytes_max: int,
        keep_blocks: int,
        verify: Verify,
        versions: Collection[int],
        stages: Stages,
    ) -> None:
        """Use `open`."""
        self._stages = stages
        self._store = store
        self._genesis = genesis
        self._thread = thread
        self._verify = verify
        self._versions = versions
        self._records = CommittedRecords(store, size_bytes_max=records_bytes_max)
        self._nodes = StoredNodes(store)
        self._ahead = Ahead(self._records, self._nodes)
        self._behind = BranchesBehind(store, self._nodes, thread)
        self._candidates = Candidates()
        self._standing = Standing()
        """Of the accounts of the committed state."""
        self._head = head
        self._recent = RecentIds(
            window_ms=genesis.transactions.window_ms,
            time_ms=head.time_ms if head.height > 0 else None,
        )
        self.is_new: Callable[[bytes, int], bool] = self._recent.rules_out
        """Whether the transaction of this id and end of validity was certainly never applied; of
        any other `place_of` knows. Asked for each transaction, so nothing stands between."""
        self._protocol = protocol_of(LedgerState(self._records))
        self.history = History(store, genesis)
        """The stored blocks."""
        self._validator_records = self._ruling_records()
        self._validators = validator_set(self._validator_records)
        self._pruner = Pruner(store, self.history, genesis, keep_blocks=keep_blocks)
        self._pruning: asyncio.Future[None] | None = None
        self._written: asyncio.Future[None] | None = None
        """The last batch that was handed to the thread."""
        self._writing: asyncio.Event | None = None
        self._failure: StorageError | None = None
        """Why nobody knows whether the last block is in the store."""
        self._unheard: list[Committed] = []
        """Committed and not durable yet: the blocks of a run but for its last."""
        self.durable_every = 0
        """Whoever must find the store as a block left it says at which heights: a run ends at their
        multiples. 0: nobody does."""
        self.listeners: list[Listener] = []
        """Called in order, on the event loop, after a block is durable. None may raise."""

    @classmethod
    def open(
        cls,
        store: KeyValueStore,
        genesis: Genesis,
        *,
        thread: StorageThread | None = None,
        records_bytes_max: int = RECORDS_BYTES_MAX,
        keep_blocks: int = 0,
        verify: Verify = verify_signature,
        versions: Collection[int] = SUPPORTED,
        stages: Stages | None = None,
    ) -> "Chain":
        """Return the chain in this store; an empty store is founded from the genesis first.

        Args:
            thread: where commits are written; None writes on the caller's thread, as a simulation
                wants it.
            records_bytes_max: bound of the cache of decoded records.
            keep_blocks: how many blocks to keep; 0 keeps all.
            versions: those of the protocol that this software knows.
            stages: what the work of blocks is charged to; None: to nobody.

        Raises:
            AmendmentError: an amendment is installed that this chain cannot go on by.
            AmendmentMissing: the chain went on by an amendment that is not installed.
            ChainDamaged: what is stored contradicts itself or belongs to another network.
            FoundingError: the genesis cannot be a first state.
            StorageError: the disk's reasons.
            UpgradeRequired: the next block is of another version.
        """
        if is_empty(store):
            found_chain(store, genesis)
        check_belongs(store, genesis)
        catch_up(store)
        chain = cls(
            store,
            genesis,
            load_head(store, genesis, verify),
            thread=thread,
            records_bytes_max=records_bytes_max,
            keep_blocks=keep_blocks,
            verify=verify,
            versions=versions,
            stages=stages or Stages(),
        )
        chain.check_supported()
        return chain

    # Where the chain stands.

    @property
    def genesis(self) -> Genesis:
        """What the network was founded from."""
        return self._genesis

    @property
    def head(self) -> Head:
        """The last committed block."""
        return self._head

    @property
    def validators(self) -> ValidatorSet:
        """Those who decide the next height."""
        return self._validators

    @property
    def validator_records(self) -> tuple[ValidatorRecord, ...]:
        """The same with participants and TLS certificates."""
        return self._validator_records

    @property
    def validators_hash(self) -> bytes:
        """How the next header names them."""
        return hash_of_validators(self._validator_records)

    @property
    def parameters(self) -> Parameters:
        """The ledger's parameters as of the head."""
        return parameters_of(LedgerState(self._records))

    @property
    def version(self) -> int:
        """The version of the protocol that rules the next height."""
        return ruling_version(self._protocol, self._head.height + 1)

    @property
    def upgrade(self) -> Upgrade | None:
        """The upgrade that is scheduled for a later height than the next; None: none is."""
        upgrade = self._protocol.upgrade
        return None if upgrade is None or upgrade.version == self.version else upgrade

    @property
    def versions(self) -> Collection[int]:
        """The versions of the protocol that this software knows."""
        return self._versions

    def check_supported(self) -> None:
        """Check that this software knows the rules of the next height.

        Raises:
            UpgradeRequired: it does not; nothing may be applied, voted on or promised any more.
        """
        if self.version not in self._versions:
            raise UpgradeRequired(self.version, self._head.height + 1, self._versions)

    def validators_at(self, height: int) -> ValidatorSet:
        """Return those who decide, or decided, this height; at most the next one.

        Raises:
            ChainDamaged: no set is stored for it.
        """
        assert 1 <= height <= self._head.height + 1
        return self.history.validator_set(height)

    # Proposing and checking.

    def build(
        self,
        *,
        round: int,
        time_ms: int,
        transactions: Iterable[AdmittedTransaction],
        evidence: Sequence[bytes] = (),
        proposer: str | None = None,
    ) -> Candidate:
        """Return a block on top of the head with as many of these as it can hold, in order.

        Left out are transactions that were applied already, that are refused by their envelope at
        the block's time, or that no longer fit; likewise evidence that no block may hold.

        Args:
            time_ms: this node's clock; the block's time is later than the parent's in any case.
            transactions: as they wait in the pool, each id once; no more are looked at than fit.
            proposer: who builds; by default whoever's turn the round is.

        Raises:
            InvariantViolation: the ledger contradicts itself.
        """
        parent = self._parent()
        time_ms = max(time_ms, parent.time_ms + 1)
        if proposer is None:
            turn = self._validators.proposer(Height(parent.height + 1), Round(round))
            proposer = turn.id
        shown, accusations = select_evidence(
            tuple(evidence),
            parent.height + 1,
            self.history,
            self._genesis,
            self._verify,
            count_max=BLOCK_EVIDENCE_MAX,
        )
        left_bytes = self._genesis.blocks.size_bytes_max - contents_size((), shown)
        chosen, dropped = select(
            transactions,
            self.envelope(time_ms),
            count_max=self._genesis.blocks.transactions_max,
            left_bytes=left_bytes,
            is_new=self.is_new,
            was_applied=self._was_applied,
        )
        draft = Draft(
            round=round,
            time_ms=time_ms,
            proposer=proposer,
            transactions=chosen,
            transactions_root=transactions_root([transaction.id for transaction in chosen]),
            evidence=shown,
            accusations=accusations,
        )
        candidate = replace(self._execute(draft, parent), dropped=dropped)
        self._candidates.add(candidate)
        return candidate

    def check(
        self,
        header: Header,
        transactions: Sequence[AdmittedTransaction],
        evidence: Sequence[bytes] = (),
        *,
        now_ms: int | None,
        certified: bool = False,
    ) -> Candidate:
        """Return the candidate of somebody's block, after applying it and comparing every root.

        A block that is among the candidates is not applied again.

        Args:
            transactions: those of the block, in order; their signatures have been verified.
            now_ms: this node's clock when it is asked to vote for a new block. None where the
                block is not to be judged by it: replay, catching up, and a proposal whose valid
                round shows that a quorum has judged it already.
            certified: a quorum has decided this header. Then a result that differs is ours.

        Raises:
            InvalidBlock: a rule is broken; prevote nil. For a certified block: it is not the next
                one, or these are not its contents.
            InvariantViolation: the block is certified and this node computes otherwise, or refuses
                what a quorum accepted: both roots are in the message, and the node stops.
        """
        known = self._candidates.get(block_id(header))
        if known is not None:
            return known
        parent = self._parent()
        check_header(header, parent, self._genesis, now_ms)
        check_contents(header, transactions, evidence, self._genesis)
        try:
            check_transactions(
                transactions, header, self._genesis, self._recent.doubted, self._was_applied
            )
            accusations = check_evidence(
                tuple(evidence), header.height, self.history, self._genesis, self._verify
            )
            draft = Draft(
                round=header.round,
                time_ms=header.time_ms,
                proposer=header.proposer,
                transactions=transactions,
                transactions_root=header.transactions_root,  # `check_contents` has compared it.
                evidence=tuple(evidence),
                accusations=accusations,
            )
            candidate = self._execute(draft, parent)
            check_result(candidate.header, header)
        except InvalidBlock as error:
            if certified:
                raise InvariantViolation(
                    f"height {header.height}: a quorum decided block {block_id(header).hex()},"
                    f" which this node refuses: {error}"
                ) from error
            raise
        self._candidates.add(candidate)
        return candidate

    def check_contents(
        self,
        header: Header,
        transactions: Sequence[AdmittedTransaction],
        evidence: Sequence[bytes],
    ) -> None:
        """Check that these are what the header commits to; nothing is applied.

        Raises:
            InvalidBlock: they are others, or too large together.
        """
        check_contents(header, transactions, evidence, self._genesis)

    def candidate(self, wanted_id: bytes) -> Candidate | None:
        """Return the candidate of this block id, if it was applied and is still kept."""
        return self._candidates.get(wanted_id)

    # Committing.

    async def commit(
        self, candidate: Candidate, certificate: QuorumCertificate, *, durable: bool = True
    ) -> Committed:
        """Make the block durable, then the head; listeners hear of it last.

        The caller has verified the certificate. Cancelling the caller does not stop the write; the
        chain must then be opened anew.

        Args:
            durable: False only for a block that others after it follow at once. A power cut may
                take it, whole; listeners hear of it when it is durable, with the next one that is
                or by `make_durable`. Nothing may be signed before.

        Raises:
            AmendmentError: an amendment rules the next height that the chain cannot go on by; the
                block is durable, and the node stops.
            StorageError: it is not known whether the block is durable; the node stops.
        """
        assert self._writing is None
        assert candidate.height == self._head.height + 1
        assert candidate.header.parent == self._parent().block_id
        assert certificate.block_id == candidate.block_id
        assert certificate.height == candidate.height
        await self._pruned()
        await self._behind.written()
        every = self.durable_every
        is_held = every > 0 and candidate.height % every == 0
        sync = durable or is_held
        # Whoever must find the store as a block left it must find the branches, too.
        whole = (
            not sync
            or is_held
            or are_with_block(len(candidate.nodes), len(candidate.transaction_ids))
        )
        with self._stages.store:
            batch = batch_of(candidate, certificate, branches=whole)
        self._writing = asyncio.Event()
        try:
            await self._write(batch, sync=sync)
            with self._stages.store:
                committed = self._accept(candidate, certificate, whole=whole)
        except StorageError as failure:
            self._failure = failure
            raise
        finally:
            self._writing.set()
        # Not after a failure: what reached the disk is known only after opening it anew.
        self._writing = None
        self._unheard.append(committed)
        if not whole:
            self._behind.write(candidate.nodes)
        if sync:
            self._tell()
        self._prune()
        self._look_ahead()
        return committed

    @property
    def is_durable(self) -> bool:
        """Whether a power cut would leave the head where it is."""
        return not self._unheard

    async def make_durable(self) -> None:
        """Make durable what has been committed without; its listeners hear of it.

        Raises:
            StorageError: as for `commit`.
        """
        if self._unheard:
            # Any synced write carries those before it.
            await self._pruned()
            await self._write(head_entry(self._head), sync=True)
            self._tell()

    async def _write(self, batch: Batch, *, sync: bool) -> None:
        if self._thread is None:
            self._store.write(batch, sync=sync)
        else:
            self._written = self._thread.run(lambda: self._store.write(batch, sync=sync))
            await ended(self._written)

    def _tell(self) -> None:
        unheard, self._unheard = self._unheard, []
        for committed in unheard:
            for listener in self.listeners:
                listener(committed)

    def _prune(self) -> None:
        """Delete a piece of what need not be kept, while nothing is being written."""
        head = self._head
        if not self._pruner.is_due(head):
            return
        if self._thread is None:
            self._pruner.prune(head)
        else:
            self._pruning = self._thread.run(lambda: self._pruner.prune(head))

    def _look_ahead(self) -> None:
        """Read what the next block will, while nothing is being written."""
        work = self._ahead.plan(self._head.time_ms)
        if work is None:
            return
        if self._thread is None:
            work()
        else:
            self._thread.run(work)

    async def _pruned(self) -> None:
        """Wait for the piece before; a failure of it is one of the disk, and stops the node.

        Raises:
            ChainDamaged, StorageError: why nothing was deleted.
        """
        if self._pruning is not None:
            await ended(self._pruning)
            self._pruning = None

    async def settled(self) -> None:
        """Wait until no block is being written, and no branches of one.

        For a moment during a write the store is ahead of the head. What is read after this, and
        before the reader gives up the loop, is all of the head's height.

        Raises:
            StorageError: a write has failed. The store may be of another height than the head until
                it is opened anew; the node stops.
        """
        while True:  # After each wait for one the other may have begun.
            if self._writing is not None and not self._writing.is_set():
                await self._writing.wait()
            elif self._behind.is_writing:
                await self._behind.settled()
            else:
                break
        if self._failure is not None:
            raise self._failure
        await self._behind.settled()

    async def close(self) -> None:
        """Wait for all that is still written and read for this chain: then its store may be closed.

        To be called when nobody commits any more; what is being read ahead is given up. The
        branches of the head are in the store then, or it is said why nobody knows.

        Raises:
            ChainDamaged, StorageError: a write has failed that nobody has waited for. Whoever opens
                the chain anew finds out what is there.
        """
        self._ahead.stop()
        if self._thread is not None:
            await self._thread.drain()
        try:
            await self._pruned()
            # What a commit that was given up has left; another one has raised its failure.
            if self._written is not None and self._failure is None:
                await ended(self._written)
        finally:
            await self._behind.settled()

    def _accept(
        self, candidate: Candidate, certificate: QuorumCertificate, *, whole: bool
    ) -> Committed:
        self._records.accept(candidate.records, candidate.changes)
        self._nodes.accept(candidate.nodes, are_stored=whole)
        self._candidates.clear()
        if candidate.changes_standing:
            self._standing = Standing()
        self._protocol = protocol_of(LedgerState(self._records))
        self._head = head_of(candidate)
        self._recent.note(candidate.transaction_ids, candidate.header.time_ms)
        amended = self._genesis.amendment_at(candidate.height + 1) is not None
        changed = candidate.next_validators is not None or amended
        if changed:
            self._validator_records = self._ruling_records()
            self._validators = validator_set(self._validator_records)
        return Committed(candidate=candidate, certificate=certificate, validators_changed=changed)

    # Reading what is committed.

    def record(self, table: Table[R], key: bytes) -> R | None:
        """Return a committed record, or None."""
        return self._records.record(table, key)

    def records(self, table: Table[R], keys: Sequence[bytes]) -> Sequence[R | None]:
        """Return the committed record at each of these keys, or None."""
        return self._records.records(table, list(map(table.prefix.__add__, keys)))

    def scan(
        self, table: Table[R], start: bytes, limit: int, *, prefix: bytes = b""
    ) -> Sequence[tuple[bytes, R]]:
        """Return up to `limit` committed records from key `start` on, ascending by key.

        Args:
            prefix: only keys that begin with it; the rest of the table is not read.
        """
        return self._records.scan(table, start, limit, prefix=prefix)

    def prove(self, table: Table[R], key: bytes) -> ProofRecord:
        """Return the proof of what the head's state holds under this key, or that it does not.

        Raises:
            NothingToProve: no block has been decided yet.
        """
        return make_proof(
            table,
            key,
            head=self._head,
            genesis=self._genesis,
            records=self._records,
            nodes=self._nodes,
            history=self.history,
        )

    def trial(self, *, now_ms: int) -> Trial:
        """Return what tries transactions out in the next block, until the head moves."""
        context = BlockContext(
            height=self._head.height + 1,
            time_ms=max(now_ms, self._head.time_ms + 1),
            genesis_hash=self._genesis.hash,
            version=self.version,
        )
        return Trial(LedgerState(self._records), context, self._standing)

    def simulate(self, body: TransactionBody, *, now_ms: int) -> Receipt:
        """Return what would become of the transaction in a block right now. Nothing changes."""
        return self.trial(now_ms=now_ms).receipt(body)

    def seen(self, transaction_id: bytes) -> bool:
        """Whether a transaction of this id was ever applied, whatever became of it."""
        return self.history.seen(transaction_id)

    def transaction(self, transaction_id: bytes) -> tuple[int, int] | None:
        """Return height and index of an applied transaction; None: not known here.

        That it never was applied follows only where `forgotten_until_ms` is before its end.
        """
        return self.history.transaction(transaction_id)

    def place_of(self, transaction_id: bytes, valid_until_ms: int) -> tuple[int, int] | None:
        """Return the same of a transaction whose end of validity is known: what is new costs no
        read.
        """
        if self._recent.rules_out(transaction_id, valid_until_ms):
            return None
        return self.history.transaction(transaction_id)

    def holds_any(self, transactions: Sequence[AdmittedTransaction]) -> bool:
        """Whether any of these was applied, whatever became of it: what is new costs no read."""
        return any(map(self._was_applied, self._recent.doubted(transactions)))

    @property
    def forgotten_until_ms(self) -> int | None:
        """The last end of validity of transactions that may stand in blocks no longer kept.

        Of one that was valid for longer, what is not found here was never applied. None: all
        blocks are kept.
        """
        after_ms = self.history.kept.ids_after_ms
        return None if after_ms is None else after_ms + self._genesis.transactions.window_ms

    def envelope(self, time_ms: int) -> BlockEnvelope:
        """Return what the next block, at this time, can hold, whatever the state."""
        return BlockEnvelope(time_ms, self.version, self._genesis)

    def is_forgotten(self, valid_until_ms: int) -> bool:
        """Whether a transaction of this end may stand in a block that is no longer kept."""
        until_ms = self.forgotten_until_ms
        return until_ms is not None and valid_until_ms <= until_ms

    def block(self, height: int) -> Block | None:
        """Return the block of this height; None: not here."""
        return self.history.block(height)

    def certificate(self, height: int) -> QuorumCertificate | None:
        """Return the commit certificate of this height; None: not here."""
        return self.history.certificate(height)

    def receipts(self, height: int) -> BlockReceipts | None:
        """Return the receipts of this height; None: not here."""
        return self.history.receipts(height)

    # Private.

    def _ruling_records(self) -> tuple[ValidatorRecord, ...]:
        state = LedgerState(self._records)
        return ruling_records(state, self._genesis, self._head.height + 1)

    def _parent(self) -> Parent:
        head = self._head
        return Parent(
            height=head.height,
            block_id=self._genesis.parent_of(head.height + 1, head.block_id),
            time_ms=head.time_ms,
            validators=self._validators,
            validators_hash=self.validators_hash,
            version=self.version,
        )

    def _was_applied(self, transaction_id: bytes) -> bool:
        return self.history.seen(transaction_id)

    def _execute(self, draft: Draft, parent: Parent) -> Candidate:
        rehearsal = self._ahead.stop()
        committed = CommittedState(
            records=self._records, nodes=self._nodes, standing=self._standing
        )
        try:
            with self._stages.apply:
                return execute(
                    draft,
                    parent,
                    committed,
                    self._genesis,
                    rehearsal=rehearsal,
                    stages=self._stages,
                )
        except CommitmentError as error:
            raise ChainDamaged(str(error)) from error
