"""The rooms' errors in the words of the command line: exit code, sentence, advice.

Imported only after something has gone wrong, so that it may import every room.
"""

from collections.abc import Sequence
from typing import Final

from node.access import ApiKeysError
from node.addresses import AddressError
from node.amounts import AmountError
from node.app import NodeHalted
from node.chain import AmendmentMissing, ChainDamaged, UpgradeRequired
from node.cli.exits import CommandError, Exit
from node.cli.tx.operations import OperationError
from node.client import (
    BadAnswer,
    CallFailed,
    ClientError,
    DraftError,
    Forbidden,
    Forgotten,
    Limited,
    NotFound,
    NotReady,
    Pruned,
    Refused,
    Unreachable,
    WaitTimeout,
    WrongNetwork,
)
from node.codec import CodecError
from node.config import ConfigError
from node.genesis import AmendmentError, GenesisError
from node.index import IndexFailure
from node.keys import KeysError, WrongPassphrase
from node.proofs import ProofError
from node.provision.founding import MissingKeys
from node.provision.homes import HomeExists
from node.provision.local import NodeFailed, NoSuchNetwork
from node.provision.processes import ProcessRunning
from node.provision.requests import RequestError
from node.replica.errors import LogMismatch, LogRemembers
from node.snapshots import InstallationError
from node.storage import StorageError
from node.sync import JoinRefused

INVALID_PARAMS: Final = -32602
"""Of JSON-RPC; `node/rpc/README.md` has the table."""

KNOWN: Final[tuple[type[Exception], ...]] = (
    AddressError,
    AmendmentError,
    AmendmentMissing,
    AmountError,
    ApiKeysError,
    ChainDamaged,
    ClientError,
    CodecError,
    ConfigError,
    GenesisError,
    HomeExists,
    IndexFailure,
    InstallationError,
    JoinRefused,
    KeysError,
    LogMismatch,
    LogRemembers,
    MissingKeys,
    NoSuchNetwork,
    NodeFailed,
    NodeHalted,
    OperationError,
    ProcessRunning,
    ProofError,
    RequestError,
    StorageError,
    UpgradeRequired,
)
"""What `explain` can put into words; anything else is a mistake of ours and shows its traceback."""


def explain(error: Exception) -> CommandError:
    """Return what the command says, and the code that it ends with."""
    match error:
        case ClientError():
            return _of_client(error)
        case CodecError():
            return _faulty([str(error)])
        case ConfigError() | GenesisError():
            return _faulty([str(fault) for fault in error.faults])
        case ApiKeysError():
            return CommandError(Exit.CONFIGURATION, str(error))
        case KeysError():
            return _of_keys(error)
        case ProofError():
            return CommandError(
                Exit.REFUSED,
                str(error),
                advice="Do not rely on it. Ask for the file again, where it came from.",
                facts={"holds": False, "fault": error.fault.value},
            )
        case AddressError() | AmountError() | OperationError():
            return CommandError(Exit.USAGE, str(error))
        case UpgradeRequired():
            return CommandError(
                Exit.OUTDATED,
                str(error),
                facts={
                    "version": error.version,
                    "height": error.height,
                    "known": list(error.supported),
                },
            )
        case AmendmentError():
            return CommandError(Exit.REFUSED, str(error), facts={"fault": error.fault.value})
        case AmendmentMissing():
            return CommandError(
                Exit.CONFIGURATION,
                str(error),
                facts={"height": error.height, "amendment": error.amendment.hex()},
            )
        case LogRemembers():
            return CommandError(Exit.REFUSED, str(error))
        case LogMismatch() | JoinRefused():
            return CommandError(Exit.CONFIGURATION, str(error))
        case IndexFailure():
            return CommandError(Exit.DAMAGED, str(error))
        case InstallationError():
            return CommandError(
                Exit.DAMAGED,
                str(error),
                advice="Move the data directory aside and start the node again.",
            )
        case StorageError() | ChainDamaged() | NodeHalted():
            # Their sentences name what helps.
            return CommandError(Exit.DAMAGED, str(error))
        case _:
            return _of_provision(error)


def _of_client(error: ClientError) -> CommandError:
    match error:
        case Unreachable() | BadAnswer():
            return CommandError(
                Exit.UNREACHABLE,
                str(error),
                advice="Is the node running, and is --url its RPC address? `khazana devnet status`"
                " shows those of a development network.",
            )
        case Refused():
            facts = {"outcome": error.name, "code": error.code, "id": error.transaction_id}
            return CommandError(Exit.REFUSED, str(error), facts=facts)
        case WaitTimeout():
            return CommandError(
                Exit.TIMEOUT, str(error), advice="Ask again with `khazana query transaction`."
            )
        case Limited():
            return CommandError(
                Exit.UNREACHABLE, str(error), facts={"retry_after_ms": error.retry_after_ms}
            )
        case Forbidden():
            return CommandError(
                Exit.REFUSED,
                str(error),
                advice="Ask whoever runs the node for a key, and name its file:"
                " `khazana --api-key-file FILE ...`, or KHAZANA_API_KEY_FILE.",
            )
        case NotReady():
            return CommandError(Exit.UNREACHABLE, str(error), advice="`khazana status` says why.")
        case WrongNetwork():
            return CommandError(Exit.CONFIGURATION, str(error))
        case DraftError():
            return CommandError(Exit.USAGE, str(error))
        case Forgotten():
            return CommandError(Exit.TIMEOUT, str(error), facts={"id": error.transaction_id})
        case Pruned():
            return CommandError(
                Exit.REFUSED,
                str(error),
                advice="Name such a node with --url; `khazana status` says how far back each goes.",
                facts={"code": error.code, "data": error.data},
            )
        case NotFound():
            return CommandError(
                Exit.REFUSED,
                str(error),
                advice="If it is quite new, the node may be behind: `khazana status` says.",
                facts={"code": error.code, "data": error.data},
            )
        case CallFailed():
            return CommandError(
                # Parameters come from the command line, so that is what was not understood.
                Exit.USAGE if error.code == INVALID_PARAMS else Exit.REFUSED,
                error.message,
                facts={"code": error.code, "data": error.data},
            )
        case _:
            return CommandError(Exit.UNREACHABLE, str(error))


def _of_keys(error: KeysError) -> CommandError:
    advice = ""
    if isinstance(error, WrongPassphrase):
        advice = "Check the file given with --passphrase-file: a space at its end counts."
    return CommandError(Exit.CONFIGURATION, str(error), advice=advice)


def _of_provision(error: Exception) -> CommandError:
    match error:
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
        case RequestError():
            return CommandError(Exit.REFUSED, str(error))
        case NodeFailed():
            return CommandError(Exit.UNREACHABLE, str(error), facts={"log": list(error.log)})
        case NoSuchNetwork():
            return CommandError(
                Exit.UNREACHABLE, str(error), advice="Start one with `khazana devnet up`."
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
