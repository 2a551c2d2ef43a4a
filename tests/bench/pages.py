"""How long a page takes, from request to last byte, and how large it is, on a chain with a past.

python -m tests.bench.pages [--accounts 1000000] [--transactions 2000000] [--rounds 40]
                            [--database sqlite|postgres] [--folder ~/.cache/khazana-bench]

One node with its pages and its index in this process, on a chain of so many accounts and
transactions (`tests/bench/long_past.py`, which builds it first if it is not there); a client in the
same process asks for each page in both languages and for the `.json` beside it, in turn, so that
what is measured holds the client's part too. Whatever can be asked of another account, block or
transaction is asked of another one each time, anywhere in the chain, so that no cache answers. With
`--database postgres` the index is in a server that it starts, with the settings as they come, and
is made first, each time.

Prints the median, the 95th percentile and the longest in milliseconds, the processor time of one,
client included, and the size, and marks what is above 50 ms at the 95th percentile or above 100 kB;
exit code 1 where a page is.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from node.app.collector import settle
from node.explorer import Explorer
from node.explorer.limits import PAGE_BYTES_MAX
from node.genesis import genesis_of
from node.index.database import Database
from node.ledger.transactions import decode_transaction, transaction_ids
from node.rpc import RpcLimits
from node.storage import open_leveldb
from tests.bench.long_past import CACHE, LongPast, long_past, make_index
from tests.bench.population import address
from tests.chain.town import BANK, CASH, make_record
from tests.explorer.stage import Stage
from tests.index.servers import postgres_server
from tests.rpc.solo import Solo, solo_node

P95_MS_MAX: Final = 50.0
ROUNDS: Final = 40
RECORD: Final = make_record(validators=1, protocol_version=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a page took."""

    name: str
    p50_ms: float
    p95_ms: float
    max_ms: float
    cpu_ms: float
    size_bytes: int
    is_page: bool
    """Whether it is for people; what is beside it for programs may be larger."""

    @property
    def is_over(self) -> bool:
        """Whether it took or has more than a page may."""
        return self.p95_ms > P95_MS_MAX or (self.is_page and self.size_bytes > PAGE_BYTES_MAX)


async def measure(
    past: LongPast, *, rounds: int, index: Path | Database | None = None
) -> list[Measured]:
    """Ask for every page so many times.

    Args:
        index: of the chain; None: the one beside it.
    """
    store = open_leveldb(past.chain, create=False, node=True)
    try:
        async with solo_node(
            settled=False,
            record=RECORD,
            limits=RpcLimits(calls_per_second=None, work_ms_per_second=None),
            pages=Explorer,
            store=store,
            index=index or past.index,
        ) as solo:
            await solo.indexed()
            found = []
            shown = Stage(solo=solo, **past.facts)
            paths = _paths(shown, past)
            for root, name, path in _asked(paths):
                found.append(await _measure(solo, root, name, path, rounds))
            return found
    finally:
        store.close()


def _asked(paths: Mapping[str, Callable[[], str]]) -> list[tuple[str, str, Callable[[], str]]]:
    asked = [(root, name, path) for root in ("", "/ur") for name, path in paths.items()]
    return asked + [("json", name, path) for name, path in paths.items()]


def _paths(shown: Stage, past: LongPast) -> dict[str, Callable[[], str]]:
    """Return what gives a path of each kind of page."""
    solo, chance = shown.solo, random.Random(3)
    head = solo.town.chain.head.height
    first = head - past.transactions // 1_000 + 1
    id_of = transaction_ids(solo.town.genesis.hash)

    def account() -> str:
        return solo.network.render_address(address(chance.randrange(past.accounts), BANK))

    def height() -> int:
        return chance.randint(first, head)

    def identifier() -> str:
        block = solo.town.chain.block(height())
        assert block is not None
        return id_of(decode_transaction(chance.choice(block.transactions)).body).hex()

    moving = {
        "account-any": lambda: f"/accounts/{account()}",
        "account-past": lambda: f"/accounts/{account()}?before={height()}-0",
        "block-any": lambda: f"/blocks/{height()}",
        "blocks-any": lambda: f"/blocks?before={height()}",
        "transaction-any": lambda: f"/transactions/{identifier()}",
        "asset-cash": lambda: f"/assets/{CASH}",
        "search-height": lambda: f"/search?q={height()}",
        "search-id": lambda: f"/search?q={identifier()}",
        "search-account": lambda: f"/search?q={account()}",
        "search-letter": lambda: "/search?q=d",
        "search-syllable": lambda: "/search?q=da",
        "search-four": lambda: "/search?q=da+ge+hi+ko",
        "search-absent": lambda: "/search?q=zzzz",
    }
    fixed = {name: (lambda path=path: path) for name, path in shown.paths.items()}
    return {**fixed, **moving}


async def _measure(
    solo: Solo, root: str, name: str, path: Callable[[], str], rounds: int
) -> Measured:
    times_ms: list[float] = []
    size, cpu_s = 0, 0.0
    for _ in range(rounds):
        place = path()
        place = _json(place) if root == "json" else root + place
        cpu, began = time.process_time(), time.perf_counter()
        async with solo.session.get(solo.url + place, allow_redirects=False) as response:
            text = await response.read()
            assert response.status < 500, (place, response.status)
        times_ms.append((time.perf_counter() - began) * 1000)
        cpu_s += time.process_time() - cpu
        size = max(size, len(text))
    times_ms.sort()
    return Measured(
        name=f"{root} {name}",
        p50_ms=median(times_ms),
        p95_ms=times_ms[int(0.95 * len(times_ms))],
        max_ms=times_ms[-1],
        cpu_ms=cpu_s * 1000 / rounds,
        size_bytes=size,
        is_page=root != "json",
    )


def _json(path: str) -> str:
    where, _, query = path.partition("?")
    where = "/index" if where == "/" else where
    return f"{where}.json" + (f"?{query}" if query else "")


def _measure_settled(past: LongPast, rounds: int, index: Path | Database) -> list[Measured]:
    settle()  # as a node does: the collector looks seldom, and not at what was there at the start
    return asyncio.run(measure(past, rounds=rounds, index=index))


def _measure_in_postgres(past: LongPast, rounds: int) -> list[Measured]:
    from node.index.postgres import PostgresDatabase

    with postgres_server({}) as server:
        url = server.new_database()
        began = time.monotonic()
        asyncio.run(make_index(past, genesis_of(RECORD), PostgresDatabase(url), _say))
        _say(f"index made in {time.monotonic() - began:.0f} s, {server.database_bytes():,} bytes")
        return _measure_settled(past, rounds, PostgresDatabase(url))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a page is too slow or too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--transactions", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where the chain is kept")
    options = parser.parse_args(arguments)
    past = long_past(options.accounts, options.transactions, cache=options.folder, say=_say)
    if options.database == "postgres":
        found = _measure_in_postgres(past, options.rounds)
    else:
        found = _measure_settled(past, options.rounds, past.index)
    print(f"{past.accounts:,} accounts, {past.transactions:,} transfers")
    print(f"{'page':28} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'cpu ms':>8} {'bytes':>8}")
    for each in found:
        times = f"{each.p50_ms:8.1f} {each.p95_ms:8.1f} {each.max_ms:8.1f} {each.cpu_ms:8.1f}"
        print(f"{each.name:28} {times} {each.size_bytes:8,}{'  over' if each.is_over else ''}")
    return int(any(each.is_over for each in found))


if __name__ == "__main__":
    sys.exit(main())
