"""The interface for clients: JSON-RPC, subscriptions, bulk submission, health. See README.md."""

from node.rpc.limits import RpcLimits
from node.rpc.server import RpcServer
from node.rpc.services import NOBODY, Intake, Peers, RpcServices

__all__ = ["NOBODY", "Intake", "Peers", "RpcLimits", "RpcServer", "RpcServices"]
