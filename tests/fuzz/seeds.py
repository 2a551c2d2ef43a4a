"""Good inputs for every target, made of real objects: a settled town, its blocks, its files."""

import asyncio
import json
import ssl
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.types import VoteType
from node.access import ApiKey, Scope, hash_of, save_api_keys
from node.blocks import (
    Block,
    ValidatorKey,
    encode_block,
    encode_certificate,
    encode_evidence,
    record_of_certificate,
    record_of_proposal,
    record_of_vote,
)
from node.cli.auction.sealed import SealedBidFile
from node.client import ClientNetwork, transaction
from node.codec import encode
from node.genesis import amendment_of, encode_amendment
from node.genesis.reading import render_record
from node.keys.certificates import create_tls_identity
from node.keys.keystore import Work, store_key
from node.ledger.catalogue import CATALOGUE
from node.ledger.tables import ACCOUNTS, ASSETS, HOLDINGS, PARTICIPANTS, holding_key, name_key
from node.network import (
    BlockItem,
    Blocks,
    BlockTransactions,
    ProposedBlock,
    Transactions,
    WireMessage,
)
from node.network.messages import encode_message
from node.proofs import Handover, render_proof
from node.provision.requests import ValidatorRequest
from node.replica.entries import (
    Begun,
    Body,
    Born,
    BuiltEntry,
    CertificateEntry,
    Entry,
    ProposalEntry,
    Reached,
    Sealed,
    TimeoutEntry,
    Under,
    ValidatedEntry,
    VoteEntry,
    encode_entry,
)
from node.replica.wire import certificate_message, vote_message
from node.rpc.rendering import Renderer
from node.snapshots import Leaves, PointRecord, Snapshot
from node.snapshots.parts import BlockIds, Split
from node.storage import ConsensusLog, layout
from node.storage.consensus_log import LOG_NAME
from node.storage.memory_files import MemoryFiles
from node.upkeep.backup_file import About, Kind, frame
from tests.chain.amending import body_of, signed
from tests.chain.town import BANK, CASH, Town, address_of, key, make_record, make_town
from tests.ledger.test_ladders import LADDERS
from tests.network.samples import SAMPLES
from tests.rpc.authorities import Authority

