"""From bytes of a stranger to a transaction this node vouches for: decoded, in time, signed.

The order of checks is that of cost: size, form, envelope, id already here, signatures, and, for
what a client brings, a dry run. They are made for a batch at a time: `begin` does what comes before
the signatures, `finish` what comes after, and whoever calls both verifies between them, here or
elsewhere. A signature is verified once per node and transaction: an id that waits in the pool, or
that another batch is verifying right now, is not verified again. An id does not cover the
signatures: a second copy with other signatures is simply known, and one with wrong signatures
cannot take the place of a good one, because nothing waits under an id before its signatures have
been verified, and a copy that came meanwhile is looked at again then (adversarial 57).
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import Final, TypeAlias

import msgspec

from node.chain import BlockEnvelope, Chain, Trial
from node.clock import Clock
from node.keys import verify as verify_signature
from node.keys import verify_each
from node.keys.development import first_development_key
from node.ledger.outcomes import Details, Outcome
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    TransactionError,
    decode_each,
    decode_signed,
    transaction_ids,
    transaction_ids_of_each,
)
from node.mempool import AdmittedTransaction, Full, Known, Mempool
from node.signatures import Check, Signatures, Verdicts
from node.stages import Stage, Stages

__all__ = [
    "CHUNK_SIZE",
    "Admission",
    "AdmissionError",
    "AdmissionResult",
    "AdmittedTransaction",
    "Batch",
    "Forgotten",
    "Full",
    "Known",
    "Refusal",
]

CHUNK_SIZE: Final = 64
"""Signatures verified before other tasks of the loop get their turn: some four milliseconds."""
HELP_S: Final = 0.25
"""How long a part of a block waits for what another process is verifying: many times what that
takes. One that hangs is ended in its time (`node.signatures`), and no block waits for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a transaction is not admitted. Nothing changed."""

    outcome: Outcome
    details: Details
    id: bytes | None
    """None where the bytes are no transaction."""
    of_state: bool = False
    """Whether it is the ledger that refuses it as it stands here, and may not one block on."""
    of_clock: bool = False
    """Whether its time is over by the clock alone: a block that is not here yet may hold it."""
    operation: int | None = None
    """Which of its operations the ledger refuses, from 0; None: not one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Its time is over, and a block that is no longer kept here may hold it: whether it was ever
    applied cannot be known at this node. Nothing changed."""

    id: bytes


AdmissionResult: TypeAlias = AdmittedTransaction | Known | Full | Refusal | Forgotten


class _Copy(msgspec.Struct, gc=False):
    """A transaction of a batch of whose id another is being verified already."""

    place: int
    """In the batch."""
    transaction: AdmittedTransaction
    signatures: tuple[bytes, ...]
    """As many as the body has signers, in their order."""


_SIGNER_OF: Final[Callable[[Check], bytes]] = itemgetter(0)


class Batch:
    """Transactions between `begin` and `finish`."""

    __slots__ = ("checks", "copies", "done", "dry_run", "fresh", "height", "places", "results")

    def __init__(self, *, dry_run: bool, height: int) -> None:
        self.dry_run = dry_run
        self.height = height
        """Of the head when it was begun."""
        self.checks: list[Check] = []
        """The signatures to verify."""
        self.results: list[AdmissionResult] = []
        """Of each transaction, if all signatures are good and nothing happens meanwhile."""
        self.fresh: list[AdmittedTransaction] = []
        """Those whose signatures are to be verified, in order."""
        self.places: list[int] = []
        """Where each of them stands among the results."""
        self.copies: list[_Copy] = []
        self.done = asyncio.Event()
        """What was admitted is in the pool, as soon as others have their turn."""

    def signers(self) -> list[bytes]:
        """Return whose signatures are to be verified, in the order of the checks."""
        return list(map(_SIGNER_OF, self.checks))


class AdmissionError(Exception):
    """A block holds a transaction that no honest node would have let in.

    Attributes:
        index: which one.
        refusal: why.
    """

    def __init__(self, index: int, refusal: Refusal) -> None:
        super().__init__(f"transaction {index} of the block: {refusal.outcome.name}")
        self.index = index
        self.refusal = refusal


class Admission:
    """Decodes and authenticates transactions for one network.

    A thread of its own was measured for the verification, with `tests/bench/verification.py`
    (2026-11-20; two cores, CPython 3.11, 60 us of other work on the loop for each transaction):
    9,800 transactions a second on the loop, at 93 us of CPU each; 9,500 in a thread, at 100 us;
    8,700 at 106 us with `sys.setswitchinterval` at 50 us. libsodium releases the GIL for 40 us at a
    time, but a thread that wants it back from a busy loop waits out a switch interval for each
    signature. So it is the loop's, or another process's (`node.signatures`).
    """

    def __init__(
        self,
        chain: Chain,
        pool: Mempool,
        clock: Clock,
        *,
        verify: Callable[[bytes, bytes, bytes], bool] = verify_signature,
        signatures: Signatures | None = None,
        stage: Stage | None = None,
    ) -> None:
        """Store what is given.

        Args:
            signatures: where those of a block can be verified besides the loop.
            stage: what the processor time of verifying lists and blocks here is charged to.
        """
        self._chain = chain
        self._pool = pool
        self._clock = clock
        self._verify = verify
        self._signatures = signatures
        self._stage = Stages().verification if stage is None else stage
        self._id_of = transaction_ids(chain.genesis.hash)
        self._ids_of = transaction_ids_of_each(chain.genesis.hash)
        # A rule of the protocol: a block that holds such a transaction is invalid.
        self._refuses_development_keys = not chain.genesis.development
        self._ahead: tuple[Mapping[bytes, AdmittedTransaction], ...] = ()
        """What was looked at before anybody asked for it, by raw bytes: the last time, and the time
        before, of which somebody may be about to ask."""
        # Whose signatures are being verified, by which batch.
        self._pending: dict[bytes, Batch] = {}
        self.signatures_verified = 0
        """Since the start; one for each signer of each transaction, good or not."""
        self.refused: Counter[Outcome] = Counter()
        """Since the start, by outcome."""

    def verify_batch(
        self, raws: Collection[bytes], *, dry_run: bool = False
    ) -> list[AdmissionResult]:
        """Return for each transaction whether this node vouches for it, in order.

        The caller adds those admitted to the pool before it gives up the loop.

        Args:
            dry_run: refuse also what the ledger would refuse right now. For what clients bring: a
                peer may be a block ahead of this node.
        """
        batch = self.begin(raws, dry_run=dry_run)
        return self.finish(batch, self.verdicts(batch.checks))

    def begin(self, raws: Collection[bytes], *, dry_run: bool = False) -> Batch:
        """Do for these transactions all that comes before their signatures.

        The caller verifies the checks of the batch and calls `finish`, or else `abandon`.
        """
        envelope = self._chain.envelope(self.now_ms())
        accepts, is_new, id_of = envelope.accepts, self._chain.is_new, self._id_of
        pool, pending, waiting = self._pool, self._pending, self._pool.by_id
        has_room = pool.has_room_for(len(raws), sum(map(len, raws)))
        batch = Batch(dry_run=dry_run, height=self._chain.head.height)
        raws = raws if isinstance(raws, Sequence) else tuple(raws)
        decoded = decode_each(raws)
        if decoded is not None and has_room and self._begin_fresh(batch, raws, decoded, envelope):
            return batch
        results, fresh, places, checks = batch.results, batch.fresh, batch.places, batch.checks
        for index, raw in enumerate(raws):
            try:
                signed, body = decode_signed(raw) if decoded is None else decoded[index]
            except TransactionError as error:
                results.append(self._refuse(error, None))
                continue
            id_ = id_of(signed.body)
            if not accepts(body):
                results.append(self._unacceptable(id_, body, envelope))
                continue
            if id_ in waiting:
                results.append(Known(id_))
                continue
            if not is_new(id_, body.valid_until_ms):
                applied = self._duplicate(id_, body.valid_until_ms)
                if applied is not None:
                    results.append(applied)
                    continue
            size_bytes = len(raw)
            # Said before the costly part, so that a flood costs little.
            if not has_room and pool.is_full_for(size_bytes):
                results.append(Full(pool.retry_after_ms()))
                continue
            transaction = AdmittedTransaction(id=id_, raw=raw, body=body, size_bytes=size_bytes)
            if id_ in pending:
                copy = _Copy(len(results), transaction, signed.signatures)
                batch.copies.append(copy)
            else:
                pending[id_] = batch
                places.append(len(results))
                fresh.append(transaction)
                if len(body.signers) == 1:  # Nearly all.
                    checks.append((body.signers[0], id_, signed.signatures[0]))
                else:
                    checks += zip(body.signers, repeat(id_), signed.signatures)
            results.append(transaction)
        return batch

    def _begin_fresh(
        self,
        batch: Batch,
        raws: Sequence[bytes],
        decoded: Sequence[tuple[SignedTransaction, TransactionBody]],
        envelope: BlockEnvelope,
    ) -> bool:
        """Do what `begin` does where all are new and acceptable, as nearly always, by columns.

        False where one is not, and nothing done: one after the other then says what is the matter.
        """
        ids = self._ids_of([signed.body for signed, _ in decoded])
        pending = self._pending
        if (
            len(set(ids)) < len(ids)
            or not self._pool.by_id.keys().isdisjoint(ids)
            or not pending.keys().isdisjoint(ids)
        ):
            return False
        transactions = [
            AdmittedTransaction(id=id_, raw=raw, body=body, size_bytes=len(raw))
            for id_, raw, (_, body) in zip(ids, raws, decoded, strict=True)
        ]
        if not envelope.accepts_each(transactions) or self._chain.holds_any(transactions):
            return False
        pending.update(dict.fromkeys(ids, batch))
        batch.results += transactions
        batch.fresh += transactions
        batch.places += range(len(transactions))
        batch.checks += _checks_of(ids, decoded)
        return True

    def verdicts(self, checks: Sequence[Check]) -> list[bool]:
        """Return for each of these checks whether the signature is good; some 50 us for one."""
        verify = self._verify
        with self._stage:
            if verify is verify_signature:
                return verify_each(checks)
            return [verify(*check) for check in checks]

    def finish(self, batch: Batch, verdicts: Sequence[bool] | bytes) -> list[AdmissionResult]:
        """Return for each transaction of the batch whether this node vouches for it, in order.

        Batches are finished in the order in which they were begun. The caller adds those admitted
        to the pool before it gives up the loop.

        Args:
            verdicts: of the batch's checks, in their order.
        """
        assert len(verdicts) == len(batch.checks)
        self.signatures_verified += len(verdicts)
        has_moved = batch.height != self._chain.head.height
        trial = self._chain.trial(now_ms=self.now_ms()) if batch.dry_run else None
        # Nearly always, and then nobody need be asked for.
        are_good = all(verdicts) and self._development_key_of(batch.signers()) is None
        stand = trial is None or trial.applies_each([each.body for each in batch.fresh])
        if not stand or has_moved or not are_good:
            first = 0
            for place, transaction in zip(batch.places, batch.fresh, strict=True):
                refusal = None
                if not are_good:
                    end = first + len(transaction.body.signers)
                    refusal = self._judge(transaction, verdicts[first:end])
                    first = end
                refusal = refusal or self._objection(transaction, trial, has_moved=has_moved)
                if refusal is not None:
                    batch.results[place] = refusal
        if batch.copies:
            self._finish_copies(batch, trial, has_moved=has_moved)
        self.abandon(batch)
        return batch.results

    def _finish_copies(self, batch: Batch, trial: Trial | None, *, has_moved: bool) -> None:
        """Judge those of an id that was being verified, and may not have been good."""
        copied = {copy.transaction.id for copy in batch.copies}
        admitted = {
            transaction.id
            for place, transaction in zip(batch.places, batch.fresh, strict=True)
            if transaction.id in copied and batch.results[place] is transaction
        }
        for copy in batch.copies:
            transaction = copy.transaction
            result: AdmissionResult = self._of_copy(copy, admitted)
            if result is transaction:
                result = self._objection(transaction, trial, has_moved=has_moved) or transaction
            if result is transaction:
                admitted.add(transaction.id)
            batch.results[copy.place] = result

    def _objection(
        self, transaction: AdmittedTransaction, trial: Trial | None, *, has_moved: bool
    ) -> Refusal | None:
        """Return what the chain has against a transaction that is signed as it says, or None."""
        if has_moved:
            # It may have come in a block meanwhile.
            applied = self._duplicate(transaction.id, transaction.body.valid_until_ms)
            if applied is not None:
                return applied
        if trial is None:
            return None
        receipt = trial.receipt(transaction.body)
        if receipt.outcome is Outcome.APPLIED:
            return None
        self.refused[receipt.outcome] += 1
        return Refusal(
            outcome=receipt.outcome,
            details=receipt.details,
            id=transaction.id,
            of_state=True,
            operation=receipt.operation,
        )

    def abandon(self, batch: Batch) -> None:
        """Forget a batch: its signatures are not being verified any more."""
        pending = self._pending
        for transaction in batch.fresh:
            del pending[transaction.id]
        batch.done.set()

    def may_wait(self, transaction: AdmittedTransaction) -> bool:
        """Whether a transaction that came in somebody's block could stand in a later one.

        Whoever proposes names what he likes, and the block is refused for it. What is never to be
        in any block, or not before its time has come, would wait in the pool in the way of others:
        for ever, if its validity has no end.
        """
        body = transaction.body
        return (
            self._chain.envelope(self.now_ms()).accepts(body)
            and self._chain.place_of(transaction.id, body.valid_until_ms) is None
        )

    async def verify_block(self, raws: Sequence[bytes]) -> list[AdmittedTransaction]:
        """Return the transactions of a block from elsewhere, in order, all authenticated.

        Those that wait in the pool are taken from there. Whether the block may hold them at its
        time is for `Chain.check` to say.

        Raises:
            AdmissionError: one is malformed, for another network, or not signed as it says.
        """
        for ahead in self._ahead:
            known = [ahead[raw] for raw in raws if raw in ahead]
            if raws and len(known) == len(raws):
                return known
        transactions: list[AdmittedTransaction] = []
        size = CHUNK_SIZE if self._signatures is None else 2 * CHUNK_SIZE
        for start in range(0, len(raws), size):
            if start:
                await asyncio.sleep(0)
            transactions += await self._verify_part(raws[start : start + size], start)
        return transactions

    async def look_ahead(self, raws: Sequence[bytes]) -> None:
        """Authenticate what `verify_block` is likely to be asked for next, or next but one; if one
        of these is not good, `verify_block` will say so.

        The caller bounds what is kept: it is these, and those of the call before. With nothing to
        look at all is forgotten.
        """
        transactions: Sequence[AdmittedTransaction] = ()
        with contextlib.suppress(AdmissionError):
            transactions = await self.verify_block(raws)
        ahead = dict(zip(raws, transactions, strict=False))
        self._ahead = (ahead, *self._ahead[:1]) if raws else ()

    async def _verify_part(self, raws: Sequence[bytes], start: int) -> list[AdmittedTransaction]:
        """Do the same for some of a block, from this index on."""
        found: list[AdmittedTransaction] = []
        unknown: list[tuple[int, AdmittedTransaction]] = []
        checks: list[Check] = []
        patient_until = asyncio.get_running_loop().time() + HELP_S
        decoded = decode_each(raws)
        for place, raw in enumerate(raws):
            try:
                signed, body = decode_signed(raw) if decoded is None else decoded[place]
            except TransactionError as error:
                raise AdmissionError(start + place, self._refuse(error, None)) from None
            id_ = self._id_of(signed.body)
            pending = self._pending.get(id_)
            if pending is not None and not pending.done.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(patient_until):
                        await pending.done.wait()
            transaction = self._pool.get(id_)
            if transaction is None:
                transaction = AdmittedTransaction(id=id_, raw=raw, body=body, size_bytes=len(raw))
                unknown.append((start + place, transaction))
                checks += zip(body.signers, repeat(id_), signed.signatures)
            found.append(transaction)
        verdicts = await self._verify_shared(checks)
        first = 0
        for index, transaction in unknown:
            end = first + len(transaction.body.signers)
            refusal = self._judge(transaction, verdicts[first:end])
            if refusal is not None:
                raise AdmissionError(index, refusal)
            first = end
        return found

    async def _verify_shared(self, checks: Sequence[Check]) -> list[bool]:
        """Verify half of these here, and half elsewhere at the same time, where that can be."""
        self.signatures_verified += len(checks)
        half = len(checks) // 2
        given = None if self._signatures is None else self._signatures.start(checks[:half])
        here = self.verdicts(checks if given is None else checks[half:])
        if given is None:
            return here
        await asyncio.wait((given,), timeout=HELP_S)
        if not given.done():
            given.add_done_callback(_forget)
        elif given.exception() is None:
            return [*map(bool, given.result()), *here]
        return [*self.verdicts(checks[:half]), *here]

    def now_ms(self) -> int:
        """Return the earliest time of the next block, as far as this node can tell."""
        return max(self._clock.now_ms(), self._chain.head.time_ms + 1)

    def _duplicate(self, transaction_id_: bytes, valid_until_ms: int) -> Refusal | None:
        """Return the refusal of what is in a block already, None for what is not."""
        place = self._chain.place_of(transaction_id_, valid_until_ms)
        if place is None:
            return None
        return self._refuse(TransactionError(Outcome.DUPLICATE, height=place[0]), transaction_id_)

    def _unacceptable(
        self, transaction_id_: bytes, body: TransactionBody, envelope: BlockEnvelope
    ) -> Refusal | Forgotten:
        """Return what to say of a transaction that the envelope of the next block refuses."""
        try:
            envelope.check(body)
        except TransactionError as error:
            # Its time is over, and it was applied in its time, or may have been: whoever asks again
            # after a lost answer must not hear that it never will be, and sign another.
            applied = self._duplicate(transaction_id_, body.valid_until_ms)
            if applied is not None:
                return applied
            if error.outcome is Outcome.EXPIRED and self._chain.is_forgotten(body.valid_until_ms):
                return Forgotten(id=transaction_id_)
            refusal = self._refuse(error, transaction_id_)
            return replace(
                refusal,
                of_state=error.outcome is Outcome.OPERATION_NOT_IN_FORCE,
                of_clock=error.outcome is Outcome.EXPIRED
                and body.valid_until_ms > self._chain.head.time_ms,
            )
        raise AssertionError("what no rule refuses is accepted")

    def _of_copy(
        self, copy: _Copy, admitted: Container[bytes]
    ) -> AdmittedTransaction | Known | Refusal:
        transaction = copy.transaction
        if transaction.id in admitted or transaction.id in self._pool:
            return Known(transaction.id)
        return self._verified(transaction, copy.signatures)

    def _verified(
        self, transaction: AdmittedTransaction, signatures: Sequence[bytes]
    ) -> AdmittedTransaction | Refusal:
        """Verify the signatures now."""
        signers, verify = transaction.body.signers, self._verify
        self.signatures_verified += len(signers)
        verdicts = [
            verify(signer, transaction.id, signature)
            for signer, signature in zip(signers, signatures, strict=True)
        ]
        return self._judge(transaction, verdicts) or transaction

    def _judge(
        self, transaction: AdmittedTransaction, verdicts: Sequence[bool] | bytes
    ) -> Refusal | None:
        """Return why its signers do not make a transaction authentic, None where they do."""
        signers = transaction.body.signers
        if not all(verdicts):
            bad = signers[verdicts.index(False)]
            return self._refuse(TransactionError(Outcome.BAD_SIGNATURE, signer=bad), transaction.id)
        found = self._development_key_of(signers)
        if found is None:
            return None
        signer, label = found
        return self._refuse(
            TransactionError(Outcome.DEVELOPMENT_KEY, signer=signer, label=label), transaction.id
        )

    def _development_key_of(self, signers: Collection[bytes]) -> tuple[bytes, str] | None:
        """Return the first of these that everybody knows, with its label, where none may sign."""
        return first_development_key(signers) if self._refuses_development_keys else None

    def _refuse(self, error: TransactionError, transaction_id_: bytes | None) -> Refusal:
        self.refused[error.outcome] += 1
        return Refusal(outcome=error.outcome, details=error.details, id=transaction_id_)


def _checks_of(
    ids: Iterable[bytes], decoded: Iterable[tuple[SignedTransaction, TransactionBody]]
) -> list[Check]:
    """Return the signatures of these transactions, in order."""
    checks: list[Check] = []
    for id_, (signed, body) in zip(ids, decoded, strict=True):
        if len(body.signers) == 1:  # Nearly all.
            checks.append((body.signers[0], id_, signed.signatures[0]))
        else:
            checks += zip(body.signers, repeat(id_), signed.signatures)
    return checks


def _forget(verdicts: asyncio.Future[Verdicts]) -> None:
    """Take note of what nobody waits for any more, so that a failure is not reported as lost."""
    if not verdicts.cancelled():
        verdicts.exception()
