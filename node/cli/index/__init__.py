"""`khazana index`: the index of history, holders and totals."""

from node.cli.index.command import command

__all__ = ["command"]
