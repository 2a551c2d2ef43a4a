"""`khazana top`: the network live in a terminal."""

from node.cli.top.command import command

__all__ = ["command"]
