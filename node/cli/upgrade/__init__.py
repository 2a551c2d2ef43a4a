"""`khazana upgrade`: changing the rules at a height, without a node that does not know them."""

from node.cli.upgrade.command import command

__all__ = ["command"]
