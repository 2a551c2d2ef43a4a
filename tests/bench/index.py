"""What the index costs: made anew, kept up, asked.

python -m tests.bench.index [--accounts 100000] [--transactions 1000000] [--rate 5000]
                            [--seconds 10] [--database sqlite|postgres] [--rounds 400] [--memos]

The chain is a store with blocks of a thousand transfers between random accounts, as a node has them
after deciding; nothing was executed and no signature is true, because the index reads neither. It
is made anew (`khazana index rebuild`), then follows as fast as it can until as much of the history
waits as may, and is kept up with blocks of two thousand at the rate while it is asked for pages of
random accounts; then it is asked alone. With `--memos` one transfer in ten has four words, to be
found. PostgreSQL is a server that it starts, with the settings as they come: commits are synced.

Before the transfers each account was funded, a hundred by one transaction: each of these is an
event of its own with a row of history and a holder. A rebuild makes both, and tells transfers a
second, as if the others had cost nothing, and events a second, where both count.

One JSON object: times by the clock in milliseconds, processor time in microseconds a transaction
(`cpu_us` of this process, `server_cpu_us` of all processes of PostgreSQL), what this process wrote
into files and PostgreSQL into its log in bytes a transaction, and the load of the machine.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from node.index.answers import Answers
from node.index.database import Database
from node.index.follower import Follower
from node.index.rebuilding import rebuild
from node.index.recent import RECENT_MAX
from node.index.sqlite import SqliteDatabase
from node.log import silent_log
from node.metrics import Metrics
from node.storage import KeyValueStore, open_leveldb
from tests.bench.long_past import memos
from tests.bench.machine import cpu_seconds_with_ended
from tests.bench.mint import TRANSFERS, Mint, some_addresses
from tests.chain.town import CASH, START_MS
from tests.index.servers import PostgresServer, postgres_server

BLOCK: Final = 2_000
"""Transfers of a block that is kept up with, as a network at its full rate has them."""
ROWS_OF_TRANSFER: Final = 2
"""Of the history: who pays and who is paid."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used from one moment to another."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    written: int = 0
    """Into files, by this process: the chain's own among them."""
    server_cpu_s: float = 0.0

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(
            self.seconds - before.seconds,
            self.cpu_s - before.cpu_s,
            self.written - before.written,
            self.server_cpu_s - before.server_cpu_s,
        )

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.seconds + other.seconds,
            self.cpu_s + other.cpu_s,
            self.written + other.written,
            self.server_cpu_s + other.server_cpu_s,
        )


class Meter:
    """What this process, and the server if there is one, have used."""

    def __init__(self, server: PostgresServer | None) -> None:
        self._server = server
        self._log_bytes = 0

    def now(self) -> Spent:
        """Return what they have used so far."""
        server = self._server
        return Spent(
            time.perf_counter(),
            time.process_time(),
            _written(),
            0.0 if server is None else cpu_seconds_with_ended(server.pid),
        )

    def database_bytes(self) -> int | None:
        """Return what the server's databases take on disk; None: there is no server."""
        return None if self._server is None else self._server.database_bytes()

    def begin(self) -> None:
        """Begin with what `figures` tells of."""
        if self._server is not None:
            self._log_bytes = self._server.log_bytes()

    def figures(self, spent: Spent, transactions: int) -> dict[str, Any]:
        """Return what so many transactions took that were written since `begin`."""
        found = {
            "transactions": transactions,
            "transactions_a_second": round(transactions / spent.seconds),
            "cpu_us": round(spent.cpu_s / transactions * 1e6, 1),
            "bytes_written_a_transaction": round(spent.written / transactions),
        }
        if self._server is not None:
            logged = self._server.log_bytes() - self._log_bytes
            found["server_cpu_us"] = round(spent.server_cpu_s / transactions * 1e6, 1)
            found["server_log_bytes_a_transaction"] = round(logged / transactions)
        return found


