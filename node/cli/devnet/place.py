"""Where the development network lives, and the ports that it prefers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from node.provision.ports import Reservation

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT_VARIABLE: Final = "KHAZANA_DEVNET"
NETWORK_PORT: Final = 26600
RPC_PORT: Final = 26680


def root_default() -> Path:
    """Return the folder where nobody names another."""
    return Path.home() / ".khazana" / "devnet"


def root_option(command: Command) -> Command:
    """Give a command the option `--dir`, passed to it as `root`."""
    return click.option(
        "--dir",
        "root",
        type=click.Path(file_okay=False, path_type=Path),
        default=root_default(),
        envvar=ROOT_VARIABLE,
        show_default="~/.khazana/devnet",
        show_envvar=True,
        help="Folder of the development network.",
    )(command)


def choose_ports(names: Sequence[str], reserved: "Reservation") -> dict[str, tuple[int, int]]:
    """Reserve ports for each node, for peers and for clients: the usual ones where all are free."""
    usual = {name: (NETWORK_PORT + n, RPC_PORT + n) for n, name in enumerate(names)}
    if reserved.take(*(port for pair in usual.values() for port in pair)):
        return usual
    free = reserved.find(2 * len(names))
    return {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(names)}
