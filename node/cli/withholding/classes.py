"""Who is withheld from, and from what: as the ledger names them, without loading it."""

from typing import Final

TAXPAYERS: Final = (
    "bank",
    "bank-inactive",
    "company",
    "company-inactive",
    "institution",
    "institution-inactive",
    "person",
    "person-inactive",
)
"""Classes: kinds of participant that are active taxpayers, and those that are not."""
STATUSES: Final = ("active", "inactive")
"""Of a taxpayer."""
KINDS: Final = ("bond", "sukuk")
"""Kinds of security that pay interest or rentals."""
