"""`khazana devnet`: a development network on this machine."""

from node.cli.devnet.command import command

__all__ = ["command"]
