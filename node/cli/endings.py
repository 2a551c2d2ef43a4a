"""The endings of a command that it finds itself, one for each exit code; light to import."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.cli.exits import Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One way to end."""

    code: str
    """Permanent: scripts and the reference know it by this."""
    exit: Exit
    sentence: str
    """What it means; what was found stands in the message itself."""
    hint: str
    """What to do; said where the message says nothing better."""


def make_entry(code: str, exit_: Exit, sentence: str, hint: str) -> Entry:
    """Return an entry; four words are read more easily in a table than with their names."""
    return Entry(code=code, exit=exit_, sentence=sentence, hint=hint)


URL_HINT: Final = (
    "Is the node running, and is --url its RPC address, with http or https as it listens?"
    " `khazana devnet status` shows those of a development network; `--tls-authority` and"
    " `--tls-certificate`, before the command, say whom to trust and what to show."
)

ENDINGS: Final[Mapping[Exit, Entry]] = {
    entry.exit: entry
    for entry in (
        make_entry(
            "refused",
            Exit.REFUSED,
            "The answer is no, and the message says why.",
            "Change what the message names; asking again as before gives the same answer.",
        ),
        make_entry(
            "usage",
            Exit.USAGE,
            "The command line was not understood, or says two things at once.",
            "`--help` of the same command has every option and an example.",
        ),
        make_entry(
            "unreachable", Exit.UNREACHABLE, "No node answered, or it is not ready.", URL_HINT
        ),
        make_entry(
            "timeout",
            Exit.TIMEOUT,
            "There was no answer in time.",
            "Wait longer with --timeout; asking again is safe.",
        ),
        make_entry(
            "damaged",
            Exit.DAMAGED,
            "Something stored is damaged, missing, in use, or cannot be written.",
            "`khazana doctor` looks at disk, permissions and database.",
        ),
        make_entry(
            "configuration",
            Exit.CONFIGURATION,
            "A file is faulty, cannot be read or written, or is there already.",
            "Look at the path, who owns it and what is in it; `khazana doctor` looks at a home.",
        ),
        make_entry(
            "outdated",
            Exit.OUTDATED,
            "This release is too old for the network.",
            "Install a release that knows its rules.",
        ),
        make_entry(
            "interrupted",
            Exit.INTERRUPTED,
            "It was stopped from the keyboard.",
            "Look first at what is there: a transaction that was handed in may still be applied"
            " (`khazana query account`), and a new run hands in another one; a folder named by"
            " --keep stays.",
        ),
    )
}
"""What a command finds itself, by its exit code."""
