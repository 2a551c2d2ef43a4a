"""`khazana security`: what is done to a bond or sukuk between its issue and its end."""

from node.cli.security.command import command

__all__ = ["command"]
