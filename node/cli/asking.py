"""How a command speaks to a node: one client, one deadline, and results as text."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, table

if TYPE_CHECKING:
    from node.client import Client

T = TypeVar("T")

CELL_MAX: Final = 66
"""Characters of a table's cell; a hash has 64, and `--json` has everything."""


def with_client(url: str, timeout_s: float, act: "Callable[[Client], Awaitable[T]]") -> T:
    """Return what the coroutine makes of a client of this node, within so many seconds.

    Raises:
        CommandError: the time is over.
    """
    from node.client import Client

    async def run() -> T:
        try:
            async with asyncio.timeout(timeout_s), Client(url) as client:
                return await act(client)
        except TimeoutError:
            raise CommandError(
                Exit.TIMEOUT,
                f"no answer of {url} in {timeout_s:g} s",
                advice="Wait longer with --timeout, or ask another node with --url.",
            ) from None

    return asyncio.run(run())


def ask(url: str, timeout_s: float, method: str, *, as_json: bool, **params: object) -> None:
    """Call a method of the interface and print its result."""
    given = {name: value for name, value in params.items() if value is not None}

    async def call(client: "Client") -> Mapping[str, Any]:
        result: Mapping[str, Any] = await client.call(method, **given)
        return result

    result = with_client(url, timeout_s, call)
    emit(result, render(result), as_json=as_json)


def render(value: Mapping[str, Any]) -> str:
    """Return a result as text: what is single in lines, lists as tables, objects indented."""
    single = {name: item for name, item in value.items() if not isinstance(item, dict | list)}
    parts = [fields({name: _cell(item) for name, item in single.items()})] if single else []
    for name, item in value.items():
        if isinstance(item, dict):
            parts.append(f"{name}:\n{_indented(render(item))}" if item else f"{name}: none")
        elif isinstance(item, list):
            parts.append(f"{name}:\n{_indented(_list(item))}" if item else f"{name}: none")
    return "\n".join(parts)


def _list(items: list[Any]) -> str:
    if not all(isinstance(item, dict) for item in items):
        return "\n".join(_cell(item) for item in items)
    if any(isinstance(inner, dict | list) and inner for item in items for inner in item.values()):
        return "\n\n".join(render(item) for item in items)
    columns = list(dict.fromkeys(name for item in items for name in item))
    rows = [[_short(_cell(item.get(name))) for name in columns] for item in items]
    return table(rows, head=columns)


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case True:
            return "yes"
        case False:
            return "no"
        case dict() | list():
            return "-"  # Only empty ones come here.
        case _:
            return str(value)


def _short(text: str) -> str:
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
