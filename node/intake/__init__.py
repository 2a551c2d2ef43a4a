"""Where transactions come in, from clients and peers, and who waits for what becomes of them."""

from node.intake.intake import Gossip, Intake

__all__ = ["Gossip", "Intake"]
