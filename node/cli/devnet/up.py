"""`khazana devnet up`: the network runs, and its accounts have funds."""

import asyncio
import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.devnet.place import ROOT_VARIABLE, choose_ports, root_default, root_option
from node.cli.exits import CommandError, Exit
from node.cli.options import URL_VARIABLE
from node.cli.output import box, emit, json_option, note, table

if TYPE_CHECKING:
    from node.provision.local import LocalNetwork
    from node.provision.ports import Reservation


@click.command()
@root_option
@click.option(
    "--observer", is_flag=True, help="With a fifth node, exchange, that follows and does not vote."
)
@json_option
def command(root: Path, *, observer: bool, as_json: bool) -> None:
    """Start a network of four validators that goes on running, with funded accounts.

    Where there is a network already, the nodes that do not run are started.

    \b
    Example:
      khazana devnet up
    """
    network, accounts = asyncio.run(_up(root, observer=observer))
    first = next(iter(network.nodes.values()))
    nodes = [{"name": n.name, "url": n.url, "votes": n.votes} for n in network.nodes.values()]
    facts = {
        "network": network.name,
        "dir": str(root),
        "genesis": str(network.genesis_file),
        "nodes": nodes,
        "page": f"{first.url}/",
        "accounts": accounts,
    }
    if as_json:
        emit(facts, "", as_json=True)
        return
    warning = box(
        [
            "DEVELOPMENT ONLY. Everybody knows these keys: nodes of any other",
            "network refuse them. Never give one of these accounts anything of value.",
        ]
    )
    text = "\n\n".join(
        [
            warning,
            table([(n["name"], n["url"]) for n in nodes], head=("node", "answers clients at")),
            table(
                [(a["label"], a["address"], a["private_key"]) for a in accounts],
                head=("account", "address", "private key"),
            ),
            f"Each account was given PKR 1000000.00. Genesis: {facts['genesis']}\n"
            f"Open {facts['page']} in a browser: the ledger as pages, in English and Urdu;\n"
            f"{facts['page']}development has a faucet, travel in time and demonstrations.\n"
            f"{_naming(first.url, root)}"
            "Try: khazana status; khazana devnet status; khazana devnet down",
        ]
    )
    emit(facts, text, as_json=False)


def _naming(url: str, root: Path) -> str:
    """Return what has to be typed first where commands would ask another node, or other folder."""
    exports = []
    if os.environ.get(URL_VARIABLE, url) != url:
        exports.append(f"export {URL_VARIABLE}={url}")
    if root != Path(os.environ.get(ROOT_VARIABLE, root_default())):
        exports.append(f"export {ROOT_VARIABLE}={shlex.quote(str(root.absolute()))}")
    if not exports:
        return ""
    return "It is not where commands look by themselves. First type: " + "; ".join(exports) + "\n"


async def _up(root: Path, *, observer: bool) -> "tuple[LocalNetwork, list[dict[str, Any]]]":
    from node.client import Client, ClientNetwork
    from node.provision.funding import development_accounts, fund
    from node.provision.ports import Reservation

    with _alone(root), Reservation() as reserved:
        network = _opened(root, observer=observer, reserved=reserved)
        if observer and len(network.nodes) == len(network.validators):
            note("this network was made without an observer: --observer is for a new --dir")
        stopped = [name for name in network.nodes if network.process(name) is None]
        note(f"starting {', '.join(stopped)} …" if stopped else "every node is running already")
        network.start()
        await network.wait_ready()
        known = ClientNetwork.of(network.genesis)
        async with Client([node.url for node in network.validators], network=known) as client:
            await fund(client)
    return network, [
        {
            "label": account.label,
            "owner": account.owner,
            "address": known.render_address(account.address),
            "public_key": account.signer.public_key.hex(),
            "private_key": account.signer.seed.hex(),
        }
        for account in development_accounts()
    ]


def _opened(root: Path, *, observer: bool, reserved: "Reservation") -> "LocalNetwork":
    """Return the network of a folder, made where there is none, with its ports reserved."""
    from node.clock import SystemClock
    from node.provision.funding import founders
    from node.provision.local import NoSuchNetwork, create_network, open_network
    from node.provision.reference import INSTITUTIONS, reference_network

    try:
        network = open_network(root)
        network.reserve(reserved)
        return network
    except NoSuchNetwork:
        names = [*INSTITUTIONS, *(["exchange"] if observer else [])]
        participants, accounts = founders()
        description = reference_network(
            "devnet",
            ports=choose_ports(names, reserved),
            development=True,
            participants=participants,
            accounts=accounts,
        )
        # The pages that are opened first have everything on them.
        now_ms = SystemClock().now_ms()
        return create_network(root, description, now_ms=now_ms, index_at=names[0], desk_at=names[0])


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let no other command make or start the network of this folder meanwhile.

    Raises:
        CommandError: another one does.
        HomeUnwritable: there can be no such folder.
    """
    from node.provision.homes import HomeUnwritable

    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeUnwritable(root, error) from None
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                Exit.REFUSED,
                f"another `khazana devnet up` is starting the network in {root}",
                advice="Wait until it has ended; `khazana devnet up` then prints the accounts.",
            ) from None
        yield
    finally:
        os.close(folder)  # The lock goes with it.
