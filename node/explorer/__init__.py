"""The web page of a node: what the chain holds, for everyone to read. See README.md."""

from node.explorer.explorer import Explorer

__all__ = ["Explorer"]
