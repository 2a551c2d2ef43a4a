"""`khazana query`: the group of commands that read."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "account": Place("node.cli.query.account", "Print an account: owner, policy, hold."),
        "asset": Place("node.cli.query.asset", "Print an asset: issuer, terms, supply."),
        "assets": Place("node.cli.query.assets", "List the assets."),
        "block": Place("node.cli.query.block", "Print a block and who decided it."),
        "evidence": Place("node.cli.query.evidence", "List who has signed two things at once."),
        "holdings": Place("node.cli.query.holdings", "Print what an account holds."),
        "holds": Place("node.cli.query.holds", "Print the holds on what an account holds."),
        "parameters": Place("node.cli.query.parameters", "List the ledger's parameters."),
        "participant": Place("node.cli.query.participant", "Print a participant."),
        "powers": Place("node.cli.query.powers", "Print which offices may do what."),
        "proposal": Place("node.cli.query.proposal", "Print an open proposal."),
        "proposals": Place("node.cli.query.proposals", "List the open proposals."),
        "prove": Place("node.cli.query.prove", "Write a proof file of a record."),
        "transaction": Place("node.cli.query.transaction", "Print a transaction and its receipt."),
        "validators": Place("node.cli.query.validators", "Print who decides a height."),
    },
)
def command() -> None:
    """Ask a node what is on the ledger."""
