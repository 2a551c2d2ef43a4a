"""`khazana tx transfer`: give part of a holding to another account."""

from pathlib import Path

import click

from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options


@click.command()
@click.option("--account", required=True, help="Address that gives.")
@click.option("--to", required=True, help="Address that receives.")
@click.option("--asset", required=True, help="Code of the asset.")
@click.option("--amount", required=True, help="In units of the asset, such as 100.50.")
@signing_options
@building_options
@url_option
@timeout_option(60)
@json_option
def command(
    account: str,
    to: str,
    asset: str,
    amount: str,
    keys: tuple[Path, ...],
    passphrase_files: tuple[Path, ...],
    development: tuple[str, ...],
    memo: str,
    valid_for_s: float,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Give an amount of an asset to another account, and wait until it is final.

    \b
    Example:
      khazana tx transfer --account tkhz1… --to tkhz1… --asset PKR --amount 100.50 --key alice.json
    """
    from node.cli.tx.submitting import send

    operation = {"type": "transfer", "account": account, "to": to, "asset": asset, "amount": amount}
    send(
        [operation],
        load_signers(keys, passphrase_files, development),
        url=url,
        timeout_s=timeout_s,
        memo=memo,
        valid_for_s=valid_for_s,
        as_json=as_json,
    )
