"""Who is withheld from, and from what: as the ledger names them, without loading it."""

from typing import Final

TAXPAYERS: Final = ("bank", "company", "institution", "person")
"""Kinds of participant."""
KINDS: Final = ("bond", "sukuk")
"""Kinds of security that pay interest or rentals."""
