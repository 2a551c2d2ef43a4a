"""Free TCP ports on this machine, for nodes that must know each other's ports beforehand."""

import random
import socket
from typing import Final

# Below the range that Linux gives to outgoing connections (32768 and up): a port found free here is
# not taken a moment later by somebody's client.
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_ATTEMPTS_MAX: Final = 1_000


def free_ports(count: int, *, host: str = "127.0.0.1") -> tuple[int, ...]:
    """Return this many different ports on which nobody listens now.

    Nothing keeps them free: listen soon.

    Raises:
        OSError: so few are free that chance does not find them.
    """
    held: list[socket.socket] = []
    try:
        for _ in range(_ATTEMPTS_MAX):
            if len(held) == count:
                return tuple(sock.getsockname()[1] for sock in held)
            sock = socket.socket()
            try:
                sock.bind((host, random.randrange(_LOWEST, _HIGHEST)))
            except OSError:
                sock.close()
            else:
                held.append(sock)
        raise OSError(f"no {count} free ports between {_LOWEST} and {_HIGHEST}")
    finally:
        for sock in held:
            sock.close()


def are_free(ports: tuple[int, ...], *, host: str = "127.0.0.1") -> bool:
    """Say whether nobody listens on any of these ports now."""
    for port in ports:
        with socket.socket() as sock:
            # Without it, a port whose last connection closed a minute ago would count as taken.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True
