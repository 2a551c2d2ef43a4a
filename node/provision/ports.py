"""Free TCP ports on this machine, for nodes that must know each other's ports beforehand.

Between choosing a port and listening on it a node is founded and a process started, and somebody
else may choose meanwhile. So who chooses reserves: a port is claimed by a name among the abstract
sockets of this machine, which are as many as its networks (containers have their own), belong to no
folder and no user, and are gone with the process however it ends. It keeps out whoever chooses
here, and whoever starts a network that has its ports already; against other programs nothing helps
but listening soon.
"""

import contextlib
import random
import socket
from types import TracebackType
from typing import Final, Self

from node.provision.holders import Holder, holder_of

# Below the range that Linux gives to outgoing connections (32768 and up): a port found free here is
# not taken a moment later by somebody's client.
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_ATTEMPTS_MAX: Final = 1_000
_NAME: Final = "khazana-port-"
"""Of the socket that claims a port; after a zero, which makes it abstract (unix(7))."""


class Reservation:
    """Ports that nobody else who chooses in this way gets until it is left."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._claims = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._claims.close()

    def take(self, *ports: int) -> bool:
        """Reserve these ports if every one is free; say whether they were. All or none."""
        with contextlib.ExitStack() as claims:
            if not all(self._claim(port, claims) for port in ports):
                return False
            self._claims.push(claims.pop_all())
        return True

    def find(self, count: int) -> tuple[int, ...]:
        """Reserve this many ports, whichever are free.

        Raises:
            OSError: so few are free that chance does not find them.
        """
        found: list[int] = []
        with contextlib.ExitStack() as claims:
            for _ in range(_ATTEMPTS_MAX):
                if len(found) == count:
                    self._claims.push(claims.pop_all())
                    return tuple(found)
                port = random.randrange(_LOWEST, _HIGHEST)
                if self._claim(port, claims):
                    found.append(port)
            raise OSError(f"no {count} free ports between {_LOWEST} and {_HIGHEST}")

    def _claim(self, port: int, claims: contextlib.ExitStack) -> bool:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0{_NAME}{port}")
        except OSError:
            is_free = False
        else:
            is_free = _nobody_listens(self._host, port)
        if not is_free:
            claim.close()
            return False
        claims.push(claim)
        return True


def free_ports(count: int, *, host: str = "127.0.0.1") -> tuple[int, ...]:
    """Return this many different ports on which nobody listens now, and which nobody has reserved.

    Nothing keeps them free: listen soon, or reserve them.

    Raises:
        OSError: so few are free that chance does not find them.
    """
    with Reservation(host=host) as reservation:
        return reservation.find(count)


def holder_of_port(port: int) -> Holder | None:
    """Return who listens on a port or has reserved it, as far as that is told; may be None."""
    return holder_of(port, claim=f"{_NAME}{port}")


def _nobody_listens(host: str, port: int) -> bool:
    with socket.socket() as sock:
        # Without it, a port whose last connection closed a minute ago would count as taken.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True
