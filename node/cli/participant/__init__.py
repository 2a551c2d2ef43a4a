"""`khazana participant`: persons and who they are."""

from node.cli.participant.command import command

__all__ = ["command"]
