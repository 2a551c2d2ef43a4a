"""The network: one link to each member of the roster, kept up for ever, and what is said over it.

Theory of operation. Every configured address is dialled by a task of its own, again and again; a
link that a peer opened serves as well as one we opened, and while there is one nobody dials. Both
sides say Hello at once; then the link belongs to a `Peer` until it ends, and its end wakes the
dialling task. Identity is the certificate's, looked up in the roster at each step that follows a
wait, because the roster may have changed meanwhile.

One link per pair. Two nodes that dial each other at the same moment would end up with two links, or
with none if each closed the one that the other keeps. So when a second link to a peer has said
Hello:

- another process at the other end (`Hello.instance`) replaces the first: the peer was restarted;
- a first link older than a dial may take is replaced: a peer with a living link does not dial, so
  the first is dead and we have not noticed yet;
- otherwise the link that was dialled by the smaller name stays. Both sides see the same two links
  and the same names.

Limits: members bound the peers; `settings` bounds the rest. What this room does not do: signatures,
votes, blocks, and who should be told what.
"""

import asyncio
import math
import secrets
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Final, Protocol

from node.log import Logger
from node.metrics import Metrics
from node.network.contacts import Contact, PeerView, Standing
from node.network.errors import DialFailed, LinkClosed, WireError, WireFault
from node.network.introduction import Introduction
from node.network.messages import (
    BATCH_SIZE_BYTES,
    BATCH_TRANSACTIONS_MAX,
    PROTOCOL_VERSION,
    Hello,
    ProposalMessage,
    Transactions,
    WireLimits,
    WireMessage,
    decode_message,
    encode_message,
    lane_of,
    size_max,
)
from node.network.peer import Misconduct, Peer, Traffic
from node.network.roster import PinnedRecord, Role, Roster
from node.network.settings import NetworkSettings
from node.network.transport import Link, Transport

PUNISHMENT_POINTS: Final = 20
"""Of an offence that a handler reports: five in a short time put a peer out."""

_REASON_LENGTH_MAX: Final = 200
_COPIED: Final = "replaced: two processes run with the same keys, a home was copied"
_DOUBLED: Final = (
    "have its operator stop one of them at once: a home was copied, and both may sign at one height"
)
_FAULTS: Final = ("reported", "misconduct", "too-many-links", "other-hello", *WireFault)
"""Labels of what is held against a member."""


class Handler(Protocol):
    """Who hears what the peers say. A peer is known by its name in the roster."""

    def connected(self, peer: str) -> None:
        """A link to this peer is up: what was said before is lost, say it again."""
        ...

    def disconnected(self, peer: str) -> None:
        """The link to this peer is gone; nothing more comes from it until `connected`."""
        ...

    async def received(self, peer: str, message: WireMessage) -> None:
        """Take one message. Awaited before the peer's next one: waiting here slows that peer."""
        ...


class _Refused(Exception):
    """We end a link during its handshake."""


class _Stopped(Exception):
    """`stop` was called."""


