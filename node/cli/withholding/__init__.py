"""`khazana withholding`: what is withheld from interest, by whom and by what law."""

from node.cli.withholding.command import command

__all__ = ["command"]
