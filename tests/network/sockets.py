"""Networks over real sockets on free loopback ports, and raw connections that misbehave."""

import asyncio
import base64
import contextlib
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from node.keys.certificates import create_tls_identity
from node.metrics import Metrics
from node.network import NetworkSettings, Observer, WireLimits
from node.network.tls import TlsIdentity, make_contexts
from node.network.websocket import PATH, WebSocketTransport
from tests.network.nodes import Node, Recorder

HOST: Final = "127.0.0.1"
QUICK: Final = NetworkSettings(
    close_timeout_s=0.2, backoff_first_s=0.02, backoff_max_s=0.1, yield_to_preferred_s=0.0
)
"""Nodes that try again soon, and give nothing up sooner: the machine may be busy."""
IMPATIENT: Final = replace(QUICK, handshake_timeout_s=0.4)


def make_identity(name: str) -> TlsIdentity:
    key, certificate = create_tls_identity(name)
    return TlsIdentity(certificate=certificate, private_key_pem=key)


IDENTITIES: Final = {name: make_identity(name) for name in ("a", "b", "c")}


def real_member(name: str, identity: TlsIdentity | None = None) -> Observer:
    return Observer(name=name, tls_certificate=(identity or IDENTITIES[name]).certificate)


class RealNode:
    """A node that listens on loopback."""

    def __init__(
        self,
        name: str,
        *,
        validators: Sequence[str] = ("a", "b"),
        dials: Mapping[str, int] | None = None,
        settings: NetworkSettings | None = None,
        identity: TlsIdentity | None = None,
        following: TlsIdentity | None = None,
        port: int = 0,
        listen: str = HOST,
        host: str = HOST,
    ) -> None:
        limits = WireLimits()
        self.recorder = Recorder()
        self.transport_metrics = Metrics()
        self.identity = identity or IDENTITIES[name]
        self.transport = WebSocketTransport(
            identity=self.identity,
            following=following,
            listen=(listen, port),
            frame_size_max=limits.frame_size_max,
            log=self.recorder.log(),
            metrics=self.transport_metrics,
            settings=settings,
        )
        self.node = Node(
            name,
            self.transport,
            addresses={peer: f"{host}:{number}" for peer, number in (dials or {}).items()},
            settings=settings,
            limits=limits,
            recorder=self.recorder,
        )
        self.network = self.node.network
        self.network.set_validators([real_member(peer) for peer in validators])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["RealNode"]:
        async with self.node.running():
            yield self

    def refused(self, reason: str) -> float:
        """How many strangers the transport has refused for this reason."""
        return self.transport_metrics.value(
            "khazana_peer_faults_total", peer="(stranger)", reason=reason
        )


class RawPeer:
    """A TLS connection on which a test speaks WebSocket by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @staticmethod
    async def connect(port: int, identity: TlsIdentity, target: TlsIdentity) -> "RawPeer":
        context = make_contexts(identity, [target.certificate]).client
        return RawPeer(
            *await asyncio.open_connection(HOST, port, ssl=context, server_hostname="peer")
        )

    async def upgrade(self, *headers: str) -> bytes:
        """Ask for a WebSocket; return the head of the answer."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            f"GET {PATH} HTTP/1.1",
            "Host: peer",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *headers,
            "",
            "",
        ]
        self.writer.write("\r\n".join(lines).encode())
        return await self.reader.readuntil(b"\r\n\r\n")

    def send(self, payload: bytes, *, opcode: int = 2) -> None:
        """Send one frame, masked with zeros."""
        self.send_header(len(payload), opcode=opcode)
        self.writer.write(payload)

    def send_header(self, length: int, *, opcode: int = 2) -> None:
        """Announce a frame of this length."""
        head = bytes((0x80 | opcode,))
        if length < 126:
            head += bytes((0x80 | length,))
        elif length < 1 << 16:
            head += bytes((0x80 | 126,)) + struct.pack(">H", length)
        else:
            head += bytes((0x80 | 127,)) + struct.pack(">Q", length)
        self.writer.write(head + bytes(4))

    async def read_to_end(self) -> bytes:
        """Return everything until the node closes the connection, however it does that."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while chunk := await self.reader.read(1 << 16):
                received += chunk
        return received

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Relay:
    """A TCP relay between a node and its peer, which records, and stops passing on request."""

    port: int = 0
    stalled: bool = False
    recorded: list[bytes] = field(default_factory=list)
    """What the clients sent."""

    @contextlib.asynccontextmanager
    async def running(self, target: Callable[[], int]) -> AsyncIterator["Relay"]:
        writers: list[asyncio.StreamWriter] = []
        pumps: list[asyncio.Task[None]] = []

        async def pump(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, record: bool
        ) -> None:
            with contextlib.suppress(OSError):
                while chunk := await reader.read(1 << 16):
                    if record:
                        self.recorded.append(chunk)
                    if not self.stalled:
                        writer.write(chunk)
                writer.close()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(HOST, target())
            writers.extend((writer, far_writer))
            pumps.append(tasks.create_task(pump(reader, far_writer, record=True)))
            pumps.append(tasks.create_task(pump(far_reader, writer, record=False)))

        async with asyncio.TaskGroup() as tasks:
            server = await asyncio.start_server(serve, HOST, 0)
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                server.close()
                for task in pumps:
                    task.cancel()
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def last_drop(node: RealNode, peer: str) -> str:
    return next(view.last_drop for view in node.network.status() if view.name == peer)


async def raw_connection(port: int, source: str = HOST) -> RawPeer:
    return RawPeer(*await asyncio.open_connection(HOST, port, local_addr=(source, 0)))
