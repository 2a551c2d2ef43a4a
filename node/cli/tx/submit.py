"""`khazana tx submit`: a signed transaction, to its final word."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.asking import with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Receipt


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-wait", is_flag=True, help="Hand it in and do not wait until it is final.")
@url_option
@timeout_option(60)
@json_option
def command(file: Path, url: str, timeout_s: float, *, no_wait: bool, as_json: bool) -> None:
    """Submit the signed transaction in FILE and wait until it is final.

    Submitting the same transaction again is harmless: it is applied once.

    \b
    Example:
      khazana tx submit issue.tx.json
    """
    from node.cli.tx.files import load_draft
    from node.cli.tx.submitting import report
    from node.client import WrongNetwork

    draft = load_draft(file)

    async def act(client: "Client") -> "Receipt | None":
        if client.network.genesis_hash != draft.network.genesis_hash:
            raise WrongNetwork(
                expected=draft.network.genesis_hash.hex(), found=client.network.genesis_hash.hex()
            )
        if no_wait:
            await client.send(draft)
            return None
        return await client.submit(draft)

    receipt = with_client(url, timeout_s, act)
    if receipt is not None:
        report(draft, receipt, as_json=as_json)
        return
    facts = {"id": draft.id.hex(), "outcome": None}
    emit(facts, f"handed in: transaction {draft.id.hex()}", as_json=as_json)
