"""`khazana amendment`: another set of validators, decided outside the chain."""

from node.cli.amendment.command import command

__all__ = ["command"]
