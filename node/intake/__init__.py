"""Where transactions come in, from clients and peers, and who waits for what becomes of them."""

from node.intake.intake import Behind, Gossip, Intake, SubmitResult

__all__ = ["Behind", "Gossip", "Intake", "SubmitResult"]
