"""A refusal in words: the sentence of its outcome, filled with what was found and expected."""

from collections.abc import Callable
from typing import Final

from node.ledger.outcomes import Detail, Details, Outcome

SHOWN_MAX: Final = 600
"""Characters of a detail that a sentence shows; of our own, the longest lists sixteen offices."""
ADDRESS_DETAILS: Final = frozenset({"account", "proposer"})
"""The details that are addresses, in hexadecimal: every detail of these names, and no other."""


def explain(
    outcome: Outcome,
    details: Details,
    *,
    render_address: Callable[[bytes], str] = bytes.hex,
) -> str:
    """Return the outcome's sentence with its details, in one printable line.

    What was found may be any text that somebody signed: control characters are shown as escapes, so
    that it neither steers a terminal nor reads as something else, and long text is cut.

    Args:
        render_address: how this network writes addresses; hexadecimal unless the caller knows.
    """
    found = _Details((name, shown(value)) for name, value in details)
    for name in ADDRESS_DETAILS & found.keys():
        found[name] = render_address(bytes.fromhex(str(found[name])))
    return outcome.sentence.format_map(found)


def shown(value: Detail) -> Detail:
    """Return a detail as a sentence shows it: printable, and cut where it is long."""
    if isinstance(value, int):
        return value
    if len(value) > SHOWN_MAX:
        value = f"{value[:SHOWN_MAX]}…"
    return value if value.isprintable() else value.encode("unicode_escape").decode()


class _Details(dict[str, Detail]):
    """Details by name; one that a node of another release did not send reads as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"
