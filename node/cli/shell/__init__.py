"""`khazana shell`: Python with a client of a node at hand."""

from node.cli.shell.command import command

__all__ = ["command"]
