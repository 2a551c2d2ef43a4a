"""geth with Clique, from the Go module proxy: four signers on loopback, a block a second.

The last version that has Clique. A block counts as final when two more stand on it: then three of
four signers stand behind it, which is as close to finality as Clique comes.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from node.provision.ports import free_ports
from tests.bench.rivals.ethereum import (
    ACCOUNTS,
    CHAIN_ID,
    FINAL_DEPTH,
    GAS_LIMIT,
    GAS_PRICE,
    Wallet,
    hashes_of,
)
from tests.bench.rivals.installed import go_program
from tests.bench.rivals.openloop import Call, Client
from tests.bench.rivals.processes import run, running

PATH: Final = "github.com/ethereum/go-ethereum/cmd/geth"
VERSION: Final = "v1.13.15"
FLAGS: Final = ("-ldflags=-checklinkname=0",)
"""It links to what newer Go hides; only a debugging call needs that."""
NODES: Final = 4
PERIOD_S: Final = 1
REMARK: Final = "four signers, one block a second; final two blocks later, by convention"
POOL: Final = ("globalslots", "globalqueue", "accountslots", "accountqueue")


class Geth:
    """The four nodes."""

    begins_at = 1

    def __init__(
        self, wallet: Wallet, urls: Sequence[str], ports: Sequence[int], pids: list[int]
    ) -> None:
        self.urls: Sequence[str] = urls
        self.pids: Sequence[int] = pids
        self._wallet = wallet
        self._ports = ports

    def calls(self, count: int) -> list[Call]:
        return self._wallet.calls(count)

    async def prepare(self, client: Client) -> None:
        """Tell every node of the others."""
        for node, url in enumerate(self.urls):
            for other in range(node):
                public = self._wallet.public(ACCOUNTS + other).hex()
                place = f"enode://{public}@127.0.0.1:{self._ports[other]}"
                await client.call(url, "admin_addPeer", place)

    async def height(self, client: Client, url: str) -> int:
        return int(await client.call(url, "eth_blockNumber"), 16) - FINAL_DEPTH

    async def ids(self, client: Client, height: int) -> list[str]:
        return hashes_of(
            await client.call(self.urls[0], "eth_getBlockByNumber", hex(height), False)
        )


@contextlib.contextmanager
def started(cache: Path, folder: Path) -> Iterator[Geth]:
    """Run four nodes until the body ends.

    Raises:
        Skipped: it is not to be had, or refuses what it is told.
    """
    wallet = Wallet()
    program = go_program(cache, PATH, VERSION, FLAGS)
    signers = sorted(wallet.address(ACCOUNTS + node) for node in range(NODES))
    genesis, password = folder / "genesis.json", folder / "password"
    extra = bytes(32) + b"".join(signers) + bytes(65)
    clique = {"period": PERIOD_S, "epoch": 30_000}
    genesis.write_text(json.dumps(wallet.genesis(clique=clique, extra=extra)))
    password.write_text("bench")
    ports = free_ports(3 * NODES)
    commands: list[list[str | Path]] = []
    for node in range(NODES):
        data, key = folder / f"node{node}", folder / f"key{node}"
        key.write_text(wallet.key(ACCOUNTS + node).to_hex())
        run(program, "--datadir", data, "init", genesis)
        run(
            program, "--datadir", data, "--lightkdf", "account", "import", "--password", password,
            key,
        )  # fmt: skip
        address = "0x" + wallet.address(ACCOUNTS + node).hex()
        commands.append([
            program, "--datadir", data, "--networkid", str(CHAIN_ID), "--nodekey", key,
            "--port", str(ports[3 * node]), "--nodiscover", "--nat", "none",
            "--netrestrict", "127.0.0.0/8", "--ipcdisable",
            "--http", "--http.addr", "127.0.0.1", "--http.port", str(ports[3 * node + 1]),
            "--http.api", "eth,admin", "--authrpc.port", str(ports[3 * node + 2]),
            "--syncmode", "full", "--mine", "--miner.etherbase", address,
            "--miner.gaslimit", str(GAS_LIMIT), "--unlock", address, "--password", password,
            "--allow-insecure-unlock", "--cache", "256", "--verbosity", "2",
            "--txpool.pricelimit", "1", "--miner.gasprice", str(GAS_PRICE),
            *(word for name in POOL for word in (f"--txpool.{name}", "200000")),
        ])  # fmt: skip
    urls = [f"http://127.0.0.1:{ports[3 * node + 1]}" for node in range(NODES)]
    with running(commands, folder) as pids:
        yield Geth(wallet, urls, ports[::3], pids)
