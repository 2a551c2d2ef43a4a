"""What an operator does with a node's database: check, repair, back up, restore. See README.md."""

from node.upkeep.checking import Report, check_database
from node.upkeep.faults import Fault, Faults, Part
from node.upkeep.home import check_home

__all__ = ["Fault", "Faults", "Part", "Report", "check_database", "check_home"]
