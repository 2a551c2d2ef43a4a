"""The page of the methods, out of the document that a node answers `rpc.discover` with."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from node.docs.markdown import table
from node.rpc.document import render


def methods() -> str:
    """Return every method, what its results are made of, and every error."""
    document = json.loads(render())
    lines = [
        "[What results are made of](#results) and [the errors](#errors) stand below the methods.",
        "",
    ]
    for entry in document["methods"]:
        lines += _method(entry)
    lines += ["## Results", "", "A member that a result may be without is marked with a star.", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _schema(name, schema)
    errors = [
        (str(error["code"]), name, error["message"])
        for name, error in document["components"]["errors"].items()
    ]
    errors.sort(key=lambda error: (-int(error[0]), error[1]))
    lines += ["## Errors", "", *table(("code", "name", "says"), errors)]
    return "\n".join(lines)


def _method(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {entry['name']}", "", entry["summary"], "")
    if "description" in entry:
        yield from (entry["description"], "")
    if entry["params"]:
        params = [
            (
                f"`{param['name']}`",
                written(param["schema"]),
                "; ".join(filter(None, (_needed(param), param.get("description", "")))),
            )
            for param in entry["params"]
        ]
        yield from table(("parameter", "written as", ""), params)
    names = sorted({error["$ref"].rpartition("/")[2] for error in entry["errors"]})
    scope = f"Scope `{entry['x-scope']}`" + (
        ", over the WebSocket only." if "x-transport" in entry else "."
    )
    yield from (f"Result: {written(entry['result']['schema'])}. {scope}", "")
    yield from (f"[Errors](#errors): {', '.join(names)}.", "")


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {name}", "")
    if "description" in schema:
        yield from (" ".join(schema["description"].split()), "")
    if "enum" in schema:
        yield from (f"{written(schema)[0].upper()}{written(schema)[1:]}.", "")
        return
    members = [
        (
            f"`{member}`" + ("" if member in schema["required"] else "*"),
            written(inner),
            inner.get("description", ""),
        )
        for member, inner in schema["properties"].items()
    ]
    yield from table(("member", "written as", ""), members)


def _needed(param: Mapping[str, Any]) -> str:
    if param["required"]:
        return ""
    default = param["schema"].get("default")
    return "optional" if default is None else f"optional, `{default}` by default"


def written(schema: Mapping[str, Any]) -> str:
    """Return a schema in few words; what has a name leads to where it is described."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(written(each) for each in schema["anyOf"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {written(schema.get('items', {}))}"
    bounds = [
        f"{before}{schema[key]}{after}"
        for key, before, after in (
            ("minimum", "from ", ""),
            ("maximum", "to ", ""),
            ("pattern", "like `", "`"),
            ("maxLength", "of at most ", " characters"),
        )
        if key in schema and not (key == "maxLength" and "pattern" in schema)
    ]
    return " ".join([_KINDS.get(kind, kind), *bounds])


_KINDS = {"integer": "whole number", "boolean": "`true` or `false`", "null": "`null`"}
