"""What a rule did on one state, for whoever comes to the same state again: a rehearsal.

A rule sees nothing but its arguments and the state. So where its arguments are the same, and all
that it read is there again, it would do again what it did: write the same, return the same. Then
what was rehearsed stands for it, and what it read is compared. Where anything differs, it runs.

So a rehearsal is never trusted, and whether there was one shows in nothing but time. Whoever
rehearses passes `Rehearsal.learn` as `Perform`, the block `Rehearsal.perform`, everybody else
`perform_plainly`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple

from node.codec import Record
from node.ledger.state import LedgerState, R, Table

Arguments = TypeVarTuple("Arguments")
ResultT = TypeVar("ResultT")


class Perform(Protocol):
    """How a rule is applied to a state, with its other arguments."""

    def __call__(
        self,
        name: str,
        state: LedgerState,
        rule: Callable[[LedgerState, *Arguments], ResultT],
        *arguments: *Arguments,
    ) -> ResultT:
        """Apply it; nobody changes what it returns.

        Args:
            name: tells it from the others of a block.
        """
        ...


def perform_plainly(
    name: str,  # noqa: ARG001  # as every `Perform` is given one
    state: LedgerState,
    rule: Callable[[LedgerState, *Arguments], ResultT],
    *arguments: *Arguments,
) -> ResultT:
    """Apply the rule; nothing was rehearsed."""
    return rule(state, *arguments)


class Rehearsal:
    """What some rules did, by their names. One thread may learn while another one performs."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[str, _Remembered] = {}

    def learn(
        self,
        name: str,
        state: LedgerState,
        rule: Callable[[LedgerState, *Arguments], ResultT],
        *arguments: *Arguments,
    ) -> ResultT:
        """Apply the rule, and remember what it read and did."""
        watched = _Watched(state)
        apart = LedgerState(watched)
        result = rule(apart, *arguments)
        state.adopt(apart)
        self._known[name] = _Remembered(
            rule=rule,
            arguments=arguments,
            records=watched.records_read,
            scans=watched.scans,
            after=apart,
            result=result,
        )
        return result

    def perform(
        self,
        name: str,
        state: LedgerState,
        rule: Callable[[LedgerState, *Arguments], ResultT],
        *arguments: *Arguments,
    ) -> ResultT:
        """Do what the rule did when it was learnt, if it would do the same again; else apply it."""
        known = self._known.get(name)
        if (
            known is None
            or known.rule is not rule
            or known.arguments != arguments
            or not known.is_same(state)
        ):
            return rule(state, *arguments)
        state.adopt(known.after)
        return known.result  # type: ignore[return-value]  # the same rule returned it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    """A rule that was applied: to what, and what came of it."""

    rule: object
    arguments: tuple[object, ...]
    records: Sequence[tuple[Table[Record], Sequence[bytes], Sequence[Record | None]]]
    """Table, full keys, and what was there."""
    scans: Sequence[tuple[Table[Record], bytes, int, Sequence[tuple[bytes, Record]]]]
    """Table, from where on, how many at most, and what was there."""
    after: LedgerState
    result: object

    def is_same(self, state: LedgerState) -> bool:
        """Whether a state has all that was read as it was."""
        return all(
            state.scan(table, start, limit) == entries
            for table, start, limit, entries in self.scans
        ) and all(
            state.records(table, full_keys) == found for table, full_keys, found in self.records
        )


class _Watched:
    """A state as a source of records, of which it is noted what was read."""

    def __init__(self, state: LedgerState) -> None:
        self._state = state
        self.records_read: list[tuple[Table[Record], Sequence[bytes], Sequence[Record | None]]] = []
        self.scans: list[tuple[Table[Record], bytes, int, Sequence[tuple[bytes, Record]]]] = []

    def record(self, table: Table[R], key: bytes) -> R | None:
        record = self._state.get(table, key)
        self.records_read.append((table, (table.prefix + key,), [record]))
        return record

    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        records = self._state.records(table, full_keys)
        self.records_read.append((table, tuple(full_keys), records))
        return records

    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        entries = self._state.scan(table, start, limit)
        self.scans.append((table, start, limit, entries))
        return entries
