"""Blocks of transfers as a node has them after deciding: none was executed, no signature is true.

For what reads blocks and neither applies nor verifies them: the index, and pages. A block may
follow a real one; then its header differs in nothing but its place and its time.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.blocks import Block, Header, block_id, encode_block, encode_certificate
from node.chain.head import HeadRecord
from node.chain.receipts import decode_block_receipts, encode_block_receipts
from node.codec import Record, encode, replace
from node.genesis import Genesis, genesis_of
from node.index.projection import Given, given_stored
from node.ledger.events import Event, Issued, Transferred
from node.ledger.operations import Operation, Transfer
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    decode_transaction,
    transaction_ids,
)
from node.ledger.transition import Receipt
from node.storage import Batch, layout
from tests.chain.town import CASH, START_MS, make_record

TRANSFERS: Final = 1_000
"""Of a block."""
FUNDED_AT_ONCE: Final = 100
"""Accounts that one transaction gives something."""
FUNDS: Final = 10**12
INTERVAL_MS: Final = 1_000


def _nothing() -> str:
    return ""


def _unsigned(height: int, identifier: bytes) -> QuorumCertificate:
    return QuorumCertificate(
        kind=VoteType.PRECOMMIT,
        height=Height(height),
        round=Round(0),
        block_id=BlockId(identifier),
        signatures=((ValidatorId("central-bank"), Signature(bytes(64))),),
    )


class Mint:
    """Makes blocks that follow each other."""

    def __init__(
        self,
        accounts: Sequence[bytes],
        *,
        genesis: Genesis | None = None,
        after: Header | None = None,
        state_root: bytes = bytes(32),
        interval_ms: int = INTERVAL_MS,
        amount_max: int = 1_000_000,
        memo: Callable[[], str] = _nothing,
        certify: Callable[[int, bytes], QuorumCertificate] = _unsigned,
    ) -> None:
        """Begin at the genesis, or after the block of a header.

        Args:
            accounts: which pay each other.
            state_root: of all blocks: nothing is executed.
            interval_ms: from block to block.
            amount_max: of a transfer, so that nobody has less than nothing by the index.
            memo: of each transfer.
            certify: makes the certificate of a height and block id.
        """
        self.genesis = genesis or genesis_of(make_record(validators=1, protocol_version=3))
        self.accounts = accounts
        self._chance = Random(7)
        self._state_root = state_root
        self._interval_ms = interval_ms
        self._amount_max = amount_max
        self._memo = memo
        self._certify = certify
        self._id_of = transaction_ids(self.genesis.hash)
        self._last = after or self._before_the_first()

    @property
    def height(self) -> int:
        """Of the last block."""
        return self._last.height

    def funding(self, funds: int = FUNDS) -> Iterator[Given]:
        """Yield blocks in which every account is given something."""
        for start in range(0, len(self.accounts), FUNDED_AT_ONCE * TRANSFERS):
            chunk = self.accounts[start : start + FUNDED_AT_ONCE * TRANSFERS]
            yield self._block(
                [
                    (
                        [Transfer(account=chunk[0], to=chunk[0], asset=CASH, amount=1)],
                        [
                            Issued(asset=CASH, amount=funds, to=account, supply=funds)
                            for account in chunk[place : place + FUNDED_AT_ONCE]
                        ],
                        "",
                    )
                    for place in range(0, len(chunk), FUNDED_AT_ONCE)
                ]
            )

    def transfers(self, count: int) -> Given:
        """Return a block of so many transfers."""
        done: list[tuple[list[Operation], list[Event], str]] = []
        accounts, chance = self.accounts, self._chance
        for _ in range(count):
            account, to = chance.sample(range(len(accounts)), 2)
            fields = {
                "account": accounts[account],
                "to": accounts[to],
                "asset": CASH,
                "amount": chance.randint(1, self._amount_max),
            }
            transferred = Transferred(**fields)  # type: ignore[arg-type]
            done.append(([Transfer(**fields)], [transferred], self._memo()))  # type: ignore[arg-type]
        return self._block(done)

    def _block(self, done: Sequence[tuple[list[Operation], list[Event], str]]) -> Given:
        raws: list[bytes] = []
        receipts: list[bytes] = []
        for operations, events, memo in done:
            body = TransactionBody(
                version=1,
                network=self.genesis.network,
                valid_until_ms=START_MS,
                salt=self._chance.randbytes(16),
                signers=(bytes(32),),
                operations=tuple(operations),
                memo=memo,
            )
            raws.append(encode(SignedTransaction(body=encode(body), signatures=(bytes(64),))))
            receipts.append(
                encode(
                    Receipt(
                        outcome=Outcome.APPLIED, operation=None, details=(), events=tuple(events)
                    )
                )
            )
        stored = encode_block_receipts(receipts, encode(()))
        self._last = replace(
            self._last,
            height=self.height + 1,
            time_ms=self._last.time_ms + self._interval_ms,
            parent=block_id(self._last) if self.height else self._last.parent,
            state_root=self._state_root,
            transaction_count=len(raws),
        )
        block = Block(header=self._last, transactions=tuple(raws), evidence=())
        self._stored = block, stored
        return given_stored(block, block_id(block.header), decode_block_receipts(stored))

    def entries(self) -> Batch:
        """Return what a node would write of the last block that was made."""
        block, receipts = self._stored
        height, identifier = block.header.height, block_id(block.header)
        head: Record = HeadRecord(
            height=height,
            block_id=identifier,
            time_ms=block.header.time_ms,
            state_root=block.header.state_root,
        )
        return [
            (layout.block_key(height), encode_block(block)),
            (layout.receipts_key(height), receipts),
            (layout.certificate_key(height), encode_certificate(self._certify(height, identifier))),
            (layout.Meta.HEAD.value, encode(head)),
        ]

    def places(self, given: Given) -> Batch:
        """Return what it would write besides, so that each transaction is found by its id."""
        ids = [self._id_of(decode_transaction(raw).body) for raw in given.raws]
        places = layout.encode_places(given.height, len(ids))
        return list(zip(map(layout.transaction_key, ids), places, strict=True))

    def _before_the_first(self) -> Header:
        nothing = bytes(32)
        return Header(
            version=3,
            network=self.genesis.network,
            height=0,
            round=0,
            time_ms=START_MS,
            parent=nothing,
            proposer="central-bank",
            transactions_root=nothing,
            receipts_root=nothing,
            evidence_root=nothing,
            state_root=nothing,
            validators_hash=nothing,
            next_validators_hash=nothing,
            parameters_hash=nothing,
            transaction_count=0,
        )


def some_addresses(count: int) -> list[bytes]:
    """Return so many addresses, of nobody, always the same."""
    chance = Random(7)
    return [chance.randbytes(20) for _ in range(count)]
