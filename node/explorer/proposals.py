"""What the page of a proposal says: while it is open from the state, afterwards from the index.

The ledger forgets a proposal when it ends. The index knows that it was opened, each approval and
how it ended; its operations stand in the transaction that opened it, while that block is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from node.explorer.contents import OutcomeLine, ProposalContent, ProposalPast, Sentence
from node.explorer.cursors import convert, page_params, parse_number
from node.explorer.limits import (
    OPERATIONS_SHOWN_MAX,
    PROPOSAL_PAST_READ_MAX,
    PROPOSAL_PAST_SHOWN_MAX,
    PROPOSALS_SHOWN_MAX,
)
from node.explorer.past import Past
from node.explorer.showing import Showing
from node.rpc import ledger_results, params, results
from node.rpc.errors import NotFound, Pruned
from node.rpc.indexed import HistoryEntry
from node.rpc.pages import Door
from node.rpc.results import Object, at_head

ENDS: Final[Mapping[str, str]] = {
    "proposal_applied": "applied",
    "proposal_refused": "refused",
    "proposal_expired": "expired",
    "withdrawn": "withdrawn",
}
"""How a proposal ended, by the event that says so."""
OPEN: Final = "open"
CLOSED: Final = "closed"
"""It ended, and the index is not yet where it did."""


class Proposals:
    """Reads for the pages of proposals."""

    def __init__(
        self,
        door: Door,
        past: Past,
        outcome_line: Callable[[results.OutcomeView, Showing], OutcomeLine],
    ) -> None:
        self._methods = door.methods
        self._ledger = door.ledger
        self._ask = door.ask
        self._chain = door.services.chain
        self._past = past
        self._outcome_line = outcome_line

    async def open(self, query: Mapping[str, str]) -> ledger_results.ProposalsResult:
        """Return a page of the open proposals."""
        found: ledger_results.ProposalsResult = await self._ask(
            self._ledger.proposals,
            page_params(query, "after", params.ProposalsParams, limit=PROPOSALS_SHOWN_MAX),
        )
        return found

    async def one(
        self, argument: str, query: Mapping[str, str], showing: Showing
    ) -> ProposalContent:
        """Return a proposal, open or decided, with a page of its operations.

        Raises:
            NotFound: it is not open, and of its past nothing is known here.
        """
        wanted = convert({"proposal": argument}, params.ProposalParams, argument, "expected-id")
        proposal: ledger_results.ProposalView | None = None
        try:
            proposal = (await self._ask(self._ledger.proposal, wanted)).proposal
        except NotFound:
            entries, past = await self._past_of(wanted.proposal, showing)
            if not entries:
                raise
            operations = await self._opened_with(wanted.proposal, entries[-1])
        else:
            entries, past = await self._past_of(wanted.proposal, showing)
            operations = proposal.operations
        shown = [] if operations is None else operations
        first = parse_number(query, "operation", highest=len(shown))
        stop = first + OPERATIONS_SHOWN_MAX
        return ProposalContent(
            **at_head(self._chain.head),
            id=wanted.proposal,
            state=OPEN if proposal is not None else _state(entries),
            proposal=proposal,
            proposer=_text(entries, "proposed", "proposer"),
            approvals=_approvals(entries),
            expires=_text(entries, "proposed", "expires"),
            operations=[
                Sentence(number=number, sentence=showing.operation(each).striptags(), fields=each)
                for number, each in enumerate(shown[first:stop], first)
            ],
            operations_kept=operations is not None,
            next_operation=stop if stop < len(shown) else None,
            past=past,
        )

    async def _past_of(
        self, proposal: str, showing: Showing
    ) -> tuple[Sequence[HistoryEntry], ProposalPast | None]:
        found = await self._past.of_proposal(proposal, PROPOSAL_PAST_READ_MAX)
        if found is None:
            return [], None
        lines = [
            self._past.line(entry, showing, self._outcome_line)
            for entry in found.entries[:PROPOSAL_PAST_SHOWN_MAX]
        ]
        return found.entries, ProposalPast(
            lines=lines,
            more=len(found.entries) > len(lines),
            from_height=found.index.from_height,
            behind=self._past.behind(found),
        )

    async def _opened_with(self, proposal: str, opened: HistoryEntry) -> list[Object] | None:
        """Return the operations of a proposal from the transaction that opened it; None: not kept.

        That was applied, so each `propose` in it opened one, in their order.
        """
        if opened.transaction is None or opened.event is None:
            return None
        try:
            found = await self._ask(
                self._methods.transaction, params.TransactionParams(id=opened.transaction)
            )
        except Pruned:
            return None
        if found.transaction is None or found.receipt is None:
            return None
        proposed = [each for each in found.transaction.operations if each["type"] == "propose"]
        ids = [each["proposal"] for each in found.receipt.events if each["type"] == "proposed"]
        for operation, identifier in zip(proposed, ids, strict=False):
            if identifier == proposal:
                kept: list[Object] = operation["operations"]
                return kept
        return None


def _state(entries: Sequence[HistoryEntry]) -> str:
    newest = entries[0].event
    return CLOSED if newest is None else ENDS.get(newest["type"], CLOSED)


def _text(entries: Sequence[HistoryEntry], kind: str, name: str) -> str | None:
    """Return a field of the event of this kind; None: it is not in the index."""
    for entry in entries:
        if entry.event is not None and entry.event["type"] == kind:
            return str(entry.event[name])
    return None


def _approvals(entries: Sequence[HistoryEntry]) -> list[str]:
    """Return which participants stood behind it, in their order: whoever opens one does."""
    names: list[str] = []
    for entry in reversed(entries):
        event = entry.event or {"type": ""}
        if event["type"] == "proposed":
            names.append(str(event["proposer"]))
        elif event["type"] == "approved":
            names.append(str(event["participant"]))
    return list(dict.fromkeys(names))
