"""No limit of the code base is missing from the table, and no test in it is."""

import ast
from functools import cache
from pathlib import Path

from tests.limits.inspection import ROOT, limits
from tests.limits.table import CARRIES, HIT, NO_LIMITS


@cache
def found() -> frozenset[str]:
    return frozenset(limits())


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_limit_has_a_test_or_carries_one_or_says_why_not() -> None:
    missing = sorted(found() - set(HIT) - set(CARRIES) - set(NO_LIMITS))

    assert not missing, "give these a row in tests/limits/table.py: " + ", ".join(missing)


def test_the_table_names_no_limit_that_is_gone_or_twice() -> None:
    rows = [*HIT, *CARRIES, *NO_LIMITS]

    assert set(rows) <= found()
    assert len(rows) == len(set(rows))


def test_every_test_in_the_table_is_there() -> None:
    for limit, test in HIT.items():
        path, _, function = test.partition("::")
        assert function in functions_of(ROOT / path), (limit, test)


def test_what_a_setting_carries_is_hit() -> None:
    assert set(CARRIES.values()) <= set(HIT)
