"""What stands in files: of an operator, of a node, of whoever signs away from it."""

import base64
import contextlib
import hashlib
import io
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from node.access import ApiKeysError, load_api_keys
from node.addresses import parse_address
from node.app.loading import load_certificate
from node.app.travel import read_travelled
from node.chain.receipts import BlockReceipts, decode_block_receipts, encode_block_receipts
from node.cli.auction import sealed
from node.cli.auction.plan import read_plan
from node.cli.calendar.define import read_holidays
from node.cli.exits import CommandError
from node.cli.keys.import_ import read_seed
from node.cli.tx.files import load_draft, read_operations
from node.cli.tx.operations import OperationError, OperationReader
from node.cli.verify import read_proof
from node.cli.withholding.set_ import read_rates
from node.client import DraftError, WrongNetwork
from node.codec import CodecError, encode
from node.config import ConfigError, load_config
from node.genesis import (
    AmendmentError,
    GenesisError,
    encode_amendment,
    load_genesis,
    read_amendment,
)
from node.keys.certificates import (
    Revocations,
    check_certificate,
    read_chain,
    read_revocations,
)
from node.keys.errors import CertificateError, KeysError
from node.keys.keystore import load_key, read_keystore, read_passphrase
from node.proofs import ProofError, read_entries, verify_proof_file
from node.provision.description import load_description
from node.provision.local import STATE_FILE, NoSuchNetwork, open_network
from node.provision.processes import LOG_FILE, PID_FILE, log_tail, running
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
from node.storage import ConsensusLog, StorageDamaged
from node.storage.consensus_log import LOG_NAME
from node.storage.memory_files import MemoryFiles
from node.upkeep.backup_file import MAGIC, BackupError, BackupReader, Kind, frame
from tests.fuzz import seeds
from tests.fuzz.harness import Form, Read, Target, reading, seeds_of

_Opened: TypeAlias = AbstractContextManager[Read]


def _receipts(data: bytes) -> bytes:
    receipts: BlockReceipts = decode_block_receipts(data)
    receipts.decoded()
    receipts.block_events()
    return encode_block_receipts(list(receipts.receipts), receipts.events)


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


def _started(path: Path) -> None:
    """Read what was noted of a started node: whether it runs, and what it has logged since."""
    running(path.parent)
    (path.parent / LOG_FILE).write_text("a line\n")
    assert len(log_tail(path.parent, 1, of_this_start=True)) <= 1


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
    _list(seeds.revocations()[0]).revokes(data)
    assert check_certificate(data).name


def _list(data: bytes) -> Revocations:
    text = b"-----BEGIN X509 CRL-----\n%s-----END X509 CRL-----\n" % base64.encodebytes(data)
    return read_revocations(text, seeds.revoking()[0])


def _revocations(data: bytes) -> None:
    assert _list(data).revokes(seeds.revoking()[2])


def _chain(data: bytes) -> None:
    # As one that another follows, so that its signature is looked at too.
    assert len(read_chain(2 * ssl.DER_cert_to_PEM_cert(data).encode())) == 2


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


def _proof(path: Path) -> None:
    verify_proof_file(read_proof(path), seeds.decided().town.genesis)


def _entries(data: bytes) -> None:
    read_entries(data)


FILES: Final[tuple[Target, ...]] = (
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
        doors=("node.config.loading.load_config", "node.config.loading.read_toml"),
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
        doors=(
            "node.keys.certificates.check_certificate",
            "node.keys.certificates.Revocations.revokes",
        ),
    ),
    Target(
        name="revocations",
        form=Form.BYTES,
        opened=reading(_revocations),
        refusals=(CertificateError,),
        seeds=seeds_of(seeds.revocations),
        doors=(
            "node.keys.certificates.read_revocations",
            "node.keys.certificates.Revocations.revokes",
        ),
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
        opened=_in_file(_started, PID_FILE),
        refusals=(),
        seeds=lambda: (b'{"pid": 1, "began": 7}', b'{"pid": 1, "began": 7, "logged_from": 3}'),
        doors=("node.provision.processes.running", "node.provision.processes._logged_from"),
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
)
