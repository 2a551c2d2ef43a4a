"""The web page of a node: what the chain holds, for everyone to read. See README.md."""

from node.explorer.development import Desk
from node.explorer.explorer import Explorer

__all__ = ["Desk", "Explorer"]
