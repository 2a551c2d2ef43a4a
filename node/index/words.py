"""What a word is: the same for what is indexed and what is looked for, in both databases.

Neither database's own idea of it is relied on: they differ, and that of PostgreSQL goes by the
locale that its cluster was made with.
"""

import unicodedata
from typing import Final

WORD_MAX: Final = 64
"""Characters of a word; the rest of a longer one is not looked at."""
LISTED_MAX: Final = 12
"""Letters of a beginning that has a list of its own of the texts where a word begins so; what is
longer is looked for in the list of its first ones."""

_WITHIN: Final = frozenset("LMN")
"""Letters, their marks, and digits: what else there is divides words."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, each once, as they come."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    cleaned = "".join(
        letter if unicodedata.category(letter)[0] in _WITHIN else " " for letter in folded
    )
    return list(dict.fromkeys(word[:WORD_MAX] for word in cleaned.split()))
