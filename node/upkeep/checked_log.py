"""The consensus log as a check reads it: never written, not even to cut a torn tail."""

from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from node.codec import CodecError
from node.replica.entries import Born, ProposalEntry, VoteEntry, decode_entry
from node.storage import ConsensusLog, StorageError, StorageLocked
from node.storage.consensus_log import LOG_NAME
from node.storage.files import DiskFiles
from node.storage.lock import DirectoryLock
from node.upkeep.faults import LOG_ADVICE, Faults, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSeen:
    """What a readable log says."""

    height: int
    """Last appended to; 0 in a new one."""
    entries: int
    torn_bytes: int
    """A tail that a power cut left; the node cuts it off at its next start."""


class _Frozen(DiskFiles):
    """The files of a directory, for reading only."""

    @override
    def append(self, name: str, data: bytes) -> None:
        raise AssertionError("a check does not write")

    @override
    def replace(self, old: str, new: str) -> None:
        raise AssertionError("a check does not write")

    @override
    def truncate(self, name: str, size: int) -> None:
        """Leave the torn tail where it is."""

    @override
    def sync(self, name: str) -> None:
        """Nothing was written."""


def check_log(
    path: Path, faults: Faults, *, name: str, public_key: bytes | None, network: bytes
) -> LogSeen | None:
    """Check the log in this directory; return what it says, None where there is none to read.

    Args:
        public_key: the validator's; None where it is not known here.

    Raises:
        StorageLocked: a node is running on it.
    """
    files = _Frozen(path)
    try:
        if not path.is_dir() or files.read(LOG_NAME) is None:
            return None
        lock = DirectoryLock(path)
    except StorageLocked:
        raise
    except (StorageError, OSError) as error:
        faults.add(Part.LOG, str(path), found=error, expected="readable", advice=LOG_ADVICE)
        return None
    try:
        log = ConsensusLog(path, files)
        raw = log.load()
        for data in raw:
            _check_entry(decode_entry(data), path, faults, name, public_key, network)
    except StorageError as error:
        faults.add(
            Part.LOG,
            str(error.path),
            found=error.detail,
            expected="whole frames",
            advice=LOG_ADVICE,
        )
        return None
    except CodecError as error:
        faults.add(Part.LOG, str(path), found=error, expected="readable entries", advice=LOG_ADVICE)
        return None
    finally:
        files.close()
        lock.close()
    return LogSeen(height=log.height, entries=len(raw), torn_bytes=log.bytes_cut)


def _check_entry(
    entry: object,
    path: Path,
    faults: Faults,
    name: str,
    public_key: bytes | None,
    network: bytes,
) -> None:
    match entry:
        case Born():
            if entry.network is not None:
                faults.agree(Part.LOG, f"{path}, network", entry.network, network, LOG_ADVICE)
            if public_key is not None:
                faults.agree(Part.LOG, f"{path}, key", entry.public_key, public_key, LOG_ADVICE)
            owner = entry.name
        case VoteEntry() if entry.own:
            owner = entry.vote.validator
        case ProposalEntry() if entry.own:
            owner = entry.proposal.proposer
        case _:
            return
    faults.agree(Part.LOG, f"{path}, validator", owner, name, LOG_ADVICE)