PASSPHRASE: Final = "correct horse"
CONFIGS: Final = Path(__file__).parents[2] / "configs"
DECIMALS: Final = {CASH: 2, "PKR": 2, "GOLD": 8}
LIGHT: Final = Work(memory_kib=64, passes=1, lanes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A town with a few blocks behind it, and the last of them."""

    town: Town
    block: Block
    network: ClientNetwork


@cache
def decided() -> Decided:
    """Return a town of four validators that has decided transfers and shown evidence."""
    town = make_town(record=make_record())

    async def live() -> None:
        await town.settle(3)
        await town.decide(
            town.transfer("a0", "a1", 12_345),
            town.transfer("a1", "a2", 2_000_000),
            evidence=[encode_evidence(equivocation(town))],
        )

    asyncio.run(live())
    block = town.chain.block(town.chain.head.height)
    assert block is not None
    return Decided(town=town, block=block, network=ClientNetwork.of(town.genesis))


def equivocation(town: Town) -> Equivocation:
    height = town.chain.head.height
    return Equivocation(
        first=town.vote("regulator", height, b"A" * 32),
        second=town.vote("regulator", height, b"B" * 32),
    )


def wire_frames() -> tuple[bytes, ...]:
    """A frame of every kind, and those that carry real blocks, votes and certificates."""
    here = decided()
    town, block = here.town, here.block
    head = town.chain.head
    certificate = town.chain.certificate(head.height)
    assert certificate is not None
    compact = ProposedBlock(
        height=head.height,
        block_id=head.block_id,
        header=encode(block.header),
        transaction_ids=(bytes(32),),
        evidence=block.evidence,
    )
    messages: list[WireMessage] = [
        *SAMPLES,
        compact,
        vote_message(town.vote("regulator", 9, head.block_id)),
        vote_message(town.vote("regulator", 9, None, kind=VoteType.PREVOTE)),
        certificate_message(certificate),
        BlockTransactions(block_id=head.block_id, raws=block.transactions),
        Blocks(
            from_height=head.height,
            items=(
                BlockItem(block=encode_block(block), certificate=encode_certificate(certificate)),
            ),
        ),
        Transactions(raws=block.transactions),
    ]
    return tuple(encode_message(message) for message in messages)


def transactions() -> tuple[bytes, ...]:
    """Transactions with an operation of every kind, and one of all of them."""
    town = decided().town
    operations = [ladder.good for ladder in LADDERS]
    return (
        town.transfer("a0", "a1", 5),
        *(town.transaction([operation], ["a0"]) for operation in operations),
        town.transaction(operations[:25], ["a0", "a1", "central-bank"]),
    )


def bodies() -> tuple[bytes, ...]:
    town = decided().town
    return tuple(encode(town.body([ladder.good], ["a0"])) for ladder in LADDERS)


def operations() -> tuple[bytes, ...]:
    """Lists of operations as a proposal holds them."""
    good = [ladder.good for ladder in LADDERS]
    return (*(encode((operation,)) for operation in good), encode(tuple(good[:30])))


def blocks() -> tuple[bytes, ...]:
    town = decided().town
    found = [town.chain.block(height) for height in range(1, town.chain.head.height + 1)]
    return tuple(encode_block(block) for block in found if block is not None)


def headers() -> tuple[bytes, ...]:
    return (encode(decided().block.header),)


def certificates() -> tuple[bytes, ...]:
    town = decided().town
    head = town.chain.head
    return (
        encode_certificate(town.certificate(head.height, head.block_id)),
        encode_certificate(town.certificate(7, b"B" * 32, round_=3, kind=VoteType.PREVOTE)),
    )


def evidence() -> tuple[bytes, ...]:
    town = decided().town
    proposals = Equivocation(
        first=town.proposal("central-bank", 3, b"A" * 32),
        second=town.proposal("central-bank", 3, b"B" * 32),
    )
    return (encode_evidence(equivocation(town)), encode_evidence(proposals))


def entries() -> tuple[bytes, ...]:
    """One entry of the consensus log of every kind."""
    town = decided().town
    block_id = town.chain.head.block_id
    certificate = record_of_certificate(town.certificate(3, block_id))
    vote = record_of_vote(town.vote("regulator", 3, block_id))
    proposal = record_of_proposal(town.proposal("central-bank", 3, block_id))
    kinds: list[Entry] = [
        Born(name="regulator", public_key=bytes(32), network=None),
        Born(name="regulator", public_key=bytes(32), network=town.genesis.hash),
        Reached(height=3),
        Begun(validator="regulator"),
        Under(domain=block_id),
        Sealed(height=3, round=0, kind=2, sign_bytes=b"what is signed"),
        Body(block_id=block_id, block=encode_block(decided().block)),
        ProposalEntry(own=False, proposal=proposal),
        VoteEntry(own=True, vote=vote),
        CertificateEntry(certificate=certificate),
        TimeoutEntry(height=3, round=0, step=1),
        BuiltEntry(height=3, round=0, block_id=block_id),
        ValidatedEntry(height=3, block_id=block_id, valid=True, ignore_clock=False),
    ]
    return tuple(encode_entry(entry) for entry in kinds)


def points() -> tuple[bytes, ...]:
    town = decided().town
    certificate = record_of_certificate(_head_certificate())
    assert town.chain.head.header is not None
    return (encode(PointRecord(header=town.chain.head.header, certificate=certificate)),)


def chunks() -> tuple[bytes, ...]:
    """The whole state in one chunk, a part of it, and the branch that splits it."""
    snapshot = snapshot_of_town()
    whole = snapshot.chunk(b"")
    branch = decided().town.store.get(layout.node_key(b""))
    assert isinstance(whole, Leaves)
    assert branch is not None
    return (
        encode(whole),
        encode(Leaves(keys=whole.keys[:2], values=whole.values[:2])),
        encode(Split(branch=branch)),
    )


def snapshot_of_town() -> Snapshot:
    town = decided().town
    assert town.chain.head.header is not None
    return Snapshot(town.store.view(), town.chain.head.header, _head_certificate(), town.genesis)


def handovers() -> tuple[bytes, ...]:
    town = decided().town
    assert town.chain.head.header is not None
    keys = tuple(
        ValidatorKey(name=each.id, public_key=each.public_key) for each in town.chain.validators
    )
    certificate = record_of_certificate(_head_certificate())
    header = town.chain.head.header
    return (encode(Handover(header=header, certificate=certificate, validators=keys)),)


def block_ids() -> tuple[bytes, ...]:
    header = decided().block.header
    return (encode(BlockIds(header=header, ids=(bytes(32), b"x" * 32))),)


def _head_certificate() -> QuorumCertificate:
    town = decided().town
    certificate = town.chain.certificate(town.chain.head.height)
    assert certificate is not None
    return certificate


def logs() -> tuple[bytes, ...]:
    """Whole files of a consensus log: new, of one height, of several."""
    files = MemoryFiles()
    log = ConsensusLog(Path("log"), files)
    log.load()
    contents = [files.read(LOG_NAME)]
    for height in (1, 2, 3):
        log.reset(height)
        log.append(entries()[2:4])
        log.append([b"x" * 700])
        contents.append(files.read(LOG_NAME))
    return tuple(content for content in contents if content is not None)


def stream_answers() -> tuple[bytes, ...]:
    return (
        b'{"stream":"khazana-town","seq":41}',
        b'{"stream":"khazana-town","seq":41,"duplicate":true}',
        b'{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 40"}}',
        b'{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}',
    )


def proofs() -> tuple[bytes, ...]:
    """Proof files: of a holding, an account, an absence, a participant."""
    town = decided().town
    account = address_of(BANK, "a0")
    records = (
        town.chain.prove(HOLDINGS, holding_key(account, CASH)),
        town.chain.prove(ACCOUNTS, account),
        town.chain.prove(ASSETS, name_key("NOTHING")),
        town.chain.prove(PARTICIPANTS, name_key(BANK)),
    )
    return tuple(render_proof(record).encode() for record in records)


def proof_records() -> tuple[bytes, ...]:
    """The same as records."""
    town = decided().town
    account = address_of(BANK, "a0")
    return (encode(town.chain.prove(HOLDINGS, holding_key(account, CASH))),)


def genesis_records() -> tuple[bytes, ...]:
    return (encode(make_record()),)


def genesis_files() -> tuple[bytes, ...]:
    made = json.dumps(render_record(make_record()), indent=2).encode()
    return (made, (CONFIGS / "three-institutions/genesis.json").read_bytes())


def node_files() -> tuple[bytes, ...]:
    shipped = sorted(CONFIGS.glob("*/nodes/*.toml"))
    return (NODE.encode(), *(path.read_bytes() for path in shipped[:2]))


def network_files() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(CONFIGS.glob("*/network.toml")))


def keystores() -> tuple[bytes, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "key.json"
        store_key(path, bytes(range(32)), PASSPHRASE, purpose="account", work=LIGHT)
        return (path.read_bytes(),)


def tls_certificates() -> tuple[bytes, ...]:
    return tuple(create_tls_identity(name, seed=b"x" * 32)[1] for name in ("regulator", "a-1"))


@cache
def revoking() -> tuple[bytes, bytes, bytes]:
    """Return an authority (PEM), its list (DER) and a certificate that is on it (DER)."""
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "clients")
        gone = authority.sign("bank")
        listed = x509.load_pem_x509_crl(authority.revoke(gone).read_bytes())
        return (
            authority.certificate.read_bytes(),
            listed.public_bytes(Encoding.DER),
            ssl.PEM_cert_to_DER_cert(gone.certificate.read_text()),
        )


def revocations() -> tuple[bytes, ...]:
    return (revoking()[1],)


def backups() -> tuple[bytes, ...]:
    """The frames of a backup file, without its beginning and its end."""
    head = decided().town.chain.head
    about = About(
        network=decided().town.genesis.hash,
        height=head.height,
        block_id=head.block_id,
        time_ms=head.time_ms,
        state_root=head.state_root,
        blocks_from=None,
        software="khazana",
    )
    return (
        frame(Kind.ABOUT, encode(about)),
        frame(Kind.ABOUT, encode(about)) + frame(Kind.BLOCK, blocks()[0]),
    )


def days() -> tuple[bytes, ...]:
    return (b"2026-11-26", b"0001-01-01", b"9999-12-31", b"2028-02-29")


def api_keys() -> tuple[bytes, ...]:
    """A file of two keys, one of them with all that a key may have."""
    hashed = hash_of("khz_one_" + "x" * 43)
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    keys = {
        "one": ApiKey(sha256=hashed, scopes=(Scope.READ,)),
        "two": ApiKey(sha256=hashed, scopes=tuple(Scope), calls_per_s_max=9, expires=ends),
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "api-keys.toml"
        save_api_keys(path, keys)
        return (path.read_bytes(),)


def validator_requests() -> tuple[bytes, ...]:
    request = ValidatorRequest.made_by(
        key("bank"),
        network=decided().town.genesis.hash,
        name="regulator",
        participant=BANK,
        tls_certificate=tls_certificates()[0],
    )
    return (request.render().encode(),)


def amendments() -> tuple[bytes, ...]:
    """One that nobody has signed, and one that all have."""
    town = decided().town
    body = body_of(town)
    return encode_amendment(amendment_of(body)), encode_amendment(signed(town, body))


def certificate_files() -> tuple[bytes, ...]:
    """As DER and as PEM."""
    der = tls_certificates()[0]
    return (der, ssl.DER_cert_to_PEM_cert(der).encode())


def receipts() -> tuple[bytes, ...]:
    town = decided().town
    found = [town.chain.receipts(height) for height in range(1, town.chain.head.height + 1)]
    return tuple(encode(each) for each in found if each is not None)


def draft_files() -> tuple[bytes, ...]:
    network = decided().network
    draft = transaction(
        network, valid_until_ms=1_700_000_000_000, salt=bytes(8), memo="rent"
    ).transfer(account=bytes(20), to=b"\1" * 20, asset=CASH, amount=5)
    signed = draft.sign(key("a0"))
    return (signed.render().encode(),)


def sealed_bid_files() -> tuple[bytes, ...]:
    bid = SealedBidFile(
        network="00" * 32,
        auction="a",
        account="tkhz1",
        asset=CASH,
        price="98.3815",
        face="5000",
        salt="11" * 32,
        commitment="22" * 32,
    )
    return (json.dumps(asdict(bid)).encode(),)


def operation_files() -> tuple[bytes, ...]:
    """Operations in JSON, as people write them: one of every kind, and a list."""
    render = Renderer(
        test=True, decimals_of=DECIMALS.get, decode_operations=CATALOGUE.decode
    ).record
    shown = [json.loads(msgspec.json.encode(render(ladder.good))) for ladder in LADDERS]
    return (*(json.dumps(each).encode() for each in shown), json.dumps(shown[:20]).encode())


NODE: Final = """\
name = "central-bank"
data_dir = "data"

[tls]
key = "tls.key"
certificate = "tls.crt"

[validator]
keystore = "consensus.json"
passphrase_file = "/run/secrets/passphrase"

[network]
listen = "0.0.0.0:26600"
peers."finance-ministry" = "ministry.example:26600"

[network.observers]
exchange = "observers/exchange.crt"

[rpc]
listen = "[::1]:26680"
batch_max = 50

[log]
level = "debug"
"""
