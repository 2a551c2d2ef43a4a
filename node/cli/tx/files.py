"""The files of these commands: operations as JSON, and transactions in the making."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from node.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from node.client import Draft

SIZE_MAX: Final = 1 << 20


def read_operations(path: Path) -> list[Any]:
    """Return the operations in a file: one JSON object, or a list of them.

    Raises:
        CommandError: it cannot be read or is no such thing.
    """
    try:
        value = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise CommandError(
            Exit.USAGE,
            f"{path} is no JSON: {error}",
            advice="Write one operation or a list of them; `khazana tx operations` says which"
            " there are and how each is written.",
        ) from None
    return value if isinstance(value, list) else [value]


def load_draft(path: Path) -> "Draft":
    """Return the transaction in a file, believing the file which network it is for.

    Raises:
        CommandError: it cannot be read.
        DraftError: it is no transaction, or a signature in it does not fit.
    """
    from node.client import ClientNetwork, Draft, DraftError

    text = _text(path)
    try:
        genesis_hash = bytes.fromhex(json.loads(text)["genesis_hash"])
        # How addresses look is not in the file, and nothing here renders one.
        network = ClientNetwork(genesis_hash=genesis_hash, test=True)
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError) as error:
        raise DraftError(f"{path} is no transaction file: {error}") from None
    return Draft.parse(text, network)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(SIZE_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} cannot be read: {error}",
            advice="Name a file that is there, that you may read, and that `khazana tx build` or"
            " `tx sign` has written.",
        ) from None
    if len(text) > SIZE_MAX:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} is larger than {SIZE_MAX} characters",
            advice="No transaction is that large: is it the file that is meant? `khazana tx show"
            " FILE` prints one.",
        )
    return text
