"""The benchmark of pages, at a size for tests: a chain that a node opens, and every page of it."""

import asyncio
from pathlib import Path

from node.chain import Chain
from node.explorer.limits import PAGE_BYTES_MAX
from node.genesis import genesis_of
from node.storage import open_leveldb
from node.upkeep.checking import check_database
from tests.bench.long_past import long_past
from tests.bench.pages import measure
from tests.chain.town import make_record

ACCOUNTS, TRANSACTIONS = 2_000, 2_000


def test_chain_with_a_long_past_is_whole_and_every_page_is_asked_for(tmp_path: Path) -> None:
    past = long_past(ACCOUNTS, TRANSACTIONS, cache=tmp_path, say=lambda _: None)
    again = long_past(ACCOUNTS, TRANSACTIONS, cache=tmp_path, say=lambda _: None)

    found = asyncio.run(measure(past, rounds=1))

    assert past.facts == again.facts  # it is built once
    names = {each.name for each in found}
    assert {" overview", "/ur overview", "json overview", " account-past"} <= names
    assert all(each.size_bytes <= PAGE_BYTES_MAX for each in found if each.is_page)
    genesis = genesis_of(make_record(validators=1, protocol_version=3))
    store = open_leveldb(past.chain, create=False)
    head = Chain.open(store, genesis).head
    assert head.header is not None
    assert head.header.transaction_count == 1_000
    assert check_database(store.view(), genesis).state_is_whole
    store.close()
