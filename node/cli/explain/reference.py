"""The checked-in reference of refusals and errors: printed, or written anew where it stands.

python -m node.cli.explain.reference             print what the present code makes
python -m node.cli.explain.reference --rewrite   write it to `node/cli/refusals.md`
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from node.cli.explain.entries import Explained, Group, entries

PATH: Final = Path(__file__).parent.with_name("refusals.md")

HEAD: Final = """\
# Refusals and errors

Everything that a person or a program can be refused with. Made from the code, by
`python -m node.cli.explain.reference --rewrite`; a test holds that it is complete and equal to it.
`khazana explain CODE` says the same in a terminal. Codes and names are permanent. Words in braces
are what was found: the message has them filled in.
"""

ABOUT: Final = {
    Group.OUTCOME: "What a receipt or a refusal at the door says of a transaction, by precedence."
    " `khz_simulate` says it beforehand.",
    Group.REASON: "Why, where an outcome's sentence says `{reason}`: by a phrase whose name and"
    " places are permanent. The interface gives it as `reason`, in errors as `reason_code` and"
    " `reason_arguments`, so that a client words it in any language; receipts hold the sentence.",
    Group.INTERFACE: "The `error` member of an answer of JSON-RPC: `code`, `message`, `data`.",
    Group.HTTP: "Answers to requests that no method saw; `error.message` says what was found.",
    Group.FAILURE: "What a command says on stderr, with `--json` as `error.reason`; a node that"
    " does not start, or stops by itself, ends with one.",
    Group.EXIT: "How a command ends.",
}


def render() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for group, members in groupby(entries(), key=lambda entry: entry.group):
        parts += [f"## {group.value}\n", f"{ABOUT[group]}\n", *map(_section, members)]
    return "\n".join(parts)


def anchor(entry: Explained) -> str:
    """Return where in the page an entry stands."""
    return f"{entry.group.name.lower()}-{entry.name.lower().replace('_', '-')}"


def _section(entry: Explained) -> str:
    return "\n".join(_lines(entry)) + "\n"


def _lines(entry: Explained) -> Iterator[str]:
    title = entry.code if entry.code == entry.name else f"{entry.code} {entry.name}"
    yield f'### <a id="{anchor(entry)}"></a>{title}\n'
    yield entry.sentence
    if entry.hint:
        yield f"\n*What to do:* {entry.hint}"
    if entry.note:
        yield f"\n*{entry.note[0].upper()}{entry.note[1:]}.*"


def main(arguments: Sequence[str]) -> int:
    """Print the page, or with `--rewrite` write it; 2 for anything else."""
    if arguments not in ([], ["--rewrite"]):
        sys.stderr.write("usage: python -m node.cli.explain.reference [--rewrite]\n")
        return 2
    if arguments:
        PATH.write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
