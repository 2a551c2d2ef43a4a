"""The OpenRPC document: equal to the checked-in copy, and complete."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.rpc.document import PATH, main, render
from node.rpc.errors import RpcError

README = Path("node/rpc/README.md")
DOCUMENT = json.loads(render())


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def error_kinds(kind: type[RpcError] = RpcError) -> Iterator[type[RpcError]]:
    for child in kind.__subclasses__():
        yield child
        yield from error_kinds(child)


def test_checked_in_copy_is_what_the_code_makes() -> None:
    assert PATH.read_text(encoding="utf-8") == render(), (
        "the interface has changed; look at the difference, then run"
        " `python -m node.rpc.document --rewrite`"
    )


def test_command_prints_the_document_and_refuses_other_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == render()
    assert main(["--help"]) == 2


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


@pytest.mark.parametrize("entry", DOCUMENT["methods"], ids=lambda entry: str(entry["name"]))
def test_every_method_and_parameter_is_described(entry: dict[str, Any]) -> None:
    assert entry["summary"].endswith(".")
    assert entry["result"]["schema"]
    for parameter in entry["params"]:
        assert "schema" in parameter
        assert parameter.get("description"), parameter["name"]


def test_every_method_stands_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")

    missing = [entry["name"] for entry in DOCUMENT["methods"] if f"`{entry['name']}`" not in text]

    assert not missing


def test_every_error_code_is_used_once_and_stands_in_the_readme() -> None:
    # A kind below another refines it, under the same code.
    kinds = [kind for kind in error_kinds() if "code" in vars(kind)]
    text = README.read_text(encoding="utf-8").replace("−", "-")

    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert re.search(rf"{kind.code}\b", text), kind.__name__
        assert kind.summary.endswith(".")


def test_patterns_are_ones_that_json_schema_knows() -> None:
    assert r"\Z" not in render()
