"""Finds the limits by inspection: every name of a bound in `node` and `consensus`.

A limit is a constant `..._MAX`, also in the middle of its name, or a field `..._max`, also with a
unit behind it, of a class that holds settings; parameters and attributes that merely carry one on
are not looked at, they have the name of what they carry.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("consensus", "node")

_CONSTANT: Final = re.compile(r"_?[A-Z0-9_]+_MAX(_[A-Z]+)?|MAX_[A-Z_]+")
_FIELD: Final = re.compile(r"[a-z0-9_]+_max(_[a-z]+)*")


def limits() -> Iterator[str]:
    """Yield every limit as `module.NAME` or `module.Class.name`, in order of path."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in tree.body:
                for name in _assigned(node):
                    if _CONSTANT.fullmatch(name):
                        yield f"{module}.{name}"
                if isinstance(node, ast.ClassDef):
                    yield from _fields(f"{module}.{node.name}", node)


def _fields(place: str, node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        for name in _assigned(statement):
            if _FIELD.fullmatch(name) or _CONSTANT.fullmatch(name):
                yield f"{place}.{name}"


def _assigned(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
