"""A value, and the block after which it was so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """A value, and the block after which it was so."""

    value: T
    height: int
    block_id: str
    time: datetime
