"""The offline commands on a home: what they print, and how they end."""

import asyncio
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.cli.failures import explain
from node.client import Forgotten
from node.client.errors import call_failed
from node.storage import layout, open_leveldb
from tests.cli.asked import here
from tests.cli.running import khazana
from tests.upkeep.builders import disk_town, write_home_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    genesis = asyncio.run(disk_town(tmp_path / "home/data/chain"))
    return write_home_of(tmp_path / "home", genesis)


def test_check_says_what_it_looked_at(home: Path) -> None:
    ran = khazana("check", "--home", home)

    assert (ran.code, ran.err) == (Exit.OK, "")
    assert "checked 12 blocks" in ran.out
    assert "whole, at height 12" in ran.out


def test_check_names_every_fault_and_ends_with_its_code(home: Path) -> None:
    store = open_leveldb(home / "data/chain", create=False)
    store.write([(layout.block_key(7), None), (layout.receipts_key(8), None)], sync=True)
    store.close()

    ran = here("check", "--home", home, "--json")

    assert ran.code == Exit.DAMAGED
    assert ran.json["whole"] is False
    assert ran.json["good_to"] == 6
    assert {fault["place"] for fault in ran.json["faults"]} >= {"block 7", "receipts 8"}
    assert all("khazana repair" in fault["advice"] for fault in ran.json["faults"])
    text = here("check", "--home", home)
    assert "blocks: block 7: nothing, expected it is kept" in text.out
    assert "good up to 6" in text.out


def test_check_of_a_running_or_missing_database_is_refused(home: Path, tmp_path: Path) -> None:
    store = open_leveldb(home / "data/chain", create=False)
    try:
        ran = khazana("check", "--home", home, "--json")
    finally:
        store.close()
    assert ran.code == Exit.DAMAGED
    assert "in use by another process" in ran.err

    (home / "data/chain").rename(tmp_path / "aside")
    ran = here("check", "--home", home)
    assert ran.code == Exit.DAMAGED
    assert "does not exist" in ran.err


def test_repair_says_what_it_did_and_what_comes_next(home: Path) -> None:
    store = open_leveldb(home / "data/chain", create=False)
    store.write([(layout.block_key(7), None)], sync=True)
    store.close()

    ran = here("repair", "--home", home)

    assert (ran.code, ran.err) == (Exit.OK, "")
    assert "blocks: block 7" in ran.out
    assert f"kept at {home / 'data/chain.damaged-1'}" in ran.out
    assert "up to height 6" in ran.out
    assert here("check", "--home", home).code == Exit.OK
    again = here("repair", "--home", home, "--to-height", "4", "--json")
    assert (again.json["done"], again.json["height"]) == ("rebuilt", 4)
    refused = here("repair", "--home", home, "--to-height", "5")
    assert refused.code == Exit.REFUSED
    assert "head is at height 4" in refused.err


def test_a_damaged_log_is_left_alone_with_what_to_do(home: Path) -> None:
    log = home / "data/consensus/consensus.log"
    log.parent.mkdir()
    log.write_bytes(b"no log at all, and longer than a header is" * 9)

    checked = here("check", "--home", home)
    ran = here("repair", "--home", home)

    assert checked.code == Exit.DAMAGED
    assert "1 fault; every block is good up to 12" in checked.out
    assert ran.code == Exit.OK
    assert "the database is whole" in ran.out
    assert "move the directory of the consensus log aside" in ran.out
    assert log.read_bytes().startswith(b"no log at all")


def test_a_database_that_does_not_open_says_nothing_of_blocks(home: Path) -> None:
    (home / "data/chain/CURRENT").write_text("junk")

    ran = here("check", "--home", home)

    assert ran.code == Exit.DAMAGED
    assert "1 fault; no block is known to be good" in ran.out


def test_what_was_pruned_is_said_with_where_to_ask() -> None:
    pruned = explain(call_failed(-32001, "block 1: pruned", {"pruned": True, "earliest_height": 9}))
    assert pruned.code == Exit.REFUSED
    assert "khazana status" in pruned.advice
    assert pruned.facts["data"] == {"pruned": True, "earliest_height": 9}

    forgotten = explain(Forgotten("ab"))
    assert forgotten.code == Exit.TIMEOUT
    assert "may have been applied" in forgotten.message
    assert forgotten.facts == {"id": "ab"}
