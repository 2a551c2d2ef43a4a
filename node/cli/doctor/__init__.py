"""`khazana doctor`: look at everything that a node stands on."""

from node.cli.doctor.command import command

__all__ = ["command"]
