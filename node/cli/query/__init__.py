"""`khazana query`: ask a node what is on the ledger."""

from node.cli.query.command import command

__all__ = ["command"]
