"""CometBFT with its own kvstore, from the Go module proxy: four validators on loopback.

The same consensus as ours by other hands, and next to nothing under it: the kvstore has no
accounts and verifies no signatures, so a transaction here is a key and a value of the size of a
signed transfer of ours.
"""

import base64
import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from node.provision.ports import free_ports
from tests.bench.rivals.installed import go_program
from tests.bench.rivals.openloop import BATCH_MAX, Call, Client
from tests.bench.rivals.processes import run, running

PATH: Final = "github.com/cometbft/cometbft/cmd/cometbft"
VERSION: Final = "v0.38.17"
NODES: Final = 4
TRANSACTION_BYTES: Final = 189
REMARK: Final = (
    "four validators and its kvstore, which verifies no signature and knows no account; its usual"
    " settings but for a larger pool and no index"
)


class CometBft:
    """The four nodes."""

    begins_at = 1

    def __init__(self, urls: Sequence[str], pids: list[int]) -> None:
        self.urls: Sequence[str] = urls
        self.pids: Sequence[int] = pids

    def calls(self, count: int) -> list[Call]:
        found = []
        for number in range(count):
            text = f"account{number:012}="
            raw = text.encode().ljust(TRANSACTION_BYTES, b"v")
            encoded = base64.b64encode(raw)
            request = (
                b'{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{"tx":"%b"}}'
                % encoded
            )
            found.append(Call(encoded.decode(), request))
        return found

    async def prepare(self, client: Client) -> None:
        """The nodes find each other by themselves."""

    async def height(self, client: Client, url: str) -> int:
        status = await client.call(url, "status")
        return int(status["sync_info"]["latest_block_height"])

    async def ids(self, client: Client, height: int) -> list[str]:
        found = await client.call(self.urls[0], "block", height=str(height))
        return list(found["block"]["data"]["txs"] or ())


@contextlib.contextmanager
def started(cache: Path, folder: Path) -> Iterator[CometBft]:
    """Run four nodes until the body ends.

    Raises:
        Skipped: it is not to be had.
    """
    program = go_program(cache, PATH, VERSION)
    run(program, "testnet", "--v", str(NODES), "--o", folder)
    homes = [folder / f"node{node}" for node in range(NODES)]
    ports = free_ports(2 * NODES)
    ids = [run(program, "show-node-id", "--home", home).strip() for home in homes]
    peers = [f"{ids[node]}@127.0.0.1:{ports[2 * node]}" for node in range(NODES)]
    for node, home in enumerate(homes):
        settings: dict[str, str | int] = {
            "p2p.laddr": f"tcp://127.0.0.1:{ports[2 * node]}",
            "p2p.persistent_peers": ",".join(peers[:node] + peers[node + 1 :]),
            "rpc.laddr": f"tcp://127.0.0.1:{ports[2 * node + 1]}",
            "rpc.pprof_laddr": "",
            "rpc.max_request_batch_size": BATCH_MAX,
            "mempool.size": 200_000,
            "mempool.cache_size": 400_000,
            "tx_index.indexer": "null",
        }
        set_settings(home / "config" / "config.toml", settings)
    commands: list[list[str | Path]] = [
        [program, "node", "--home", home, "--proxy_app", "kvstore"] for home in homes
    ]
    urls = [f"http://127.0.0.1:{ports[2 * node + 1]}" for node in range(NODES)]
    with running(commands, folder) as pids:
        yield CometBft(urls, pids)


def set_settings(path: Path, settings: dict[str, str | int]) -> None:
    """Change settings of a TOML file in place, each by its table and name."""
    table, lines = "", []
    left = dict(settings)
    for line in path.read_text().splitlines():
        if found := re.match(r"\[(\w+)\]", line):
            table = found[1]
        elif found := re.match(r"(\w+) = ", line):
            place = f"{table}.{found[1]}"
            if place in left:
                value = left.pop(place)
                text = f'"{value}"' if isinstance(value, str) else str(value)
                line = f"{found[1]} = {text}"
        lines.append(line)
    assert not left, f"{path} has no {', '.join(left)}"
    path.write_text("\n".join(lines) + "\n")
