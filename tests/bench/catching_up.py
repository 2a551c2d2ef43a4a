"""How fast a node catches up: `python -m tests.bench.catching_up`.

A provider, in a process of its own, has a chain that was built directly: blocks of transfers, then
blocks that are nearly empty. A new node follows it over loopback TLS with everything that a node
verifies: certificates, signatures of transactions, every root. Prints one JSON object.

`cpu` figures are what the following process spent (its loop and its storage thread), so they hold
on a machine that is busy with other things; rates are by the wall clock, and do not.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from node import admission as admission_module
from node.app import Node, NodeParts
from node.chain import Chain, Committed, execution
from node.chain import chain as chain_module
from node.chain.history import History
from node.chain.rehearsal import BlockRehearsal
from node.config import NodeConfig
from node.genesis import Genesis
from node.keys import ed25519
from node.keys.certificates import create_tls_identity
from node.ledger import commitment
from node.log import silent_log
from node.network import network as network_module
from node.network.tls import TlsIdentity
from node.storage import Batch, KeyValueStore, LevelDBStore, StorageThread, open_leveldb
from node.sync import sync as sync_module
from tests.bench.pipeline import Stages
from tests.chain.town import make_town

PROVIDER: Final = "central-bank"
FOLLOWER: Final = "crypto-council"


class Unsynced:
    """A database whose batches are not synced: the bench builds a chain, it does not keep it."""

    def __init__(self, store: LevelDBStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, batch: Batch, *, sync: bool) -> None:
        """Write the batch whatever is asked."""
        del sync
        self._store.write(batch, sync=False)


async def build(folder: Path, *, accounts: int, loaded: int, transfers: int, nearly: int) -> int:
    """Build the provider's chain; return the height from which on blocks are nearly empty."""
    store = open_leveldb(folder, create=True)
    unsynced: KeyValueStore = Unsynced(store)
    town = make_town(unsynced)
    await town.settle(accounts)
    number = 0
    for count in [transfers] * loaded + [1] * nearly:
        raws = []
        for _ in range(count):
            number += 1
            payer, payee = f"a{number % accounts}", f"a{(7 * number + 1) % accounts}"
            if payer == payee:
                payee = f"a{(7 * number + 2) % accounts}"
            raws.append(town.transfer(payer, payee))
        await town.decide(*raws)
    first = town.chain.head.height - nearly + 1
    store.close()
    return first


def node_of(town_genesis: Genesis, name: str, store: KeyValueStore, **more: Any) -> Node:
    """Return a node of this network that does not vote, on a free port."""
    key, certificate = create_tls_identity(name, seed=f"{name}/0".encode().ljust(32))
    return Node(
        NodeConfig.model_validate(
            {
                "name": name,
                "tls": {"key": "unused", "certificate": "unused"},
                "network": {"listen": "127.0.0.1:0", "peers": more.pop("peers", {})},
            }
        ),
        town_genesis,
        NodeParts(
            store=store,
            identity=TlsIdentity(certificate=certificate, private_key_pem=key),
            serves_clients=False,
            log=silent_log(),
            **more,
        ),
    )


async def serve(folder: Path) -> None:
    """Be the provider until standard input ends."""
    store = open_leveldb(folder, create=False)
    town = make_town(store)
    async with node_of(town.genesis, PROVIDER, store) as node:
        print(node.network_port, flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()
    store.close()


def watch(stages: Stages) -> None:
    """Wrap the parts of following, as they are in the live program."""
    stages.wrap(ed25519, "_OPEN", "signatures")
    stages.wrap(admission_module, "decode_signed", "decode transactions")
    stages.wrap(admission_module, "decode_each", "decode transactions")
    stages.wrap(sync_module, "verify_certificate", "certificates")
    stages.wrap(sync_module, "decode_block", "decode blocks")
    stages.wrap(network_module, "decode_message", "decode messages")
    stages.wrap(Chain, "check", "check")
    stages.wrap(History, "seen", "look up ids")
    stages.wrap(execution, "apply_block", "apply")
    stages.wrap(BlockRehearsal, "changes", "encode records")
    stages.wrap(commitment, "update", "commitment")
    stages.wrap(chain_module, "batch_of", "make batch")
    stages.wrap(Chain, "_accept", "caches")


async def follow(
    folder: Path, port: int, stages: Stages, boundary: int, target: int
) -> dict[str, Any]:
    """Catch up with the provider; return what it took, for loaded blocks and for the others."""
    store = open_leveldb(folder, create=True)
    marks: dict[str, tuple[float, float, int, int, int]] = {}
    done = asyncio.Event()
    counted = 0
    async with StorageThread() as thread:
        genesis = make_town().genesis
        peers = {PROVIDER: f"127.0.0.1:{port}"}
        async with node_of(genesis, FOLLOWER, store, thread=thread, peers=peers) as node:

            def mark(name: str) -> None:
                marks[name] = (
                    time.perf_counter(),
                    time.process_time(),
                    node.chain.head.height,
                    counted,
                    store.writes_synced,
                )

            def committed(block: Committed) -> None:
                nonlocal counted
                counted += block.candidate.header.transaction_count
                height = block.candidate.height
                if "start" not in marks:
                    mark("start")
                if height == boundary - 1:
                    mark("boundary")
                if height == target:
                    mark("end")
                    done.set()

            node.chain.listeners.append(committed)
            await done.wait()
        await thread.drain()
    store.close()
    return {
        "loaded": figures(marks["start"], marks["boundary"]),
        "nearly_empty": figures(marks["boundary"], marks["end"]),
        "cpu_s_by_part": {name: round(each, 2) for name, each in sorted(stages.seconds.items())},
    }


def figures(
    first: tuple[float, float, int, int, int], last: tuple[float, float, int, int, int]
) -> dict[str, Any]:
    """Return rates between two marks."""
    wall, cpu, blocks, transactions, syncs = (b - a for a, b in zip(first, last, strict=True))
    return {
        "blocks": blocks,
        "transactions": transactions,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "blocks_per_s": round(blocks / wall),
        "transactions_per_s": round(transactions / wall),
        "blocks_per_cpu_s": round(blocks / cpu),
        "transactions_per_cpu_s": round(transactions / cpu),
        "syncs_per_block": round(syncs / blocks, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--loaded", type=int, default=30, help="blocks of transfers")
    parser.add_argument("--transfers", type=int, default=1_000, help="in each of them")
    parser.add_argument("--nearly-empty", type=int, default=2_000, help="blocks of one transfer")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
        return
    with tempfile.TemporaryDirectory() as name:
        provided = Path(name) / "provider"
        boundary = asyncio.run(
            build(
                provided,
                accounts=options.accounts,
                loaded=options.loaded,
                transfers=options.transfers,
                nearly=options.nearly_empty,
            )
        )
        provider = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.catching_up", "--serve", str(provided)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert provider.stdout is not None
        port = int(provider.stdout.readline())
        stages = Stages(clock=time.thread_time)
        target = boundary + options.nearly_empty - 1
        try:
            following = follow(Path(name) / "follower", port, stages, boundary, target)
            if options.profile:
                profile = cProfile.Profile()
                profile.runcall(lambda: asyncio.run(following))
                pstats.Stats(profile).sort_stats("tottime").print_stats(45)
            else:
                watch(stages)
                print(json.dumps(asyncio.run(following), indent=2))
        finally:
            with suppress(subprocess.TimeoutExpired):
                provider.communicate(timeout=10)
            provider.kill()


if __name__ == "__main__":
    main()
