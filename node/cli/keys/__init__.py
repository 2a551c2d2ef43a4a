"""`khazana keys`: make, show and move keys."""

from node.cli.keys.command import command

__all__ = ["command"]
