"""How long a new node takes to join a large network by a snapshot, and what it holds meanwhile.

    python -m tests.bench.joining [--accounts N] [--folder F]

The state is built first, directly through the chain: the transactions are applied as any others,
without their signatures having been looked at. Then real processes: a validator on LevelDB and TLS
that serves it, and a new observer with an empty disk, from the start of its process to the first
answer of its interface. With --folder the network is kept there and used again by the next run.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from consensus.certificates import QuorumCertificate
from consensus.messages import Vote, sign_bytes
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.app import CHAIN_FOLDER
from node.chain import Candidate, Chain
from node.clock import SystemClock
from node.codec import Record, encode
from node.genesis import Genesis
from node.keys.development import development_signer
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.policies import account_address, single_signer
from node.ledger.tables import ParticipantKind
from node.ledger.transactions import (
    SignedTransaction,
    TransactionBody,
    network_of,
    transaction_id,
)
from node.mempool import AdmittedTransaction
from node.provision.acts import RUPEE, define_rupee, issue
from node.provision.description import Account, Participant
from node.provision.homes import CONFIG_FILE
from node.provision.local import LocalNetwork, NoSuchNetwork, create_network, open_network
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network
from node.storage import open_leveldb
from tests.bench.clients import Poster
from tests.bench.machine import cpu_seconds, resident_mb

CLOCK: Final = SystemClock()
NEWCOMER: Final = "exchange"
OWNER: Final = "savers"
VALIDATOR: Final = "central-bank"
OPERATIONS_MAX: Final = 100
BLOCK_TRANSACTIONS: Final = 60
FUNDS_PAISA: Final = 1_000_000
PATIENCE_S: Final = 600.0


def make_network(root: Path) -> LocalNetwork:
    """Make a network of one validator, its state to be built, and one observer."""
    names = (VALIDATOR, NEWCOMER)
    free = free_ports(2 * len(names))
    others = [office for office in INSTITUTIONS if office != VALIDATOR]
    description = reference_network(
        "bench",
        ports={name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(names)},
        validators=(VALIDATOR,),
        development=True,
        participants=[
            *(
                Participant(id=office, kind=ParticipantKind.INSTITUTION, office=office)
                for office in others
            ),
            Participant(id=OWNER, kind=ParticipantKind.COMPANY),
        ],
        accounts=[Account(owner=office, development_key=f"{office}/account") for office in others],
    )
    return create_network(root, description, now_ms=CLOCK.now_ms())


class Builder:
    """Makes blocks of a chain as fast as they can be applied."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._salt = 0

    def transaction(
        self, signers: Sequence[str], operations: Sequence[Record]
    ) -> AdmittedTransaction:
        """Return a transaction of these operations; nobody signs it."""
        genesis = self.chain.genesis
        self._salt += 1
        keys = sorted(development_signer(f"{name}/account").public_key for name in signers)
        body = TransactionBody(
            version=1,
            network=network_of(genesis.hash),
            valid_until_ms=CLOCK.now_ms() + 300_000,
            salt=self._salt.to_bytes(8),
            signers=tuple(keys),
            operations=tuple(operations),  # type: ignore[arg-type]  # a union
            memo="",
        )
        encoded = encode(body)
        raw = encode(SignedTransaction(body=encoded, signatures=(bytes(64),) * len(keys)))
        return AdmittedTransaction(
            id=transaction_id(genesis.hash, encoded), raw=raw, body=body, size_bytes=len(raw)
        )

    async def decide(self, signer: str, operations: Sequence[Record], *others: str) -> None:
        """Commit one block of these, all applied."""
        transactions = [
            self.transaction([signer, *others], operations[first : first + OPERATIONS_MAX])
            for first in range(0, len(operations), OPERATIONS_MAX)
        ]
        candidate = self.chain.build(round=0, time_ms=CLOCK.now_ms(), transactions=transactions)
        assert len(candidate.receipts) == len(transactions)
        assert all(receipt.outcome == 0 for receipt in candidate.receipts), candidate.receipts[0]
        await self.chain.commit(candidate, certify(candidate, self.chain.genesis))


def certify(candidate: Candidate, genesis: Genesis) -> QuorumCertificate:
    """Return the certificate of the only validator."""
    vote = Vote(
        kind=VoteType.PRECOMMIT,
        height=Height(candidate.height),
        round=Round(0),
        block_id=BlockId(candidate.block_id),
        validator=ValidatorId(VALIDATOR),
    )
    signature = development_signer(f"{VALIDATOR}/consensus").sign(sign_bytes(vote, genesis.hash))
    return QuorumCertificate(
        kind=VoteType.PRECOMMIT,
        height=Height(candidate.height),
        round=Round(0),
        block_id=BlockId(candidate.block_id),
        signatures=((ValidatorId(VALIDATOR), Signature(signature)),),
    )


