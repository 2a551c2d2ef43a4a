"""What a command prints: results on stdout, notes and errors on stderr, JSON where a machine reads.

With `--json` a command prints exactly one JSON object on stdout, and its error, if any, as one
object on stderr. The shape of the JSON is part of the interface; the text for people is not.

Much of it was written by participants, or said by a node that nobody has to trust. Whatever a
terminal would act on, and what turns the direction of the text after it, is printed as an escape.
"""

import codecs
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click

from node.cli.exits import CommandError
from node.cli.homes import pasteable

Command = TypeVar("Command", bound=Callable[..., Any])

_STEERING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what is not seen and does something."""
_UTF_8: Final = frozenset({"utf-8", "utf8"})
_DRAWN: Final = str.maketrans("▁▂▃▄▅▆▇█…─│┌┐└┘", "12345678~-|++++")
"""What we draw with, for who has no such letters: each by one."""
_NUMBER: Final = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?")


def fit(*streams: object, as_json: bool) -> None:
    """Let what is written into streams that are not of UTF-8 be written all the same.

    What their encoding lacks is an escape, JSON's own, by which a machine reads what was written;
    what we draw with is a letter that every encoding has.
    """

    def escaped(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        lacking = error.object[error.start : error.end]
        drawn = lacking if as_json else lacking.translate(_DRAWN)
        return json.dumps(drawn)[1:-1], error.end

    codecs.register_error("khazana", escaped)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in _UTF_8:
            stream.reconfigure(errors="khazana")


def json_option(command: Command) -> Command:
    """Give a command the option `--json`, passed to it as `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
    )(command)


def emit(result: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """Print the result of a command: the mapping as JSON, or the text that says the same."""
    if as_json:
        click.echo(_json(result, indent=2))
    elif text:
        click.echo(visible(text))


def note(message: str) -> None:
    """Tell the person something beside the result."""
    click.echo(visible(message), err=True)


def emit_error(error: CommandError, *, as_json: bool) -> None:
    """Print why a command ends without success, what to do, and the code that says so."""
    from node.cli.endings import ENDINGS

    ending = ENDINGS[error.code]
    message, reason = pasteable(error.message), error.reason or ending.code
    advice = pasteable(error.advice)
    if as_json:
        said = {"exit": int(error.code), "reason": reason, "message": message}
        click.echo(_json({"error": {**said, "advice": advice, **error.facts}}), err=True)
        return
    click.echo(visible(f"khazana: {message}"), err=True)
    click.echo(visible(f"  {advice}"), err=True)
    if error.reason:
        click.echo(f"  (khazana explain {reason})", err=True)


def visible(text: str) -> str:
    """Return lines of text in which nothing steers a terminal: what does is shown as an escape."""
    return _without_steering(text, lambda letter: letter.encode("unicode_escape").decode())


def _json(value: object, *, indent: int | None = None) -> str:
    # JSON's own escapes, so that a machine reads what was written.
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _without_steering(text, lambda letter: json.dumps(letter)[1:-1])


def _without_steering(text: str, escaped: Callable[[str], str]) -> str:
    return "".join(
        escaped(letter)
        if letter not in "\n\t" and unicodedata.category(letter) in _STEERING
        else letter
        for letter in text
    )


def table(rows: Sequence[Sequence[object]], *, head: Sequence[str] = ()) -> str:
    """Render rows in aligned columns; columns of numbers to the right. May be empty."""
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        return "  ".join(head)
    to_the_right = [
        all(cell == "-" or _NUMBER.fullmatch(cell) for cell in column)
        for column in zip(*cells, strict=True)
    ]
    if head:
        cells.insert(0, list(head))
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        parts = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_the_right, strict=True)
        )
        return "  ".join(parts).rstrip()

    return "\n".join(line(row) for row in cells)


def fields(pairs: Mapping[str, object]) -> str:
    """Render names and values, one pair a line."""
    width = max((len(name) for name in pairs), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs.items())


def counted(number: int, word: str) -> str:
    """Return a number of things, with an s where they are not one."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def box(lines: Sequence[str]) -> str:
    """Render lines in a frame: for what must not be overlooked."""
    width = max(len(line) for line in lines)
    middle = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *middle, f"└{'─' * (width + 2)}┘"])


def is_terminal() -> bool:
    """Say whether a person is looking at stdout."""
    return sys.stdout.isatty()
