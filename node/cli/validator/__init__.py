"""`khazana validator`: who votes, and how that changes."""

from node.cli.validator.command import command

__all__ = ["command"]
