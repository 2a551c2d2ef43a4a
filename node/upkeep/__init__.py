"""What an operator does with a node's database: check, repair, back up, restore. See README.md."""

from node.upkeep.amending import (
    Standing,
    check_fits,
    check_undecided,
    has_signed,
    standing,
)
from node.upkeep.backing_up import Written, back_up_running, back_up_stopped
from node.upkeep.backup_file import BackupError
from node.upkeep.checking import Report, check_database
from node.upkeep.faults import Fault, Faults, Part
from node.upkeep.home import check_home
from node.upkeep.restoring import Restored, restore

__all__ = [
    "BackupError",
    "Fault",
    "Faults",
    "Part",
    "Report",
    "Restored",
    "Standing",
    "Written",
    "back_up_running",
    "back_up_stopped",
    "check_database",
    "check_fits",
    "check_home",
    "check_undecided",
    "has_signed",
    "restore",
    "standing",
]
