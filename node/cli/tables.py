"""A CSV table in a file that somebody wrote or a spreadsheet saved, as commands take it."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from node.cli.exits import CommandError, Exit

FILE_SIZE_MAX: Final = 65_536


def read_table(
    file: Path, needed: Sequence[str], besides: Sequence[str] = ()
) -> list[tuple[int, Mapping[str, str | None]]]:
    """Return the lines of a table by number, each by the names of its columns.

    Args:
        needed: columns that there must be.
        besides: others that are read where they are there.

    Raises:
        CommandError: the file cannot be read, is too large, or has not these columns.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_SIZE_MAX + 1)
        if len(data) > FILE_SIZE_MAX:
            raise CommandError(
                Exit.USAGE,
                f"{file} has more than {FILE_SIZE_MAX} bytes",
                advice="Split the table into several files, each with the line of names.",
            )
        # With the mark that spreadsheets put before it.
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        head = table.fieldnames or []
        rows: list[tuple[int, Mapping[str, str | None]]] = [(table.line_num, row) for row in table]
    except OSError as error:
        raise CommandError(
            Exit.USAGE,
            f"{file} cannot be read: {error.strerror}",
            advice="Name a file that is there and that you may read.",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(
            Exit.USAGE,
            f"{file} is no CSV table: {error}",
            advice="Save it as CSV in UTF-8, with commas and a first line of names.",
        ) from None
    missing = [name for name in needed if name not in head]
    if missing:
        more = f", and {', '.join(besides)} where they are needed" if besides else ""
        raise CommandError(
            Exit.USAGE,
            f"{file} has no column {', '.join(missing)}",
            advice=f"Its first line names the columns: {', '.join(needed)}{more}.",
        )
    return rows


def cell(row: Mapping[str, str | None], name: str) -> str:
    """Return what stands in a column, without the blanks round it; nothing where a line ends."""
    return (row.get(name) or "").strip()
