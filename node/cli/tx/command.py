"""`khazana tx`: the group of commands that change the ledger."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "transfer": Place("node.cli.tx.transfer", "Give part of a holding to another account."),
        "issue": Place("node.cli.tx.issue", "Create new amounts of an asset."),
        "send": Place("node.cli.tx.send", "Build, sign and submit operations from a file."),
        "build": Place("node.cli.tx.build", "Build a transaction for others to sign."),
        "sign": Place("node.cli.tx.sign", "Sign a transaction in a file."),
        "combine": Place("node.cli.tx.combine", "Put signed copies of a transaction together."),
        "show": Place("node.cli.tx.show", "Print what a transaction file holds."),
        "submit": Place("node.cli.tx.submit", "Submit a signed transaction and wait for the end."),
        "approve": Place("node.cli.tx.approve", "Stand behind what another office proposed."),
        "operations": Place("node.cli.tx.catalogue", "List the operations and their fields."),
    },
)
def command() -> None:
    """Build, sign and submit transactions."""
