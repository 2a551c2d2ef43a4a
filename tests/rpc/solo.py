"""A node of one validator with its interface, in one object: everything real but the network.

`solo_node()` gives a settled town behind an `RpcServer` on a free port. Blocks are built, certified
with the validator's key and committed when a test says `seal()`, or by themselves with
`sealing=True`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from consensus.types import Height, Round
from node.access import Keyring
from node.app.followers import follower_warnings
from node.chain import Committed
from node.client import ClientNetwork
from node.codec import encode
from node.config import NodeConfig, TlsConfig
from node.config.sections import IndexConfig
from node.genesis import Amendment, GenesisRecord
from node.index.database import Database
from node.index.follower import Follower
from node.index.sqlite import SqliteDatabase
from node.intake import Intake, SubmitResult
from node.log import Logger, silent_log
from node.metrics import Metrics
from node.network import PeerView, WireMessage
from node.replica.position import Position, Totals
from node.rpc import NOBODY, Peers, RpcLimits, RpcServer, RpcServices
from node.rpc.pages import MakePages
from node.rpc.services import Consensus
from node.storage import KeyValueStore
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town

__all__ = ["BANK", "CASH", "Solo", "SoloIntake", "address_of", "solo_node"]


class Nobody:
    """A network without peers."""

    def gossip(self, raws: Sequence[bytes]) -> int:  # noqa: ARG002
        return 0

    def send(self, peer: str, message: WireMessage) -> bool:  # noqa: ARG002
        return False

    def peers(self) -> tuple[PeerView, ...]:
        return ()

    def punish(self, peer: str, reason: str) -> None:
        raise AssertionError(f"{peer} was punished: {reason}")


class StillConsensus:
    """A validator that decides nothing by itself: blocks are sealed by the test."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.totals = Totals()

    @property
    def position(self) -> Position:
        chain = self._town.chain
        height = Height(chain.head.height + 1)
        return Position(
            height=height,
            deciding=False,
            round=None,
            step=None,
            proposer=chain.validators.proposer(height, Round(0)).id,
            prevotes={},
            precommits={},
        )


class SoloIntake:
    """The node's intake, which can be made to fail, and says when something was taken."""

    def __init__(self, town: Town, metrics: Metrics) -> None:
        self.taken = asyncio.Event()
        self.failure: Exception | None = None
        self.asked = asyncio.Semaphore(0)
        """Released each time that something is handed in, whatever comes of it."""
        self.claims: dict[str, int] = {}
        self._intake = Intake(
            chain=town.chain,
            mempool=town.pool,
            admission=town.admission,
            gossip=Nobody(),
            wake=self.taken.set,
            gives_way_to=lambda: False,
            clock=town.clock,
            metrics=metrics,
            claims=lambda: self.claims,
        )

    @property
    def is_crowded(self) -> bool:
        return self._intake.is_crowded

    def turn_away(self) -> int | None:
        return self._intake.turn_away()

    async def run(self) -> None:
        await self._intake.run()

    async def submit(self, raws: Sequence[bytes]) -> Sequence[SubmitResult]:
        self.asked.release()
        if self.failure is not None:
            raise self.failure
        return await self._intake.submit(raws)

    async def wait(self, transaction_id: bytes, timeout_s: float) -> bool:
        return await self._intake.wait(transaction_id, timeout_s)


@dataclass
class FixedPeers:
    """Peers as a test wants them seen."""

    views: Sequence[PeerView] = ()

    def status(self) -> Sequence[PeerView]:
        return self.views


