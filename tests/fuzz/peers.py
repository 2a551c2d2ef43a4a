"""What peers send, block by block or all at once: frames, transactions, certificates, snapshots."""

import contextlib
from collections.abc import Iterator
from typing import Final

from node.blocks import (
    decode_block,
    decode_certificate,
    decode_evidence,
    decode_header,
    encode_block,
    encode_certificate,
    encode_evidence,
)
from node.codec import CodecError, encode
from node.ledger.catalogue import CATALOGUE
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.transactions import (
    TransactionError,
    decode_body,
    decode_each,
    decode_signed,
    decode_transaction,
    decode_transactions,
)
from node.ledger.transition import apply_block
from node.network import WireError, WireLimits
from node.network.messages import decode_message, encode_message
from node.snapshots import Assembly, BadPart
from node.snapshots.parts import (
    Leaves,
    decode_block_ids,
    decode_chunk,
    decode_handover,
    decode_point,
)
from tests.fuzz import seeds
from tests.fuzz.harness import Form, Read, Target, reading, seeds_of
from tests.ledger.test_ladders import LADDERS
from tests.ledger.world import World, identify, make_market

LIMITS: Final = WireLimits()


def _transaction(data: bytes) -> bytes:
    """By itself and as a column, which come to the same."""
    column = decode_each((data,))
    try:
        decoded = decode_signed(data)
    except TransactionError:
        assert column is None
        raise
    assert column == [decoded]
    return encode(decoded[0])


def _transactions(data: bytes) -> bytes:
    """By itself and among others, which come to the same."""
    good = seeds.transactions()[0]
    try:
        decoded = decode_transaction(data)
    except TransactionError:
        raise AssertionError(decode_transactions((good, data))) from None  # That is refused too.
    assert decode_transactions((good, data))[1] == decoded
    return encode(decoded)


def _wire(data: bytes) -> bytes:
    return encode_message(decode_message(data, LIMITS))


def _certificate(data: bytes) -> bytes | None:
    certificate = decode_certificate(data)
    signatures = list(certificate.signatures)
    # Another order is kept as it came, for `verify_certificate` to refuse with its reason.
    return encode_certificate(certificate) if signatures == sorted(signatures) else None


def _applied(market: World, data: bytes) -> bytes:
    """Apply a body to a market, whatever it says: there is a receipt, or nothing changed."""
    body = decode_body(data)
    state = LedgerState(market.records)
    result = apply_block(state, market.context(), [(identify(body), body)])
    (receipt,) = result.receipts
    assert receipt.outcome in Outcome
    return encode(body)


def _filled(data: bytes) -> None:
    """Fill a new state with the chunk: it is the state of the snapshot, or refused."""
    snapshot = seeds.snapshot_of_town()
    assembly = Assembly(snapshot.point.header.state_root)
    place = assembly.take()
    assert place is not None
    chunk = decode_chunk(data)
    assembly.fill(place[0], chunk)
    if isinstance(chunk, Leaves):
        # In any order: two keys with equal values may change places, and it is the same state.
        sent = snapshot.chunk(b"")
        assert isinstance(sent, Leaves)
        assert sorted(zip(chunk.keys, chunk.values, strict=True)) == sorted(
            zip(sent.keys, sent.values, strict=True)
        )


@contextlib.contextmanager
def _market() -> Iterator[Read]:
    market = make_market()
    yield lambda data: _applied(market, data)


def _market_bodies() -> tuple[bytes, ...]:
    market = make_market()
    return tuple(encode(market.body(ladder.good, by=ladder.by)) for ladder in LADDERS)


PEERS: Final[tuple[Target, ...]] = (
    Target(
        name="wire",
        form=Form.MESSAGEPACK,
        opened=reading(_wire),
        refusals=(WireError,),
        seeds=seeds_of(seeds.wire_frames),
        doors=("node.network.messages.decode_message",),
        examples=200,
    ),
    Target(
        name="block",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode_block(decode_block(data))),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.blocks),
        doors=("node.blocks.records.decode_block",),
    ),
    Target(
        name="header",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(decode_header(data))),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.headers),
        doors=("node.blocks.records.decode_header",),
    ),
    Target(
        name="certificate",
        form=Form.MESSAGEPACK,
        opened=reading(_certificate),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.certificates),
        doors=("node.blocks.wire.decode_certificate",),
    ),
    Target(
        name="evidence",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode_evidence(decode_evidence(data))),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.evidence),
        doors=("node.blocks.wire.decode_evidence",),
    ),
    Target(
        name="transaction",
        form=Form.MESSAGEPACK,
        opened=reading(_transaction),
        refusals=(TransactionError,),
        seeds=seeds_of(seeds.transactions),
        doors=(
            "node.codec.decode",
            "node.ledger.transactions.decode_each",
            "node.ledger.transactions.decode_signed",
            "node.ledger.transactions.decode_transaction",
            "node.ledger.transactions.decode_body",
        ),
        examples=200,
    ),
    Target(
        name="transactions",
        form=Form.MESSAGEPACK,
        opened=reading(_transactions),
        refusals=(TransactionError,),
        seeds=seeds_of(seeds.transactions),
        doors=(
            "node.ledger.transactions.decode_transaction",
            "node.ledger.transactions.decode_transactions",
        ),
    ),
    Target(
        name="applied",
        form=Form.MESSAGEPACK,
        opened=_market,
        refusals=(TransactionError,),
        seeds=seeds_of(_market_bodies),
        doors=("node.ledger.transactions.decode_body",),
        examples=200,
    ),
    Target(
        name="operations",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(CATALOGUE.decode(data))),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.operations),
        doors=(
            "node.ledger.catalogue.StandardCatalogue.decode",
            "node.ledger.acting.Catalogue.decode",
        ),
    ),
    Target(
        name="snapshot-point",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(decode_point(data))),
        refusals=(BadPart,),
        seeds=seeds_of(seeds.points),
        doors=("node.snapshots.parts.decode_point",),
    ),
    Target(
        name="snapshot-chunk",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(decode_chunk(data))),
        refusals=(BadPart,),
        seeds=seeds_of(seeds.chunks),
        doors=("node.snapshots.parts.decode_chunk",),
    ),
    Target(
        name="snapshot-filled",
        form=Form.MESSAGEPACK,
        opened=reading(_filled),
        refusals=(BadPart,),
        seeds=seeds_of(lambda: seeds.chunks()[:1]),
        doors=("node.snapshots.parts.decode_chunk",),
    ),
    Target(
        name="handover",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(decode_handover(data))),
        refusals=(BadPart,),
        seeds=seeds_of(seeds.handovers),
        doors=("node.snapshots.parts.decode_handover",),
    ),
    Target(
        name="block-ids",
        form=Form.MESSAGEPACK,
        opened=reading(lambda data: encode(decode_block_ids(data))),
        refusals=(BadPart,),
        seeds=seeds_of(seeds.block_ids),
        doors=("node.snapshots.parts.decode_block_ids",),
    ),
)
