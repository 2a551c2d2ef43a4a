"""Every refusal and error that a person can meet, in one list: code, sentence, what to do.

Gathered from where they are declared: the outcomes of the ledger, the errors of the interface for
clients, its statuses of HTTP, the failures of the command line and of a node that ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from node.cli.endings import ENDINGS
from node.cli.exits import EXIT_MEANINGS
from node.cli.refusals import FAILURES
from node.ledger.outcomes import PHRASES, Outcome
from node.ledger.phrases import VOCABULARY
from node.rpc.errors import RpcError
from node.rpc.statuses import REFUSED


class Group(StrEnum):
    """Where a refusal comes from; the heading of its part of the reference."""

    OUTCOME = "Outcomes of transactions"
    REASON = "Reasons of outcomes"
    INTERFACE = "Errors of the interface"
    HTTP = "Statuses of HTTP"
    FAILURE = "Failures of commands and nodes"
    EXIT = "Exit codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One refusal or error."""

    group: Group
    code: str
    """As it is printed: a number, or a word."""
    name: str
    """A word that finds it; the code itself where that is one."""
    sentence: str
    hint: str
    note: str = ""
    """What else is permanent about it: its exit code, since when."""


def entries() -> Iterator[Explained]:
    """Yield all, group by group, in the order of their codes."""
    for outcome in Outcome:
        first, _, rest = outcome.sentence.partition(". ")
        yield Explained(
            group=Group.OUTCOME,
            code=str(outcome.value),
            name=outcome.name,
            sentence=f"{first}." if rest else first,
            hint=rest,
            note="; ".join(_notes(outcome)),
        )
    for phrase in VOCABULARY.values():
        givers = [outcome for outcome, subjects in PHRASES.items() if type(phrase) in subjects]
        yield Explained(
            group=Group.REASON,
            code=phrase.name,
            name=phrase.name,
            sentence=f"{phrase.plain[0].upper()}{phrase.plain[1:]}.",
            hint=" ".join(
                f"{giver.name}: {giver.sentence.partition('{reason}. ')[2]}" for giver in givers
            ),
            note="; ".join(
                f"{name} is {kind.meaning.value}" for name, kind in phrase.places.items()
            ),
        )
    for error in sorted(rpc_errors(), key=lambda error: (-error.code, error.__name__)):
        yield Explained(
            group=Group.INTERFACE,
            code=str(error.code),
            name=_dashed(error.__name__),
            sentence=error.summary,
            hint=error.hint,
        )
    for status, (sentence, hint) in REFUSED.items():
        yield Explained(
            group=Group.HTTP, code=str(status), name=f"http-{status}", sentence=sentence, hint=hint
        )
    for entry in sorted(FAILURES.values(), key=lambda entry: entry.code):
        yield Explained(
            group=Group.FAILURE,
            code=entry.code,
            name=entry.code,
            sentence=entry.sentence,
            hint=entry.hint,
            note=f"ends with {entry.exit.value}",
        )
    for exit_, meaning in EXIT_MEANINGS.items():
        ending = ENDINGS.get(exit_)
        yield Explained(
            group=Group.EXIT,
            code=str(exit_.value),
            name=exit_.name.lower(),
            sentence=meaning[0].upper() + meaning[1:] + ".",
            hint="Nothing is to be done." if ending is None else ending.hint,
        )


def _notes(outcome: Outcome) -> Iterator[str]:
    if outcome.since > 1:
        yield f"from version {outcome.since} of the protocol on"
    if outcome in PHRASES:
        names = (phrase.name for subject in PHRASES[outcome] for phrase in subject)
        yield f"reasons: {', '.join(names)}"


def found(word: str) -> list[Explained]:
    """Return what a code or a name may mean; a number may be several things."""
    wanted = word.strip().lower().replace("_", "-")
    return [
        entry for entry in entries() if wanted in (entry.code, entry.name.lower().replace("_", "-"))
    ]


def rpc_errors(kind: type[RpcError] = RpcError) -> Iterator[type[RpcError]]:
    """Yield every error of the interface."""
    for child in kind.__subclasses__():
        yield child
        yield from rpc_errors(child)


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
