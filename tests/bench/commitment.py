"""What a block costs the state commitment: microseconds for each changed record, as JSON.

    python -m tests.bench.commitment [--leaves 100000 ...] [--batch 1 100 1000 5000] [--store DIR]

Each batch writes new values under existing keys chosen at random. Branches are read through the
cache of `StoredNodes`, over a dictionary or, with `--store`, over LevelDB in that directory;
writing them back is not part of the time.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from node.ledger.commitment import prove, update, verify_proof
from node.storage import Batch, KeyValueStore, MemoryStore, StoredNodes, open_leveldb
from node.storage.layout import node_key
from node.storage.nodes import CACHE_SIZE_BYTES

RECORD_SIZE_BYTES = 120
BUILD_BATCH = 10_000


class Tree:
    """A tree over a store, with records that can be told apart."""

    def __init__(self, store: KeyValueStore, cache_size_bytes: int) -> None:
        self.store = store
        self.nodes = StoredNodes(store, cache_size_bytes=cache_size_bytes)
        self.root = b""

    def change(self, changes: dict[bytes, bytes | None]) -> tuple[float, int]:
        """Apply and store; return the seconds of the update alone, and the branches written."""
        started = time.perf_counter()
        result = update(self.nodes, changes)
        elapsed = time.perf_counter() - started
        batch: Batch = [(node_key(path), branch) for path, branch in result.nodes.items()]
        self.store.write(batch, sync=False)
        self.nodes.accept(result.nodes)
        self.root = result.root
        return elapsed, len(result.nodes)


def key(number: int) -> bytes:
    return b"H" + number.to_bytes(20) + b"PKR"


def record(chance: Random) -> bytes:
    return chance.randbytes(RECORD_SIZE_BYTES)


def measure_batches(tree: Tree, leaves: int, size: int, chance: Random) -> dict[str, Any]:
    times, branches = [], []
    read_before = tree.nodes.reads
    rounds = max(8, min(200, 20_000 // size))
    for _ in range(rounds):
        changes: dict[bytes, bytes | None] = {
            key(chance.randrange(leaves)): record(chance) for _ in range(size)
        }
        elapsed, written = tree.change(changes)
        times.append(elapsed / len(changes) * 1e6)
        branches.append(written / len(changes))
    return {
        "leaves": leaves,
        "batch": size,
        "us_per_record_p50": round(statistics.median(times), 2),
        "us_per_record_best": round(min(times), 2),
        "branches_per_record": round(statistics.mean(branches), 2),
        "branches_from_store_per_record": round(
            (tree.nodes.reads - read_before) / (rounds * size), 2
        ),
    }


def measure_proofs(tree: Tree, leaves: int, chance: Random) -> dict[str, Any]:
    value = record(chance)
    tree.change({key(7): value})
    numbers = [chance.randrange(leaves) for _ in range(500)]
    started = time.perf_counter()
    proofs = [prove(tree.nodes, key(number)) for number in numbers]
    proved = time.perf_counter()
    for _ in range(500):
        assert verify_proof(tree.root, key(7), value, prove(tree.nodes, key(7)))
    verified = time.perf_counter()
    sizes = [sum(map(len, proof.branches)) for proof in proofs]
    return {
        "leaves": leaves,
        "us_to_prove": round((proved - started) / 500 * 1e6, 1),
        "us_to_prove_and_verify": round((verified - proved) / 500 * 1e6, 1),
        "proof_bytes_p50": int(statistics.median(sizes)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, nargs="+", default=[100_000])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 100, 1000, 5000])
    parser.add_argument("--cache", type=int, default=CACHE_SIZE_BYTES, help="bytes")
    parser.add_argument("--store", type=Path, help="an empty directory for LevelDB")
    arguments = parser.parse_args()
    chance = Random(1)
    results: dict[str, Any] = {"cache_bytes": arguments.cache, "batches": [], "proofs": []}
    for leaves in arguments.leaves:
        store: KeyValueStore = (
            open_leveldb(arguments.store / str(leaves), create=True)
            if arguments.store
            else MemoryStore()
        )
        tree = Tree(store, arguments.cache)
        started = time.perf_counter()
        for start in range(0, leaves, BUILD_BATCH):
            stop = min(start + BUILD_BATCH, leaves)
            tree.change({key(number): record(chance) for number in range(start, stop)})
        built = (time.perf_counter() - started) / leaves * 1e6
        results["batches"] += [
            measure_batches(tree, leaves, size, chance) for size in arguments.batch
        ]
        proofs = measure_proofs(tree, leaves, chance)
        results["proofs"].append({**proofs, "us_per_record_built_and_stored": round(built, 1)})
        store.close()
    results["rss_max_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    json.dump(results, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
