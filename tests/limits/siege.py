"""Three validators as processes, and the fourth's keys in hostile hands: what attacks run against.

One of the processes is the victim. What it holds is measured where it is: resident memory, as the
kernel counts it, before an attack, at its highest, and after.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from consensus.messages import Vote, sign_bytes
from consensus.types import BlockId, Height, Round, ValidatorId, VoteType
from node.client import Client
from node.clock import SystemClock
from node.genesis import Genesis
from node.keys.development import development_signer
from node.network import Hello, VoteMessage, WireMessage
from node.network.messages import PROTOCOL_VERSION, encode_message
from node.network.tls import TlsIdentity
from node.provision.funding import founders
from node.provision.homes import TLS_CERTIFICATE_FILE, TLS_KEY_FILE
from node.provision.local import LocalNetwork, create_network
from node.provision.reference import INSTITUTIONS, reference_network
from tests.e2e.networks import client_of, endow, pay_once
from tests.network.sockets import RawPeer
from tests.ports import own_ports

BANK, MINISTRY, COUNCIL, LIAR = INSTITUTIONS
HONEST: Final = (BANK, MINISTRY, COUNCIL)
VICTIM: Final = BANK
MIB: Final = 1 << 20
SERVICE_S: Final = 90.0
"""In which a payment must be final after an attack, whatever the attack was and whoever else loads
the machine: a node that serves no more does so for good.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an attack made the victim hold."""

    attack: str
    sent: str
    before_mib: float
    highest_mib: float
    after_mib: float
    paid_s: float
    """From handing in a payment right after the attack to its receipt."""

    @property
    def grown_mib(self) -> float:
        """What it held at most beyond what it held before."""
        return self.highest_mib - self.before_mib


@dataclass(slots=True, kw_only=True)
class Siege:
    """A network under attack."""

    network: LocalNetwork
    genesis: Genesis
    ports: dict[str, tuple[int, int]]
    """Of each node, for peers and for clients."""
    scale: float
    """1 for the attack in full; less for a short form of the same."""
    identity: TlsIdentity
    """Of the liar: a member, so that it gets past the handshake."""
    certificates: dict[str, bytes]
    lines: list[RawPeer] = field(default_factory=list)
    taken: int = 0
    """Messages of the present flood that the victim took."""

    def count(self, full: int, *, least: int = 1) -> int:
        """Return how often to do what the attack in full does so many times."""
        return max(least, int(full * self.scale))

    @property
    def peer_port(self) -> int:
        """Where the victim listens for peers."""
        return self.ports[VICTIM][0]

    @property
    def client_port(self) -> int:
        """Where the victim listens for clients."""
        return self.ports[VICTIM][1]

    @property
    def url(self) -> str:
        return self.network.nodes[VICTIM].url

    def client(self, *names: str) -> Client:
        """Return a client of these nodes, of the victim if none is named."""
        return client_of(self.network, *(names or (VICTIM,)))

    # The liar as a peer.

    async def line(self, *, hello: bool = True) -> RawPeer:
        """Return a link to the victim under the liar's name; it does not read on."""
        target = TlsIdentity(certificate=self.certificates[VICTIM], private_key_pem=b"")
        peer = await RawPeer.connect(self.peer_port, self.identity, target)
        self.lines.append(peer)
        async with asyncio.timeout(5):
            await peer.upgrade()
        if hello:
            self.send(
                peer,
                Hello(
                    version=PROTOCOL_VERSION,
                    network=self.genesis.hash,
                    name=LIAR,
                    instance=1,
                    height=0,
                    earliest=1,
                    software="liar",
                ),
            )
        return peer

    def send(self, peer: RawPeer, message: WireMessage) -> None:
        """Send a message as a whole frame."""
        peer.send(encode_message(message))

    async def flood(self, messages: Callable[[int], WireMessage], count: int) -> int:
        """Send so many messages as fast as the victim takes them; return how many it took.

        A link that the victim ends is replaced once it lets the liar in again, within a time.
        """
        self.taken = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60 * max(self.scale, 0.05)):
                while self.taken < count:
                    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                        await self._flood_once(messages, count)
                    await asyncio.sleep(0.05)
        return self.taken

    async def _flood_once(self, messages: Callable[[int], WireMessage], count: int) -> None:
        peer = await self.line()
        reading = asyncio.get_running_loop().create_task(peer.read_to_end(), name="drain")
        try:
            while self.taken < count and not reading.done():
                self.send(peer, messages(self.taken))
                await peer.writer.drain()
                await asyncio.sleep(0)  # Whether the victim has ended the link is seen here.
                if peer.writer.transport.is_closing():
                    break
                self.taken += 1
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            await peer.close()

    def vote(self, height: int, round_: int, block: bytes | None, kind: VoteType) -> VoteMessage:
        """Return a vote that is truly the liar's."""
        vote = Vote(
            kind=kind,
            height=Height(height),
            round=Round(round_),
            block_id=None if block is None else BlockId(block),
            validator=ValidatorId(LIAR),
        )
        signer = development_signer(f"{LIAR}/consensus")
        return VoteMessage(
            vote_type=int(kind),
            height=height,
            round=round_,
            block_id=block,
            validator=LIAR,
            signature=signer.sign(sign_bytes(vote, self.genesis.hash)),
        )

    # Measuring.

    async def measure(self, name: str, attack: Callable[["Siege"], Awaitable[str]]) -> Held:
        """Run an attack; say what the victim held, and how long a payment took after it."""
        process = self.network.process(VICTIM)
        assert process is not None
        before = resident_mib(process.pid)
        forget_highest(process.pid)
        sent = await attack(self)
        for line in self.lines:
            await line.close()
        self.lines.clear()
        began = SystemClock().monotonic()
        async with asyncio.timeout(SERVICE_S), self.client(*HONEST) as client:
            receipt = await pay_once(client)
            assert receipt.outcome.applied
        paid_s = SystemClock().monotonic() - began
        assert self.network.process(VICTIM) is not None, "the victim has ended"
        return Held(
            attack=name,
            sent=sent,
            before_mib=before,
            highest_mib=resident_mib(process.pid, field="VmHWM"),
            after_mib=resident_mib(process.pid),
            paid_s=paid_s,
        )

    async def figure(self, metric: str) -> float:
        """Return the sum of a metric of the victim over all its labels."""
        async with aiohttp.ClientSession() as session, session.get(self.url + "/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


def resident_mib(pid: int, *, field: str = "VmRSS") -> float:
    """Return the resident memory of a process, or its highest since the last `forget_highest`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {field} of process {pid}")


def forget_highest(pid: int) -> None:
    """Let the highest resident memory be counted anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextlib.asynccontextmanager
async def siege(root: Path, *, scale: float) -> AsyncIterator[Siege]:
    """Give three validators as processes; the fourth never runs, its keys are at hand."""
    free = own_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    participants, accounts = founders()
    description = reference_network(
        "besieged", ports=ports, development=True, participants=participants, accounts=accounts
    )
    network = create_network(root, description, now_ms=SystemClock().now_ms())
    homes = {name: network.nodes[name].home for name in INSTITUTIONS}
    certificates = {n: (home / TLS_CERTIFICATE_FILE).read_bytes() for n, home in homes.items()}
    besieged = LocalNetwork(
        root=root, name=network.name, nodes={name: network.nodes[name] for name in HONEST}
    )
    try:
        besieged.start(*HONEST, leashed=True)
        await besieged.wait_ready()
        await endow(besieged)
        yield Siege(
            network=besieged,
            genesis=besieged.genesis,
            ports=ports,
            scale=scale,
            identity=TlsIdentity(
                certificate=certificates[LIAR],
                private_key_pem=(homes[LIAR] / TLS_KEY_FILE).read_bytes(),
            ),
            certificates=certificates,
        )
    finally:
        await besieged.stop()
