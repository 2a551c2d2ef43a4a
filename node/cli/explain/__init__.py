"""`khazana explain`: what a code means, and what to do."""

from node.cli.explain.command import command

__all__ = ["command"]
