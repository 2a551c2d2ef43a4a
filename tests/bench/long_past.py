"""A chain with a million accounts and millions of transactions behind it, for pages to be asked of.

Built once and kept (`~/.cache/khazana-bench`), in four steps:

1. a real node puts something of everything on its chain (`tests/explorer/stage.py`);
2. its records are planted into a new database together with a population of accounts of its bank,
   each with cash (`tests/bench/population.py`): the state, with its commitment, is whole;
3. after its blocks follow blocks of a thousand transfers (`tests/bench/mint.py`), and before them
   those in which every account was given its cash. Certificates are signed, headers follow each
   other, ids are noted; transactions have no true signatures, and the transfers did not change the
   state. One in ten has a memo of four words, by a law as that of Zipf from a few thousand;
4. the index is made of all blocks by the node's own code.

A node opens it and checks its head as it would any other.
"""

import asyncio
import itertools
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.codec import decode, encode, replace
from node.explorer import Explorer
from node.genesis import Genesis
from node.index.database import Database
from node.index.rebuilding import rebuild
from node.index.schema import FORMAT
from node.index.sqlite import SqliteDatabase
from node.ledger.tables import ASSETS, AssetRecord, name_key
from node.storage import KeyValueStore, MemoryStore, layout, open_leveldb
from tests.bench.mint import TRANSFERS, Mint
from tests.bench.population import (
    FUNDS_PAISA,
    Population,
    address,
    kinds_of_record,
    write_population,
)
from tests.chain.town import BANK, CASH, Town, make_record
from tests.explorer.stage import populate
from tests.rpc.solo import solo_node

VERSION: Final = 2
"""Of how it is built: what another one built is built anew."""
CACHE: Final = Path.home() / ".cache" / "khazana-bench"
TOLD_EVERY_S: Final = 5.0
INTERVAL_MS: Final = 60_000
"""Between blocks: ten million transfers last a week."""
AMOUNT_MAX: Final = 1_000
"""Of a transfer: what an account was given is enough for a thousand."""
WORDS: Final = 4_000
MEMO_SHARE: Final = 10
"""One transfer in so many has a memo."""
CHAIN_FILE: Final = "chain.whole"
INDEX_FILE: Final = f"index-{FORMAT}.whole"
"""Written when a step is done: where one is missing, the step is done anew. With the form of the
index."""
STAGE_FACTS: Final = (
    "paid",
    "refused",
    "joint",
    "strange",
    "proposal",
    "evidence_height",
    "holder",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPast:
    """What was built, and where."""

    folder: Path
    accounts: int
    transactions: int
    facts: dict[str, Any]
    """Names of what is on the chain, as `tests.explorer.stage.Stage` has them."""

    @property
    def chain(self) -> Path:
        """The folder of the database."""
        return self.folder / "chain"

    @property
    def index(self) -> Path:
        """The file of the index."""
        return self.folder / "index.sqlite"


def long_past(
    accounts: int, transactions: int, *, cache: Path = CACHE, say: Callable[[str], None]
) -> LongPast:
    """Return the chain of that size, built if it is not there.

    Args:
        say: told what is done.
    """
    facts, stage_store, town = asyncio.run(_stage())
    # What a release reads otherwise, it also writes otherwise.
    form = f"{VERSION}.{town.chain.head.block_id.hex()[:12]}"
    folder = cache / f"past-{accounts}-{transactions}-{form}"
    past = LongPast(folder=folder, accounts=accounts, transactions=transactions, facts=facts)
    if not (folder / CHAIN_FILE).is_file():
        for earlier in cache.glob(f"past-{accounts}-{transactions}-*"):
            shutil.rmtree(earlier)
        folder.mkdir(parents=True)
        with _noted(folder / CHAIN_FILE):
            _build(past, stage_store, town, say)
    if not (folder / INDEX_FILE).is_file():
        with _noted(folder / INDEX_FILE):
            asyncio.run(make_index(past, town.genesis, SqliteDatabase(past.index), say))
    return past


@contextmanager
def _noted(file: Path) -> Iterator[None]:
    """Note in a file that a step was done, and how long it took."""
    began = time.monotonic()
    yield
    file.write_text(f"built in {time.monotonic() - began:.0f} s\n")


async def _stage() -> tuple[dict[str, Any], KeyValueStore, Town]:
    """Return what is on a chain with something of everything, its store, and its town."""
    stage_store = MemoryStore()
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(settled=False, record=record, pages=Explorer, store=stage_store) as solo:
        shown = await populate(solo)
        town = solo.town
    facts = {name: getattr(shown, name) for name in STAGE_FACTS}
    return facts, stage_store, town


def _build(
    past: LongPast, stage_store: KeyValueStore, town: Town, say: Callable[[str], None]
) -> None:
    store = open_leveldb(past.chain, create=True, node=True)
    try:
        root = _plant(store, stage_store, town.genesis, past.accounts)
        say(f"{past.accounts:,} accounts planted")
        mint = Mint(
            [address(number, BANK) for number in range(past.accounts)],
            genesis=town.genesis,
            after=town.chain.head.header,
            state_root=root,
            interval_ms=INTERVAL_MS,
            amount_max=AMOUNT_MAX,
            memo=memos(),
            certify=town.certificate,
        )
        for given in mint.funding(FUNDS_PAISA):
            store.write([*mint.entries(), *mint.places(given)], sync=False)
        for number in range(past.transactions // TRANSFERS):
            given = mint.transfers(TRANSFERS)
            store.write([*mint.entries(), *mint.places(given)], sync=False)
            if number % 500 == 499:
                say(f"{(number + 1) * TRANSFERS:,} transfers")
    finally:
        store.close()


def _plant(store: KeyValueStore, stage: KeyValueStore, genesis: Genesis, accounts: int) -> bytes:
    """Fill an empty database with the stage and a population; return the root of its state."""
    start, stop = layout.range_of(layout.state_key(b""))
    others = {key[len(start) :]: value for key, value in stage.scan(start, stop)}
    cash = ASSETS.prefix + name_key(CASH)
    record = decode(others[cash], AssetRecord)
    others[cash] = encode(replace(record, supply=record.supply + accounts * FUNDS_PAISA))
    kinds = kinds_of_record(owner=BANK, opened_by="central-bank", rupee=CASH)
    population = Population(accounts, kinds, others, owner=BANK)
    root = write_population(store, genesis, population)
    for prefix in (b"M", b"B", b"C", b"R", b"T", b"V"):
        store.write(list(stage.scan(*layout.range_of(prefix))), sync=False)
    return root


def memos() -> Callable[[], str]:
    """Return what makes a memo of four words for one transfer in ten, and none for the others."""
    chance = random.Random(11)
    syllables = [first + second for first in "bdfghklmnprst" for second in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]
    sums = list(itertools.accumulate(weights))

    def memo() -> str:
        if chance.randrange(MEMO_SHARE):
            return ""
        return " ".join(chance.choices(words, cum_weights=sums, k=4))

    return memo


async def make_index(
    past: LongPast, genesis: Genesis, database: Database, say: Callable[[str], None]
) -> None:
    """Make an index of the chain anew, and close it."""
    store = open_leveldb(past.chain, create=False, node=True)
    told = 0.0

    def progress(what: str, done: int) -> None:
        nonlocal told
        if time.monotonic() - told > TOLD_EVERY_S:
            told = time.monotonic()
            say(f"index: {done:,} {what}")

    try:
        await rebuild(database, store, genesis, scratch=past.folder, progress=progress)
    finally:
        await database.close()
        store.close()
