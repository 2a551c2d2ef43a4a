"""How much the network carries over loopback TLS, both ends in one process: prints JSON.

    python -m tests.bench.network [--seconds 3]

Real sockets, mutual TLS 1.3, four nodes, one event loop and thus one core for everything: sending,
encryption, decryption and decoding of all four. A node of its own has at least three times that.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from node.keys.certificates import create_tls_identity
from node.log import silent_log
from node.metrics import Metrics
from node.network import (
    Introduction,
    Lane,
    Network,
    NetworkSettings,
    Observer,
    Status,
    Transactions,
    VoteMessage,
    WireLimits,
    WireMessage,
)
from node.network.tls import TlsIdentity
from node.network.websocket import WebSocketTransport

NAMES: Final = ("central-bank", "crypto-council", "finance-ministry", "regulator")
TRANSACTION_SIZE: Final = 300  # a transfer with one signer


class Counter:
    """A handler that counts, and notes how long votes were under way."""

    def __init__(self) -> None:
        self.messages = 0
        self.transactions = 0
        self.vote_ms: list[float] = []
        self.peers: set[str] = set()
        self.changed = asyncio.Event()

    def connected(self, peer: str) -> None:
        self.peers.add(peer)
        self.changed.set()

    def disconnected(self, peer: str) -> None:
        self.peers.discard(peer)

    async def received(self, peer: str, message: WireMessage) -> None:
        del peer
        self.messages += 1
        if isinstance(message, Transactions):
            self.transactions += len(message.raws)
        elif isinstance(message, VoteMessage):
            self.vote_ms.append((time.perf_counter_ns() - message.height) / 1e6)
        self.changed.set()

    async def until(self, messages: int = 0, transactions: int = 0, peers: int = 0) -> None:
        while (
            self.messages < messages or self.transactions < transactions or len(self.peers) < peers
        ):
            self.changed.clear()
            await self.changed.wait()


@contextlib.asynccontextmanager
async def four_nodes(settings: NetworkSettings) -> AsyncIterator[list[tuple[Network, Counter]]]:
    """A mesh over loopback; yields each node's network and handler."""
    identities = {name: create_tls_identity(name) for name in NAMES}
    members = [
        Observer(name=name, tls_certificate=certificate)
        for name, (_, certificate) in identities.items()
    ]
    limits = WireLimits()
    nodes: list[tuple[Network, Counter]] = []
    ports: dict[str, int] = {}
    async with asyncio.TaskGroup() as tasks:
        for name in NAMES:
            key, certificate = identities[name]
            transport = WebSocketTransport(
                identity=TlsIdentity(certificate=certificate, private_key_pem=key),
                listen=("127.0.0.1", 0),
                frame_size_max=limits.frame_size_max,
                log=silent_log(),
                metrics=Metrics(),
                settings=settings,
            )
            network = Network(
                Introduction(name=name, genesis_hash=bytes(32), height=lambda: 0),
                transport=transport,
                addresses={peer: f"127.0.0.1:{port}" for peer, port in ports.items()},
                log=silent_log(),
                metrics=Metrics(),
                settings=settings,
                limits=limits,
            )
            network.set_validators(members)
            counter = Counter()
            nodes.append((network, counter))
            tasks.create_task(network.run(counter))
            await network.wait_started()
            ports[name] = transport.port
        for _, counter in nodes:
            await counter.until(peers=len(NAMES) - 1)
        yield nodes
        for network, _ in nodes:
            network.stop()


def vote() -> VoteMessage:
    """A vote whose height tells when it was sent."""
    return VoteMessage(
        vote_type=1,
        height=time.perf_counter_ns(),
        round=0,
        block_id=bytes(32),
        validator=NAMES[0],
        signature=bytes(64),
    )


async def measure_messages(settings: NetworkSettings, seconds: float) -> dict[str, Any]:
    """Small messages from one node to one other, as fast as they are taken."""
    async with four_nodes(settings) as nodes:
        (network, _), (_, counter) = nodes[0], nodes[1]
        message = Status(height=1, block_id=bytes(32), earliest=1)
        sent = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            for _ in range(100):
                sent += network.send(NAMES[1], message)
            await counter.until(messages=sent - 100)
        await counter.until(messages=sent)
        return {"messages_per_s": round(sent / (time.perf_counter() - started))}


