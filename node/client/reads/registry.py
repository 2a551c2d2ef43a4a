"""Participants with their licences, and accounts with who signs for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key of an account's policy."""

    public_key: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who must sign for what."""

    signers: tuple[Signer, ...]
    thresholds: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a participant acts through."""

    address: str
    owner: str
    policy: Policy
    opened_by: str
    status: str
    hold: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a licence allows."""

    activity: str
    phase: str
    revoked: bool
    expires: datetime | None
    accounts_opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A legal entity or person known to the ledger."""

    participant: str
    kind: str
    jurisdiction: str
    lei: str | None
    file_commitment: str
    registrar: str
    office: str | None
    status: str
    identified_by: str | None
    """Who said which person this is; None: nobody."""
    licences: tuple[Licence, ...]