async def build(network: LocalNetwork, accounts: int) -> None:
    """Give so many accounts some money, block by block, into the validator's database."""
    store = open_leveldb(network.nodes[VALIDATOR].home / "data" / CHAIN_FOLDER, create=True)
    builder = Builder(Chain.open(store, network.genesis))
    office = {
        name: account_address(
            name, single_signer(development_signer(f"{name}/account").public_key), bytes(8)
        )
        for name in INSTITUTIONS
    }
    bank, regulator = office["central-bank"], office["virtual-asset-regulator"]
    try:
        define = define_rupee(central_bank=bank, approvers=(office["finance-ministry"],))
        await builder.decide("central-bank", [define], "finance-ministry")
        # One key and a salt for each account: what a key is like makes no difference here.
        policy = single_signer(development_signer("account-0").public_key)
        salts = [number.to_bytes(8) for number in range(accounts)]
        for first in range(0, accounts, OPERATIONS_MAX * BLOCK_TRANSACTIONS):
            some = salts[first : first + OPERATIONS_MAX * BLOCK_TRANSACTIONS]
            openings = [
                OpenAccount(account=regulator, approvers=(), owner=OWNER, policy=policy, salt=salt)
                for salt in some
            ]
            issues = [
                issue(
                    account=bank,
                    asset=RUPEE,
                    amount=FUNDS_PAISA,
                    to=account_address(OWNER, policy, salt),
                )
                for salt in some
            ]
            await builder.decide("virtual-asset-regulator", openings)
            await builder.decide("central-bank", issues)
            if first // len(some) % 20 == 0:
                print(f"{first} accounts of {accounts}", file=sys.stderr)
    finally:
        store.close()


async def join(network: LocalNetwork) -> dict[str, object]:
    """Let the observer join, and say what it took."""
    home = network.nodes[NEWCOMER].home
    url, source_url = network.nodes[NEWCOMER].url, network.nodes[VALIDATOR].url
    network.start(VALIDATOR, leashed=True)
    began_s = CLOCK.monotonic()
    await network.wait_ready(VALIDATOR, timeout_s=PATIENCE_S)
    restart_s = CLOCK.monotonic() - began_s
    status = await call(source_url)
    point = status["snapshots"][-1]
    config = home / CONFIG_FILE
    lines = config.read_text().partition("\n[sync]")[0]
    config.write_text(
        f"{lines}\n[sync]\ntrusted_height = {point['height']}\n"
        f'trusted_block = "{point["block_id"]}"\n'
    )
    shutil.rmtree(home / "data", ignore_errors=True)
    source = network.process(VALIDATOR)
    assert source is not None
    source_cpu_s = cpu_seconds(source.pid)
    began_s = CLOCK.monotonic()
    network.start(NEWCOMER, leashed=True)
    process = network.process(NEWCOMER)
    assert process is not None
    await network.wait_ready(NEWCOMER, timeout_s=PATIENCE_S)
    joined_s = CLOCK.monotonic() - began_s
    joined = await call(url)
    assert joined["earliest_height"] > 1, "it has copied blocks"
    assert joined["genesis_hash"] == status["genesis_hash"]
    folder = home / "data" / CHAIN_FOLDER
    return {
        "joined_s": round(joined_s, 1),
        "newcomer_cpu_s": round(cpu_seconds(process.pid), 1),
        "newcomer_memory_peak_mb": _peak_mb(process.pid),
        "newcomer_memory_mb": resident_mb(process.pid),
        "newcomer_disk_mb": sum(f.stat().st_size for f in folder.iterdir()) >> 20,
        "source_cpu_s": round(cpu_seconds(source.pid) - source_cpu_s, 1),
        "source_memory_peak_mb": _peak_mb(source.pid),
        "source_start_s": round(restart_s, 1),
        "height": joined["height"],
        "snapshot_height": joined["earliest_height"] - 1,
    }


async def call(url: str) -> dict[str, Any]:
    """Return a node's status."""
    poster = Poster(url)
    try:
        found: dict[str, Any] = await poster.call("khz_status")
        return found
    finally:
        poster.close()


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


async def run(root: Path, accounts: int) -> dict[str, object]:
    """Build the network if it is not there, and let a node join it."""
    try:
        network = open_network(root)
        built_s = None
    except NoSuchNetwork:
        network = make_network(root)
        began_s = CLOCK.monotonic()
        await build(network, accounts)
        built_s = round(CLOCK.monotonic() - began_s, 1)
    try:
        result = await join(network)
    finally:
        await network.stop()
    return {"accounts": accounts, "built_s": built_s, **result}


def main() -> None:
    """Run the benchmark and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the network here, and use it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="khazana-bench-") as folder:
        root = options.folder or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        print(json.dumps(asyncio.run(run(root, options.accounts)), indent=2))


if __name__ == "__main__":
    main()
