"""`khazana config`: examine a node's configuration."""

from node.cli.config.command import command

__all__ = ["command"]
