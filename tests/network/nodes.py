"""Small networks over the in-memory twin, and a handler that writes down what it hears."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random
from typing import Any

import structlog

from node.log import Logger
from node.metrics import Metrics
from node.network import Introduction, Network, NetworkSettings, Observer, WireLimits, WireMessage
from node.network.memory import MemoryNet
from node.network.transport import Transport

GENESIS_HASH = b"g" * 32
BLOCK_ID = b"b" * 32


class Recorder:
    """A handler that keeps everything and can be made slow."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, WireMessage]] = []
        self.present: set[str] = set()
        self.events: list[str] = []
        self.delay_s = 0.0
        self.lines: list[dict[str, object]] = []
        self.changed = asyncio.Event()

    def connected(self, peer: str) -> None:
        assert peer not in self.present
        self.present.add(peer)
        self._note(f"+{peer}")

    def disconnected(self, peer: str) -> None:
        self.present.remove(peer)
        self._note(f"-{peer}")

    async def received(self, peer: str, message: WireMessage) -> None:
        assert peer in self.present
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        self.heard.append((peer, message))
        self._note("")

    async def until(self, condition: Callable[[], bool], timeout_s: float = 90.0) -> None:
        """Return once the condition holds; it is tried after each event."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def _note(self, event: str) -> None:
        if event:
            self.events.append(event)
        self.changed.set()

    def log(self) -> Logger:
        """A log that keeps its lines and makes `until` look again at each of them."""

        def look_again(_logger: object, _method: str, event: Any) -> Any:
            self.lines.append(event)
            self.changed.set()
            return event

        logger: Logger = structlog.wrap_logger(
            structlog.ReturnLogger(),
            wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
            processors=[look_again],
        ).bind()
        return logger


class Node:
    """A network with its recorder."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        addresses: dict[str, str],
        observers: Sequence[Observer] = (),
        settings: NetworkSettings | None = None,
        limits: WireLimits | None = None,
        genesis_hash: bytes = GENESIS_HASH,
        seed: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        self.name = name
        self.height = 0
        self.recorder = recorder or Recorder()
        self.metrics = Metrics()
        self.network = Network(
            Introduction(name=name, genesis_hash=genesis_hash, height=lambda: self.height),
            transport=transport,
            addresses=addresses,
            observers=observers,
            log=self.recorder.log(),
            metrics=self.metrics,
            settings=settings,
            limits=limits,
            random=Random(f"{name}-{seed}"),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Node"]:
        """Run the network for the length of the block."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.network.run(self.recorder), name=f"network-{self.name}")
            await self.network.wait_started()
            try:
                yield self
            finally:
                self.network.stop()

    async def meets(self, *names: str, timeout_s: float = 90.0) -> None:
        """Return once links to exactly these peers are up."""
        await self.recorder.until(lambda: self.recorder.present == set(names), timeout_s)


def member(name: str) -> Observer:
    """A member of the roster whose certificate is only a token: for the in-memory twin."""
    return Observer(name=name, tls_certificate=certificate(name))


def certificate(name: str) -> bytes:
    return b"certificate of " + name.encode()


def address(name: str) -> str:
    return f"{name}:26600"


def make_node(
    net: MemoryNet,
    name: str,
    *,
    validators: Sequence[str],
    observers: Sequence[str] = (),
    dials: Sequence[str] | None = None,
    settings: NetworkSettings | None = None,
    limits: WireLimits | None = None,
    genesis_hash: bytes = GENESIS_HASH,
    seed: int = 0,
) -> Node:
    """A node of the in-memory net; dials all validators unless told otherwise."""
    dialled = validators if dials is None else dials
    node = Node(
        name,
        net.transport(address(name), certificate(name)),
        addresses={other: address(other) for other in dialled if other != name},
        observers=[member(other) for other in observers],
        settings=settings,
        limits=limits,
        genesis_hash=genesis_hash,
        seed=seed,
    )
    node.network.set_validators([member(other) for other in validators])
    return node
