"""`khazana start`: run a node until it is told to end."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import json_option

if TYPE_CHECKING:
    from node.cli.devnet.desk import DevnetDesk
    from node.config import NodeConfig
    from node.genesis import Genesis

DESCRIPTORS_MAX = 1 << 16


@click.command()
@home_option
@click.option(
    "--until-eof",
    is_flag=True,
    help="Also end when standard input ends: for programs that start nodes and may die.",
)
@json_option
def command(home: Path, *, until_eof: bool, as_json: bool) -> None:
    """Run the node of a home folder; its log goes to stderr, with --json one object a line.

    Ends in order at SIGTERM or Ctrl-C: the block under way is written whole. Ending it any other
    way loses nothing either. SIGHUP has it read the certificates of its listeners again,
    or end where its log goes to a terminal, which is gone then.

    \b
    Example:
      khazana start --home central-bank
    """
    from node.config import load_config
    from node.genesis import load_genesis, with_installed
    from node.provision.homes import CONFIG_FILE

    config = load_config(home / CONFIG_FILE)
    _allow_descriptors()
    if as_json:
        config = config.model_copy(update={"log": config.log.model_copy(update={"format": "json"})})
    genesis = with_installed(load_genesis(config.genesis), config.amendments)
    try:
        asyncio.run(_serve(config, genesis, until_eof=until_eof))
    except OSError as error:
        # What the disk says has been put into words before; what is left is what cannot be
        # listened on.
        raise CommandError(
            Exit.CONFIGURATION,
            f"the node cannot start: {error.strerror or error}",
            advice=_advice(config),
        ) from None


def _advice(config: "NodeConfig") -> str:
    """Return what to do where a port cannot be listened on: who has it, where that is known."""
    from node.config import listeners_of
    from node.provision.ports import holder_of_port

    places = [config.network.listen, *(each.listen for _, each in listeners_of(config.rpc))]
    found = [(place, holder_of_port(place.port)) for place in places]
    held = [
        f"{place} is held by {holder}."
        for place, holder in found
        if holder is not None and holder.pid != os.getpid()
    ]
    asked = f"Is another program, or this node, using {' or '.join(map(str, places))}?"
    return f"{' '.join(held) or asked} Stop it, or change rpc.listen or network.listen."


def _allow_descriptors() -> None:
    """Raise the soft limit: the database keeps its tables open, a fifth of the limit at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


async def _serve(config: "NodeConfig", genesis: "Genesis", *, until_eof: bool) -> None:
    from node.app import Node, NodeParts
    from node.app.collector import look_soon, settle

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    is_starting = True

    def end() -> None:
        if is_starting and not told.is_set():
            # To join by a snapshot takes minutes, or for ever where nobody serves one.
            task.cancel()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if until_eof:
        # Nobody writes to it: it becomes readable when the last holder of its other end is gone.
        loop.add_reader(sys.stdin.fileno(), end)
    try:
        async with AsyncExitStack() as stack:
            desk = await _open_desk(config, genesis, stack)
            node = Node(config, genesis, NodeParts(desk=desk))
            # As it is used with servers; but where the log goes to a terminal, that has gone.
            read_again = end if sys.stderr.isatty() else node.read_certificates
            loop.add_signal_handler(signal.SIGHUP, read_again)
            await stack.enter_async_context(node)
            is_starting = False
            settle()
            node.chain.listeners.append(look_soon)
            await told.wait()
            node.log.info("told to end")
    except asyncio.CancelledError:
        if not told.is_set():
            raise


async def _open_desk(
    config: "NodeConfig", genesis: "Genesis", stack: AsyncExitStack
) -> "DevnetDesk | None":
    """Return what acts when pages ask for it, where the network is for that and it is asked for.

    Raises:
        CommandError: it is asked for on another network, or where there is no network.
    """
    root = config.development.network
    if root is None:
        return None
    if not genesis.development:
        raise CommandError(
            Exit.CONFIGURATION,
            "development.network is set, and this network's genesis does not say that it is for"
            " development",
            advice="Remove [development] from node.toml: no page of such a network acts.",
        )
    from node.cli.devnet.desk import DevnetDesk
    from node.clock import SystemClock
    from node.provision.local import NoSuchNetwork

    try:
        desk = DevnetDesk(root, SystemClock(), everywhere=config.development.everywhere)
    except NoSuchNetwork as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"development.network: {error}",
            advice="Name the folder that `khazana devnet up --dir` made, or remove [development].",
        ) from None
    return await stack.enter_async_context(desk)
