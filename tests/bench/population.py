"""A ledger of millions of accounts, built from the bottom up in minutes.

    python -m tests.bench.population --accounts 10000000 --folder F

Block by block a million accounts take ten minutes, and most of that is work on a tree that changes
under every block. Here the tree is planted once: records, index and branches are written in the
order of their keys, with the node's own functions for each of them, as if the network had been
founded with the population in it. All is one company's, under one key: what an account's key is
like makes no difference to what is measured. `khazana check` says whether what came out is whole;
`tests/bench/test_population.py` compares a small one with the same accounts opened by transactions.

The network has one validator and one observer, as that of `tests.bench.joining`, and is kept in the
folder. The memory taken is some 70 bytes an account.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from node.app import CHAIN_FOLDER
from node.chain.head import HeadRecord
from node.codec import encode, replace
from node.genesis import Genesis
from node.hashing import HASH_SIZE
from node.keys import LocalSigner
from node.keys.development import development_signer
from node.ledger.acting import BlockContext
from node.ledger.commitment import Path as TreePath
from node.ledger.commitment import hash_of_branch, hash_of_key, plant
from node.ledger.founding import found
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.policies import account_address, single_signer
from node.ledger.state import LedgerState, MemoryRecords
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    HOLDINGS,
    AccountRecord,
    AccountStatus,
    HoldingRecord,
    holding_key,
    name_key,
)
from node.ledger.transactions import TransactionBody, network_of
from node.ledger.transition import Application
from node.provision.acts import RUPEE, define_rupee
from node.storage import KeyValueStore, layout, open_leveldb
from tests.bench.joining import OWNER, VALIDATOR, make_network

FUNDS_PAISA: Final = 1_000_000
OPENED_BY: Final = "virtual-asset-regulator"
BATCH_PAIRS: Final = 20_000
COUNT_FILE: Final = "accounts.txt"

Kind: TypeAlias = tuple[Callable[[bytes], bytes], bytes]
"""A record that every account has: its full key by the address, and its encoding."""


def accounts_of(root: Path) -> int:
    """Return how many accounts the network in this folder was built with."""
    return int((root / COUNT_FILE).read_text())


def owner_signer() -> LocalSigner:
    """Return the key that signs for every account."""
    return development_signer("account-0")


def address(number: int, owner: str = OWNER) -> bytes:
    """Return the address of the account of this number."""
    return account_address(owner, _POLICY, number.to_bytes(8))


_POLICY: Final = single_signer(owner_signer().public_key)


def office_address(name: str) -> bytes:
    """Return the account of an institution."""
    policy = single_signer(development_signer(f"{name}/account").public_key)
    return account_address(name, policy, bytes(8))


def populate(store: KeyValueStore, genesis: Genesis, accounts: int) -> bytes:
    """Fill an empty store with a first state that has so many funded accounts; return its root."""
    population = Population(accounts, kinds_of_record(), founded(genesis, accounts * FUNDS_PAISA))
    return write_population(store, genesis, population)


def kinds_of_record(
    *, owner: str = OWNER, opened_by: str = OPENED_BY, rupee: str = RUPEE
) -> list[Kind]:
    """Return what every account of a population has: its own record, and rupees."""
    account = AccountRecord(
        owner=owner,
        policy=_POLICY,
        opened_by=opened_by,
        status=AccountStatus.OPEN,
        hold=None,
    )
    holding = HoldingRecord(available=FUNDS_PAISA, held=0)
    return [
        (lambda place: ACCOUNTS.prefix + place, encode(account)),
        (lambda place: HOLDINGS.prefix + holding_key(place, rupee), encode(holding)),
    ]


def write_population(store: KeyValueStore, genesis: Genesis, population: "Population") -> bytes:
    """Fill an empty store with a first state; return its root."""
    for name in ("index", "branches", "records"):
        began = time.monotonic()
        write = _Writer(store)
        for pair in getattr(population, name)():
            write.add(pair)
        write.flush()
        _say(f"{name} written in {time.monotonic() - began:.0f} s")
    head = HeadRecord(
        height=0, block_id=genesis.hash, time_ms=genesis.time_ms, state_root=population.root
    )
    store.write(
        [
            (layout.Meta.FORMAT.value, layout.encode_number(layout.FORMAT_VERSION)),
            (layout.Meta.GENESIS.value, genesis.hash),
            (layout.Meta.HEAD.value, encode(head)),
        ],
        sync=True,
    )
    return population.root


def founded(genesis: Genesis, supply: int) -> dict[bytes, bytes]:
    """Return the other records: the genesis' own, and the rupee, of which so much was issued."""
    state = LedgerState(MemoryRecords())
    found(state, genesis.ledger)
    define = define_rupee(
        central_bank=office_address("central-bank"), approvers=(office_address("finance-ministry"),)
    )
    signers = [
        development_signer(f"{name}/account").public_key
        for name in ("central-bank", "finance-ministry")
    ]
    body = TransactionBody(
        version=1,
        network=network_of(genesis.hash),
        valid_until_ms=genesis.time_ms + 1,
        salt=bytes(8),
        signers=tuple(sorted(signers)),
        operations=(define,),
        memo="",
    )
    context = BlockContext(
        height=1,
        time_ms=genesis.time_ms,
        genesis_hash=genesis.hash,
        version=genesis.ledger.protocol_version,
    )
    receipt = Application(state, context).apply(bytes(HASH_SIZE), body)
    assert receipt.outcome == 0, receipt
    rupee = state.get(ASSETS, name_key(RUPEE))
    assert rupee is not None
    state.put(ASSETS, name_key(RUPEE), replace(rupee, supply=supply))
    changes = state.changes()
    assert all(value is not None for value in changes.values())
    return changes  # type: ignore[return-value]  # as asserted


