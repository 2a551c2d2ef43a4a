"""Databases to look after: a chain with everything in it, on a real disk or in memory."""

import json
from pathlib import Path

from node.genesis import Genesis
from node.genesis.reading import render_record
from node.storage import Batch, KeyValueStore, MemoryStore, open_leveldb
from node.upkeep import Fault, Report, check_database
from tests.chain.town import Town, make_record, make_town

RECORD = make_record(window_ms=10_000)


async def lived_in(store: KeyValueStore, *, blocks: int = 12, keep_blocks: int = 0) -> Town:
    """A town with transfers, a refused one, a change of validators, in blocks and in between."""
    town = make_town(store, record=RECORD, keep_blocks=keep_blocks)
    await town.settle(20)
    await town.decide(town.remove_validator("crypto-council"))
    await town.decide(town.transfer("a0", "a1", 7), town.transfer("a1", "a2", 10**9))
    # A key is never used twice.
    town.generations["crypto-council"] = 1
    await town.decide(town.add_validator("crypto-council"))
    while town.chain.head.height < blocks:
        await town.decide(town.transfer("a2", "a3"), town.transfer("a4", "a5"))
    return town


async def memory_town(**options: int) -> Town:
    return await lived_in(MemoryStore(), **options)


async def disk_town(path: Path, **options: int) -> Genesis:
    """A closed LevelDB in this directory."""
    store = open_leveldb(path, create=True)
    try:
        town = await lived_in(store, **options)
    finally:
        store.close()
    return town.genesis


def check(town: Town) -> Report:
    return check_database(town.store.view(), town.genesis)


def faults_after(town: Town, batch: Batch) -> list[Fault]:
    """What a check finds after a change behind the chain's back."""
    town.store.write(batch, sync=True)
    return list(check(town).faults)


NAME = "central-bank"


def write_home_of(folder: Path, genesis: Genesis, *, name: str = NAME) -> Path:
    """A home of this network, as its node's configuration and genesis, without keys."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("tls.pem", "tls.der"):
        (folder / file).write_bytes(b"")
    (folder / "genesis.json").write_text(json.dumps(render_record(genesis.record)))
    (folder / "node.toml").write_text(
        f'name = "{name}"\ngenesis = "genesis.json"\n[tls]\nkey = "tls.pem"\n'
        'certificate = "tls.der"\n'
    )
    return folder
