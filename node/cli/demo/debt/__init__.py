"""`khazana demo debt`: a bill, a bond, a floater and a sukuk through their whole life."""

from node.cli.demo.debt.command import command

__all__ = ["command"]
