"""`khazana access`: the API keys that a node takes."""

from node.cli.access.command import command

__all__ = ["command"]
