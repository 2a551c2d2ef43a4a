"""Tables for a spreadsheet: CSV as RFC 4180 has it, safe to open.

What participants wrote stands in these cells. A spreadsheet takes a cell that begins with one of a
few characters for a formula, and a formula can send what is beside it to somebody else. So such a
cell gets an apostrophe before it, which spreadsheets do not show; numbers stay numbers.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit

Command = TypeVar("Command", bound=Callable[..., Any])

_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How a formula begins, or what a spreadsheet skips before one."""
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as a program reads it: figures without grouping, nothing cut; None is empty."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]


def sheet_of_row(record: Mapping[str, object]) -> Sheet:
    """Return the sheet of one record whose members are single: their names and one row."""
    return Sheet(head=tuple(record), rows=[tuple(record.values())])


def sheet_of_members(record: Mapping[str, object]) -> Sheet:
    """Return the sheet of a record that has others in it: a row for each single value.

    A member of a member is named with a dot between, one of a list by its number from one:
    `result.average_yield`, `places.2.account`.
    """
    return Sheet(head=("member", "value"), rows=list(_members(record)))


def _members(record: Mapping[str, object], under: str = "") -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        match value:
            case Mapping() if value:
                yield from _members(value, f"{under}{name}.")
            case [{}, *_]:
                numbered = {str(number): item for number, item in enumerate(value, 1)}
                yield from _members(numbered, f"{under}{name}.")
            case _:
                yield f"{under}{name}", _single(value)


def _single(value: object) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(_single(item)) for item in value)
        case Mapping():
            return None  # an empty one
        case _:
            return value


def csv_option(command: Command) -> Command:
    """Give a command the option `--csv`, passed to it as `as_csv`."""
    return click.option(
        "--csv", "as_csv", is_flag=True, help="Print the table as CSV, for a spreadsheet."
    )(command)


def emit_sheet(
    result: Mapping[str, object], text: str, sheet: Sheet, *, as_json: bool, as_csv: bool
) -> None:
    """Print a result in one of its three forms: JSON, a sheet, or text for people.

    Raises:
        CommandError: two of them were asked for.
    """
    if as_json and as_csv:
        raise CommandError(
            Exit.USAGE,
            "found --json and --csv, expected one of them at most",
            advice="Say --csv for a spreadsheet, --json for a program.",
        )
    if as_csv:
        click.echo(render_csv(sheet), nl=False)
    else:
        emit(result, text, as_json=as_json)


def render_csv(sheet: Sheet) -> str:
    """Return the sheet as CSV: a line of names, lines ended by CR and LF, quotes where needed.

    Source: RFC 4180 section 2.
    """
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow([_cell(name) for name in sheet.head])
    lines.writerows([_cell(value) for value in row] for row in sheet.rows)
    return written.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text) or not text.lstrip(" ").startswith(_FORMULA):
        return text
    return f"'{text}"
