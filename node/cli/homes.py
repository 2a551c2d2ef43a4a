"""Commands in what we say are such as can be pasted: those of a home name it, where it is known.

A hint of a room, such as `khazana repair`, knows no home. Whoever was asked with `--home` does.
"""

import re
import shlex
from contextvars import ContextVar
from pathlib import Path
from typing import Final

OF_A_HOME: Final = frozenset(
    {
        "access create",
        "access list",
        "access revoke",
        "amendment discard",
        "amendment draft",
        "amendment install",
        "amendment show",
        "amendment sign",
        "backup",
        "check",
        "config check",
        "config show",
        "doctor",
        "index rebuild",
        "index status",
        "repair",
        "restore",
        "start",
        "stream status",
        "validator prepare",
        "validator request",
        "validator resume",
        "validator settle",
    }
)
"""Commands of a home that is there, all of them with the same default; a test holds that these are
they."""

given: Final = ContextVar[Path | None]("home", default=None)
"""The home that was named on this command line; None: none was, and none need be."""

_COMMAND: Final = re.compile(
    rf"`khazana ({'|'.join(sorted(OF_A_HOME, reverse=True))})((?: [^`]*)?)`"
)


def pasteable(text: str, home: Path | None = None) -> str:
    """Return the text with the home in each command of a home that stands in backquotes without.

    Args:
        home: None: the one that was named on this command line, if any was.
    """
    place = home or given.get()
    if place is None:
        return text
    option = f" --home {shlex.quote(str(place))}"

    def named(found: re.Match[str]) -> str:
        command, rest = found.groups()
        is_whole = "--home" in rest or "--help" in rest
        return f"`khazana {command}{rest}{'' if is_whole else option}`"

    return _COMMAND.sub(named, text)
