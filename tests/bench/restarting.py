"""How fast a validator starts with many blocks behind it: `python -m tests.bench.restarting`.

A real home is filled with blocks, directly through the chain; then the real process is started on
it, several times, until it is ready for clients and again until it has decided a block. It is alone
on its network, so nothing but its own work is waited for. Prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from consensus.certificates import QuorumCertificate
from consensus.messages import Vote, sign_bytes
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.app import CHAIN_FOLDER, consensus_log_path
from node.chain import Candidate, Chain
from node.client import Client
from node.clock import SystemClock
from node.codec import encode
from node.config import load_config
from node.genesis import Genesis
from node.keys.development import development_signer
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.policies import AccountPolicy, account_address, single_signer
from node.ledger.tables import ParticipantKind
from node.ledger.transactions import SignedTransaction, TransactionBody, transaction_id
from node.mempool import AdmittedTransaction
from node.metrics import Metrics
from node.provision.description import Account, Participant
from node.provision.homes import CONFIG_FILE
from node.provision.local import LocalNetwork, LocalNode, create_network
from node.provision.ports import free_ports
from node.provision.probing import answers
from node.provision.reference import INSTITUTIONS, reference_network
from node.replica.guard import Guard
from node.replica.journal import Journal
from node.storage import KeyValueStore, open_consensus_log, open_leveldb
from tests.bench.catching_up import Unsynced

NAME: Final = "central-bank"
BLOCK_MS: Final = 1_000
POLL_S: Final = 0.005
PROGRESS_BLOCKS: Final = 100_000
STATUS_CALLS: Final = 50


def network_in(root: Path, blocks: int) -> LocalNetwork:
    """Make a network of one validator whose genesis is so many seconds ago."""
    ports = free_ports(2)
    others = INSTITUTIONS[1:]
    description = reference_network(
        "bench",
        ports={NAME: (ports[0], ports[1])},
        validators=[NAME],
        development=True,
        participants=[
            Participant(id=name, kind=ParticipantKind.INSTITUTION, office=name) for name in others
        ],
        accounts=[Account(owner=name, development_key=f"{name}/account") for name in others],
    )
    began_ms = SystemClock().now_ms() - (blocks + 60) * BLOCK_MS
    return create_network(root, description, now_ms=began_ms)


async def fill(node: LocalNode, genesis: Genesis, *, blocks: int, every: int) -> None:
    """Decide so many blocks in a home: heartbeats, and one transaction in each `every`th."""
    data = load_config(node.home / CONFIG_FILE).data_dir
    store = open_leveldb(data / CHAIN_FOLDER, create=True)
    unsynced: KeyValueStore = Unsynced(store)
    chain = Chain.open(unsynced, genesis)
    for height in range(1, blocks + 1):
        time_ms = genesis.time_ms + height * BLOCK_MS
        waiting = [transaction(genesis, height, time_ms)] if height % every == 0 else []
        candidate = chain.build(round=0, time_ms=time_ms, transactions=waiting)
        await chain.commit(candidate, certificate(candidate, genesis), durable=False)
        chain._unheard.clear()  # nobody listens
        if height % PROGRESS_BLOCKS == 0:
            print(f"{height} blocks made", flush=True)
    store.close()
    log = open_consensus_log(consensus_log_path(data))
    journal = Journal(
        log,
        Guard(development_signer(f"{NAME}/consensus"), genesis.domain),
        domain=genesis.domain,
        thread=None,
        metrics=Metrics(),
        monotonic=time.monotonic,
    )
    journal.load(name=NAME, network=genesis.hash)
    await journal.reach(blocks)
    journal.close()


def transaction(genesis: Genesis, number: int, now_ms: int) -> AdmittedTransaction:
    """Return a transaction that changes the validator's account."""
    key = development_signer(f"{NAME}/account")
    operation = SetAccountPolicy(
        account=account_address(NAME, single_signer(key.public_key), bytes(8)),
        policy=AccountPolicy(signers=((key.public_key, 1 + number % 255),), thresholds=(1, 1, 1)),
    )
    body = TransactionBody(
        version=1,
        network=genesis.network,
        valid_until_ms=now_ms + 60_000,
        salt=number.to_bytes(8),
        signers=(key.public_key,),
        operations=(operation,),
        memo="",
    )
    signed_id = transaction_id(genesis.hash, encode(body))
    raw = encode(SignedTransaction(body=encode(body), signatures=(key.sign(signed_id),)))
    return AdmittedTransaction(id=signed_id, raw=raw, body=body, size_bytes=len(raw))


def certificate(candidate: Candidate, genesis: Genesis) -> QuorumCertificate:
    """Return what the only validator decides by."""
    vote = Vote(
        kind=VoteType.PRECOMMIT,
        height=Height(candidate.height),
        round=Round(0),
        block_id=BlockId(candidate.block_id),
        validator=ValidatorId(NAME),
    )
    signature = development_signer(f"{NAME}/consensus").sign(sign_bytes(vote, genesis.hash))
    return QuorumCertificate(
        kind=VoteType.PRECOMMIT,
        height=vote.height,
        round=vote.round,
        block_id=BlockId(candidate.block_id),
        signatures=((vote.validator, Signature(signature)),),
    )


async def start(network: LocalNetwork) -> dict[str, Any]:
    """Start the process once; return how long it took, and what it holds in memory."""
    node = network.nodes[NAME]
    began = time.perf_counter()
    network.start(NAME, leashed=True)
    while not await answers(node.url, "/readyz"):
        assert network.process(NAME) is not None, "the node has ended"
        await asyncio.sleep(POLL_S)
    ready_s = time.perf_counter() - began
    async with Client([node.url]) as client:
        height = (await client.status()).height
        # A process that was started elsewhere has no event to wait for.
        while (await client.status()).height == height:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        decided_s = time.perf_counter() - began
        status_ms = []
        for _ in range(STATUS_CALLS):
            asked = time.perf_counter()
            await client.status()
            status_ms.append((time.perf_counter() - asked) * 1000)
    process = network.process(NAME)
    assert process is not None
    resident_mb, cpu_s = resources(process.pid)
    await network.stop()
    return {
        "height": height,
        "ready_s": round(ready_s, 2),
        "decided_s": round(decided_s, 2),
        "cpu_s": cpu_s,
        "status_ms": round(statistics.median(status_ms), 1),
        "resident_mb": resident_mb,
    }


def resources(pid: int) -> tuple[int, float]:
    """Return a process's resident MB, and the seconds of CPU that it has used."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident_kb = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return resident_kb // 1024, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def run(root: Path, *, blocks: int, every: int, starts: int) -> dict[str, Any]:
    began = time.perf_counter()
    network = network_in(root, blocks)
    node = network.nodes[NAME]
    await fill(node, network.genesis, blocks=blocks, every=every)
    filled_s = time.perf_counter() - began
    data = load_config(node.home / CONFIG_FILE).data_dir
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    return {
        "blocks": blocks,
        "filled_s": round(filled_s, 1),
        "data_mb": size >> 20,
        "starts": [await start(network) for _ in range(starts)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=10, help="one transaction in so many")
    parser.add_argument("--starts", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        found = run(
            Path(name) / "network",
            blocks=options.blocks,
            every=options.every,
            starts=options.starts,
        )
        print(json.dumps(asyncio.run(found), indent=2))


if __name__ == "__main__":
    main()
