"""The table of targets: every decoder that a peer, a client or a file reaches.

`doors` says through which functions of the code base a target goes; `test_doors` finds those that
are in no row.
"""

import contextlib
import hashlib
import io
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import click

from node.access import ApiKeysError, load_api_keys
from node.addresses import AddressError, parse_address, render_address
from node.amounts import AmountError, parse_amount, render_amount
from node.app.loading import load_certificate
from node.app.travel import read_travelled
from node.blocks import (
    decode_block,
    decode_certificate,
    decode_evidence,
    decode_header,
    encode_block,
    encode_certificate,
    encode_evidence,
)
from node.chain.receipts import BlockReceipts, decode_block_receipts, encode_block_receipts
from node.cli.auction import sealed
from node.cli.auction.plan import read_plan
from node.cli.calendar.define import read_holidays
from node.cli.exits import CommandError
from node.cli.keys.import_ import read_seed
from node.cli.options import parse_id, parse_ids
from node.cli.tx.files import load_draft, read_operations
from node.cli.tx.operations import OperationError, OperationReader
from node.cli.verify import read_proof
from node.cli.withholding.set_ import read_rates
from node.client import ClientError, DraftError, WrongNetwork
from node.codec import CodecError, encode
from node.config import ConfigError, load_config, parse_endpoint
from node.explorer.reading import parse_height
from node.explorer.refusals import PageRefusal
from node.genesis import (
    AmendmentError,
    GenesisError,
    encode_amendment,
    load_genesis,
    read_amendment,
)
from node.keys.certificates import check_certificate, read_chain
from node.keys.errors import CertificateError, KeysError
from node.keys.keystore import load_key, read_keystore, read_passphrase
from node.ledger.catalogue import CATALOGUE
from node.ledger.dates import DatesError, parse_date
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.transactions import TransactionError, decode_body, decode_signed
from node.ledger.transition import apply_block
from node.network import WireError, WireLimits
from node.network.errors import CertificateUnusable
from node.network.messages import decode_message, encode_message
from node.network.tls import read_certificate
from node.proofs import ProofError, read_entries, verify_proof_file
from node.provision.description import load_description
from node.provision.local import STATE_FILE, NoSuchNetwork, open_network
from node.provision.processes import PID_FILE, running
from node.provision.requests import RequestError, read_request
from node.replica.entries import (
    Begun,
    Body,
    Born,
    Floored,
    Reached,
    Resumed,
    Returned,
    Sealed,
    Under,
    decode_entry,
    encode_entry,
    input_of_entry,
)
from node.rpc.errors import InvalidParams
from node.rpc.securities import parse_terms
from node.rpc.stream import Cursor
from node.snapshots import Assembly, BadPart
from node.snapshots.parts import (
    Split,
    decode_block_ids,
    decode_chunk,
    decode_handover,
    decode_point,
)
from node.storage import ConsensusLog, StorageDamaged
from node.storage.consensus_log import LOG_NAME
from node.storage.memory_files import MemoryFiles
from node.stream.answers import Refused, parse_answer
from node.upkeep.backup_file import MAGIC, BackupError, BackupReader, Kind, frame
from tests.fuzz import answering, seeds, serving
from tests.fuzz.harness import Form, Read, Target, reading, seeds_of
from tests.ledger.debt import define_bond, define_sukuk
from tests.ledger.test_ladders import LADDERS
from tests.ledger.world import World, identify, make_market

_Opened: TypeAlias = AbstractContextManager[Read]
LIMITS: Final = WireLimits()


# What peers send.


def _wire(data: bytes) -> bytes:
    return encode_message(decode_message(data, LIMITS))


def _certificate(data: bytes) -> bytes | None:
    certificate = decode_certificate(data)
    signatures = list(certificate.signatures)
    # Another order is kept as it came, for `verify_certificate` to refuse with its reason.
    return encode_certificate(certificate) if signatures == sorted(signatures) else None


