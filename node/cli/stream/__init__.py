"""`khazana stream`: the events that a node publishes to NATS JetStream."""

from node.cli.stream.command import command

__all__ = ["command"]