async def measure_gossip(settings: NetworkSettings, seconds: float) -> dict[str, Any]:
    """Transactions from one node to three, as fast as they are taken."""
    async with four_nodes(settings) as nodes:
        network = nodes[0][0]
        raws = [os.urandom(TRANSACTION_SIZE) for _ in range(1000)]
        sent = 0
        started = time.perf_counter()
        cpu_started = time.process_time()
        while time.perf_counter() - started < seconds:
            network.gossip(raws)
            sent += len(raws)
            for _, counter in nodes[1:]:
                await counter.until(transactions=sent - 2 * len(raws))
        for _, counter in nodes[1:]:
            await counter.until(transactions=sent)
        elapsed = time.perf_counter() - started
        cpu = time.process_time() - cpu_started
        return {
            "transactions_per_s_to_three_peers": round(sent / elapsed),
            "megabytes_per_s_to_three_peers": round(3 * sent * TRANSACTION_SIZE / elapsed / 1e6, 1),
            "cpu_us_per_transaction_all_four_nodes": round(cpu / sent * 1e6, 2),
            "dropped_batches": sum(view.dropped[Lane.TRANSACTIONS] for view in network.peers()),
        }


async def measure_steady(
    settings: NetworkSettings, seconds: float, rate_per_s: int
) -> dict[str, Any]:
    """Gossip at a fixed rate with a vote every 20 ms: what the votes' way takes meanwhile."""
    async with four_nodes(settings) as nodes:
        network = nodes[0][0]
        raws = [os.urandom(TRANSACTION_SIZE) for _ in range(rate_per_s // 50)]
        cpu_started = time.process_time()
        rounds = int(seconds * 50)
        started = time.perf_counter()
        for number in range(rounds):
            network.gossip(raws)
            network.broadcast(vote())
            await asyncio.sleep(max(0.0, started + (number + 1) / 50 - time.perf_counter()))
        cpu = time.process_time() - cpu_started
        elapsed = time.perf_counter() - started
        for _, counter in nodes[1:]:
            await counter.until(transactions=rounds * len(raws))
        votes = sorted(ms for _, counter in nodes[1:] for ms in counter.vote_ms)
        return {
            "transactions_per_s": rate_per_s,
            "cpu_share_of_one_core_all_four_nodes": round(cpu / elapsed, 3),
            "vote_ms_p50": round(statistics.median(votes), 2),
            "vote_ms_p99": round(votes[int(len(votes) * 0.99)], 2),
        }


async def measure_votes_under_flood(settings: NetworkSettings, seconds: float) -> dict[str, Any]:
    """Votes to a node whose transactions lane is always full."""
    async with four_nodes(settings) as nodes:
        network = nodes[0][0]
        raws = [os.urandom(TRANSACTION_SIZE) for _ in range(2000)]
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            network.gossip(raws)
            network.broadcast(vote())
            await asyncio.sleep(0)
        for _, counter in nodes[1:]:
            await counter.until(messages=1)
        await asyncio.sleep(1.0)
        votes = sorted(ms for _, counter in nodes[1:] for ms in counter.vote_ms)
        return {
            "vote_ms_p50": round(statistics.median(votes), 2),
            "vote_ms_p99": round(votes[int(len(votes) * 0.99)], 2),
            "dropped_batches": sum(view.dropped[Lane.TRANSACTIONS] for view in network.peers()),
        }


async def measure_all(seconds: float) -> dict[str, Any]:
    unlimited = NetworkSettings(
        frames_per_s=1e9, frames_burst=1e9, bytes_per_s=1e12, bytes_burst=1e12
    )
    return {
        "small": await measure_messages(unlimited, seconds),
        "gossip": await measure_gossip(unlimited, seconds),
        "steady_2000": await measure_steady(NetworkSettings(), seconds, 2000),
        "steady_5000": await measure_steady(NetworkSettings(), seconds, 5000),
        "votes_under_flood": await measure_votes_under_flood(unlimited, seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(measure_all(arguments.seconds)), indent=2))


if __name__ == "__main__":
    main()
