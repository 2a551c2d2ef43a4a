"""`khazana explain`: look a code up in the reference that the code makes."""

import difflib

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option


# A number below nothing is a code, and no option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("code")
@json_option
def command(code: str, *, as_json: bool) -> None:
    """Say what a code means and what to do: an outcome, an error, a status, an exit code.

    CODE is a number or a word, as an answer, a log or the command line has it. A number may be
    several things: all are said. `node/cli/refusals.md` has all of them.

    \b
    Examples:
      khazana explain HOLDING_INSUFFICIENT
      khazana explain -32005
      khazana explain storage-locked
    """
    from node.cli.explain.entries import entries, found

    meant = found(code)
    if not meant:
        names = [entry.name for entry in entries()]
        lowered = {name.lower().replace("_", "-"): name for name in names}
        close = difflib.get_close_matches(code.lower().replace("_", "-"), lowered, n=1)
        raise CommandError(
            Exit.REFUSED,
            f"{code!r} is no code that is known here",
            advice=f"Did you mean {lowered[close[0]]}?"
            if close
            else "node/cli/refusals.md lists all; a newer release may have more.",
        )
    emit(
        {
            "meanings": [
                {
                    "group": entry.group.value,
                    "code": entry.code,
                    "name": entry.name,
                    "sentence": entry.sentence,
                    "hint": entry.hint,
                    "note": entry.note or None,
                }
                for entry in meant
            ]
        },
        "\n\n".join(
            "\n".join(
                [
                    f"{entry.code}  {entry.name}"
                    f" ({entry.group.value.lower()}{', ' + entry.note if entry.note else ''})",
                    f"  {entry.sentence}",
                    f"  {entry.hint}",
                ]
            )
            for entry in meant
        ),
        as_json=as_json,
    )
