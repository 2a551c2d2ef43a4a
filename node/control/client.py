"""The other end of the control socket, as the command line uses it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec

from node.control.place import short_path
from node.control.server import Moment, Outlook

OUTLOOK_S: Final = 5.0
"""A node that lives answers within milliseconds."""
ANSWER_S: Final = 30.0
"""Longer than a node waits for a block before it answers."""


class ControlError(Exception):
    """Nobody answers at the socket: the node is not running, or the socket is another user's."""


class Refused(Exception):
    """The node does not do what was asked for; the sentence says why."""


async def ask_for_backup(
    socket: Path, to: Path, *, blocks: bool, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Have a running node back itself up; return what it says of the backup.

    Args:
        to: absolute.
        progress: told how many bytes are written.

    Raises:
        ControlError: no node answers.
        Refused: the node's reason.
    """
    asked = {"to": str(to), "blocks": blocks}
    async with (
        _connected(socket, total_s=None, connect_s=5.0) as session,
        session.post("http://node/backup", json=asked) as response,
    ):
        async for line in response.content:
            told = msgspec.json.decode(line, type=dict[str, Any])
            if "refused" in told:
                raise Refused(str(told["refused"]))
            if "done" in told:
                done: dict[str, Any] = told["done"]
                return done
            progress(int(told["written"]))
    raise ControlError(f"{socket}: the node ended before the backup did")


async def ask_for_outlook(socket: Path) -> Outlook:
    """Return what a running node knows of itself and of the others.

    Raises:
        ControlError: no node answers.
    """
    async with (
        _connected(socket, total_s=OUTLOOK_S, connect_s=OUTLOOK_S) as session,
        session.get("http://node/outlook") as response,
    ):
        data = await response.read()
        if response.status != 200:
            raise ControlError(f"{socket}: the node answers with {response.status}")
        return msgspec.json.decode(data, type=Outlook)


@asynccontextmanager
async def _connected(
    socket: Path, *, total_s: float | None, connect_s: float
) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a session to the node behind a socket.

    Raises:
        ControlError: nobody answers there, or somebody who is no node.
    """
    try:
        with short_path(socket) as name:
            connector = aiohttp.UnixConnector(path=name)
            timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                yield session
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ControlError(f"{socket}: {str(error) or type(error).__name__}") from None
    except msgspec.MsgspecError as error:
        raise ControlError(f"{socket}: what answers is no node: {error}") from None


class Timekeeper:
    """Sets one node of a development network ahead, over one connection."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Prepare to connect.

        Raises:
            ControlError: the folder of the socket is not there.
        """
        try:
            name = self._stack.enter_context(short_path(self._socket))
        except OSError as error:
            raise ControlError(f"{self._socket}: {error}") from None
        timeout = aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=5.0)
        session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=name), timeout=timeout)
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def moment(self) -> Moment:
        """Ask what time it is at the node, and on its chain.

        Raises:
            ControlError: no node answers.
            Refused: its network is not for development.
        """
        return await self._ask("GET", "/time", None)

    async def move(self, travelled_ms: int) -> Moment:
        """Have the node be this far ahead of its machine.

        Raises:
            ControlError: no node answers.
            Refused: the node's reason.
        """
        return await self._ask("POST", "/time", {"travelled_ms": travelled_ms})

    async def next_block(self, above: int) -> Moment:
        """Have the node make a block, or wait for one, above a height; some time later as it is.

        Raises:
            ControlError: no node answers.
            Refused: the node's reason.
        """
        return await self._ask("POST", "/block", {"above": above})

    async def _ask(self, verb: str, path: str, body: dict[str, int] | None) -> Moment:
        assert self._session is not None
        try:
            async with self._session.request(verb, "http://node" + path, json=body) as response:
                data = await response.read()
                if response.status != 200:
                    told = msgspec.json.decode(data, type=dict[str, Any])
                    raise Refused(str(told["refused"]))
                return msgspec.json.decode(data, type=Moment)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ControlError(f"{self._socket}: {str(error) or type(error).__name__}") from None
        except (msgspec.MsgspecError, KeyError) as error:
            raise ControlError(f"{self._socket}: what answers is no node: {error}") from None