def _receipts(data: bytes) -> bytes:
    receipts: BlockReceipts = decode_block_receipts(data)
    receipts.decoded()
    receipts.block_events()
    return encode_block_receipts(list(receipts.receipts), receipts.events)


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
    assert isinstance(chunk, Split) or chunk == snapshot.chunk(b"")


# What clients send, besides what goes to a server.


def _address(data: bytes) -> bytes:
    text = _argument(data)
    address = parse_address(text, test=True)
    assert render_address(address, test=True) == text.lower()
    return encode_address(address, capitals=text.isupper())


def encode_address(address: bytes, *, capitals: bool) -> bytes:
    text = render_address(address, test=True)
    return (text.upper() if capitals else text).encode()


def _amount(data: bytes) -> None:
    text = _argument(data)
    minor = parse_amount(text, decimals=2)
    assert parse_amount(render_amount(minor, decimals=2), decimals=2) == minor


class AnswerRefused(Exception):
    """What a server of streams says is no word that a message was stored, or why not."""


def _stream_answer(data: bytes) -> None:
    answer = parse_answer(data)
    if isinstance(answer, Refused):
        raise AnswerRefused(answer.reason)


def _cursor(data: bytes) -> bytes:
    return str(Cursor.parse(_argument(data))).encode()


def _terms(data: bytes) -> bytes:
    return encode(parse_terms(_argument(data))).hex().encode()


def _id(data: bytes) -> bytes | None:
    text = _argument(data)
    context, argument = click.Context(click.Command("query")), click.Argument(["id"])
    read = parse_id(context, argument, text)
    assert len(bytes.fromhex(read)) == 32
    assert parse_ids(context, argument, (text, text)) == (read, read)
    return read.encode() if text.islower() else None


def _endpoint(data: bytes) -> None:
    endpoint = parse_endpoint(_argument(data))
    assert parse_endpoint(str(endpoint)) == endpoint


def _height(data: bytes) -> None:
    text = _argument(data)
    height = parse_height(text)
    assert height == int(text) > 0


def _argument(data: bytes) -> str:
    """Return the text as a program gets its arguments."""
    return data.decode("utf-8", "surrogateescape")


# What stands in files.


def _in_file(read: Callable[[Path], object], name: str) -> Callable[[], _Opened]:
    """Return how to open a target that reads a file of this name."""

    @contextlib.contextmanager
    def opened() -> Iterator[Read]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / name

            def read_file(data: bytes) -> None:
                path.write_bytes(data)
                read(path)

            yield read_file

    return opened


def _entry(data: bytes) -> bytes:
    entry = decode_entry(data)
    if not isinstance(
        entry, Born | Reached | Sealed | Body | Returned | Resumed | Floored | Begun | Under
    ):
        input_of_entry(entry)
    return encode_entry(entry)


def _log(data: bytes) -> None:
    files = MemoryFiles()
    ConsensusLog(Path("log"), files).load()
    files.alter(LOG_NAME, lambda _: data)
    entries = ConsensusLog(Path("log"), files).load()
    assert sum(len(entry) for entry in entries) <= len(data)


def _der(data: bytes) -> None:
    assert check_certificate(data).name


def _chain(data: bytes) -> None:
    # As one that another follows, so that its signature is looked at too.
    assert len(read_chain(2 * ssl.DER_cert_to_PEM_cert(data).encode())) == 2


def _pinned(data: bytes) -> None:
    assert read_certificate(data, "somebody")


def _backup(data: bytes) -> None:
    """Read these frames as a backup whose checksum is right, so that they are looked into."""
    content = MAGIC + data
    end = frame(Kind.END, hashlib.sha256(content).digest())
    reader = BackupReader(io.BytesIO(content + end))
    assert reader.check().height >= 1
    assert sum(len(payload) for _, payload in reader.frames()) <= len(data)


def _amendment(path: Path) -> None:
    amendment = read_amendment(path)
    assert encode_amendment(amendment) == path.read_bytes()


def _genesis(path: Path) -> None:
    genesis = load_genesis(path)
    assert len(genesis.hash) == 32


