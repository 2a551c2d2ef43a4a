"""What a transfer costs on one node, stage by stage: `python -m tests.bench.pipeline`.

One process, one real database, no network: transfers are decoded, wait in the pool, stand in a
block that is built or checked, and are committed. Signing and certifying are not counted; verifying
signatures is counted apart. Prints one JSON object; times are microseconds per transfer.

With `--kind delivery` each is a delivery against payment in place of a transfer: two accounts sign,
two bills go one way, a price and a fee the other.

The stages are those of the live program: its own functions are wrapped, not copied. `stages_us` are
means; `stages_best_us` have of each stage its fastest block, which says on a machine that others
use too what the work costs.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node import admission as admission_module
from node.chain import chain as chain_module
from node.chain import execution, rules
from node.chain.chain import Chain
from node.chain.recent import RecentIds
from node.chain.rehearsal import BlockRehearsal
from node.intake.verifier import CHUNK_MAX
from node.ledger import commitment
from node.ledger.outcomes import Outcome
from node.mempool import AdmittedTransaction, Mempool
from node.storage import StorageThread, open_leveldb
from tests.bench.deliveries import delivery, issue_bills
from tests.bench.machine import interpreter
from tests.chain.town import Town, make_town


class Stages:
    """Seconds by stage, without what is spent in the stages inside."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.best: dict[str, float] = {}
        """Of the fastest block."""
        self._before: dict[str, float] = {}
        self._inside: list[float] = []
        self.counting = True

    def end_block(self) -> None:
        """Compare what each stage took since the last call with its fastest block."""
        for name, seconds in self.seconds.items():
            spent = seconds - self._before.get(name, 0.0)
            self.best[name] = min(spent, self.best.get(name, spent))
        self._before = dict(self.seconds)

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Count the time spent in this function of a module or class."""
        inner: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if not self.counting:
                return inner(*args, **kwargs)
            self._inside.append(0.0)
            start = self._clock()
            try:
                return inner(*args, **kwargs)
            finally:
                spent = self._clock() - start
                self.seconds[stage] += spent - self._inside.pop()
                if self._inside:
                    self._inside[-1] += spent

        setattr(owner, name, timed)


def watch(stages: Stages) -> None:
    """Wrap every stage of the live program."""
    stages.wrap(admission_module.Admission, "verdicts", "verify signatures")
    stages.wrap(admission_module, "decode_signed", "decode")
    stages.wrap(admission_module, "decode_each", "decode")
    stages.wrap(admission_module.Admission, "begin", "admit")
    stages.wrap(admission_module.Admission, "finish", "admit")
    stages.wrap(Mempool, "add_each", "pool")
    stages.wrap(Mempool, "take", "pool")
    stages.wrap(Mempool, "remove", "pool")
    stages.wrap(Chain, "build", "build or check")
    stages.wrap(Chain, "check", "build or check")
    stages.wrap(RecentIds, "doubted", "look up ids")
    stages.wrap(Chain, "_was_applied", "look up ids")
    stages.wrap(execution, "apply_block", "apply")
    stages.wrap(BlockRehearsal, "changes", "encode records")
    stages.wrap(commitment, "update", "commitment")
    stages.wrap(execution, "encode_each", "encode receipts")
    stages.wrap(execution, "encode_block_receipts", "encode receipts")
    stages.wrap(execution, "receipts_root", "list roots")
    stages.wrap(chain_module, "transactions_root", "list roots")
    stages.wrap(rules, "transactions_root", "list roots")
    stages.wrap(chain_module, "batch_of", "make batch")
    stages.wrap(Chain, "_accept", "caches")


async def run(
    folder: Path, *, accounts: int, transactions: int, blocks: int, check: bool, kind: str
) -> dict[str, Any]:
    stages = Stages()
    make = delivery if kind == "delivery" else Town.transfer
    async with StorageThread() as thread:
        store = open_leveldb(folder, create=True)
        town = make_town(store, thread=thread)
        await settle(town, accounts, kind)
        # Whose block is checked: a second node, in memory, whose work is not counted.
        proposer = make_town()
        if check:
            await settle(proposer, accounts, kind)
            assert proposer.chain.head == town.chain.head
        raws = [
            [
                make(
                    town,
                    f"a{(block * transactions + number) % accounts}",
                    f"a{(block * transactions + 7 * number + 1) % accounts}",
                    valid_until_ms=town.chain.head.time_ms + 500_000,
                )
                for number in range(transactions)
            ]
            for block in range(blocks)
        ]
        watch(stages)
        stages.wrap(store, "write", "write")
        elapsed = cpu = 0.0
        for batch in raws:
            spent = await decide(town, proposer if check else None, batch, stages)
            elapsed, cpu = elapsed + spent[0], cpu + spent[1]
            stages.end_block()
        await town.chain.close()
        store.close()
    count = blocks * transactions
    signatures = stages.seconds["verify signatures"]
    return {
        "interpreter": interpreter(),
        "path": "check" if check else "build",
        "kind": kind,
        "accounts": accounts,
        "transfers": count,
        "transfers_per_block": transactions,
        "signatures_verified": town.admission.signatures_verified,
        "stages_us": {
            name: round(each / count * 1e6, 2) for name, each in sorted(stages.seconds.items())
        },
        "stages_best_us": {
            name: round(each / transactions * 1e6, 2) for name, each in sorted(stages.best.items())
        },
        "total_us": round(elapsed / count * 1e6, 1),
        "total_cpu_us": round(cpu / count * 1e6, 1),
        "without_signatures_us": round((elapsed - signatures) / count * 1e6, 1),
        "resident_max_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "height": town.chain.head.height,
        "state_root": town.chain.head.state_root.hex(),
    }


async def settle(town: Town, accounts: int, kind: str) -> None:
    await town.settle(accounts)
    if kind == "delivery":
        await issue_bills(town, accounts)


async def decide(
    town: Town, proposer: Town | None, raws: list[bytes], stages: Stages
) -> tuple[float, float]:
    """Decide one block of these transfers; return the seconds it took, of time and of work."""
    town.clock.advance(1_000)
    proposed = None
    if proposer is not None:
        stages.counting = False
        proposed = proposer.chain.build(
            round=0, time_ms=town.clock.now_ms(), transactions=proposer.admit(*raws)
        )
        await proposer.chain.commit(proposed, town.certify(proposed))
        stages.counting = True
    start, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(raws), CHUNK_MAX):
        results = town.admission.verify_batch(raws[first : first + CHUNK_MAX])
        admitted = [result for result in results if isinstance(result, AdmittedTransaction)]
        assert len(admitted) == len(results)
        town.pool.add_each(admitted)
    taken = town.pool.take(count_max=5_000, size_bytes_max=4 << 20)
    if proposed is None:
        candidate = town.chain.build(round=0, time_ms=town.clock.now_ms(), transactions=taken)
    else:
        candidate = town.chain.check(proposed.header, taken, now_ms=town.clock.now_ms())
    signing = time.perf_counter()
    certificate = town.certify(candidate)
    signed = time.perf_counter() - signing
    await town.chain.commit(candidate, certificate)
    town.pool.remove(candidate.transaction_ids)
    spent = time.perf_counter() - start - signed, time.process_time() - cpu - signed
    assert len(candidate.receipts) == len(raws)
    assert all(receipt.outcome is Outcome.APPLIED for receipt in candidate.receipts)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--transactions", type=int, default=1_000, help="transfers in a block")
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--path", choices=("build", "check"), default="build")
    parser.add_argument("--kind", choices=("transfer", "delivery"), default="transfer")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        arguments = {
            "accounts": options.accounts,
            "transactions": options.transactions,
            "blocks": options.blocks,
            "check": options.path == "check",
            "kind": options.kind,
        }
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(lambda: asyncio.run(run(Path(name) / "db", **arguments)))
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        else:
            print(json.dumps(asyncio.run(run(Path(name) / "db", **arguments)), indent=2))


if __name__ == "__main__":
    main()