@dataclass
class Solo:
    """The node, and a session to it."""

    town: Town
    intake: SoloIntake
    server: RpcServer
    services: RpcServices
    session: aiohttp.ClientSession
    calls: int = field(default=0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def network(self) -> ClientNetwork:
        return ClientNetwork.of(self.town.genesis)

    def address(self, name: str, owner: str = BANK) -> str:
        return self.network.render_address(address_of(owner, name))

    async def indexed(self) -> None:
        """Wait until the last block is in the index."""
        assert self.services.index is not None
        await self.services.index.reached(self.town.chain.head.height)

    async def seal(self) -> Committed:
        """Commit a block of everything that waits."""
        candidate = self.town.build(self.town.pool.take(count_max=5_000, size_bytes_max=1 << 22))
        committed = await self.town.chain.commit(candidate, self.town.certify(candidate))
        self.town.pool.remove(candidate.transaction_ids)
        return committed

    async def seal_for_ever(self) -> None:
        """Commit a block whenever something waits."""
        while True:
            await self.intake.taken.wait()
            self.intake.taken.clear()
            while len(self.town.pool):
                await self.seal()
                await asyncio.sleep(0)
            self.town.pool.expire(self.town.chain.head.time_ms)

    async def post(self, body: bytes, *, path: str = "/rpc", **headers: str) -> tuple[int, bytes]:
        """Return status and body of a POST."""
        headers = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        async with self.session.post(self.url + path, data=body, headers=headers) as response:
            return response.status, await response.read()

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a GET."""
        async with self.session.get(self.url + path) as response:
            return response.status, await response.text()

    async def answer(self, method: str, params: object = ()) -> dict[str, Any]:
        """Return the whole answer to a call."""
        self.calls += 1
        body = {"jsonrpc": "2.0", "id": self.calls, "method": method, "params": params}
        status, data = await self.post(json.dumps(body).encode())
        assert status == 200, data
        answer: dict[str, Any] = json.loads(data)
        assert answer["id"] == self.calls
        return answer

    async def call(self, method: str, params: object = ()) -> Any:
        """Return the result of a call that succeeds."""
        answer = await self.answer(method, params)
        assert "result" in answer, answer
        return answer["result"]

    async def refused(self, method: str, params: object = ()) -> dict[str, Any]:
        """Return the error of a call that is refused."""
        answer = await self.answer(method, params)
        assert "error" in answer, answer
        error: dict[str, Any] = answer["error"]
        return error

    async def submit_list(self, raws: Sequence[bytes]) -> tuple[int, bytes]:
        """Return status and body of `POST /transactions`."""
        return await self.post(
            encode(tuple(raws)), path="/transactions", Content_Type="application/msgpack"
        )


@contextlib.asynccontextmanager
async def solo_node(
    *,
    accounts: int = 3,
    limits: RpcLimits | None = None,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
    keyring: Keyring | None = None,
    sealing: bool = False,
    count_max: int = 20_000,
    peers: Peers = NOBODY,
    log: Logger | None = None,
    settled: bool = True,
    store: KeyValueStore | None = None,
    record: GenesisRecord | None = None,
    amendments: Sequence[Amendment] = (),
    keep_blocks: int = 0,
    consensus: Consensus | None = None,
    why_silent: str | None = None,
    missing: str | None = None,
    snapshots: Sequence[tuple[int, bytes]] = (),
    pages: MakePages | None = None,
    index: Path | Database | None = None,
) -> AsyncIterator[Solo]:
    """Run a node; on leaving, everything of it is gone.

    Args:
        index: which it keeps up from where it stands, or the file of one; None: it has none.
    """
    town = make_town(
        store,
        record=record or make_record(validators=1),
        amendments=amendments,
        count_max=count_max,
        keep_blocks=keep_blocks,
    )
    metrics = Metrics()
    follower = None
    if index is not None:
        follower = Follower(
            SqliteDatabase(index) if isinstance(index, Path) else index,
            town.store,
            town.genesis,
            head=lambda: town.chain.head.height,
            metrics=metrics,
            log=log or silent_log(),
        )
        town.chain.listeners.append(follower.note)
    if settled:
        await town.settle(accounts)
    intake = SoloIntake(town, metrics)
    services = RpcServices(
        node_name="central-bank",
        chain=town.chain,
        mempool=town.pool,
        intake=intake,
        peers=peers,
        genesis=town.genesis,
        clock=town.clock,
        metrics=metrics,
        log=log or silent_log(),
        consensus=consensus or StillConsensus(town),
        why_silent=lambda: why_silent,
        missing=lambda: missing,
        snapshots=lambda: snapshots,
        index=follower,
        warnings=lambda: tuple(
            follower_warnings(
                _settings(kept=follower is not None),
                index=follower,
                stream=None,
                head=town.chain.head.height,
            )
        ),
    )
    server = RpcServer(
        services, limits=limits, hosts=hosts, origins=origins, keyring=keyring, pages=pages
    )
    await server.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            solo = Solo(town, intake, server, services, session)
            tasks = [group.create_task(intake.run(), name="intake")]
            if follower is not None:
                tasks.append(group.create_task(follower.run(), name="index"))
            if sealing:
                tasks.append(group.create_task(solo.seal_for_ever(), name="sealer"))
            try:
                yield solo
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        await server.stop()
        if follower is not None:
            await follower.close()


def _settings(*, kept: bool) -> NodeConfig:
    """What the node would be configured with to keep an index, or none."""
    nowhere = TlsConfig(key=Path("key"), certificate=Path("certificate"))
    kind = "sqlite" if kept else "off"
    return NodeConfig(name="central-bank", tls=nowhere, index=IndexConfig(database=kind))
