"""`khazana participant identify`: a registrar says which person a participant is, by a token."""

import click

from node.cli.exits import CommandError, Exit
from node.cli.submission import Offices, office_options


@click.command()
@click.argument("participant")
@click.option("--token", metavar="HEX", help="From the state's register of persons: 64 digits.")
@click.option("--withdraw", is_flag=True, help="Take away the token that was stated instead.")
@office_options
def command(participant: str, token: str | None, *, withdraw: bool, offices: Offices) -> None:
    """Say which person PARTICIPANT is, once: persons bid in auctions only then.

    The token is a keyed hash of the national identity number, from the state's register of persons:
    the same whoever asks for it, and only that register has the key. A token that a participant has
    is refused for a second one, and the refusal names the first.

    A licensee says it of those whom it registered. To correct a token, or to withdraw it, takes two
    offices; so it does to state one again that was withdrawn, of the same participant or by whoever
    stated it.

    \b
    Examples:
      khazana participant identify participant-0 \\
        --token 7d1f0a3c5e9b2648d07f1a3c5e9b26487d1f0a3c5e9b2648d07f1a3c5e9b2648 \\
        --account tkhz1ljm5tvdykjszxlm0fsrveef7cql2gge8j6fzh7 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development virtual-asset-regulator/account --development central-bank/account
      khazana participant identify participant-0 --withdraw \\
        --account tkhz1ljm5tvdykjszxlm0fsrveef7cql2gge8j6fzh7 \\
        --propose --development virtual-asset-regulator/account
    """
    if withdraw is (token is not None):
        raise CommandError(
            Exit.USAGE,
            "expected either --token or --withdraw",
            advice="To say who it is: --token TOKEN; to take that back: --withdraw.",
        )
    offices.send(
        {
            "type": "identify_person",
            "participant": participant,
            "token": token,
        },
        f"{participant} is the person of the token {token}"
        if token is not None
        else f"{participant} is not the person of the token that was stated",
    )
