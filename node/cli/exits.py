"""How a command ends: the exit codes, and the one error that carries them.

CommandError        a command could not do what it was asked to
"""

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """Exit codes. They are part of the interface: permanent."""

    OK = 0
    REFUSED = 1
    """The answer is no: a transaction refused, a proof that does not hold, a check that failed."""
    USAGE = 2
    """The command line was not understood."""
    UNREACHABLE = 3
    """No node answered, or it is not ready."""
    TIMEOUT = 4
    """The wait ended without an answer; asking again is safe."""
    DAMAGED = 5
    """Stored data is damaged or is in use by another process."""
    CONFIGURATION = 6
    """A configuration, genesis, network description or key file is faulty."""
    OUTDATED = 7
    """The network goes on by rules that this software does not know: install a newer release."""
    INTERRUPTED = 130
    """Stopped from the keyboard."""


EXIT_MEANINGS: Final = {
    Exit.OK: "done; every check held",
    Exit.REFUSED: "the answer is no: a refused transaction, a proof or check that does not hold",
    Exit.USAGE: "the command line was not understood",
    Exit.UNREACHABLE: "no node answered, or it is not ready",
    Exit.TIMEOUT: "no final answer in time; asking again with the same transaction is safe",
    Exit.DAMAGED: "stored data is damaged, missing, or in use by another process",
    Exit.CONFIGURATION: "a configuration, genesis, network or key file is faulty",
    Exit.OUTDATED: "the network goes on by rules that this software does not know",
    Exit.INTERRUPTED: "stopped from the keyboard",
}


class CommandError(Exception):
    """What a command says before it ends without success.

    Attributes:
        code: the exit code.
        advice: what the reader can do about it, with the command where there is one; never empty.
        facts: the same for machines, printed with `--json`.
        reason: a permanent code of `node.cli.refusals`; empty: that of the exit code.
    """

    def __init__(
        self, code: Exit, message: str, *, advice: str, facts: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        assert advice, f"nobody is told what to do: {message}"
        self.code = code
        self.message = message
        self.advice = advice
        self.facts = facts or {}
        self.reason = ""
