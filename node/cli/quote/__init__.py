"""`khazana quote`: price, yield and accrued interest, exactly."""

from node.cli.quote.command import command

__all__ = ["command"]
