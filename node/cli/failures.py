"""The rooms' errors in the words of the command line: exit code, sentence, advice, permanent code.

Imported only after something has gone wrong, so that it may import every room.
"""

from collections.abc import Sequence
from typing import Final

from node.chain import AmendmentMissing, UpgradeRequired
from node.cli.exits import CommandError, Exit
from node.cli.refusals import FAILURES, entry_of
from node.client import CallFailed, Forgotten, Limited, Refused
from node.codec import CodecError
from node.config import ConfigError
from node.genesis import AmendmentError, GenesisError
from node.proofs import ProofError
from node.provision.local import NodeFailed

INVALID_PARAMS: Final = -32602
"""Of JSON-RPC; `node/rpc/README.md` has the table."""

KNOWN: Final = tuple(FAILURES)
"""What `explain` can put into words; anything else is a mistake of ours and shows its traceback."""


def explain(error: Exception) -> CommandError:
    """Return what the command says, and the code that it ends with."""
    entry = entry_of(error)
    assert entry is not None, f"{type(error).__name__} is in KNOWN and has no words"
    exit_, message = entry.exit, str(error)
    match error:
        case ConfigError() | GenesisError():
            message = _listed([str(fault) for fault in error.faults])
        case CodecError():
            message = _listed([message])
        case CallFailed():
            message = error.message if type(error) is CallFailed else message
            # Parameters come from the command line, so that is what was not understood.
            exit_ = Exit.USAGE if error.code == INVALID_PARAMS else exit_
        case _:
            pass
    failure = CommandError(exit_, message, advice=entry.hint, facts=_facts(error))
    failure.reason = entry.code
    return failure


def _facts(error: Exception) -> dict[str, object]:
    """Return what a machine is told besides."""
    match error:
        case ConfigError() | GenesisError():
            return {"faults": [str(fault) for fault in error.faults]}
        case CodecError():
            return {"faults": [str(error)]}
        case Refused():
            return {"outcome": error.name, "code": error.code, "id": error.transaction_id}
        case Forgotten():
            return {"id": error.transaction_id}
        case Limited():
            return {"retry_after_ms": error.retry_after_ms}
        case CallFailed():
            return {"code": error.code, "data": error.data}
        case ProofError():
            return {"holds": False, "fault": error.fault.value}
        case AmendmentError():
            return {"fault": error.fault.value}
        case AmendmentMissing():
            return {"height": error.height, "amendment": error.amendment.hex()}
        case UpgradeRequired():
            return {
                "version": error.version,
                "height": error.height,
                "known": list(error.supported),
            }
        case NodeFailed():
            return {"log": list(error.log)}
        case _:
            return {}


def _listed(faults: Sequence[str]) -> str:
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return "\n".join([f"{count} found", *faults])
