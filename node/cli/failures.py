"""The rooms' errors in the words of the command line: exit code, sentence, advice, permanent code.

Imports no room: each fact is told by a function that is chosen by where the class is declared, as
`refusals.py` does it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from node.cli.exits import CommandError, Exit
from node.cli.refusals import entry_of, name_of

if TYPE_CHECKING:
    from node.chain import AmendmentMissing, UpgradeRequired
    from node.client import CallFailed, Forgotten, Limited, NoResult, Refused, Stale, Unproven
    from node.codec import CodecError
    from node.config import ConfigError
    from node.genesis import AmendmentError, GenesisError
    from node.proofs import ProofError
    from node.provision.local import NodeFailed, PortsTaken

INVALID_PARAMS: Final = -32602
"""Of JSON-RPC; `node/rpc/README.md` has the table."""

Facts: TypeAlias = dict[str, object]


def explain(error: Exception) -> CommandError:
    """Return what the command says, and the code that it ends with, of an error in the table."""
    entry = entry_of(error)
    assert entry is not None, f"{type(error).__name__} has no words"
    exit_, message, facts = entry.exit, str(error), facts_of(error)
    faults = facts.get("faults")
    if isinstance(faults, list):
        message = _listed(faults)
    # Parameters come from the command line, so that is what was not understood.
    if facts.get("code") == INVALID_PARAMS:
        exit_ = Exit.USAGE
    failure = CommandError(exit_, message, advice=entry.hint, facts=facts)
    failure.reason = entry.code
    return failure


def facts_of(error: Exception) -> Facts:
    """Return what a machine is told besides: by the nearest class that has something to tell."""
    for kind in type(error).__mro__:
        tell = FACTS.get(name_of(kind))
        if tell is not None:
            return tell(error)
    return {}


def _listed(faults: Sequence[str]) -> str:
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return "\n".join([f"{count} found", *faults])


# What each has to tell.


def _faults(error: "ConfigError | GenesisError") -> Facts:
    return {"faults": [str(fault) for fault in error.faults]}


def _fault_of_bytes(error: "CodecError") -> Facts:
    return {"faults": [str(error)]}


def _refused(error: "Refused") -> Facts:
    return {
        "outcome": error.name,
        "code": error.code,
        "id": error.transaction_id,
        "sentence": error.sentence,
        "details": error.details,
        "reason_code": None if error.reason is None else error.reason["code"],
        "reason_arguments": {} if error.reason is None else error.reason["arguments"],
    }


def _forgotten(error: "Forgotten") -> Facts:
    return {"id": error.transaction_id}


def _no_result(error: "NoResult") -> Facts:
    return {"stage": error.stage}


def _unproven(error: "Unproven") -> Facts:
    return {"record": error.record, "fault": error.fault}


def _stale(error: "Stale") -> Facts:
    return {**_unproven(error), "height": error.height, "time_ms": error.time_ms}


def _limited(error: "Limited") -> Facts:
    return {"retry_after_ms": error.retry_after_ms}


def _call_failed(error: "CallFailed") -> Facts:
    return {"code": error.code, "data": error.data}


def _proof(error: "ProofError") -> Facts:
    return {"holds": False, "fault": error.fault.value}


def _amendment(error: "AmendmentError") -> Facts:
    return {"fault": error.fault.value}


def _amendment_missing(error: "AmendmentMissing") -> Facts:
    return {"height": error.height, "amendment": error.amendment.hex()}


def _outdated(error: "UpgradeRequired") -> Facts:
    return {"version": error.version, "height": error.height, "known": list(error.supported)}


def _node_failed(error: "NodeFailed") -> Facts:
    return {"log": list(error.log)}


def _ports_taken(error: "PortsTaken") -> Facts:
    return {
        "ports": [
            {
                "node": each.node,
                "port": each.port,
                "process": None if each.holder is None else each.holder.pid,
                "command": None if each.holder is None else each.holder.command,
            }
            for each in error.ports
        ]
    }


FACTS: Final[Mapping[str, Callable[[Any], Facts]]] = {
    "node.chain.errors.AmendmentMissing": _amendment_missing,
    "node.chain.errors.UpgradeRequired": _outdated,
    "node.client.errors.CallFailed": _call_failed,
    "node.client.errors.Forgotten": _forgotten,
    "node.client.errors.Limited": _limited,
    "node.client.errors.NoResult": _no_result,
    "node.client.errors.Refused": _refused,
    "node.client.errors.Stale": _stale,
    "node.client.errors.Unproven": _unproven,
    "node.codec.CodecError": _fault_of_bytes,
    "node.config.faults.ConfigError": _faults,
    "node.genesis.amendment.AmendmentError": _amendment,
    "node.genesis.loading.GenesisError": _faults,
    "node.proofs.verifying.ProofError": _proof,
    "node.provision.local.NodeFailed": _node_failed,
    "node.provision.local.PortsTaken": _ports_taken,
}
"""By where a class is declared."""
