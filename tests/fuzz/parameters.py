"""Good parameters for every method of the interface, from the method's own types.

A member is known by its name; a method that is added tomorrow with members of known names is asked
without a line here, and one with others fails a test until it has them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from node.rpc.jsonrpc import Method, methods_of
from node.rpc.ledger import LedgerMethods
from node.rpc.methods import Methods
from node.rpc.sockets import SocketSession
from node.rpc.stream import Topic

SINGLE: Final[Mapping[str, Any]] = {
    "wait": "final",
    "timeout_ms": 1,
    "height": 1,
    "index": 0,
    "limit": 5,
    "first_event": 0,
    "events_limit": 5,
    "after": None,
    "participant": "bank",
    "validator": "central-bank",
    "identifier": "PK0000000015",
    "kind": "holding",
    "name": "PKR-CB",
    "number": None,
    "from": "0-0",
    "topics": [topic.value for topic in Topic],
    "subscription": "1",
}


def requests_of(known: Mapping[str, Any], *, socket: bool) -> Iterator[dict[str, Any]]:
    """Yield a request for every method of `/rpc`, or those that only `/ws` answers.

    Args:
        known: what exists: `transaction` in hexadecimal, `id`, `address`, `asset`.
    """
    methods = [
        entry
        for room in ((SocketSession,) if socket else (Methods, LedgerMethods))
        for entry in methods_of(room)
    ]
    for number, entry in enumerate(methods, start=1):
        params = params_of(entry, known)
        yield {"jsonrpc": "2.0", "id": number, "method": entry.name, "params": params}
        if params:
            yield {
                "jsonrpc": "2.0",
                "id": f"id {number}",
                "method": entry.name,
                "params": [
                    params[name] for name in entry.params.__struct_encode_fields__ if name in params
                ],
            }


def params_of(entry: Method[Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return good parameters of a method, all members present."""
    values = {
        **SINGLE,
        **known,
        "transactions": "full" if entry.name == "khz_block" else [known["transaction"]],
        "ids": [known["id"]],
        "proposal": known["id"],
        "accounts": [known["address"]],
        "assets": [known["asset"]],
    }
    return {
        field.encode_name: values[field.encode_name]
        for field in msgspec.structs.fields(entry.params)
    }