class Network:
    """Links to all members, one sending interface, one handler."""

    def __init__(
        self,
        introduction: Introduction,
        *,
        transport: Transport,
        addresses: Mapping[str, str],
        observers: Sequence[PinnedRecord] = (),
        log: Logger,
        metrics: Metrics,
        settings: NetworkSettings | None = None,
        limits: WireLimits | None = None,
        random: Random | None = None,
    ) -> None:
        """Store what is given; nothing happens before `run`.

        Args:
            introduction: who we are.
            addresses: "host:port" by name, for those members that we dial.
            observers: who may connect beside the validators.
            random: source of jitter and of our instance number; a simulation seeds it.
        """
        self._introduction = introduction
        self._transport = transport
        self._addresses = dict(addresses)
        self._observers = tuple(observers)
        self._log = log.bind(part="network")
        self._metrics = metrics
        self._traffic = Traffic(metrics)
        self._settings = settings or NetworkSettings()
        self._limits = limits or WireLimits()
        self._random = random or Random(secrets.randbits(64))
        self._instance = self._random.getrandbits(63)
        self._roster = Roster.of((), self._observers, own_name=introduction.name)
        self._contacts: dict[str, Contact] = {}
        self._handler: Handler | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._batch_timer: asyncio.TimerHandle | None = None
        self._batch_left_s = -math.inf
        """Event loop's time at which the last batch left."""

    # Life.

    async def run(self, handler: Handler) -> None:
        """Listen, dial and serve until `stop` or cancellation; leave no task and no socket.

        Raises:
            OSError: the port is taken or not ours to take.
        """
        assert self._handler is None
        self._handler = handler
        failure: OSError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._follow_roster()
                try:
                    await self._transport.start(tasks, self._serve_inbound)
                    self._started.set()
                    await self._stopping.wait()
                except OSError as error:
                    failure = error
                finally:
                    self._tasks = None  # no dialling for a roster that changes from now on
                raise _Stopped
        except* _Stopped:
            pass
        finally:
            if self._batch_timer is not None:
                self._batch_timer.cancel()
                self._batch_timer = None
            await self._transport.stop()
            self._handler = None
        if failure is not None:
            raise failure

    async def wait_started(self) -> None:
        """Return once the transport listens."""
        await self._started.wait()

    def stop(self) -> None:
        """Make `run` close every link and return."""
        self._stopping.set()

    def set_validators(self, validators: Iterable[PinnedRecord]) -> None:
        """Replace the validators of the roster; whoever is no longer on it is dropped at once.

        Cheap when nothing changes: may be called after every block.
        """
        roster = Roster.of(validators, self._observers, own_name=self._introduction.name)
        if roster == self._roster:
            return
        self._roster = roster
        for name in self._roster.refused:
            self._log.warning("member ignored", member=name, reason="its name or key is taken")
        self._follow_roster()

    # Speaking.

    def broadcast(self, message: WireMessage, *, observers: bool = False) -> int:
        """Queue a message for every connected validator; return how many will get it.

        Encoded once. Never waits. Transactions are batched as by `gossip`.

        Args:
            observers: tell the connected observers too.
        """
        if isinstance(message, Transactions):
            return self.gossip(message.raws)
        if isinstance(message, ProposalMessage):
            # It may name what waits here to be pushed.
            self._flush_batch()
        return self._offer_all(message, observers=observers)

    def send(self, peer: str, message: WireMessage) -> bool:
        """Queue a message for one peer; return whether it will be sent if the link lives."""
        contact = self._contacts.get(peer)
        if contact is None or contact.peer is None:
            return False
        return contact.peer.offer(lane_of(type(message)), self._frame_of(message))

    def gossip(self, raws: Sequence[bytes]) -> int:
        """Queue raw transactions for every connected validator, in batches; return how many those
        validators are.

        A batch leaves when it holds 64 KiB; before a proposal; and otherwise at the end of this
        turn of the loop, or when the last one left 25 ms ago. So a single transaction does not
        wait, and many travel together. Each must be within the ledger's size limit.
        """
        for raw in raws:
            self._batch.append(raw)
            self._batch_bytes += len(raw)
            if self._batch_bytes >= BATCH_SIZE_BYTES or len(self._batch) == BATCH_TRANSACTIONS_MAX:
                self._flush_batch()
        if self._batch and self._batch_timer is None:
            loop = asyncio.get_running_loop()
            due_s = self._batch_left_s + self._settings.batch_interval_s
            self._batch_timer = loop.call_at(max(due_s, loop.time()), self._flush_batch)
        return sum(1 for _ in self._connected(observers=False))

    def punish(self, peer: str, reason: str, points: int = PUNISHMENT_POINTS) -> None:
        """Hold something against a peer; enough of it within a short time puts the peer out."""
        contact = self._contacts.get(peer)
        if contact is None:
            return
        self._metrics.peer_faults.labels(peer=peer, reason="reported").inc()
        self._log.info("peer misbehaved", peer=peer, reason=reason[:_REASON_LENGTH_MAX])
        self._penalise(contact, points, reason)

    # Views.

    def peers(self) -> tuple[PeerView, ...]:
        """Return the connected peers, by name."""
        now_s = asyncio.get_running_loop().time()
        connected = (name for name, contact in self._contacts.items() if contact.peer is not None)
        return tuple(self._contacts[name].view(now_s) for name in sorted(connected))

    def standings(self) -> tuple[Standing, ...]:
        """Return where each connected peer says it stands, by name."""
        standings = (contact.standing() for _, contact in sorted(self._contacts.items()))
        return tuple(standing for standing in standings if standing is not None)

    def status(self) -> tuple[PeerView, ...]:
        """Return every member of the roster, connected or not, by name."""
        now_s = asyncio.get_running_loop().time()
        return tuple(self._contacts[name].view(now_s) for name in sorted(self._contacts))

    # Private: roster.

    def _follow_roster(self) -> None:
        """Make contacts, links and dialling tasks agree with the roster."""
        if self._tasks is None:
            return
        for name, contact in list(self._contacts.items()):
            if self._roster.by_name.get(name) != contact.member:
                self._retire(contact)
        for name, member in self._roster.by_name.items():
            if name not in self._contacts:
                address = self._addresses.get(name)
                contact = Contact(member, address, self._settings, self._log)
                self._contacts[name] = contact
                for reason in _FAULTS:  # Prometheus sees no increase in one that begins at 1
                    self._metrics.peer_faults.labels(peer=name, reason=reason)
                if address is not None:
                    contact.dialling = self._tasks.create_task(
                        self._keep_dialling(contact, address), name=f"dial-{name}"
                    )
        for fault in self._transport.trust(tuple(self._roster.by_certificate)):
            self._log.warning("member unreachable", reason=fault)

    def _retire(self, contact: Contact) -> None:
        del self._contacts[contact.member.name]
        peer = contact.peer
        if peer is not None:
            self._leave(contact, peer, "it is no longer on the roster")
            peer.drop("no longer on the roster")
        # A dialling task that serves the dropped link ends with it, after the goodbye.
        if contact.dialling is not None and (peer is None or not peer.dialled):
            contact.dialling.cancel()

    # Private: links.

    async def _keep_dialling(self, contact: Contact, address: str) -> None:
        settings = self._settings
        if self._introduction.name > contact.member.name:
            # Our dial would lose the tie: give the other side's the first chance.
            await asyncio.sleep(settings.yield_to_preferred_s)
        while True:
            await contact.vacant.wait()
            if not self._is_current(contact):
                return
            banned_s = contact.conduct.ban_left_s(asyncio.get_running_loop().time())
            if banned_s > 0:
                await asyncio.sleep(banned_s)
                continue
            await self._contain(self._dial(contact, address), address)
            await asyncio.sleep(self._backoff_s(contact.dials_failed))

    async def _dial(self, contact: Contact, address: str) -> None:
        """Dial once; serve the link, if one comes about, until it ends."""
        timeout_s = self._settings.dial_timeout_s
        contact.dials_failed += 1  # until there is a link
        try:
            async with asyncio.timeout(timeout_s):
                link = await self._transport.dial(address)
        except DialFailed as failed:
            self._dial_failed(contact, failed.reason)
        except TimeoutError:
            self._dial_failed(contact, f"no answer within {timeout_s:.0f} s")
        else:
            await self._serve(link, dialled=contact)

    def _backoff_s(self, failures: int) -> float:
        """The pause before the next dial: doubled each time, capped, and spread by half of it, so
        that nodes that lost each other at one moment do not meet in step for ever.
        """
        settings = self._settings
        # The exponent is capped before the power is taken: failures count up for months.
        pause_s = settings.backoff_first_s * (1 << min(max(failures - 1, 0), 16))
        return min(pause_s, settings.backoff_max_s) * self._random.uniform(0.5, 1.0)

    def _dial_failed(self, contact: Contact, reason: str) -> None:
        reason = f"cannot reach {contact.address}: {reason}"
        if reason != contact.last_drop:  # once for each cause, not once for each dial
            self._log.info("dial failed", peer=contact.member.name, reason=reason)
        contact.last_drop = reason[:_REASON_LENGTH_MAX]

    async def _serve_inbound(self, link: Link) -> None:
        await self._contain(self._serve(link, dialled=None), link.address)

    async def _contain(self, work: Coroutine[Any, Any, None], address: str) -> None:
        """Let a fault of ours in serving one peer end that link and no other."""
        try:
            await work
        except Exception:
            # One of the few places that catch everything, and the reason why a stranger who finds
            # a fault of ours has not found a way to stop the node.
            self._log.exception("peer task failed", address=address)

    async def _serve(self, link: Link, *, dialled: Contact | None) -> None:
        """Serve a link from handshake to end, and close it."""
        member = self._roster.by_certificate.get(link.certificate)
        contact = None if member is None else self._contacts.get(member.name)
        reason = "internal error"
        try:
            if contact is None:
                raise _Refused("not on the roster")
            contact.links_open += 1
            try:
                await self._serve_contact(link, contact, dialled)
            finally:
                contact.links_open -= 1
        except asyncio.CancelledError:
            reason = "shutting down"
            raise
        except LinkClosed as closed:
            reason = closed.reason
        except _Refused as refused:
            reason = str(refused)
        except (WireError, Misconduct) as error:
            reason = str(error)
            if contact is not None:
                fault = error.fault.value if isinstance(error, WireError) else "misconduct"
                self._metrics.peer_faults.labels(peer=contact.member.name, reason=fault).inc()
                self._penalise(contact, self._settings.penalty_max, reason)
        finally:
            if contact is None or dialled not in (None, contact):
                who = "a stranger" if contact is None else contact.member.name
                self._log.info("link refused", address=link.address, peer=who, reason=reason)
                if dialled is not None:
                    dialled.last_drop = f"{dialled.address} answered as {who}"
            elif contact.peer is None:
                self._note_no_link(contact, link.address, reason[:_REASON_LENGTH_MAX])
            await link.close(reason)

    def _note_no_link(self, contact: Contact, address: str, reason: str) -> None:
        """Keep why a link to a member did not come about, and log each cause once."""
        if reason != contact.last_drop:
            now_s = asyncio.get_running_loop().time()
            name = contact.member.name
            contact.refusals.info(now_s, "link refused", address=address, peer=name, reason=reason)
        contact.last_drop = reason

    async def _serve_contact(self, link: Link, contact: Contact, dialled: Contact | None) -> None:
        name = contact.member.name
        loop = asyncio.get_running_loop()
        if dialled is not None and dialled is not contact:
            raise _Refused(f"expected {dialled.member.name} here, found {name}")
        if contact.links_open > self._settings.links_per_key_max:
            self._metrics.peer_faults.labels(peer=name, reason="too-many-links").inc()
            raise _Refused("too many links with one key")
        banned_s = contact.conduct.ban_left_s(loop.time())
        if banned_s > 0:
            raise _Refused(f"kept out for another {banned_s:.0f} s")
        hello = await self._exchange_hello(link, contact)
        peer = Peer(
            member=contact.member,
            link=link,
            hello=hello,
            dialled=dialled is not None,
            settings=self._settings,
            limits=self._limits,
            counts=contact.counts,
            traffic=self._traffic,
            now_s=loop.time(),
        )
        reason = "internal error"
        try:
            self._join(contact, peer)
            await peer.run(self._received)
        except asyncio.CancelledError:
            reason = "shutting down"
            raise
        except (LinkClosed, WireError, Misconduct) as error:
            reason = error.reason if isinstance(error, LinkClosed) else str(error)
            raise
        finally:
            if contact.peer is peer:
                self._leave(contact, peer, reason)

    async def _exchange_hello(self, link: Link, contact: Contact) -> Hello:
        """Say Hello, hear Hello, and check that it is the peer we know on the network we know."""
        ours = self._introduction.hello(self._instance)
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                await link.send(encode_message(ours))
                message = decode_message(await link.receive(), self._limits)
        except TimeoutError:
            raise _Refused(f"no Hello within {self._settings.handshake_timeout_s:.0f} s") from None
        if not isinstance(message, Hello):
            raise Misconduct(f"{type(message).__name__} before Hello")
        other = self._what_is_other(message, contact)
        if other is not None:
            self._metrics.peer_faults.labels(peer=contact.member.name, reason="other-hello").inc()
            raise _Refused(other)
        if not self._is_current(contact):
            raise _Refused("no longer on the roster")
        return message

    def _what_is_other(self, hello: Hello, contact: Contact) -> str | None:
        """Say why this is not the peer we know on the network we know; None: it is."""
        if hello.version != PROTOCOL_VERSION:
            return f"it speaks version {hello.version}, we speak {PROTOCOL_VERSION}"
        expected = self._introduction.genesis_hash
        if hello.network != expected:
            theirs, ours = (each[:8].hex() for each in (hello.network, expected))
            return f"it is on network {theirs}, we are on {ours}"
        if hello.name != contact.member.name:
            return f"its key is {contact.member.name}'s and it says {hello.name}"
        return None

    def _join(self, contact: Contact, peer: Peer) -> None:
        """Make this the peer's one link.

        Raises:
            _Refused: there is a link already, and it stays.
        """
        assert self._handler is not None
        former = contact.peer
        if former is not None and not self._replaces(peer, former):
            raise _Refused("there is a link already")
        takes_turns = contact.takes_turns(peer.hello.instance)
        if takes_turns:
            now_s = asyncio.get_running_loop().time()
            contact.doubled.warning(
                now_s, "two processes have the keys of a member", peer=peer.name, hint=_DOUBLED
            )
        if former is not None:
            reason = _COPIED if takes_turns else "replaced by a newer link"
            self._leave(contact, former, reason)
            former.drop(reason)
        contact.peer = peer
        contact.vacant.clear()
        contact.links += 1
        contact.dials_failed = 0
        self._metrics.peers.labels(kind=peer.member.role.value).inc()
        self._log.info(
            "peer connected",
            peer=peer.name,
            address=peer.link.address,
            dialled=peer.dialled,
            height=peer.height,
        )
        self._handler.connected(peer.name)

    def _replaces(self, peer: Peer, former: Peer) -> bool:
        if peer.hello.instance != former.hello.instance:
            return True
        young_s = self._settings.dial_timeout_s + 2 * self._settings.handshake_timeout_s
        if peer.since_s - former.since_s > young_s:
            return True
        if peer.dialled == former.dialled:
            # One side dials one link at a time: it has given up the former.
            return True
        return peer.dialled == (self._introduction.name < peer.name)

    def _leave(self, contact: Contact, peer: Peer, reason: str) -> None:
        assert contact.peer is peer
        contact.peer = None
        contact.vacant.set()
        contact.last_drop = reason[:_REASON_LENGTH_MAX]
        self._metrics.peers.labels(kind=peer.member.role.value).dec()
        self._log.info("peer disconnected", peer=peer.name, reason=reason)
        if self._handler is not None:
            self._handler.disconnected(peer.name)

    async def _received(self, name: str, message: WireMessage) -> None:
        assert self._handler is not None
        await self._handler.received(name, message)

    def _penalise(self, contact: Contact, points: int, reason: str) -> None:
        now_s = asyncio.get_running_loop().time()
        if contact.conduct.penalise(points, now_s):
            self._log.warning("peer kept out", peer=contact.member.name, reason=reason)
            if contact.peer is not None:
                contact.peer.drop(f"misbehaved: {reason}")

    def _is_current(self, contact: Contact) -> bool:
        return self._contacts.get(contact.member.name) is contact

    # Private: sending.

    def _connected(self, *, observers: bool) -> Iterable[Peer]:
        for contact in self._contacts.values():
            peer = contact.peer
            if peer is not None and (observers or peer.member.role is Role.VALIDATOR):
                yield peer

    def _offer_all(self, message: WireMessage, *, observers: bool) -> int:
        peers = tuple(self._connected(observers=observers))
        if not peers:
            return 0
        lane = lane_of(type(message))
        frame = self._frame_of(message)
        return sum(peer.offer(lane, frame) for peer in peers)

    def _frame_of(self, message: WireMessage) -> bytes:
        frame = encode_message(message)
        # Every receiver would put us out for it.
        assert len(frame) <= size_max(type(message), self._limits)
        return frame

    def _flush_batch(self) -> None:
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None
        batch = tuple(self._batch)
        self._batch.clear()
        self._batch_bytes = 0
        if batch:
            self._batch_left_s = asyncio.get_running_loop().time()
            self._offer_all(Transactions(raws=batch), observers=False)
