"""`khazana query prove`: a proof that can be checked without any node."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Proof


@click.command()
@click.argument(
    "kind",
    type=click.Choice(
        [
            "account",
            "asset",
            "auction",
            "calendar",
            "calls",
            "fixing",
            "holding",
            "ladder",
            "participant",
            "plan",
            "validator",
        ]
    ),
)
@click.option("--address", help="Of an account, or of the account of a holding.")
@click.option(
    "--name",
    help="Of an asset, auction, calendar, participant, plan of auctions or validator; the asset of"
    " a holding, fixing or calls; a ladder's auction.",
)
@click.option(
    "--number",
    type=int,
    help="Of a ladder: which piece of 250 rows, from 0. Of a fixing: of which payment.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the proof; one that is there is replaced.",
)
@url_option
@timeout_option(20)
@json_option
def command(
    kind: str,
    address: str | None,
    name: str | None,
    number: int | None,
    out: Path,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Write a proof of a record, or of its absence, that `khazana verify` checks offline.

    An account is named by its address, a holding by address and name of the asset, a piece of an
    auction's ladder by the auction's name and its number, a fixing by the asset's name and the
    payment's number, everything else by its name. The file is complete: who reads it needs the
    genesis and nobody's word.

    \b
    Example:
      khazana query prove holding --name PKR --out holding.proof.json \\
        --address tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
    """

    async def prove(client: "Client") -> "Proof":
        return (await client.prove(kind, address=address, name=name, number=number)).value

    proof = with_client(url, timeout_s, prove)
    try:
        # As bytes: every character counts, line ends too.
        out.write_bytes(proof.file.encode())
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{out} cannot be written: {error.strerror}",
            advice="Name a file that you may write with --out.",
        ) from None
    facts = {"file": str(out), "statement": proof.statement}
    emit(facts, f"{out}: {proof.statement}", as_json=as_json)
