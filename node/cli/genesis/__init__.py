"""`khazana genesis`: make and examine the facts that a network is founded from."""

from node.cli.genesis.command import command

__all__ = ["command"]
