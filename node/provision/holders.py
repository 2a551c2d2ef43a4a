"""Which process holds a TCP port of this machine, or has reserved it, as far as the kernel tells.

proc(5) lists every socket with its inode, and each process's descriptors with theirs; those of
other users' processes are closed to all but root. So an answer is a help for people and nothing to
decide by: no answer does not mean that nobody holds the port.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

PROC: Final = Path("/proc")
COMMAND_CHARACTERS_MAX: Final = 80
_LISTENING: Final = "0A"
"""TCP_LISTEN of the kernel's <net/tcp_states.h>, as the tables write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process and what it was started as."""

    pid: int
    command: str
    """Its words, without the folders of the first, cut to `COMMAND_CHARACTERS_MAX`."""

    @override
    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})"


def holder_of(port: int, *, claim: str) -> Holder | None:
    """Return who listens on a port, or else who holds the abstract socket of this name, or None."""
    for inodes in (_listening(port), _named(claim)):
        wanted = {f"socket:[{inode}]" for inode in inodes}
        holder = _of_any(wanted) if wanted else None
        if holder is not None:
            return holder
    return None


def _listening(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        for words in _rows(table):
            # sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
            if len(words) > 9 and words[3] == _LISTENING and words[1].endswith(f":{port:04X}"):
                yield words[9]


def _named(name: str) -> Iterator[str]:
    for words in _rows("unix"):
        # Num RefCount Protocol Flags Type St Inode Path
        if len(words) == 8 and words[7] == f"@{name}":
            yield words[6]


def _rows(table: str) -> Iterator[list[str]]:
    try:
        lines = (PROC / "self/net" / table).read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines[1:]:
        yield line.split()


def _of_any(sockets: set[str]) -> Holder | None:
    for folder in PROC.glob("[0-9]*"):
        try:
            if any(os.readlink(each) in sockets for each in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().decode(errors="replace")
                return Holder(pid=int(folder.name), command=_plain(words))
        except OSError:
            continue  # Another user's, or it has ended, or closed what was just listed.
    return None


def _plain(words: str) -> str:
    program, end, rest = words.partition("\0")
    text = re.sub(r"[^ -~]+", " ", f"{program.rpartition('/')[2]}{end}{rest}").strip() or "?"
    return text if len(text) <= COMMAND_CHARACTERS_MAX else text[: COMMAND_CHARACTERS_MAX - 1] + "…"
