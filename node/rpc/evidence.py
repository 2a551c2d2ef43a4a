"""Proven double signatures, the newest block first, a page after the other.

The ledger keeps each accusation under a hash and deletes none, and a validator can make several of
every height: so the latest are kept here, from the first time that somebody asks, and whoever reads
on past them has all of them gone through, some in a turn of the loop, in memory for one page. Of
one block they come in the order of their ids, which is the same on every node and whether or not
the block is still kept.
"""

import asyncio
import heapq
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from typing import Final, TypeAlias

from node.blocks import decode_evidence
from node.chain import Chain, Committed
from node.chain.evidence import Accusation, evidence_id
from node.ledger.tables import ACCUSATIONS, AccusationRecord
from node.rpc import results
from node.rpc.views import Views

KEPT_MAX: Final = 1_000
"""Accusations in memory, some 300 bytes each: five answers of the interface, forty pages."""
SLICE: Final = 200
"""Records that are read in a turn of the loop: less than a millisecond."""

_Place: TypeAlias = tuple[int, bytes]
"""Where an accusation stands in the list: what sorts lower comes first."""


def _place(made: Accusation) -> _Place:
    accusation_id, record = made
    return -record.shown, accusation_id


class Evidence:
    """What validators are accused of."""

    def __init__(self, chain: Chain, views: Views) -> None:
        """Make one that learns of the accusations of each block from now on."""
        self._chain = chain
        self._views = views
        self._latest: list[Accusation] | None = None
        """In order; None: nobody has asked yet."""
        self._meanwhile: list[Accusation] = []
        """Of the blocks that came while the others were read."""
        self._read_to = 0
        """Height up to which they are read; later blocks tell of theirs."""
        self._reading = asyncio.Lock()
        chain.listeners.append(self._note)

    async def page(
        self, after: str | None, limit: int
    ) -> tuple[list[results.EvidenceView], str | None]:
        """Return so much of it, and after what the next page begins; None: with nothing.

        Args:
            after: `next` of the page before, in the form of `params.EvidenceParams`.
        """
        latest = await self._known()
        place = None if after is None else _parse(after)
        start = 0 if place is None else bisect_right(latest, place, key=_place)
        found = latest[start : start + limit + 1]
        if len(found) <= limit and len(latest) == KEPT_MAX:
            found = await self._gather(limit + 1, after=place)
        page = found[:limit]
        following = None if len(found) <= limit else _render(page[-1])
        return await self._shown(page), following

    async def _known(self) -> list[Accusation]:
        async with self._reading:
            if self._latest is None:
                # A block that is being written is in the store already, and not yet the head.
                self._meanwhile, self._read_to = [], self._chain.head.height
                found = await self._gather(KEPT_MAX, after=(-self._read_to - 1, b"\xff" * 32))
                self._latest, self._meanwhile = _merged(self._meanwhile, found), []
        return self._latest

    async def _gather(self, count: int, *, after: _Place | None) -> list[Accusation]:
        """Go through all, and return the first of those that come after a place."""
        found: list[Accusation] = []
        read = self._chain.history.accusations_after(None, SLICE)
        while read:
            following = (each for each in read if after is None or _place(each) > after)
            found = heapq.nsmallest(count, (*found, *following), key=_place)
            await asyncio.sleep(0)
            read = self._chain.history.accusations_after(read[-1][0], SLICE)
        return found

    async def _shown(self, page: list[Accusation]) -> list[results.EvidenceView]:
        """Return the messages with what of it is in blocks that are kept, one block in a turn."""
        views: list[results.EvidenceView] = []
        for height, of_block in groupby(page, lambda made: made[1].shown):
            await asyncio.sleep(0)
            views += self._of_block(height, list(of_block))
        return views

    def _of_block(self, height: int, made: list[Accusation]) -> Iterator[results.EvidenceView]:
        block = self._chain.history.block(height)
        evidence = [] if block is None else [decode_evidence(item) for item in block.evidence]
        shown = {evidence_id(each): each for each in evidence}
        for accusation_id, record in made:
            if accusation_id in shown:
                yield self._views.evidence(shown[accusation_id], shown_in=height)
            else:
                yield self._views.accusation(record)

    def _note(self, committed: Committed) -> None:
        """Remember the accusations of a block."""
        candidate = committed.candidate
        if not candidate.evidence_ids or candidate.height <= self._read_to:
            return
        records = [candidate.records[ACCUSATIONS.prefix + each] for each in candidate.evidence_ids]
        made = [
            (accusation_id, record)
            for accusation_id, record in zip(candidate.evidence_ids, records, strict=True)
            if isinstance(record, AccusationRecord)
        ]
        assert len(made) == len(records), "an accusation that the state does not have"
        if self._latest is None:
            self._meanwhile = _merged(made, self._meanwhile)
        else:
            self._latest = _merged(made, self._latest)


def _merged(newer: list[Accusation], older: list[Accusation]) -> list[Accusation]:
    return [*sorted(newer, key=_place), *older][:KEPT_MAX]


def _parse(cursor: str) -> _Place:
    shown, _, accusation_id = cursor.partition("-")
    return -int(shown), bytes.fromhex(accusation_id)


def _render(made: Accusation) -> str:
    accusation_id, record = made
    return f"{record.shown}-{accusation_id.hex()}"
