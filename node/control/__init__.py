"""The operator's door to a running node: a socket in its home that only the home's owner opens."""

from node.control.client import ControlError, Refused, Timekeeper, ask_for_backup, ask_for_outlook
from node.control.server import (
    LATEST_MS,
    STEP_MAX_MS,
    BackUp,
    ControlServer,
    Made,
    Moment,
    Outlook,
    PeerOutlook,
    Travels,
    ValidatorOutlook,
)

__all__ = [
    "LATEST_MS",
    "STEP_MAX_MS",
    "BackUp",
    "ControlError",
    "ControlServer",
    "Made",
    "Moment",
    "Outlook",
    "PeerOutlook",
    "Refused",
    "Timekeeper",
    "Travels",
    "ValidatorOutlook",
    "ask_for_backup",
    "ask_for_outlook",
]
