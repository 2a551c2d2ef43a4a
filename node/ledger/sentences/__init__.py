"""What each outcome says to people: what was found and expected, which rule, what to do.

By name of the outcome, a file for each family of rules. The words in braces are the details that a
refusal carries; addresses, keys and hashes among them are hexadecimal. Receipts are hashed, so
details never repeat the wording of a library; sentences are in no receipt, and may change.
"""

from collections.abc import Mapping
from typing import Final

from node.ledger.sentences import (
    assets,
    auctions,
    authority,
    calendars,
    fields,
    governance,
    registry,
    securities,
    transaction,
)

SENTENCES: Final[Mapping[str, str]] = {
    **transaction.SENTENCES,
    **authority.SENTENCES,
    **fields.SENTENCES,
    **registry.SENTENCES,
    **assets.SENTENCES,
    **governance.SENTENCES,
    **calendars.SENTENCES,
    **securities.SENTENCES,
    **auctions.SENTENCES,
}
"""All of them: each outcome has one."""
