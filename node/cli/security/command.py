"""`khazana security`: the group of commands about the life of securities."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "strips": Place("node.cli.security.strips", "List the strips of a bond."),
        "strip": Place("node.cli.security.strip", "Take a bond apart into its payments."),
        "reconstitute": Place(
            "node.cli.security.reconstitute", "Put a bond together from its strips."
        ),
        "define-strips": Place("node.cli.security.define_strips", "Register the strips of a bond."),
        "fix": Place("node.cli.security.fix", "Fix a rate that no auction gives."),
        "call": Place("node.cli.security.call", "Repay a security early."),
    },
)
def command() -> None:
    """Strip bonds and put them together, fix rates, call securities.

    Whoever holds a bond with strips may strip it. Registering strips, fixing and calling take two
    offices: name the second with --approver, and sign with the keys of both; where the keys are not
    in one place, `khazana tx operations` shows the same operations for `khazana tx build`.
    """
