"""What `khazana tx operations NAME` says of an operation is what the reader takes."""

import re
from typing import Any, get_type_hints

import pytest

from node.addresses import ADDRESS_SIZE, render_address
from node.cli.tx.describing import Described, describe
from node.cli.tx.operations import OperationReader, key_of
from node.ledger.catalogue import ACTS

ADDRESS = render_address(bytes(ADDRESS_SIZE), test=True)
EXAMPLES = {
    "address": ADDRESS,
    "true or false": True,
    "list of operations": [],
    "hexadecimal": "",
}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_operation_written_as_described_is_read(act: Any) -> None:
    reader = OperationReader(
        parse_address=lambda _text: bytes(ADDRESS_SIZE), decimals_of=lambda _asset: 2
    )
    fields = list(describe(act.operation))

    operation = reader.read({"type": act.name} | written(fields, ""))

    assert isinstance(operation, act.operation)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_every_field_is_described_once_by_the_name_it_is_written_under(act: Any) -> None:
    paths = [field.path for field in describe(act.operation)]

    assert len(set(paths)) == len(paths)
    assert not any(path.endswith("_ms") and "lifetime" not in path for path in paths)
    assert {path for path in paths if re.fullmatch(r"\w+", path)} == {
        key_of(*hint) for hint in get_type_hints(act.operation, include_extras=True).items()
    }


def test_what_stands_below_a_field_is_said() -> None:
    (act,) = (act for act in ACTS if act.name == "define_asset")

    said = {field.path: field for field in describe(act.operation)}

    assert said["terms|bond_terms.plan.rates[].from_day"].written == "day, such as 2026-11-20"
    assert said["identifiers.isin"].means == "ISO 6166; nobody else has the same."


def written(fields: list[Described], path: str) -> dict[str, Any]:
    """Return a JSON object with every field directly below a path, in the first form there is."""
    found: dict[str, Any] = {}
    for field in fields:
        name = field.path.removeprefix(path)
        if field.path.startswith(path) and re.fullmatch(r"\w+", name):
            found[name] = value(fields, field.path, field.written)
    return found


def value(fields: list[Described], path: str, how: str) -> Any:
    if how.endswith(" or null"):
        return None
    if how in EXAMPLES:
        return EXAMPLES[how]
    if how.startswith("list, of each"):
        inner = how.removeprefix("list, of each: ")
        return [value(fields, f"{path}[]", inner)]
    if how.startswith("["):
        return [value(fields, path, part) for part in re.split(r", (?=\D)", how[1:-1])]
    if how.startswith("an object whose type is "):
        kind = how.removeprefix("an object whose type is ").split(", ")[0]
        return {"type": kind} | written(fields, f"{path}|{kind}.")
    if how == "an object":
        return written(fields, f"{path}.")
    if how.startswith("one of "):
        return how.removeprefix("one of ").split(", ")[0]
    if how.startswith("amount, such as "):
        return "100"
    if found := re.fullmatch(r"(?:time|day), such as (.+)", how):
        return found[1]
    if found := re.fullmatch(r"(\d+) hexadecimal digits", how):
        return "0" * int(found[1])
    if found := re.fullmatch(r"whole number(?:, (-?[\d,]+) to [\d,]+)?", how):
        return int((found[1] or "1").replace(",", ""))
    assert how.startswith("text"), how
    return "xxx"
