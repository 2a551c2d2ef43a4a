"""`khazana calendar`: which days are of business."""

from node.cli.calendar.command import command

__all__ = ["command"]
