"""`khazana auction withdraw`: take sealed bids back before the close."""

from pathlib import Path

import click

from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options


@click.command()
@click.argument("auction")
@click.option("--account", required=True, help="Address that has bid.")
@click.option(
    "--number", "numbers", multiple=True, required=True, type=int, help="Of the bid; repeatable."
)
@signing_options
@building_options
@url_option
@timeout_option(60)
@json_option
def command(
    auction: str,
    account: str,
    numbers: tuple[int, ...],
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
    """Withdraw sealed bids from an AUCTION before its close. What they said, nobody learns.

    An envelope on paper that its bidder withdraws so is not lodged again in this auction, though
    the office still has it; the mandate stands for others.

    \b
    Example:
      khazana auction withdraw mtb-3m-574 --account tkhz1… --number 7 --key bank.json
    """
    from node.cli.tx.submitting import send

    send(
        [
            {"type": "withdraw_bid", "account": account, "auction": auction, "number": number}
            for number in numbers
        ],
        load_signers(keys, passphrase_files, development),
        url=url,
        timeout_s=timeout_s,
        memo=memo,
        valid_for_s=valid_for_s,
        as_json=as_json,
    )
