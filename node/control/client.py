"""The other end of the control socket, as the command line uses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from node.control.place import short_path


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
    try:
        with short_path(socket) as name:
            connector = aiohttp.UnixConnector(path=name)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.post(
                    "http://node/backup", json={"to": str(to), "blocks": blocks}
                ) as response,
            ):
                async for line in response.content:
                    told = msgspec.json.decode(line, type=dict[str, Any])
                    if "refused" in told:
                        raise Refused(str(told["refused"]))
                    if "done" in told:
                        done: dict[str, Any] = told["done"]
                        return done
                    progress(int(told["written"]))
    except (aiohttp.ClientError, OSError) as error:
        raise ControlError(f"{socket}: {error}") from None
    except msgspec.MsgspecError as error:
        raise ControlError(f"{socket}: what answers is no node: {error}") from None
    raise ControlError(f"{socket}: the node ended before the backup did")
