"""The OpenRPC document, made from the table of methods: the answer to `rpc.discover`.

A copy is checked in as `openrpc.json`, and a test holds that the two are equal, so that a change of
the interface is seen in review; `document` writes the copy anew.

Source: https://spec.open-rpc.org, version 1.3.2.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from node.rpc.errors import AnswerTooLarge, InternalError, InvalidParams, JsonValue, RpcError
from node.rpc.jsonrpc import Method

OPENRPC_VERSION: Final = "1.3.2"
API_VERSION: Final = "1.0.0"
"""Of the interface, not of the node: additions raise the second number, anything else the first."""

_ALWAYS: Final[tuple[type[RpcError], ...]] = (InvalidParams, InternalError, AnswerTooLarge)


def document_of(methods: Sequence[Method[Any]]) -> dict[str, Any]:
    """Return the OpenRPC document of these methods."""
    types = [kind for entry in methods for kind in (entry.params, entry.result)]
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    described = [
        _method(entry, params, result, components)
        for entry, params, result in zip(methods, schemas[::2], schemas[1::2], strict=True)
    ]
    for entry in methods:
        # Parameters are listed one by one; the object that holds them is our own affair.
        components.pop(entry.params.__name__, None)
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": "Khazana node",
            "version": API_VERSION,
            "license": {"name": "Apache-2.0"},
            "description": (
                "Amounts are decimal strings, addresses bech32m, hashes lower-case hexadecimal,"
                " times RFC 3339 in UTC. Every read says at which height it was answered."
                " Results may gain members; readers ignore those they do not know."
            ),
        },
        "methods": described,
        "components": {
            "schemas": dict(sorted(components.items())),
            "errors": {
                error.__name__: _error(error)
                for error in sorted(
                    {error for entry in methods for error in (*entry.errors, *_ALWAYS)},
                    key=lambda error: error.__name__,
                )
            },
        },
    }


def _method(
    entry: Method[Any],
    params: dict[str, Any],
    result: dict[str, Any],
    components: dict[str, Any],
) -> dict[str, Any]:
    shape = components[params["$ref"].rpartition("/")[2]]
    required = frozenset(shape.get("required", ()))
    described: dict[str, Any] = {"name": entry.name, "summary": entry.summary}
    if entry.description:
        described["description"] = entry.description
    return {
        **described,
        "paramStructure": "either",
        "params": [
            {"name": name, "required": name in required, **_described(schema)}
            for name, schema in shape["properties"].items()
        ],
        "result": {"name": "result", "schema": result},
        "errors": [
            {"$ref": f"#/components/errors/{error.__name__}"} for error in (*entry.errors, *_ALWAYS)
        ],
        "x-scope": entry.scope.value,
        **({"x-transport": "websocket"} if entry.socket_only else {}),
    }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    schema = dict(schema)
    description = schema.pop("description", None)
    if description is None:
        # Of something optional, the description of the type itself.
        inner = (member.get("description") for member in schema.get("anyOf", ()))
        description = next((text for text in inner if text), None)
    return (
        {"schema": schema}
        if description is None
        else {"description": description, "schema": schema}
    )


def _error(error: type[RpcError]) -> dict[str, JsonValue]:
    return {"code": error.code, "message": error.summary}
