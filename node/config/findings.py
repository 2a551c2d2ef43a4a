"""Findings become faults: where in its file a setting stands, and what to write instead."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from node.config.faults import Fault
from node.config.sections import NodeConfig

# Keys that once were, or that other ledgers have, and where the matter is settled here. Extended
# when a key is renamed, so that an old file says what to write instead.
ELSEWHERE: Final[Mapping[str, str]] = {
    "moniker": "name",
    "home": "data_dir",
    "chain_id": "the genesis file, which names the network",
    "genesis_file": "genesis",
    "persistent_peers": "network.peers",
    "seeds": "network.peers",
    "consensus": "the genesis file: consensus parameters are the same at every node",
    "keystore": "validator.keystore",
    "priv_validator_key_file": "validator.keystore",
    "log_level": "log.level",
    "log_format": "log.format",
    "p2p": "network",
    "network.laddr": "network.listen",
    "rpc.laddr": "rpc.listen",
    "network.persistent_peers": "network.peers",
}


def fault_of(
    file: str,
    lines: Mapping[tuple[str, ...], int],
    overridden: Mapping[tuple[str, ...], str],
    details: Any,
) -> Fault:
    """Turn one of pydantic's findings into ours."""
    key = tuple(str(part) for part in details["loc"] if part != "[key]")
    match details["type"]:
        case "extra_forbidden":
            message = _unknown(key)
        case "missing":
            message = "missing"
        case "string_pattern_mismatch" | "string_too_short" | "string_too_long":
            message = (
                f"found {_shown(details['input'])}, expected 1 to 32 lower-case letters, digits "
                "and inner hyphens"
            )
        case "secret":
            message = str(details["msg"])  # what was found is not repeated
        case _:
            text = str(details["msg"]).removeprefix("Value error, ")
            message = f"found {_shown(details['input'])}: {text[:1].lower() + text[1:]}"
    return placed(file, lines, overridden, key, message)


def placed(
    file: str,
    lines: Mapping[tuple[str, ...], int],
    overridden: Mapping[tuple[str, ...], str],
    key: tuple[str, ...],
    message: str,
) -> Fault:
    """Return the fault of a setting, with the variable or the line that it comes from."""
    dotted = ".".join(key)
    if key in overridden:
        return Fault(file="environment", line=None, key=overridden[key], message=message)
    # The nearest thing that is in the file: the key, or the table that it is missing from.
    near = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), 1)
    return Fault(file=file, line=near, key=dotted, message=message)


def _unknown(key: tuple[str, ...]) -> str:
    place = ELSEWHERE.get(".".join(key))
    if place is not None:
        return f"no such setting here; see {place}"
    model: Any = NodeConfig
    for part in key[:-1]:
        field = model.model_fields.get(part)
        annotation = None if field is None else field.annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        if model is None:
            return "no such setting"
    close = difflib.get_close_matches(key[-1], list(model.model_fields), n=1)
    known = ", ".join(model.model_fields)
    return f"no such setting; {f'did you mean {close[0]}?' if close else f'there are: {known}'}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_KEY: Final = r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'"""
_DOTTED: Final = rf"((?:{_KEY})(?:\s*\.\s*(?:{_KEY}))*)"
_TABLE: Final = re.compile(rf"\s*\[\s*{_DOTTED}\s*\]")
_ASSIGNMENT: Final = re.compile(rf"\s*{_DOTTED}\s*=")


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of each table and key. No library says it, so the text is scanned; a key
    inside an inline table has the line of the key that holds it.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _TABLE.match(line):
            table = _split(found[1])
            lines.setdefault(table, number)
        elif found := _ASSIGNMENT.match(line):
            lines.setdefault(table + _split(found[1]), number)
    return lines


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))
