"""The check of a node's home: the directories of its database and its log, locked meanwhile."""

from contextlib import suppress
from pathlib import Path

from node.chain import ChainDamaged
from node.chain.behind import catch_up
from node.genesis import Genesis
from node.storage import StorageDamaged, StorageMissing
from node.storage.shadow import open_shadow
from node.upkeep.checked_log import check_log
from node.upkeep.checking import Progress, Report, check_database
from node.upkeep.faults import REPAIR, Faults, Part


def check_home(
    *,
    chain: Path,
    log: Path,
    genesis: Genesis,
    name: str,
    public_key: bytes | None = None,
    progress: Progress = lambda _part, _done, _all: None,
) -> Report:
    """Check the database in `chain` and the consensus log in `log`; nothing is written to either.

    Args:
        name: the node's.
        public_key: of a validator whose key is at hand.

    Raises:
        StorageMissing: there is no database.
        StorageLocked: the node is running.
        StorageError: the disk's reasons; not damage, which is what a check reports.
    """
    faults = Faults()
    seen = check_log(log, faults, name=name, public_key=public_key, network=genesis.hash)
    try:
        with open_shadow(chain) as store:
            # What cannot be made up for is missing, or cannot be read, and found to be.
            with suppress(ChainDamaged, StorageDamaged):
                catch_up(store)
            return check_database(store, genesis, faults=faults, log=seen, progress=progress)
    except StorageMissing:
        raise
    except StorageDamaged as damage:
        faults.add(
            Part.DATABASE,
            str(damage.path),
            found=damage.detail,
            expected="a database that opens",
            advice=REPAIR,
        )
        return Report(
            height=None,
            from_height=1,
            good_to=0,
            blocks=0,
            transactions=0,
            records=0,
            state_is_whole=False,
            faults=tuple(faults.first),
            faults_count=faults.count,
            log_faults_count=faults.by_part[Part.LOG],
            notes=(),
        )
