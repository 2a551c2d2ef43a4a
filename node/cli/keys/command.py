"""`khazana keys`: the group of commands about keys."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "generate": Place("node.cli.keys.generate", "Make a new key in an encrypted file."),
        "import": Place("node.cli.keys.import_", "Put an existing key into an encrypted file."),
        "show": Place("node.cli.keys.show", "Print the public key of a file."),
        "address": Place("node.cli.keys.address", "Print the address of a key's account."),
        "tls": Place("node.cli.keys.tls", "Make a node's TLS key and certificate."),
        "development": Place("node.cli.keys.development", "Print development keys."),
    },
)
def command() -> None:
    """Make, show and move keys."""
