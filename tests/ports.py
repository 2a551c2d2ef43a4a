"""Ports of networks in tests: nobody else who chooses gets them, also while a node is down.

`node.provision.ports.free_ports` keeps nothing free: between choosing and listening, or while a
node is stopped, what another test has typed may choose the same.
"""

from collections import deque
from contextlib import ExitStack
from typing import Final

from node.provision.ports import Reservation

NETWORKS_MAX: Final = 32
"""Of one process whose ports are kept: each port is an open file, and older networks have ended."""

_kept: Final[deque[ExitStack]] = deque()


def own_ports(count: int) -> tuple[int, ...]:
    """Return this many ports, reserved until this process ends or has asked often again.

    Raises:
        OSError: so few are free that chance does not find them.
    """
    kept = ExitStack()
    found = kept.enter_context(Reservation()).find(count)
    _kept.append(kept)
    if len(_kept) > NETWORKS_MAX:
        _kept.popleft().close()
    return found
