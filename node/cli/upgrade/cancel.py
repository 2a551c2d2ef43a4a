"""`khazana upgrade cancel`: propose to cancel what is scheduled."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.validator.changing import proposed, proposing_options, status_of, tell

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.option(
    "--version",
    "version",
    type=click.IntRange(1, 255),
    required=True,
    help="Of the protocol: the one that is scheduled.",
)
@proposing_options
@signing_options
@url_option
@timeout_option(60)
@json_option
def command(
    version: int,
    account: str,
    open_for_h: float,
    keys: tuple[Path, ...],
    passphrase_files: tuple[Path, ...],
    development: tuple[str, ...],
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Propose that a scheduled upgrade does not take place; other offices approve it in time.

    \b
    Example:
      khazana upgrade cancel --version 2 --account tkhz1… --key office.json
    """
    signers = load_signers(keys, passphrase_files, development)

    async def act(client: "Client") -> dict[str, Any]:
        scheduled = (await status_of(client)).get("upgrade")
        if scheduled is None or scheduled["version"] != version:
            found = f"version {scheduled['version']} is" if scheduled else "no upgrade is"
            raise CommandError(
                Exit.REFUSED,
                f"{found} scheduled, expected version {version}",
                advice="`khazana upgrade status` says what is scheduled.",
            )
        operation = {"type": "cancel_upgrade", "approvers": [], "version": version}
        return await proposed(client, operation, signers, account=account, open_for_h=open_for_h)

    facts = with_client(url, timeout_s, act)
    tell(facts, f"no upgrade to version {version}", as_json=as_json)
