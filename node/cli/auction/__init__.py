"""`khazana auction`: primary auctions, for those who bid and for those who check."""

from node.cli.auction.command import command

__all__ = ["command"]
