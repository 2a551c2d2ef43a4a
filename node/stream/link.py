"""The one door to NATS: a connection, where the stream stands, messages out, answers in.

The library's own reconnecting is off: it would send again what it has kept, and what is to be sent
again is known only from the stream. A link that is cut stays closed; whoever has it opens another.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import (
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
    StreamState,
)
from nats.js.manager import JetStreamManager
from typing_extensions import override

from node.rpc.stream import Cursor
from node.stream.answers import Answer, parse_answer
from node.stream.credentials import Credentials
from node.stream.errors import StreamForeign, StreamRefused, StreamUnreachable, StreamUnusable
from node.stream.messages import Message, Naming, Standing

ANSWER_S: Final = 10.0
"""How long the server may take to connect, to answer, or to take bytes."""
PING_S: Final = 10
"""How often a silent server is asked whether it is there; gone twice, it is away."""
HEADERS_BYTES: Final = 512
"""What the headers of a message may come to; they have some 390."""
DUPLICATES_S: Final = 120
"""How long a stream that is made here knows what it was given."""
SUBJECTS_OVERLAP: Final = 10_065
"""What a server answers who would make a stream of subjects that another one has."""
PENDING_BYTES_MAX: Final = 2 << 20
"""What the library keeps before it waits for the socket."""

Answered = Callable[[int, int, Answer], None]
"""Called with course, intended sequence and answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where the server is, and how this node shows itself."""

    server: str
    """`nats://host:port` or `tls://host:port`."""
    user: str | None = None
    password: str | None = None
    credentials: Credentials | None = None
    """In the place of user and password."""
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class _Client(Client):
    """The library's, which would go on in clear text where a server does not say that it has TLS.

    It learns of TLS from what the server says first, and that comes in clear text: whoever stands
    between could take it out and be told the password. And it signs for seeds by a library of its
    own only: here it is told the signature.
    """

    def __init__(self, credentials: Credentials | None) -> None:
        super().__init__()
        self._credentials = credentials

    @override
    def _connect_command(self) -> bytes:
        if "tls" in self.options and not self._server_info.get("tls_required"):
            raise nats.errors.Error("the server offers no TLS, and nothing is said to it without")
        credentials = self._credentials
        if credentials is not None:
            self._auth_configured = True
            self._signature_cb = credentials.sign
            if credentials.token is None:
                self._public_nkey = credentials.public_key
            else:
                token = credentials.token.encode()
                self._user_jwt_cb = lambda: token
        return super()._connect_command()


class Link:
    """One stream on one server; opened and closed as often as it takes."""

    def __init__(self, settings: LinkSettings, naming: Naming) -> None:
        self._settings = settings
        self.naming = naming
        self._client: Client | None = None
        self._ending: asyncio.Task[None] | None = None
        """What ends the last connection: the library leaves it open where that is broken off."""
        self._inbox = ""
        self._said = ""

    @property
    def place(self) -> str:
        """Where the stream is."""
        return f"{self.naming.stream} at {self._settings.server}"

    @property
    def is_open(self) -> bool:
        """Whether the server is connected."""
        return self._client is not None and self._client.is_connected

    @property
    def said(self) -> str:
        """What the server, or the library for it, has complained of since it was connected."""
        return self._said

    async def open(
        self, answered: Answered | None = None, closed: Callable[[], None] | None = None
    ) -> None:
        """Connect.

        Args:
            answered: told of each answer.
            closed: told when the connection has ended.

        Raises:
            StreamUnreachable: the server is not there, or turns this node away.
            StreamUnusable: a file for TLS cannot be used.
        """
        settings = self._settings
        tls = _tls(settings) if settings.server.startswith("tls:") else None
        client = self._client = _Client(settings.credentials)
        self._said = ""

        async def has_closed() -> None:
            if closed is not None:
                closed()

        async with self._asking("connect"):
            await client.connect(
                settings.server,
                name="khazana",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=int(ANSWER_S),
                ping_interval=PING_S,
                pending_size=PENDING_BYTES_MAX,
                flush_timeout=ANSWER_S,
                user=settings.user,
                password=settings.password,
                tls=tls,
                error_cb=self._note,
                closed_cb=has_closed,
            )
            if answered is not None:
                self._inbox = client.new_inbox()
                await client.subscribe(f"{self._inbox}.*.*", cb=_told(answered))

    async def close(self) -> None:
        """End the connection, if there is one; who is cancelled meanwhile may wait for it again."""
        client, self._client = self._client, None
        if client is not None:
            self._ending = asyncio.get_running_loop().create_task(_end(client), name="stream-end")
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def locate(self, *, create: bool = False) -> Standing:
        """Return where the stream stands.

        Args:
            create: make the stream where there is none.

        Raises:
            StreamUnreachable: the server does not answer, or keeps no streams.
            StreamForeign: it is another chain's.
            StreamUnusable: there is no such stream, or messages would get lost in it.
        """
        async with self._asking("say where the stream stands"):
            manager = self._manager()
            try:
                found = await manager.stream_info(self.naming.stream)
            except nats.js.errors.NotFoundError:
                if not create:
                    raise StreamUnusable(
                        f"there is no stream {self.naming.stream}; a node that publishes makes it"
                    ) from None
                found = await self._make(manager)
            self._judge(found)
            if not found.state.messages:
                self.naming.judge_empty(found.config.description)
                return Standing(sequence=found.state.last_seq, cursor=None)
            return await self._last(manager, found.state)

    async def publish(
        self, message: Message, *, course: int, sequence: int, after: Cursor | None
    ) -> None:
        """Send a message that is to get this sequence; its answer comes by itself.

        Args:
            after: the message that the course has sent before it; None: it is the first.

        Raises:
            StreamUnreachable: the connection does not take it.
            StreamRefused: it is larger than the server takes.
        """
        client = self._connected()
        # Headers count, and a server that is sent more cuts the connection without a word why.
        if len(message.body) + HEADERS_BYTES > client.max_payload:
            raise StreamRefused(
                f"event {message.cursor} has {len(message.body)} bytes, and the server takes"
                f" {client.max_payload} with up to {HEADERS_BYTES} of headers: raise its"
                " max_payload"
            )
        async with self._asking("take a message"):
            await client.publish(
                message.subject,
                message.body,
                reply=f"{self._inbox}.{course}.{sequence}",
                headers=self.naming.headers(message, sequence - 1, after),
            )

    # Private.

    async def _last(self, manager: JetStreamManager, state: StreamState) -> Standing:
        """Return where the last message that is left stands.

        After it some may have been deleted, such as what no node has published: they are missing
        and come again, behind all that the stream was ever given. The last that is left is found by
        halving, in as many questions as the sequence has binary digits: that something is left at
        or behind a place holds up to it and nowhere after. The server's own search for the last of
        a subject finds nothing once the very last was deleted, until it is started again (2.9.10).
        """
        stream, last = self.naming.stream, state.last_seq
        with contextlib.suppress(nats.js.errors.NotFoundError):
            return self._standing(last, state, await manager.get_msg(stream, seq=last))
        found: RawStreamMsg | None = None
        low, high = state.first_seq, last - 1
        while low <= high:
            middle = (low + high + 1) // 2
            try:
                found = await manager.get_msg(stream, middle, self.naming.subjects, next=True)
            except nats.js.errors.NotFoundError:
                high = middle - 1
            else:
                low = max(middle, found.seq or 0) + 1
        if found is None:
            raise StreamUnusable(
                f"stream {stream} is said to have {state.messages} messages, and its server finds"
                " none: purge the stream, and it is published anew"
            )
        return self._standing(last, state, found)

    def _standing(self, last: int, state: StreamState, message: RawStreamMsg) -> Standing:
        return self.naming.standing(last, message.headers or {}, state.messages)

    def _connected(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise StreamUnreachable(f"{self.place}: the connection was cut")
        return self._client

    def _manager(self) -> JetStreamManager:
        return self._connected().jsm(timeout=ANSWER_S)

    @contextlib.asynccontextmanager
    async def _asking(self, what: str) -> AsyncIterator[None]:
        """Turn the library's failures into ours."""
        try:
            async with asyncio.timeout(ANSWER_S):
                yield
        except (nats.errors.Error, OSError, TimeoutError) as error:
            said = self._said or str(error) or type(error).__name__
            raise StreamUnreachable(f"{self.place} does not {what}: {said}") from error
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # The library swallows it while it flushes.

    async def _note(self, error: Exception) -> None:
        """Keep what the library says of itself: what it raises names the last symptom only."""
        self._said = str(error) or type(error).__name__

    async def _make(self, manager: JetStreamManager) -> StreamInfo:
        config = StreamConfig(
            name=self.naming.stream,
            description=self.naming.description,
            subjects=[self.naming.subjects],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            # Full means wait: the oldest messages may be what somebody has not read.
            discard=DiscardPolicy.NEW,
            duplicate_window=DUPLICATES_S,
            deny_delete=True,
        )
        try:
            return await manager.add_stream(config)
        except nats.js.errors.APIError as error:
            if error.err_code == SUBJECTS_OVERLAP:
                raise StreamForeign(
                    f"another stream of the server takes {self.naming.subjects} already"
                ) from error
            raise

    def _judge(self, found: StreamInfo) -> None:
        """Refuse a stream by which messages would get lost or mixed."""
        subjects, retention = found.config.subjects or [], found.config.retention
        if subjects != [self.naming.subjects]:
            raise StreamUnusable(
                f"stream {self.naming.stream} takes the subjects {subjects}, and"
                f" {[self.naming.subjects]} is expected: is it another chain's (stream.name), or"
                " was stream.prefix changed (`nats stream edit --subjects`)?"
            )
        if found.config.no_ack:
            raise StreamUnusable(
                f"stream {self.naming.stream} does not answer what is published to it (no_ack), and"
                " nobody knows what it has taken: change that"
            )
        if retention not in (None, RetentionPolicy.LIMITS):
            raise StreamUnusable(
                f"stream {self.naming.stream} has the retention {retention!r}: messages vanish"
                " when they are read, and with them where to go on. It must be 'limits'"
            )


async def _end(client: Client) -> None:
    # What the library meets while it ends concerns nobody any more.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(ANSWER_S):
            await client.close()


def _told(answered: Answered) -> Callable[[Msg], Awaitable[None]]:
    async def told(message: Msg) -> None:
        _, course, sequence = message.subject.rsplit(".", 2)
        if course.isdecimal() and sequence.isdecimal():
            status = (message.headers or {}).get("Status")
            answered(int(course), int(sequence), parse_answer(message.data, status))

    return told


def _tls(settings: LinkSettings) -> ssl.SSLContext:
    """Return what the server's certificate is judged by, and ours where one is to be shown."""
    try:
        context = ssl.create_default_context(cafile=settings.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None and settings.key is not None:
            context.load_cert_chain(settings.certificate, settings.key, password=_refuse_password)
    except (OSError, ValueError) as error:  # An SSLError is an OSError.
        named = settings.certificate or settings.authority
        raise StreamUnusable(f"{named} is not usable for TLS: {error}") from None
    return context


def _refuse_password() -> str:
    # Without this OpenSSL would prompt on the terminal for an encrypted key.
    raise ValueError("the private key is encrypted")
