"""`khazana stream status`: where the stream stands that a node publishes to."""

import asyncio
from pathlib import Path

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.upkeep import load_home


@click.command()
@home_option
@json_option
def command(home: Path, *, as_json: bool) -> None:
    """Ask the server of the stream where it stands; the node may run or not.

    \b
    Example:
      khazana stream status --home central-bank
    """
    from node.stream import is_wanted, link_of

    place = load_home(home)
    if not is_wanted(place.config):
        raise CommandError(
            Exit.REFUSED,
            f"node {place.config.name} publishes nothing: stream.server is not set",
            advice='Set server = "nats://host:4222" under [stream] in its node.toml.',
        )
    link = link_of(place.config, place.genesis)

    async def ask() -> None:
        try:
            await link.open()
            standing = await link.locate()
        finally:
            await link.close()
        cursor = None if standing.cursor is None else str(standing.cursor)
        facts = {
            "server": place.config.stream.server,
            "stream": link.naming.stream,
            "subjects": link.naming.subjects,
            "cursor": cursor,
            "height": None if standing.cursor is None else standing.cursor.height,
            "sequence": standing.sequence,
            "messages": standing.messages,
        }
        reaches = "empty" if cursor is None else f"up to {cursor}, {standing.messages:,} messages"
        emit(facts, f"{link.place}: {reaches}", as_json=as_json)

    asyncio.run(ask())
