"""`khazana demo`: the whole product on real figures, in under a minute."""

from node.cli.demo.command import command

__all__ = ["command"]
