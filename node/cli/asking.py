"""How a command speaks to a node: one client, one deadline, and results as text.

With `--json` a command that reads prints the node's answer as it is: `node/rpc/README.md` says what
its members mean. A list is read to its end, page by page, and printed as one.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from node.cli.credentials import credentials
from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, table, visible
from node.cli.sheets import Sheet, emit_sheet

if TYPE_CHECKING:
    from node.client import Client

T = TypeVar("T")

CELL_MAX: Final = 66
"""Characters of a table's cell; a hash has 64, and `--json` has everything."""
LINE_MAX: Final = 100
"""A list of plain values that is longer stands below each other."""
PAGE_MAX: Final = 200
"""Entries that are asked for at once: the most that the interface allows."""
_PLACE: Final = ("height", "block_id", "time")
"""Where an answer was read; said in the last line, not among what was asked for."""


def with_client(url: str, timeout_s: float, act: "Callable[[Client], Awaitable[T]]") -> T:
    """Return what the coroutine makes of a client of this node, within so many seconds.

    Args:
        url: of several, separated by spaces, the next is asked where one does not answer.

    Raises:
        CommandError: the time is over, or the URL is none.
    """
    return asyncio.run(within(url, timeout_s, act))


async def within(url: str, timeout_s: float, act: "Callable[[Client], Awaitable[T]]") -> T:
    """Do the same where a loop is running already."""
    from node.client import Client

    try:
        client = Client(url.split(), **credentials().settings())
    except ValueError as error:
        raise CommandError(
            Exit.USAGE,
            str(error),
            advice="Name the node as --url http://HOST:PORT, several with spaces between them.",
        ) from None
    try:
        async with asyncio.timeout(timeout_s), client:
            return await act(client)
    except TimeoutError:
        raise CommandError(
            Exit.TIMEOUT,
            f"no answer of {url} in {timeout_s:g} s",
            advice="Wait longer with --timeout, or ask another node with --url.",
        ) from None


def ask(
    url: str,
    timeout_s: float,
    method: str,
    *,
    as_json: bool,
    as_csv: bool = False,
    text: Callable[[Mapping[str, Any]], str] | None = None,
    sheet: Callable[[Mapping[str, Any]], Sheet] | None = None,
    **params: object,
) -> Mapping[str, Any]:
    """Call a method of the interface, print its result and return it.

    Args:
        text: what a person reads of the result; by default everything in it.
        sheet: the table in it, of a command that prints one as CSV too.
        params: of the method; those that are None are left out.
    """
    given = {name: value for name, value in params.items() if value is not None}

    async def call(client: "Client") -> Mapping[str, Any]:
        result: Mapping[str, Any] = await client.call(method, **given)
        return result

    result = with_client(url, timeout_s, call)
    said = _answer(result, (text or render)(_without_place(result)))
    if sheet is None:
        emit(result, said, as_json=as_json)
    else:
        emit_sheet(result, said, sheet(result), as_json=as_json, as_csv=as_csv)
    return result


def ask_all(
    url: str,
    timeout_s: float,
    method: str,
    member: str,
    *,
    as_json: bool,
    as_csv: bool = False,
    text: Callable[[Sequence[Mapping[str, Any]]], str],
    sheet: Callable[[Sequence[Mapping[str, Any]]], Sheet] | None = None,
    **params: object,
) -> None:
    """Call a method that answers in pages until there is no more, and print it as one result.

    Args:
        member: of the result: the list.
        text: what a person reads of the list, which is not empty.
        sheet: the list, of a command that prints it as CSV too.
    """
    result = with_client(url, timeout_s, lambda client: read_all(client, method, member, **params))
    entries: Sequence[Mapping[str, Any]] = result[member]
    said = _answer(result, text(entries) if entries else f"no {member}")
    if sheet is None:
        emit(result, said, as_json=as_json)
    else:
        emit_sheet(result, said, sheet(entries), as_json=as_json, as_csv=as_csv)


async def read_all(client: "Client", method: str, member: str, **params: object) -> dict[str, Any]:
    """Return the last page of a list with the entries of all pages."""
    entries: list[Any] = []
    after: str | None = None
    while True:
        page = await client.call(method, **params, after=after, limit=PAGE_MAX)
        entries += page[member]
        after = page["next"]
        if after is None:
            return {**page, member: entries}


def confirm(question: str) -> None:
    """Have the person at the terminal say yes.

    Raises:
        CommandError: nobody can be asked, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            Exit.USAGE, "nobody can be asked: there is no terminal", advice="Say --yes."
        )
    if not click.confirm(question, err=True):
        raise CommandError(
            Exit.REFUSED,
            "nothing was changed",
            advice="Run it again when you are sure; with --yes it does not ask.",
        )


def _without_place(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in result.items() if name not in _PLACE}


def _answer(result: Mapping[str, Any], body: str) -> str:
    place = f"block {result['height']}" if result["height"] else "the genesis"
    return f"{body}\n\nas of {place}, {result['time']}"


# Values as text.


def render(value: Mapping[str, Any]) -> str:
    """Return a result as text: what is single in lines, lists as tables, objects indented."""
    plain = {name: item for name, item in value.items() if _is_plain(item)}
    parts = [fields({name: cell(item) for name, item in plain.items()})] if plain else []
    for name, item in value.items():
        if name not in plain:
            inner = render(item) if isinstance(item, dict) else _list(item)
            parts.append(f"{name}:\n{indented(inner)}")
    return "\n".join(parts)


def cell(value: object) -> str:
    """Return a single value, or a list of them, as text."""
    match value:
        case None | [] | {}:
            return "-"
        case True:
            return "yes"
        case False:
            return "no"
        case list():
            return ", ".join(cell(item) for item in value)
        case _:
            # In one line: what somebody wrote must not look like a line of ours.
            return visible(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def grouped(amount: str) -> str:
    """Return an amount with its thousands set apart: for people only."""
    whole, point, fraction = amount.partition(".")
    sign = "-" if whole.startswith("-") else ""  # which -0 would lose
    return f"{sign}{abs(int(whole)):,}{point}{fraction}"


def indented(text: str) -> str:
    """Return the text two characters to the right."""
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


def _is_plain(value: object) -> bool:
    if isinstance(value, list) and value:
        return not any(isinstance(item, dict) for item in value) and len(cell(value)) <= LINE_MAX
    return not isinstance(value, dict) or not value


def _list(items: list[Any]) -> str:
    if not all(isinstance(item, dict) for item in items):
        return "\n".join(cell(item) for item in items)
    if not all(_is_plain(inner) for item in items for inner in item.values()):
        return "\n\n".join(render(item) for item in items)
    columns = list(dict.fromkeys(name for item in items for name in item))
    rows = [[_short(cell(item.get(name))) for name in columns] for item in items]
    return table(rows, head=columns)


def _short(text: str) -> str:
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"
