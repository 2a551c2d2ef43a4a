"""The operator's door to a running node: a socket in its home that only the home's owner opens."""

from node.control.client import ControlError, Refused, Timekeeper, ask_for_backup
from node.control.server import BackUp, ControlServer, Made, Moment, Travels

__all__ = [
    "BackUp",
    "ControlError",
    "ControlServer",
    "Made",
    "Moment",
    "Refused",
    "Timekeeper",
    "Travels",
    "ask_for_backup",
]
