"""`khazana validator remove`: one less who votes."""

from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.validator.changing import status_of, tell
from node.cli.validator.office import Office, Pen, proposing_office

if TYPE_CHECKING:
    from node.client import Client


@click.command()
@click.argument("name")
@click.option("--fewer-faults", is_flag=True, help="Accept that fewer faults are survived then.")
@proposing_office
def command(*, office: Office, name: str, fewer_faults: bool) -> None:
    """Propose that the validator NAME go. Its key can never be used again.

    Refused where the ledger would refuse it (parameter validators-min, and the last one ever), and
    where those who are left could not decide now. Where fewer faults are survived afterwards it
    wants --fewer-faults.

    \b
    Example:
      khazana validator remove first-bank \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        left = await _check(client, name, fewer_faults=fewer_faults)
        operation = {"type": "remove_validator", "name": name}
        facts = await pen.propose(operation)
        return facts | {"validator": name, "validators": left}

    tell(office.act(act), f"{name} as a validator no more", as_json=office.as_json)


async def _check(client: "Client", name: str, *, fewer_faults: bool) -> int:
    """Return how many are left.

    Raises:
        CommandError: the rest would be too few.
    """
    from consensus.quorum import faults_survived, quorum
    from consensus.types import FaultModel

    status = await status_of(client)
    names = [validator.name for validator in (await client.validators()).value.validators]
    if name not in names:
        raise CommandError(
            Exit.REFUSED,
            f"{name} is no validator; there are {', '.join(names)}",
            advice="`khazana validator list` says who votes.",
        )
    least = {p.name: p.value for p in (await client.parameters()).value}["validators-min"]
    left = len(names) - 1
    if left < max(1, least):
        raise CommandError(
            Exit.REFUSED,
            f"{left} validators would be left, at least {max(1, least)} are needed",
            advice="Add another one first; validators-min is a parameter of the ledger.",
        )
    model = FaultModel(status["fault_model"])
    reached = {peer["name"] for peer in status["peers"] if peer["connected"]} | {status["node"]}
    found, needed = len((reached & set(names)) - {name}), quorum(model, left)
    if found < needed:
        raise CommandError(
            Exit.REFUSED,
            f"without {name} {needed} of {left} decide, and {status['node']} reaches {found}: the"
            " network would stand still",
            advice="Bring the others back first: `khazana validator list` says who is missing.",
        )
    survived = faults_survived(model, left)
    if survived < status["faults_survived"] and not fewer_faults:
        raise CommandError(
            Exit.REFUSED,
            f"without {name} {survived} of {left} validators may be faulty, now"
            f" {status['faults_survived']} of {len(names)}",
            advice="Add another one first, or say --fewer-faults.",
        )
    return left
