"""`khazana tx show`: what a transaction file holds, before one signs it."""

from pathlib import Path

import click

from node.cli.asking import render
from node.cli.output import emit, json_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--main", "main_network", is_flag=True, help="For a network that is no test network.")
@json_option
def command(file: Path, *, main_network: bool, as_json: bool) -> None:
    """Print what the transaction in FILE does, until when it is valid, and who has to sign.

    Offline: amounts are in minor units, because only a node knows an asset's decimals.

    \b
    Example:
      khazana tx show issue.tx.json
    """
    from node.cli.tx.files import load_draft
    from node.ledger.catalogue import CATALOGUE
    from node.rpc.rendering import Renderer, render_time

    draft = load_draft(file)
    renderer = Renderer(
        test=not main_network, decimals_of=lambda _asset: None, decode_operations=CATALOGUE.decode
    )
    facts = {
        "id": draft.id.hex(),
        "genesis_hash": draft.network.genesis_hash.hex(),
        "valid_until": render_time(draft.body.valid_until_ms),
        "memo": draft.body.memo,
        "signers": [
            {"public_key": key.hex(), "signed": key in draft.signatures}
            for key in draft.body.signers
        ],
        "operations": [renderer.record(operation) for operation in draft.body.operations],
    }
    emit(facts, render(facts), as_json=as_json)
