"""The interface for clients: JSON-RPC, subscriptions, bulk submission, health. See README.md.

What is exported here is imported when somebody asks for it: who needs no more than the errors and
their sentences (`khazana explain`) would wait for the server, and the replica behind it.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from node.rpc.limits import RpcLimits
    from node.rpc.server import RpcServer
    from node.rpc.services import NOBODY, Intake, Peers, RpcServices
else:
    _PLACES = {
        "NOBODY": "services",
        "Intake": "services",
        "Peers": "services",
        "RpcLimits": "limits",
        "RpcServer": "server",
        "RpcServices": "services",
    }

    def __getattr__(name: str) -> object:
        """Return what has been asked for, from where it is."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


__all__ = ["NOBODY", "Intake", "Peers", "RpcLimits", "RpcServer", "RpcServices"]