async def main(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if arguments.database == "postgres":
            from node.index.postgres import PostgresDatabase

            server = stack.enter_context(postgres_server({}))
            database: Database = PostgresDatabase(server.new_database())
            meter = Meter(server)
        else:
            meter = Meter(None)
            database = SqliteDatabase(Path(folder) / "index.sqlite")
        store = open_leveldb(Path(folder) / "chain", create=True, node=True)
        accounts = some_addresses(arguments.accounts)
        mint = Mint(accounts, memo=memos()) if arguments.memos else Mint(accounts)
        for _ in mint.funding():
            store.write(mint.entries(), sync=False)
        for _ in range(arguments.transactions // TRANSFERS):
            mint.transfers(TRANSFERS)
            store.write(mint.entries(), sync=False)
        follower = Follower(
            database,
            store,
            mint.genesis,
            head=lambda: mint.height,
            metrics=Metrics(),
            log=silent_log(),
        )
        facts: dict[str, Any] = {
            "accounts": arguments.accounts,
            "transactions": arguments.transactions,
            "database": arguments.database,
            "memos": arguments.memos,
            "load": os.getloadavg(),
        }
        try:
            facts["rebuild"] = await _rebuild(database, store, mint, Path(folder), meter, arguments)
            size = meter.database_bytes() or _size(Path(folder))
            events = arguments.transactions + arguments.accounts
            facts["size_bytes_an_event"] = round(size / events)
            facts["followed"] = await _follow(follower, mint, store, meter)
            facts["kept_up"] = await _keep_up(follower, mint, store, meter, arguments)
            facts["asked_alone"] = await _ask(follower.answers, mint, arguments.rounds)
        finally:
            await follower.close()
            store.close()
    print(json.dumps(facts, indent=2))
    return 0


async def _rebuild(
    database: Database,
    store: KeyValueStore,
    mint: Mint,
    folder: Path,
    meter: Meter,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    meter.begin()
    before = meter.now()
    await rebuild(database, store, mint.genesis, scratch=folder, progress=lambda _, __: None)
    spent = meter.now() - before
    events = arguments.transactions + arguments.accounts
    return {
        "seconds": round(spent.seconds, 1),
        **meter.figures(spent, arguments.transactions),
        "accounts_funded_besides": arguments.accounts,
        "events_a_second": round(events / spent.seconds),
        "cpu_us_an_event": round(spent.cpu_s / events * 1e6, 1),
        "server_cpu_us_an_event": round(spent.server_cpu_s / events * 1e6, 1),
    }


async def _follow(
    follower: Follower, mint: Mint, store: KeyValueStore, meter: Meter
) -> dict[str, Any]:
    """Let blocks come as fast as they are taken, until rows go from the buckets to the history."""
    count = RECENT_MAX // ROWS_OF_TRANSFER // BLOCK + 1
    spent = Spent()
    meter.begin()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run(), name="index")
        for _ in range(count):
            given = mint.transfers(BLOCK)
            store.write(mint.entries(), sync=False)
            before = meter.now()
            follower.tell(given)
            await follower.reached(given.height)
            spent += meter.now() - before
        running.cancel()
    return meter.figures(spent, count * BLOCK)


async def _keep_up(
    follower: Follower,
    mint: Mint,
    store: KeyValueStore,
    meter: Meter,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Let blocks come at a rate, made beforehand, while the index is asked."""
    blocks = []
    for _ in range(arguments.seconds * arguments.rate // BLOCK + 1):
        given = mint.transfers(BLOCK)
        blocks.append((given, mint.entries()))
    behind: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run(), name="index")
        # One block first: it has opened its database then.
        given, entries = blocks[0]
        store.write(entries, sync=False)
        follower.tell(given)
        await follower.reached(given.height)
        asking = tasks.create_task(_ask(follower.answers, mint, arguments.rounds), name="asking")
        meter.begin()
        before = meter.now()
        for number, (given, entries) in enumerate(blocks[1:]):
            pause = before.seconds + number * BLOCK / arguments.rate - time.perf_counter()
            await asyncio.sleep(max(0.0, pause))
            store.write(entries, sync=False)
            follower.tell(given)
            assert follower.checkpoint is not None
            behind.append(given.height - follower.checkpoint.height)
        await follower.reached(mint.height)
        spent = meter.now() - before
        answers = await asking
        running.cancel()
    return {
        "offered_a_second": arguments.rate,
        **meter.figures(spent, BLOCK * len(behind)),  # with what asking costs
        "blocks_behind": {"median": median(behind), "most": max(behind)},
        "asked": answers,
    }


async def _ask(answers: Answers, mint: Mint, rounds: int) -> dict[str, Any]:
    chance = Random(1)
    day = (START_MS + mint.height * 1_000) // 86_400_000

    def account() -> bytes:
        return chance.choice(mint.accounts)

    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "history": lambda: answers.history(account(), None, 25),
        "history_further_on": lambda: answers.history(account(), (mint.height // 2, 0), 25),
        "holders": lambda: answers.holders(CASH, account(), 25),
        "classes": lambda: answers.classes(CASH),
        "totals": lambda: answers.totals(CASH, day - 30, day),
        "text": lambda: answers.find("nothing", None, 25),
    }
    times: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(rounds):
        for name, ask in questions.items():
            began = time.perf_counter()
            await ask()
            times[name].append((time.perf_counter() - began) * 1000)
    return {
        name: {
            "p50_ms": round(median(each), 2),
            "p95_ms": round(sorted(each)[int(0.95 * len(each))], 2),
        }
        for name, each in times.items()
    }


def _written() -> int:
    """Return how many bytes this process has written, the chain's own among them."""
    with Path("/proc/self/io").open(encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("index.sqlite*"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.index")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--memos", action="store_true")
    sys.exit(asyncio.run(main(parser.parse_args())))
