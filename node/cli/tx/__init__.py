"""`khazana tx`: build, sign and submit transactions."""

from node.cli.tx.command import command

__all__ = ["command"]
