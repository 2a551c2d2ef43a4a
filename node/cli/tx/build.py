"""`khazana tx build`: a transaction for others to sign."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option
from node.cli.tx.options import building_options

if TYPE_CHECKING:
    from node.client import Client, Draft


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--signer",
    "signers",
    multiple=True,
    required=True,
    help="Public key of everybody who will sign, in hexadecimal; once for each.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the transaction.",
)
@building_options
@url_option
@timeout_option(20)
@json_option
def command(
    file: Path,
    signers: tuple[str, ...],
    out: Path,
    memo: str,
    valid_for_s: float,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Build a transaction of the operations in FILE, for several institutions to sign.

    What is signed covers who signs, so all signers are named now. Each signs a copy with
    `khazana tx sign`; one of them combines the copies and submits. Its time ends as --valid-for
    says, or when the network's own bound does, if that is sooner: the time is printed.

    \b
    Example:
      khazana tx build issue.json --signer "$BANK_KEY" --signer "$MINISTRY_KEY" \\
        --out issue.tx.json --valid-for 3600
    """
    from node.cli.tx.files import read_operations
    from node.cli.tx.submitting import build
    from node.rpc.rendering import render_time

    try:
        keys = [bytes.fromhex(signer) for signer in signers]
    except ValueError:
        raise CommandError(
            Exit.USAGE,
            "a public key is 64 hexadecimal digits",
            advice="`khazana keys show FILE` prints it; once for each signer: --signer KEY.",
        ) from None
    values = read_operations(file)

    async def act(client: "Client") -> "Draft":
        valid_for_ms = int(valid_for_s * 1000)
        return await build(client, values, memo=memo, valid_for_ms=valid_for_ms, signers=keys)

    draft = with_client(url, timeout_s, act)
    draft.save(out)
    missing = [key.hex() for key in draft.missing]
    until = render_time(draft.body.valid_until_ms)
    emit(
        {"id": draft.id.hex(), "file": str(out), "valid_until": until, "missing": missing},
        f"transaction {draft.id.hex()} in {out}, valid until {until}, "
        f"to be signed by {', '.join(missing)}",
        as_json=as_json,
    )