class Population:
    """The records of a population, and what follows from them, each in the order of its keys."""

    def __init__(
        self,
        accounts: int,
        kinds: Sequence[Kind],
        others: Mapping[bytes, bytes],
        *,
        owner: str = OWNER,
    ) -> None:
        """Take what each account has, one record of each kind, and all other records."""
        self._kinds = kinds
        self._others = others
        self.root = b""
        # Addresses by their first byte; the same records again by the first byte of their hashes.
        self._addresses = [bytearray() for _ in range(256)]
        self._hashed: list[list[bytearray]] = [[bytearray() for _ in kinds] for _ in range(256)]
        for number in range(accounts):
            place = address(number, owner)
            self._addresses[place[0]] += place
            for kind, (key_of, _) in enumerate(kinds):
                self._hashed[hash_of_key(key_of(place))[0]][kind] += place

    def _beneath(self, first: int) -> dict[bytes, bytes]:
        """Return the records whose keys' hashes begin with this byte."""
        records = {
            key: value for key, value in self._others.items() if hash_of_key(key)[0] == first
        }
        for kind, (key_of, value) in enumerate(self._kinds):
            for place in _split(self._hashed[first][kind]):
                records[key_of(place)] = value
        return records

    def index(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys of the records in the order of their hashes."""
        for first in range(256):
            for key_hash, key in sorted((hash_of_key(key), key) for key in self._beneath(first)):
                yield layout.hash_key(key_hash), key

    def branches(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the branches in the order of their paths; afterwards the root is known."""
        slots: dict[TreePath, bytes] = {}
        crown: dict[TreePath, bytes] = {}
        for first in range(256):
            path = bytes((first >> 4, first & 15))
            subtree = plant(path, self._beneath(first).items())
            slots[path] = subtree.slot
            for at, branch in sorted(subtree.nodes.items()):
                yield layout.node_key(at), branch
        # With so many records all of these 256 are branches, and so are the 16 above them.
        for path in (*(bytes((index,)) for index in range(16)), b""):
            below = [slots[path + bytes((index,))] for index in range(16)]
            assert all(len(slot) == HASH_SIZE for slot in below), "too few accounts"
            crown[path] = b"\xff\xff\0\0" + b"".join(below)
            slots[path] = hash_of_branch(crown[path])
        self.root = slots[b""]
        for path, branch in crown.items():
            yield layout.node_key(path), branch

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the records, each kind in the order of its keys."""
        for key_of, value in self._kinds:
            for first in range(256):
                for place in sorted(_split(self._addresses[first])):
                    yield layout.state_key(key_of(place)), value
        for key, value in self._others.items():
            yield layout.state_key(key), value


class _Writer:
    """Gathers pairs into batches."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._batch: list[tuple[bytes, bytes | None]] = []

    def add(self, pair: tuple[bytes, bytes]) -> None:
        self._batch.append(pair)
        if len(self._batch) >= BATCH_PAIRS:
            self.flush()

    def flush(self) -> None:
        self._store.write(self._batch, sync=False)
        self._batch = []


def _split(places: bytearray) -> list[bytes]:
    size = ADDRESS_SIZE
    return [bytes(places[at : at + size]) for at in range(0, len(places), size)]


def _say(text: str) -> None:
    print(text, flush=True, file=sys.stderr)


def main() -> None:
    """Build the network that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the network is kept")
    options = parser.parse_args()
    began = time.monotonic()
    options.folder.mkdir(parents=True)
    network = make_network(options.folder)
    (options.folder / COUNT_FILE).write_text(str(options.accounts))
    folder = network.nodes[VALIDATOR].home / "data" / CHAIN_FOLDER
    store = open_leveldb(folder, create=True)
    try:
        root = populate(store, network.genesis, options.accounts)
    finally:
        store.close()
    print(
        json.dumps(
            {
                "accounts": options.accounts,
                "built_s": round(time.monotonic() - began, 1),
                "disk_mb": sum(file.stat().st_size for file in folder.iterdir()) >> 20,
                "state_root": root.hex(),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
