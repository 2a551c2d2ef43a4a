"""What the load sends: transactions signed beforehand, and what each does to whose holdings.

Two kinds. A **transfer** moves one paisa between two random accounts; it grows to a wanted size by
its memo, and beyond that by further operations to further payees. A **delivery against payment**
(`dvp`) has two signers and four operations: cash for a bill, twice, between the same two accounts.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.codec import encode
from node.keys import LocalSigner
from node.ledger.operations import Transfer
from node.ledger.transactions import (
    MEMO_MAX,
    TRANSACTION_VERSION,
    SignedTransaction,
    TransactionBody,
    network_of,
    transaction_id,
)
from node.provision.acts import RUPEE, address_of_key

BILLS: Final = ("MTB-3M-1", "MTB-3M-2")
ASSETS: Final = (RUPEE, *BILLS)
OPERATIONS_OF_LARGE_MAX: Final = 50


class Kind(StrEnum):
    """What one transaction is."""

    TRANSFER = "transfer"
    DVP = "dvp"

    @property
    def signers(self) -> int:
        """How many signatures each carries."""
        return 1 if self is Kind.TRANSFER else 2


@dataclass(frozen=True, slots=True)
class Move:
    """One unit of an asset from an account to another: places in `ASSETS` and in the accounts."""

    asset: int
    payer: int
    payee: int


@dataclass(frozen=True, slots=True)
class Order:
    """A signed transaction and what it does if it is applied."""

    id: bytes
    raw: bytes
    moves: tuple[Move, ...]


class Clerk:
    """Signs orders for the accounts of one network."""

    def __init__(
        self,
        genesis_hash: bytes,
        signers: Sequence[LocalSigner],
        addresses: Sequence[bytes],
        *,
        kind: Kind = Kind.TRANSFER,
        size_bytes: int | None = None,
    ) -> None:
        """Find the form of a transaction.

        Args:
            size_bytes: of a transfer, as near as memo and operations come to it; None: the least.

        Raises:
            ValueError: no transaction of this kind has the size, or it takes more accounts.
        """
        self._genesis_hash = genesis_hash
        self._signers = signers
        self._addresses = addresses
        self._kind = kind
        self._payees, self._memo = 1, ""
        if size_bytes is not None:
            self._fit(size_bytes)
        if 1 + self._payees > len(signers):
            raise ValueError(
                f"in each transaction {1 + self._payees} accounts take part, there are"
                f" {len(signers)}"
            )

    def orders(self, count: int, *, valid_until_ms: int, seed: int) -> Iterator[Order]:
        """Yield so many, each of other accounts."""
        chance = random.Random(seed)
        for _ in range(count):
            if self._kind is Kind.DVP:
                buyer, seller = chance.sample(range(len(self._signers)), 2)
                moves: tuple[Move, ...] = (
                    Move(0, buyer, seller),
                    Move(1, seller, buyer),
                    Move(0, buyer, seller),
                    Move(2, seller, buyer),
                )
            else:
                payer, *payees = chance.sample(range(len(self._signers)), 1 + self._payees)
                moves = tuple(Move(0, payer, payee) for payee in payees)
            yield self._signed(moves, valid_until_ms, chance.randbytes(8))

    def _signed(self, moves: tuple[Move, ...], valid_until_ms: int, salt: bytes) -> Order:
        signers = sorted(
            (self._signers[account] for account in {move.payer for move in moves}),
            key=lambda signer: signer.public_key,
        )
        body = encode(
            TransactionBody(
                version=TRANSACTION_VERSION,
                network=network_of(self._genesis_hash),
                valid_until_ms=valid_until_ms,
                salt=salt,
                signers=tuple(signer.public_key for signer in signers),
                operations=tuple(
                    Transfer(
                        account=self._addresses[move.payer],
                        to=self._addresses[move.payee],
                        asset=ASSETS[move.asset],
                        amount=1,
                    )
                    for move in moves
                ),
                memo=self._memo,
            )
        )
        identifier = transaction_id(self._genesis_hash, body)
        signatures = tuple(signer.sign(identifier) for signer in signers)
        raw = encode(SignedTransaction(body=body, signatures=signatures))
        return Order(identifier, raw, moves)

    def _fit(self, size_bytes: int) -> None:
        if self._kind is not Kind.TRANSFER:
            raise ValueError("only transfers have a size to choose: leave --size or --kind out")
        least = self._size()
        self._payees = 2
        step = self._size() - least
        further = max(0, -(-(size_bytes - least - MEMO_MAX) // step))
        self._payees = 1 + further
        room = size_bytes - least - further * step
        most = least + MEMO_MAX + (OPERATIONS_OF_LARGE_MAX - 1) * step
        if room < 0 or self._payees > OPERATIONS_OF_LARGE_MAX:
            raise ValueError(
                f"a transfer of {size_bytes} bytes: the smallest has {least}, the largest that"
                f" this load makes {most}"
            )
        # A longer memo has a longer length before it, so this is near, not exact.
        self._memo = "m" * min(room, MEMO_MAX)

    def _size(self) -> int:
        moves = tuple(Move(0, 0, 1) for _ in range(self._payees))
        return len(self._signed(moves, 2**41, bytes(8)).raw)


def trial_clerk(kind: Kind, size_bytes: int | None, *, accounts: int = 2) -> Clerk:
    """Return a clerk of no network, who makes orders of the same form and size.

    Raises:
        ValueError: as a `Clerk` does.
    """
    signers = [LocalSigner(number.to_bytes(32)) for number in range(accounts)]
    addresses = [address_of_key("trial", signer.public_key) for signer in signers]
    return Clerk(bytes(32), signers, addresses, kind=kind, size_bytes=size_bytes)