def _keystore(path: Path) -> None:
    facts = read_keystore(path)
    signer = load_key(path, seeds.PASSPHRASE)
    assert signer.public_key == facts.public_key


_PLAN: Final = (
    b"day,settlement_day,kind,tenor_months,form,line,target,asset,provisional\r\n"
    b"2027-02-10,2027-02-11,bill,3,price,,100000000,PKR,no\r\n"
    b"2027-03-10,2027-03-11,bond,60,switch,PIB-5Y,5000,PKR,yes\r\n"
)


def _plan(path: Path) -> None:
    read_plan(path, None)


_HOLIDAYS: Final = (
    b"holiday,weekday,status\r\n2027-03-10,Wednesday,provisional\r\n"
    b"2027-03-23,Tuesday,confirmed\r\n"
)
_RATES: Final = (
    b"taxpayer,kind,from_day,rate,source,rules,collector\r\n"
    b'person,bond,2026-07-01,15.00,"Section 151",today,tkhz1\r\n'
    b'person,bond,2027-07-01,20.5,"Finance Act 2027",,tkhz1\r\n'
)


def _rates(path: Path) -> None:
    read_rates(path, "person", "bond")


def _holidays(path: Path) -> None:
    for _ in read_holidays(path):
        pass


def _sealed_bids(path: Path) -> None:
    sealed.load(path.parent, network="00" * 32, auction="a", account="tkhz1")


def _operations(path: Path) -> None:
    reader = OperationReader(
        parse_address=lambda text: parse_address(text, test=True),
        decimals_of=seeds.DECIMALS.get,
    )
    for value in read_operations(path):
        encode((reader.read(value),))


@contextlib.contextmanager
def _market() -> Iterator[Read]:
    market = make_market()
    yield lambda data: _applied(market, data)


def _market_bodies() -> tuple[bytes, ...]:
    market = make_market()
    return tuple(encode(market.body(ladder.good, by=ladder.by)) for ladder in LADDERS)


def _proof(path: Path) -> None:
    verify_proof_file(read_proof(path), seeds.decided().town.genesis)


def _day(data: bytes) -> None:
    parse_date(data.decode("utf-8", "replace"))


def _entries(data: bytes) -> None:
    read_entries(data)


