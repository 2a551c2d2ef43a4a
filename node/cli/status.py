"""`khazana status`: how a node is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from node.cli.asking import render, with_client
from node.cli.exits import Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@url_option
@timeout_option(10)
@json_option
@click.pass_context
def command(ctx: click.Context, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Say how a node is: its height, its peers, its pool, and what it lacks.

    Exit code 3 when the node answers and is not ready.

    \b
    Example:
      khazana status --url http://127.0.0.1:26680
    """

    async def ask(client: "Client") -> Mapping[str, Any]:
        found: Mapping[str, Any] = await client.call("khz_status")
        return found

    found = with_client(url, timeout_s, ask)
    emit(found, render(found), as_json=as_json)
    if not found["ready"]:
        ctx.exit(Exit.UNREACHABLE)
