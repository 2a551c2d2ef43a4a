"""What institutions decide together: proposals, parameters, powers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Operations that wait for offices."""

    id: str
    proposer: str
    operations: tuple[Mapping[str, Any], ...]
    approvals: tuple[str, ...]
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What governance may turn."""

    name: str
    value: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """A row of the powers matrix."""

    operation: str
    subject: str
    offices: tuple[str, ...]
    required: int
    licences: tuple[str, ...]
