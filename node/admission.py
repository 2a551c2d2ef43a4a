"""From bytes of a stranger to a transaction this node vouches for: decoded, in time, signed.

The order of checks is that of cost: size, form, envelope, id already here, signatures, and, for
what a client brings, a dry run. A signature is verified once per node and transaction: an id that
waits in the pool, or that another batch is verifying right now, is not verified again. An id does
not cover the signatures: a second copy with other signatures is simply known, and one with wrong
signatures cannot take the place of a good one, because nothing waits under an id before its
signatures have been verified (adversarial 57).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.chain import Chain
from node.clock import Clock
from node.keys import verify as verify_signature
from node.keys.development import development_label
from node.ledger.outcomes import Details, Outcome
from node.ledger.transactions import (
    TransactionBody,
    TransactionError,
    check_envelope,
    decode_signed,
    transaction_id,
)
from node.ledger.transition import check_in_force
from node.mempool import AdmittedTransaction, Full, Known, Mempool

__all__ = [
    "CHUNK_SIZE",
    "Admission",
    "AdmissionError",
    "AdmissionResult",
    "AdmittedTransaction",
    "Decoded",
    "Forgotten",
    "Full",
    "Known",
    "Refusal",
]

CHUNK_SIZE: Final = 16
"""Transactions admitted before other tasks of the loop get their turn: about a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A well-formed transaction whose signatures nobody has looked at yet."""

    id: bytes
    raw: bytes
    body: TransactionBody
    signatures: tuple[bytes, ...]
    """As many as the body has signers, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a transaction is not admitted. Nothing changed."""

    outcome: Outcome
    details: Details
    id: bytes | None
    """None where the bytes are no transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Its time is over, and a block that is no longer kept here may hold it: whether it was ever
    applied cannot be known at this node. Nothing changed."""

    id: bytes


AdmissionResult: TypeAlias = AdmittedTransaction | Known | Full | Refusal | Forgotten


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

    Verification runs on the event loop, a chunk at a time. A thread was measured against it with
    `tests/bench/verification.py` (2026-11-20; two cores, CPython 3.11, 60 us of other work on the
    loop for each transaction): 9,800 transactions a second on the loop, at 93 us of CPU each;
    9,500 in a thread, at 100 us; 8,700 at 106 us with `sys.setswitchinterval` at 50 us. libsodium
    releases the GIL for 40 us at a time, but a thread that wants it back from a busy loop waits out
    a switch interval for each signature. CPU is what is scarce where validators share a machine.
    """

    def __init__(
        self,
        chain: Chain,
        pool: Mempool,
        clock: Clock,
        *,
        verify: Callable[[bytes, bytes, bytes], bool] = verify_signature,
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._clock = clock
        self._verify = verify
        self._genesis_hash = chain.genesis.hash
        self._network = chain.genesis.network
        # A rule of the protocol: a block that holds such a transaction is invalid.
        self._refuses_development_keys = not chain.genesis.development
        self._window_ms = chain.genesis.transactions.window_ms
        # Verified by a batch that is still under way, and so not yet in the pool.
        self._underway: dict[bytes, AdmittedTransaction] = {}
        self.signatures_verified = 0
        """Since the start; one for each signer of each transaction, good or not."""
        self.refused: Counter[Outcome] = Counter()
        """Since the start, by outcome."""

    def decode(self, raw: bytes) -> Decoded:
        """Return the transaction that these bytes are.

        Raises:
            TransactionError: TOO_LARGE, MALFORMED, WRONG_SIGNATURE_COUNT.
        """
        signed, body = decode_signed(raw)
        return Decoded(
            id=transaction_id(self._genesis_hash, signed.body),
            raw=raw,
            body=body,
            signatures=signed.signatures,
        )

    def verify_batch(
        self, raws: Iterable[bytes], *, dry_run: bool = False
    ) -> list[AdmissionResult]:
        """Return for each transaction whether this node vouches for it, in order.

        The caller adds those admitted to the pool before it gives up the loop.

        Args:
            dry_run: refuse also what the ledger would refuse right now. For what clients bring: a
                peer may be a block ahead of this node.
        """
        with self._batch() as mine:
            return self._admit_all(raws, mine, dry_run=dry_run)

    async def verify_batch_async(
        self, raws: Sequence[bytes], *, dry_run: bool = False
    ) -> list[AdmissionResult]:
        """Return the same, letting other tasks run between chunks."""
        results: list[AdmissionResult] = []
        with self._batch() as mine:
            for start in range(0, len(raws), CHUNK_SIZE):
                if start:
                    await asyncio.sleep(0)
                chunk = raws[start : start + CHUNK_SIZE]
                results += self._admit_all(chunk, mine, dry_run=dry_run)
        return results

    async def verify_block(self, raws: Sequence[bytes]) -> list[AdmittedTransaction]:
        """Return the transactions of a block from elsewhere, in order, all authenticated.

        Those that wait in the pool are taken from there. Whether the block may hold them at its
        time is for `Chain.check` to say.

        Raises:
            AdmissionError: one is malformed, for another network, or not signed as it says.
        """
        transactions: list[AdmittedTransaction] = []
        for index, raw in enumerate(raws):
            if index and not index % CHUNK_SIZE:
                await asyncio.sleep(0)
            try:
                decoded = self.decode(raw)
            except TransactionError as error:
                raise AdmissionError(index, self._refuse(error, None)) from None
            known = self._known(decoded.id)
            result = self._authenticate(decoded) if known is None else known
            if isinstance(result, Refusal):
                raise AdmissionError(index, result)
            transactions.append(result)
        return transactions

    def now_ms(self) -> int:
        """Return the earliest time of the next block, as far as this node can tell."""
        return max(self._clock.now_ms(), self._chain.head.time_ms + 1)

    @contextmanager
    def _batch(self) -> Iterator[list[bytes]]:
        mine: list[bytes] = []
        try:
            yield mine
        finally:
            for transaction_id_ in mine:
                del self._underway[transaction_id_]

    def _admit_all(
        self, raws: Iterable[bytes], mine: list[bytes], *, dry_run: bool
    ) -> list[AdmissionResult]:
        now_ms = self.now_ms()
        results: list[AdmissionResult] = []
        for raw in raws:
            result = self._admit(raw, now_ms, dry_run=dry_run)
            if isinstance(result, AdmittedTransaction):
                self._underway[result.id] = result
                mine.append(result.id)
            results.append(result)
        return results

    def _admit(self, raw: bytes, now_ms: int, *, dry_run: bool) -> AdmissionResult:
        try:
            decoded = self.decode(raw)
        except TransactionError as error:
            return self._refuse(error, None)
        try:
            check_envelope(
                decoded.body, network=self._network, now_ms=now_ms, window_ms=self._window_ms
            )
            check_in_force(decoded.body, self._chain.version)
        except TransactionError as error:
            # Its time is over, and it was applied in its time, or may have been: whoever asks again
            # after a lost answer must not hear that it never will be, and sign another.
            return self._duplicate(decoded.id) or self._untimely(decoded, error)
        if self._known(decoded.id) is not None:
            return Known(decoded.id)
        applied = self._duplicate(decoded.id)
        if applied is not None:
            return applied
        # Said before the costly part, so that a flood costs little.
        if self._pool.is_full_for(len(raw)):
            return Full(self._pool.retry_after_ms())
        result = self._authenticate(decoded)
        if dry_run and isinstance(result, AdmittedTransaction):
            receipt = self._chain.simulate(result.body, now_ms=now_ms)
            if receipt.outcome is not Outcome.APPLIED:
                self.refused[receipt.outcome] += 1
                return Refusal(outcome=receipt.outcome, details=receipt.details, id=result.id)
        return result

    def _duplicate(self, transaction_id_: bytes) -> Refusal | None:
        """Return the refusal of what is in a block already, None for what is not."""
        place = self._chain.transaction(transaction_id_)
        if place is None:
            return None
        return self._refuse(TransactionError(Outcome.DUPLICATE, height=place[0]), transaction_id_)

    def _untimely(self, decoded: Decoded, error: TransactionError) -> Refusal | Forgotten:
        if error.outcome is Outcome.EXPIRED and self._chain.is_forgotten(
            decoded.body.valid_until_ms
        ):
            return Forgotten(id=decoded.id)
        return self._refuse(error, decoded.id)

    def _known(self, transaction_id_: bytes) -> AdmittedTransaction | None:
        return self._pool.get(transaction_id_) or self._underway.get(transaction_id_)

    def _authenticate(self, decoded: Decoded) -> AdmittedTransaction | Refusal:
        verify, signed_id = self._verify, decoded.id
        for signer, signature in zip(decoded.body.signers, decoded.signatures, strict=True):
            self.signatures_verified += 1
            if not verify(signer, signed_id, signature):
                return self._refuse(
                    TransactionError(Outcome.BAD_SIGNATURE, signer=signer), signed_id
                )
            if self._refuses_development_keys and (label := development_label(signer)) is not None:
                return self._refuse(
                    TransactionError(Outcome.DEVELOPMENT_KEY, signer=signer, label=label),
                    signed_id,
                )
        return AdmittedTransaction(
            id=signed_id, raw=decoded.raw, body=decoded.body, size_bytes=len(decoded.raw)
        )

    def _refuse(self, error: TransactionError, transaction_id_: bytes | None) -> Refusal:
        self.refused[error.outcome] += 1
        return Refusal(outcome=error.outcome, details=error.details, id=transaction_id_)
