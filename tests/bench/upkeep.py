"""What looking after a database costs: checking, backing up while it works, restoring, repairing.

    python -m tests.bench.upkeep [--accounts N] [--blocks N]

A chain on LevelDB with so many accounts, each with a holding, and so many blocks of four signed
transfers. Everything but the other validators is real. Beside the times of the commands: how long
commits take while a backup is made, and while none is.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from node.clock import SystemClock
from node.genesis import Genesis
from node.storage import StorageThread, layout, open_leveldb
from node.upkeep import back_up_running, check_home, restore
from node.upkeep.repairing import repair
from tests.chain.town import Town, make_town

CLOCK: Final = SystemClock()
TRANSFERS: Final = 4
QUIET_BLOCKS: Final = 200
PAUSE_S: Final = 0.01
"""Between two blocks while commits are timed."""


@contextmanager
def timed(name: str) -> Iterator[list[str]]:
    """Print how long the body took, and what it has to say."""
    began_s, cpu_s, words = CLOCK.monotonic(), processor_s(), list[str]()
    yield words
    seconds, cpu_s = CLOCK.monotonic() - began_s, processor_s() - cpu_s
    print(f"{name:28} {seconds:7.1f} s, {cpu_s:6.1f} s of CPU  {' '.join(words)}", flush=True)


def processor_s() -> float:
    """What this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mb() -> int:
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


async def build(chain: Path, accounts: int, blocks: int) -> Genesis:
    store = open_leveldb(chain, create=True)
    try:
        town = make_town(store)
        await town.settle(accounts)
        for number in range(blocks):
            await town.decide(*transfers(town, number, accounts))
    finally:
        store.close()
    return town.genesis


def transfers(town: Town, number: int, accounts: int) -> list[bytes]:
    first = number * TRANSFERS
    return [
        town.transfer(f"a{(first + n) % accounts}", f"a{(first + n + 1) % accounts}")
        for n in range(TRANSFERS)
    ]


async def commit(town: Town, number: int, accounts: int) -> float:
    """Commit a block and return how long that took."""
    candidate = town.build(town.admit(*transfers(town, number, accounts)))
    certificate = town.certify(candidate)
    began_s = CLOCK.monotonic()
    await town.chain.commit(candidate, certificate)
    seconds = CLOCK.monotonic() - began_s
    await asyncio.sleep(PAUSE_S)
    return seconds


def spread(seconds: Sequence[float]) -> str:
    ordered = sorted(1_000 * each for each in seconds)
    at = [ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1]]
    return "median {:.1f}, p99 {:.1f}, longest {:.1f} ms".format(*at)


async def back_up(chain: Path, to: Path, accounts: int) -> None:
    """Back up while blocks are committed, and compare."""
    store = open_leveldb(chain, create=False)
    try:
        async with StorageThread() as thread:
            town = make_town(store, thread=thread)
            quiet = [await commit(town, number, accounts) for number in range(QUIET_BLOCKS)]
            print(f"commits, no backup           {spread(quiet)}")
            busy: list[float] = []
            with timed("backup, committing beside it") as words:
                async with asyncio.TaskGroup() as tasks:
                    making = tasks.create_task(
                        back_up_running(
                            town.chain, store, thread, CLOCK, to, blocks=True, software="bench"
                        ),
                        name="backup",
                    )
                    while not making.done():
                        busy.append(await commit(town, len(busy), accounts))
                written = making.result()
                words.append(f"{written.size_bytes >> 20} MiB in {written.chunks} chunks")
            print(f"commits, during the backup   {spread(busy)}")
    finally:
        store.close()


async def measure(accounts: int, blocks: int) -> None:
    with tempfile.TemporaryDirectory(prefix="khazana-bench-") as folder:
        root = Path(folder)
        chain, log, file = root / "chain", root / "consensus", root / "backup"
        with timed("built"):
            genesis = await build(chain, accounts, blocks)
        await back_up(chain, file, accounts)
        await asyncio.to_thread(offline, root, chain, log, file, genesis)


def offline(root: Path, chain: Path, log: Path, file: Path, genesis: Genesis) -> None:
    for name, place in (("check", chain), ("check of the restored", root / "restored")):
        if place != chain:
            with timed("restore, with blocks"):
                restore(file, place, genesis)
        began_s = processor_s()
        with timed(name) as words:
            report = check_home(chain=place, log=log, genesis=genesis, name="bench")
            assert report.is_whole, report.faults[:3]
            cpu_s = processor_s() - began_s
            words.append(
                f"{report.blocks:,} blocks, {report.transactions:,} transactions,"
                f" {report.records:,} records ({report.records / cpu_s:,.0f} a second of CPU)"
            )
    store = open_leveldb(chain, create=False)
    store.write([(layout.node_key(b""), None)], sync=True)
    store.close()
    report = check_home(chain=chain, log=log, genesis=genesis, name="bench")
    with timed("repair, all replayed") as words:
        repaired = repair(chain, genesis, report)
        words.append(f"to height {repaired.height:,}")
    print(f"most memory held             {resident_mb():,} MB")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--blocks", type=int, default=2_000)
    options = parser.parse_args(arguments)
    asyncio.run(measure(options.accounts, options.blocks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
