"""anvil, from the npm registry: one process in Rust that executes and has no consensus."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from node.provision.ports import free_ports
from tests.bench.rivals.ethereum import CHAIN_ID, GAS_LIMIT, Wallet, hashes_of
from tests.bench.rivals.installed import npm_program
from tests.bench.rivals.openloop import Call, Client
from tests.bench.rivals.processes import running

PACKAGE: Final = "@foundry-rs/anvil"
VERSION: Final = "1.7.1"
REMARK: Final = "one node, no consensus, state in memory; a block a second"


class Anvil:
    """The one node."""

    begins_at = 0

    def __init__(self, wallet: Wallet, url: str, pids: list[int]) -> None:
        self.urls: Sequence[str] = [url]
        self.pids: Sequence[int] = pids
        self._wallet = wallet

    def calls(self, count: int) -> list[Call]:
        return self._wallet.calls(count)

    async def prepare(self, client: Client) -> None:
        """Nothing is left to do."""

    async def height(self, client: Client, url: str) -> int:
        return int(await client.call(url, "eth_blockNumber"), 16)

    async def ids(self, client: Client, height: int) -> list[str]:
        return hashes_of(
            await client.call(self.urls[0], "eth_getBlockByNumber", hex(height), False)
        )


@contextlib.contextmanager
def started(cache: Path, folder: Path) -> Iterator[Anvil]:
    """Run it until the body ends.

    Raises:
        Skipped: it is not to be had.
    """
    wallet = Wallet()
    program = npm_program(cache, PACKAGE, VERSION, "node_modules/@foundry-rs/anvil-*/bin/anvil*")
    genesis = folder / "genesis.json"
    genesis.write_text(json.dumps(wallet.genesis(clique=None, extra=b"")))
    (port,) = free_ports(1)
    command: list[str | Path] = [
        program, "--port", str(port), "--init", genesis, "--chain-id", str(CHAIN_ID),
        "--accounts", "1", "--block-time", "1", "--gas-limit", str(GAS_LIMIT),
        "--block-base-fee-per-gas", "1", "--silent",
    ]  # fmt: skip
    with running([command], folder) as pids:
        yield Anvil(wallet, f"http://127.0.0.1:{port}", pids)
