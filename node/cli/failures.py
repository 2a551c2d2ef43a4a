"""The rooms' errors in the words of the command line: exit code, sentence, advice.

Imported only after something has gone wrong, so that it may import every room.
"""

from collections.abc import Sequence
from typing import Final

from node.cli.exits import CommandError, Exit
from node.config import ConfigError
from node.genesis import GenesisError
from node.keys import KeysError, WrongPassphrase
from node.proofs import ProofError
from node.provision.founding import MissingKeys
from node.provision.homes import HomeExists
from node.provision.local import NodeFailed, NoSuchNetwork
from node.provision.processes import ProcessRunning

KNOWN: Final[tuple[type[Exception], ...]] = (
    ConfigError,
    GenesisError,
    HomeExists,
    KeysError,
    MissingKeys,
    NoSuchNetwork,
    NodeFailed,
    ProcessRunning,
    ProofError,
)
"""What `explain` can put into words; anything else is a mistake of ours and shows its traceback."""


def explain(error: Exception) -> CommandError:
    """Return what the command says, and the code that it ends with."""
    match error:
        case ConfigError() | GenesisError():
            return _faulty([str(fault) for fault in error.faults])
        case WrongPassphrase():
            return CommandError(
                Exit.CONFIGURATION,
                str(error),
                advice="Check the file given with --passphrase-file: a space at its end counts.",
            )
        case KeysError():
            return CommandError(Exit.CONFIGURATION, str(error))
        case MissingKeys():
            return CommandError(
                Exit.CONFIGURATION,
                str(error),
                advice="Add public_key and tls_certificate as `khazana init` printed them there, or"
                " let --homes make keys here.",
            )
        case HomeExists():
            return CommandError(
                Exit.CONFIGURATION,
                str(error),
                advice="A home is never overwritten: choose another place, or move it away.",
            )
        case NodeFailed():
            return CommandError(Exit.UNREACHABLE, str(error), facts={"log": list(error.log)})
        case NoSuchNetwork():
            return CommandError(
                Exit.UNREACHABLE, str(error), advice="Start one with `khazana devnet up`."
            )
        case ProofError():
            return CommandError(
                Exit.REFUSED,
                str(error),
                advice="Do not rely on it. Ask for the file again, where it came from.",
                facts={"holds": False, "fault": error.fault.value},
            )
        case ProcessRunning():
            return CommandError(Exit.DAMAGED, str(error), advice="Stop it first.")
        case _:
            raise AssertionError(f"{type(error).__name__} is in KNOWN and has no words")


def _faulty(faults: Sequence[str]) -> CommandError:
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return CommandError(
        Exit.CONFIGURATION, "\n".join([f"{count} found", *faults]), facts={"faults": list(faults)}
    )
