"""`khazana amendment`: the group of commands about a set that cannot change itself any more."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "draft": Place("node.cli.amendment.draft", "Write who is to rule after the last block."),
        "sign": Place("node.cli.amendment.sign", "Sign an amendment with this node's voting key."),
        "check": Place(
            "node.cli.amendment.check", "Say what an amendment decides, and who signed."
        ),
        "install": Place("node.cli.amendment.install", "Let this node follow an amendment."),
        "show": Place("node.cli.amendment.show", "Print the amendments that a node follows."),
        "discard": Place(
            "node.cli.amendment.discard", "Let go of an amendment not decided on yet."
        ),
    },
)
def command() -> None:
    """Put another set of validators in where so many keys are lost that nothing can be decided.

    A decision of the institutions together, outside the chain. node/replica/RUNBOOKS.md has the
    steps, one after the other, and what must be certain before the first.
    """
