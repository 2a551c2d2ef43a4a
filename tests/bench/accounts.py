"""What a large ledger costs one node, against a small one: `python -m tests.bench.accounts A B`.

    python -m tests.bench.population --accounts 10000 --folder A
    python -m tests.bench.population --accounts 10000000 --folder B
    python -m tests.bench.accounts A B [--active 1000] [--blocks 40] [--rounds 3]

For each network a process of its own that admits, builds, applies and stores blocks of transfers on
the real database, without network and interface; they work by turns, a round each, so that what
else the machine does falls on both. So many accounts pay each other, anywhere in the ledger: a
thousand, as in the load of `tests.bench.cluster`, or with `--active 0` all. Processor time counts
all threads, those of LevelDB too. `relative` compares the second with the first. Blocks are added
to the databases.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import resource
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from node.admission import Admission
from node.app import CHAIN_FOLDER
from node.chain import Chain
from node.clock import SystemClock
from node.codec import encode
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    network_of,
    transaction_id,
)
from node.mempool import AdmittedTransaction, Mempool
from node.provision.acts import RUPEE
from node.provision.local import open_network
from node.storage import StorageThread, open_leveldb
from tests.bench.joining import VALIDATOR, certify
from tests.bench.machine import resident_mb
from tests.bench.population import accounts_of, address, owner_signer
from tests.bench.tally import percentiles

CLOCK: Final = SystemClock()
VALID_MS: Final = 590_000
"""As in the cluster's load, of the 600,000 that the network takes: ten seconds after its start a
node knows all ids that could come again, and looks none up in the database any more."""


class _Transfers:
    """Signs transfers of one paisa between accounts of a population."""

    def __init__(self, chain: Chain, accounts: int, active: int) -> None:
        self._genesis_hash = chain.genesis.hash
        self._accounts, self._active = accounts, active or accounts
        self._chance = random.Random(chain.head.height)
        self._signer = owner_signer()

    def take(self, count: int) -> Iterator[bytes]:
        chance, valid_until_ms = self._chance, CLOCK.now_ms() + VALID_MS
        for _ in range(count):
            payer, payee = chance.sample(range(self._active), 2)
            body = encode(
                TransactionBody(
                    version=1,
                    network=network_of(self._genesis_hash),
                    valid_until_ms=valid_until_ms,
                    salt=chance.randbytes(8),
                    signers=(self._signer.public_key,),
                    operations=(
                        Transfer(
                            account=address(payer),
                            to=address(payee),
                            asset=RUPEE,
                            amount=1,
                        ),
                    ),
                    memo="",
                )
            )
            signature = self._signer.sign(transaction_id(self._genesis_hash, body))
            yield encode(SignedTransaction(body=body, signatures=(signature,)))


async def _work(root: Path, orders: Connection, *, active: int, size: int, blocks: int) -> None:
    """Do a round for each word that comes, and answer with what it took."""
    network = open_network(root)
    async with StorageThread() as thread:
        folder = network.nodes[VALIDATOR].home / "data" / CHAIN_FOLDER
        store = open_leveldb(folder, create=False, node=True)
        chain = Chain.open(store, network.genesis, thread=thread)
        pool = Mempool(CLOCK)
        admission = Admission(chain, pool, CLOCK)
        accounts = accounts_of(root)
        transfers = _Transfers(chain, accounts, active)
        while await asyncio.to_thread(orders.recv):
            stock = [list(transfers.take(size)) for _ in range(blocks)]
            writes: list[float] = []
            began, cpu = time.perf_counter(), time.process_time()
            for raws in stock:
                for result in admission.verify_batch(raws):
                    assert isinstance(result, AdmittedTransaction), result
                    pool.add(result)
                candidate = chain.build(
                    round=0,
                    time_ms=CLOCK.now_ms(),
                    transactions=pool.take(count_max=size, size_bytes_max=4 << 20),
                )
                assert all(receipt.outcome == 0 for receipt in candidate.receipts)
                certificate = certify(candidate, network.genesis)
                writing = time.perf_counter()
                await chain.commit(candidate, certificate)
                writes.append((time.perf_counter() - writing) * 1000)
                pool.remove(candidate.transaction_ids)
            spent, cpu = time.perf_counter() - began, time.process_time() - cpu
            orders.send(
                {
                    "accounts": accounts,
                    "transfers": size * blocks,
                    "seconds": spent,
                    "cpu_s": cpu,
                    "commit_ms": writes,
                    "memory_mb": resident_mb(multiprocessing.current_process().pid or 0),
                    "memory_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
                }
            )
        await chain.close()
        store.close()


def _worker(root: Path, orders: Connection, active: int, size: int, blocks: int) -> None:
    asyncio.run(_work(root, orders, active=active, size=size, blocks=blocks))


def compare(
    roots: list[Path], *, active: int, size: int, blocks: int, rounds: int
) -> dict[str, Any]:
    """Let the networks work by turns; return what each needed."""
    context = multiprocessing.get_context("spawn")
    lines = []
    for root in roots:
        ours, theirs = context.Pipe()
        work = (root, theirs, active, size, blocks)
        # Where one fails nobody waits for the others.
        process = context.Process(target=_worker, args=work, daemon=True)
        process.start()
        lines.append((process, ours))
    found: list[list[dict[str, Any]]] = [[] for _ in roots]
    # One round more: the first warms up what a node that has run for a while has in memory.
    for number in range(rounds + 1):
        for index, (_, line) in enumerate(lines):
            line.send(True)
            answer = line.recv()
            if number:
                found[index].append(answer)
    for process, line in lines:
        line.send(False)
        process.join()
    measured = [_sum(each) for each in found]
    first, last = measured[0], measured[-1]
    return {
        "active": active or "all",
        "transfers_per_block": size,
        "ledgers": measured,
        "relative": {
            "rate": round(last["transfers_per_s"] / first["transfers_per_s"], 2),
            "rate_by_cpu": round(first["cpu_us"] / last["cpu_us"], 2),
        },
    }


def _sum(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    count = sum(each["transfers"] for each in rounds)
    return {
        "accounts": rounds[0]["accounts"],
        "transfers": count,
        "transfers_per_s": round(count / sum(each["seconds"] for each in rounds)),
        "cpu_us": round(sum(each["cpu_s"] for each in rounds) / count * 1e6, 1),
        "cpu_us_best": round(min(each["cpu_s"] / each["transfers"] for each in rounds) * 1e6, 1),
        "commit_ms": percentiles([ms for each in rounds for ms in each["commit_ms"]]),
        "memory_mb": rounds[-1]["memory_mb"],
        "memory_peak_mb": rounds[-1]["memory_peak_mb"],
    }


def main() -> None:
    """Run the benchmark and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs=2, help="networks of tests.bench.population")
    parser.add_argument("--active", type=int, default=1_000, help="0: all accounts")
    parser.add_argument("--transactions", type=int, default=500, help="transfers in a block")
    parser.add_argument("--blocks", type=int, default=40, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(
        json.dumps(
            compare(
                options.folders,
                active=options.active,
                size=options.transactions,
                blocks=options.blocks,
                rounds=options.rounds,
            ),
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
