"""`khazana tx issue`: new amounts of an asset come into being."""

from pathlib import Path

import click

from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options


@click.command()
@click.option("--account", required=True, help="Address of the issuing office.")
@click.option(
    "--approver",
    "approvers",
    multiple=True,
    help="Address of another office that has to stand behind it; once for each.",
)
@click.option("--to", required=True, help="Address that receives.")
@click.option("--asset", required=True, help="Code of the asset.")
@click.option("--amount", required=True, help="In units of the asset, such as 5000.00.")
@signing_options
@building_options
@url_option
@timeout_option(60)
@json_option
def command(
    account: str,
    approvers: tuple[str, ...],
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
    """Create an amount of a defined asset in an account, and wait until it is final.

    The powers matrix says which offices it takes. Where their keys are not in one place, build the
    transaction with `khazana tx build` and let each of them sign it.

    \b
    Example:
      khazana tx issue --account tkhz1… --to tkhz1… --asset PKR --amount 5000 --key bank.json
    """
    from node.cli.tx.submitting import send

    operation = {
        "type": "issue",
        "account": account,
        "approvers": list(approvers),
        "asset": asset,
        "amount": amount,
        "to": to,
    }
    send(
        [operation],
        load_signers(keys, passphrase_files, development),
        url=url,
        timeout_s=timeout_s,
        memo=memo,
        valid_for_s=valid_for_s,
        as_json=as_json,
    )