TARGETS: Final[tuple[Target, ...]] = (
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
        opened=reading(lambda data: encode(decode_signed(data)[0])),
        refusals=(TransactionError,),
        seeds=seeds_of(seeds.transactions),
        doors=(
            "node.codec.decode",
            "node.ledger.transactions.decode_signed",
            "node.ledger.transactions.decode_transaction",
            "node.ledger.transactions.decode_body",
        ),
        examples=200,
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
    Target(
        name="rpc",
        form=Form.JSON,
        opened=serving.rpc_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(serving.rpc_requests),
        doors=(
            "node.rpc.jsonrpc.parse",
            "node.rpc.jsonrpc.parse_strictly",
            "node.rpc.jsonrpc._convert",
            "node.rpc.views.Views.parse_address",
            "node.rpc.submissions.decode_text",
        ),
        examples=300,
    ),
    Target(
        name="stream-answer",
        form=Form.JSON,
        opened=reading(_stream_answer),
        refusals=(AnswerRefused,),
        seeds=seeds_of(seeds.stream_answers),
        doors=("node.stream.answers.parse_answer",),
    ),
    Target(
        name="submission",
        form=Form.MESSAGEPACK,
        opened=serving.submission_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(lambda: (encode(seeds.transactions()[:5]), encode((b"x",)))),
        doors=(
            "node.rpc.submissions.Submissions.decode_list",
            "node.admission.Admission.decode",
            "node.rpc.http.read_body",
        ),
    ),
    Target(
        name="socket",
        form=Form.JSON,
        opened=serving.socket_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(serving.socket_requests),
        doors=("node.rpc.jsonrpc.parse", "node.rpc.stream.Cursor.parse"),
        examples=150,
    ),
    Target(
        name="cursor",
        form=Form.TEXT,
        opened=reading(_cursor),
        refusals=(ValueError,),
        seeds=lambda: (b"0-0", b"120-7", b"999999999999999999-999999999"),
        doors=("node.rpc.stream.Cursor.parse",),
    ),
    Target(
        name="terms",
        form=Form.TEXT,
        opened=reading(_terms),
        refusals=(InvalidParams,),
        seeds=lambda: (
            encode(define_bond().terms).hex().encode(),
            encode(define_sukuk().terms).hex().encode(),
        ),
        doors=("node.rpc.securities.parse_terms",),
    ),
    Target(
        name="address",
        form=Form.TEXT,
        opened=reading(_address),
        refusals=(AddressError,),
        seeds=lambda: (
            render_address(bytes(20), test=True).encode(),
            render_address(bytes(range(20)), test=True).upper().encode(),
        ),
        doors=(
            "node.addresses.parse_address",
            "node.addresses.decode_bech32m",
            "node.client.network.ClientNetwork.parse_address",
        ),
    ),
    Target(
        name="height-of-a-page",
        form=Form.TEXT,
        opened=reading(_height),
        refusals=(PageRefusal,),
        seeds=lambda: (b"1", b"42", b"999999999999999999"),
        doors=("node.explorer.reading.parse_height",),
    ),
    Target(
        name="amount",
        form=Form.TEXT,
        opened=reading(_amount),
        refusals=(AmountError,),
        seeds=lambda: (b"0", b"100.50", b"184467440737095516.15", b"7.1"),
        doors=("node.amounts.parse_amount",),
    ),
    Target(
        name="endpoint",
        form=Form.TEXT,
        opened=reading(_endpoint),
        refusals=(ValueError,),
        seeds=lambda: (b"central-bank:26600", b"10.0.0.1:0", b"[fe80::1]:65535"),
        doors=("node.config.parse_endpoint",),
    ),
    Target(
        name="genesis",
        form=Form.JSON,
        opened=_in_file(_genesis, "genesis.json"),
        refusals=(GenesisError,),
        seeds=seeds_of(seeds.genesis_files),
        doors=(
            "node.genesis.loading.load_genesis",
            "node.genesis.loading.parse_genesis",
            "node.genesis.located.parse_located",
            "node.genesis.located._Parser._string",
            "node.genesis.reading.read_record",
            "node.genesis.reading._leaf",
        ),
        size_max=1 << 17,
    ),
    Target(
        name="node-file",
        form=Form.TEXT,
        opened=_in_file(
            lambda path: load_config(path, environment={}, check_files=False), "node.toml"
        ),
        refusals=(ConfigError,),
        seeds=seeds_of(seeds.node_files),
        doors=("node.config.load_config", "node.config.read_toml"),
    ),
    Target(
        name="network-file",
        form=Form.TEXT,
        opened=_in_file(load_description, "network.toml"),
        refusals=(ConfigError,),
        seeds=seeds_of(seeds.network_files),
        doors=("node.provision.description.load_description",),
    ),
    Target(
        name="proof",
        form=Form.JSON,
        opened=_in_file(_proof, "holding.proof.json"),
        refusals=(ProofError,),
        seeds=seeds_of(seeds.proofs),
        doors=("node.cli.verify.read_proof", "node.proofs.verifying._check_entry"),
    ),
    Target(
        name="clock-file",
        form=Form.JSON,
        opened=_in_file(read_travelled, "clock.json"),
        refusals=(ConfigError,),
        seeds=seeds_of(lambda: (b'{"travelled_ms": 86400000}\n',)),
        doors=("node.app.travel.read_travelled", "node.app.travel.load_travelled"),
    ),
    Target(
        name="keystore",
        form=Form.JSON,
        opened=_in_file(_keystore, "key.json"),
        refusals=(KeysError,),
        seeds=seeds_of(seeds.keystores),
        doors=(
            "node.keys.keystore.load_key",
            "node.keys.keystore.read_keystore",
            "node.keys.keystore._read",
        ),
    ),
    Target(
        name="passphrase",
        form=Form.TEXT,
        opened=_in_file(read_passphrase, "passphrase"),
        refusals=(KeysError,),
        seeds=lambda: (b"correct horse\n", "پاس ورڈ\r\n".encode()),
        doors=("node.keys.keystore.read_passphrase",),
    ),
    Target(
        name="seed",
        form=Form.TEXT,
        opened=_in_file(read_seed, "seed"),
        refusals=(CommandError,),
        seeds=lambda: (bytes(range(32)), b"ab" * 32 + b"\n"),
        doors=("node.cli.keys.import_.read_seed",),
    ),
    Target(
        name="certificate-der",
        form=Form.BYTES,
        opened=reading(_der),
        refusals=(CertificateError,),
        seeds=seeds_of(seeds.tls_certificates),
        doors=("node.keys.certificates.check_certificate",),
    ),
    Target(
        name="certificate-chain",
        form=Form.BYTES,
        opened=reading(_chain),
        refusals=(CertificateError,),
        seeds=seeds_of(seeds.tls_certificates),
        doors=("node.keys.certificates.read_chain",),
    ),
    Target(
        name="certificate-file",
        form=Form.TEXT,
        opened=_in_file(load_certificate, "tls.crt"),
        refusals=(ConfigError,),
        seeds=seeds_of(seeds.certificate_files),
        doors=("node.app.loading.load_certificate",),
    ),
    Target(
        name="pinned",
        form=Form.TEXT,
        opened=reading(_pinned),
        refusals=(CertificateUnusable,),
        seeds=seeds_of(seeds.certificate_files),
        doors=("node.network.tls.read_certificate",),
    ),
    Target(
        name="log-entry",
        form=Form.MESSAGEPACK,
        opened=reading(_entry),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.entries),
        doors=("node.replica.entries.decode_entry",),
    ),
    Target(
        name="log",
        form=Form.BYTES,
        opened=reading(_log),
        refusals=(StorageDamaged,),
        seeds=seeds_of(seeds.logs),
        doors=("node.storage.consensus_log.ConsensusLog.load",),
    ),
    Target(
        name="receipts",
        form=Form.MESSAGEPACK,
        opened=reading(_receipts),
        refusals=(CodecError,),
        seeds=seeds_of(seeds.receipts),
        doors=(
            "node.chain.receipts.decode_block_receipts",
            "node.chain.receipts.BlockReceipts.receipt",
            "node.chain.receipts.BlockReceipts.decoded",
            "node.chain.receipts.BlockReceipts.block_events",
        ),
    ),
    Target(
        name="backup",
        form=Form.BYTES,
        opened=reading(_backup),
        refusals=(BackupError,),
        seeds=seeds_of(seeds.backups),
        doors=("node.upkeep.backup_file.decode_about",),
    ),
    Target(
        name="api-keys",
        form=Form.TEXT,
        opened=_in_file(load_api_keys, "api-keys.toml"),
        refusals=(ApiKeysError,),
        seeds=seeds_of(seeds.api_keys),
        doors=("node.access.apikeys.load_api_keys",),
    ),
    Target(
        name="day",
        form=Form.TEXT,
        opened=reading(_day),
        refusals=(DatesError,),
        seeds=seeds_of(seeds.days),
        doors=("node.ledger.dates.civil.parse_date",),
    ),
    Target(
        name="proof-entries",
        form=Form.JSON,
        opened=reading(_entries),
        refusals=(ProofError,),
        seeds=seeds_of(seeds.proofs),
        doors=("node.proofs.verifying.read_entries",),
    ),
    Target(
        name="validator-request",
        form=Form.JSON,
        opened=_in_file(read_request, "request.json"),
        refusals=(RequestError,),
        seeds=seeds_of(seeds.validator_requests),
        doors=("node.provision.requests.read_request",),
    ),
    Target(
        name="amendment",
        form=Form.MESSAGEPACK,
        opened=_in_file(_amendment, "1.amendment"),
        refusals=(AmendmentError,),
        seeds=seeds_of(seeds.amendments),
        doors=(
            "node.genesis.amendment.decode_amendment",
            "node.genesis.installed.read_amendment",
        ),
    ),
    Target(
        name="network-state",
        form=Form.JSON,
        opened=_in_file(lambda path: open_network(path.parent), STATE_FILE),
        refusals=(NoSuchNetwork,),
        seeds=lambda: (
            b'{"name": "town", "nodes": [{"name": "a", "url": "http://a:1", "votes": true}]}',
        ),
        doors=("node.provision.local.open_network",),
    ),
    Target(
        name="process-state",
        form=Form.JSON,
        opened=_in_file(lambda path: running(path.parent), PID_FILE),
        refusals=(),
        seeds=lambda: (b'{"pid": 1, "began": 7}',),
        doors=("node.provision.processes.running",),
    ),
    Target(
        name="id",
        form=Form.TEXT,
        opened=reading(_id),
        refusals=(click.BadParameter,),
        seeds=lambda: (b"ab" * 32, b"01" * 32),
        doors=("node.cli.options.parse_id", "node.cli.options.parse_ids"),
    ),
    Target(
        name="operation-file",
        form=Form.JSON,
        opened=_in_file(_operations, "operations.json"),
        refusals=(CommandError, OperationError),
        seeds=seeds_of(seeds.operation_files),
        doors=(
            "node.cli.tx.files.read_operations",
            "node.cli.tx.operations._bounded",
        ),
        examples=200,
    ),
    Target(
        name="sealed-bid-file",
        form=Form.JSON,
        opened=_in_file(_sealed_bids, "a-1.json"),
        refusals=(CommandError,),
        seeds=seeds_of(seeds.sealed_bid_files),
        doors=("node.cli.auction.sealed.load", "node.cli.auction.sealed._read"),
    ),
    Target(
        name="plan-file",
        form=Form.TEXT,
        opened=_in_file(_plan, "plan.csv"),
        refusals=(CommandError,),
        seeds=lambda: (_PLAN, b"\xef\xbb\xbf" + _PLAN),
        doors=("node.cli.auction.plan.read_plan", "node.cli.tables.read_table"),
        examples=200,
    ),
    Target(
        name="holidays-file",
        form=Form.TEXT,
        opened=_in_file(_holidays, "holidays.csv"),
        refusals=(CommandError,),
        seeds=lambda: (_HOLIDAYS,),
        doors=("node.cli.calendar.define.read_holidays",),
        examples=100,
    ),
    Target(
        name="rates-file",
        form=Form.TEXT,
        opened=_in_file(_rates, "rates.csv"),
        refusals=(CommandError,),
        seeds=lambda: (_RATES,),
        doors=("node.cli.withholding.set_.read_rates",),
        examples=100,
    ),
    Target(
        name="draft-file",
        form=Form.JSON,
        opened=_in_file(load_draft, "draft.json"),
        refusals=(CommandError, DraftError, WrongNetwork),
        seeds=seeds_of(seeds.draft_files),
        doors=(
            "node.cli.tx.files.load_draft",
            "node.client.drafts.Draft.load",
            "node.client.drafts.Draft.parse",
        ),
    ),
    Target(
        name="answer",
        form=Form.JSON,
        opened=answering.meetings,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_meetings),
        doors=("node.client.transport._decoded",),
    ),
    Target(
        name="answer-page",
        form=Form.JSON,
        opened=answering.pages,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_pages),
        doors=("node.client.client._decode",),
    ),
    Target(
        name="answer-list",
        form=Form.MESSAGEPACK,
        opened=answering.lists,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_lists),
        doors=("node.client.transport.Transport.submit_list",),
    ),
    Target(
        name="notification",
        form=Form.JSON,
        opened=reading(answering.message),
        refusals=(ClientError,),
        seeds=seeds_of(answering.messages),
        doors=("node.client.subscriptions.read_message",),
    ),
)
"""Every target, by what it is that comes from outside."""

BY_NAME: Final = {target.name: target for target in TARGETS}
