"""`khazana validator approve`: an office stands behind a proposal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.asking import with_client
from node.cli.options import parse_id, timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.validator.changing import outcome_of, tell

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.argument("id_", metavar="ID", callback=parse_id)
@click.option("--account", required=True, metavar="ADDRESS", help="Account of your own office.")
@signing_options
@url_option
@timeout_option(60)
@json_option
def command(
    id_: str,
    account: str,
    keys: tuple[Path, ...],
    passphrase_files: tuple[Path, ...],
    development: tuple[str, ...],
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Approve the proposal ID for your office; the one that completes it puts it in force.

    Read it first: `khazana query proposal ID`.

    \b
    Example:
      khazana validator approve 91b2… --account tkhz1… --key office.json
    """
    from node.cli.tx.submitting import build

    signers = load_signers(keys, passphrase_files, development)

    async def act(client: "Client") -> dict[str, Any]:
        draft = await build(
            client,
            [{"type": "approve", "account": account, "proposal": id_}],
            memo="",
            valid_for_ms=120_000,
            signers=[signer.public_key for signer in signers],
        )
        receipt = await client.submit(draft.sign(*signers))
        return outcome_of(receipt.events) | {"height": receipt.height, "id": draft.id.hex()}

    tell(with_client(url, timeout_s, act), f"proposal {id_[:16]}…", as_json=as_json)
