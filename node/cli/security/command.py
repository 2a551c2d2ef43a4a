"""`khazana security`: the group of commands about the life of securities."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "define": Place("node.cli.security.define", "Define a bill, bond or sukuk."),
        "strips": Place("node.cli.security.strips", "List the strips of a bond."),
        "strip": Place("node.cli.security.strip", "Take a bond apart into its payments."),
        "reconstitute": Place(
            "node.cli.security.reconstitute", "Put a bond together from its strips."
        ),
        "define-strips": Place("node.cli.security.define_strips", "Register the strips of a bond."),
        "fix": Place("node.cli.security.fix", "Fix a rate that no auction gives."),
        "call": Place("node.cli.security.call", "Repay a security early."),
        "redeem": Place("node.cli.security.redeem", "Redeem bills that were brought back."),
        "fund": Place("node.cli.security.fund", "Pay what is unpaid on a security."),
    },
)
def command() -> None:
    """Define securities, strip bonds and put them together, fix rates, call, pay what is late.

    Whoever holds a bond with strips may strip it, and anybody may pay what is late. The other acts
    take two offices: name the second with --approver, and sign with the keys of both; or say
    --propose, and the second approves on the ledger. What is withheld from interest is
    set by `khazana withholding`.
    """
