"""Assets, and what accounts hold of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """How much of one asset an account has."""

    asset: str
    decimals: int
    available: Decimal
    held: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A part of a holding that stays where it is."""

    id: str
    asset: str
    amount: Decimal
    reason: str
    legal_reference: str
    expires: datetime | None
    placed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Anything the ledger holds amounts of."""

    asset: str
    kind: str
    name: str
    issuer: str
    identifiers: Mapping[str, str | None]
    terms: Mapping[str, Any]
    term_sheet_hash: str
    decimals: int
    multiple: Decimal
    face_unit: Decimal | None
    """What is held and moved is a multiple of it. None: of no security with a plan."""
    ceiling: Decimal
    supply: Decimal
    forced_transfer_allowed: bool
