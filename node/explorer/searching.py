"""Search: what people have in their hands, and the page that it leads to.

Tried are, by the form of what was typed, its digits in any script: a height; 64 hexadecimal digits
as the id of a transaction, of an open proposal or of a recent block, and of decided and older ones
where the node keeps an index; an address; an ISIN, DTI or LEI; the code of an asset; and the id or
office of a participant, by its name on the ledger or in any language of the catalogues. Each is one
look-up.
Where nothing is called exactly that, it is taken as a part of a name: of the holders of offices and
of participants, of which the first pages are looked through, and those that begin with it wherever
they stand. Where that is not one thing, the words are looked for in what people wrote on the
ledger, if the node keeps an index. What has no form is refused by nobody.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias
from unicodedata import decimal

import msgspec

from node.explorer.catalogues import catalogues
from node.explorer.contents import (
    Match,
    SearchContent,
    TextLine,
    TransactionLine,
    WrittenLine,
)
from node.explorer.hour import Hour
from node.explorer.limits import MATCHES_MAX, PARTICIPANT_CALLS_MAX, QUERY_MAX
from node.explorer.past import Past
from node.explorer.refusals import PageRefusal
from node.explorer.showing import Showing
from node.explorer.written import written
from node.rpc import params
from node.rpc.errors import InvalidParams, NotFound, Pruned
from node.rpc.jsonrpc import NoParams
from node.rpc.ledger_results import OfficeView
from node.rpc.pages import Door
from node.rpc.results import TransactionView, at_head

_HEIGHT: Final = re.compile(r"[1-9][0-9]{0,17}\Z")
_ID: Final = re.compile(r"[0-9a-f]{64}\Z")


def _western(text: str) -> str:
    """Return text with the digits of keyboards in Urdu, Arabic and others (`۷۰۰`) as 0 to 9."""
    return "".join(str(decimal(each)) if each.isdecimal() else each for each in text)


Told: TypeAlias = tuple[TransactionLine, TransactionView]
TellOf: TypeAlias = Callable[[str, int, Showing], Awaitable[Told | None]]
"""Returns a transaction in a line and in full, by its id and its place in a list; None: it is not
kept."""


class Search:
    """Finds things of one node's chain."""

    def __init__(self, door: Door, hour: Hour, past: Past, tell_of: TellOf) -> None:
        self._tell_of = tell_of
        self._past = past
        self._methods = door.methods
        self._ledger = door.ledger
        self._ask = door.ask
        self._chain = door.services.chain
        self._hour = hour

    async def find(self, query: Mapping[str, str], showing: Showing) -> SearchContent:
        """Return what the query may mean, the likeliest first; at most `MATCHES_MAX`.

        A further page, before a cursor, is of texts alone.

        Raises:
            PageRefusal: it is longer than anything that could be found, or the cursor is none.
        """
        wanted, before = query.get("q", "").strip(), query.get("before")
        if len(wanted) > QUERY_MAX:
            raise PageRefusal(
                400, found=wanted, expected="expected-query", values={"longest": QUERY_MAX}
            )
        matches: list[Match] = []
        is_exact = False
        if wanted and before is None:
            async for match in self._candidates(wanted):
                if match not in matches:
                    matches.append(match)
            is_exact = bool(matches)
            if not is_exact and not _ID.match(wanted.lower()):
                matches = await self._by_part(wanted)
        # One thing of that name is where the search leads; a text is what is left to look for.
        texts: Sequence[TextLine] = []
        following = None
        if not (is_exact and len(matches) == 1):
            texts, following = await self._past.texts(wanted, before)
            texts = [await self._told(*each, wanted, showing) for each in enumerate(texts)]
        return SearchContent(
            **at_head(self._chain.head),
            query=wanted,
            matches=matches[:MATCHES_MAX],
            more=len(matches) > MATCHES_MAX,
            texts=list(texts),
            next=following,
        )

    async def _told(self, place: int, found: TextLine, wanted: str, showing: Showing) -> TextLine:
        """Return a text with what its transaction does, or what an asset is called."""
        if found.kind == "assets":
            return await self._named(found)
        if found.kind != "transactions":
            return found
        try:
            told = await self._tell_of(found.name, place, showing)
        except Pruned:
            return found
        if told is None:
            return found
        line, whole = told
        return msgspec.structs.replace(
            found, line=line, written=written(whole.memo, whole.operations, wanted)
        )

    async def _named(self, found: TextLine) -> TextLine:
        try:
            asset = (
                await self._ask(self._ledger.asset, params.AssetParams(asset=found.name))
            ).asset
        except NotFound:
            return found  # it was defined in vain
        said = {"name": asset.name, "issuer": asset.issuer}
        return msgspec.structs.replace(
            found, written=[WrittenLine(field=name, text=text) for name, text in said.items()]
        )

    async def _candidates(self, wanted: str) -> AsyncIterator[Match]:
        wanted = _western(wanted)
        lower, upper = wanted.lower(), wanted.upper()
        digits = wanted.replace(",", "").replace(" ", "")
        if _HEIGHT.match(digits) and int(digits) <= self._chain.head.height:
            yield Match(kind="blocks", name=digits)
        if _ID.match(lower):
            for match in await self._by_id(lower):
                yield match
            return
        try:
            found = await self._ask(self._ledger.account, params.AccountParams(address=wanted[:90]))
            yield Match(kind="accounts", name=found.account.address)
        except (InvalidParams, NotFound):
            pass  # no address, or of nobody
        if len(wanted) <= 32:
            for match in await self._by_code(upper):
                yield match
            for match in await self._by_name(lower.replace(" ", "-")):
                yield match
        for office in await self._offices():
            if wanted.casefold() in _names_of(office.office):
                yield Match(kind="participants", name=office.participant)

    async def _by_id(self, text: str) -> Sequence[Match]:
        try:
            found = await self._ask(self._methods.transaction, params.TransactionParams(id=text))
            if found.status != "unknown":
                return [Match(kind="transactions", name=text)]
        except Pruned:
            return [Match(kind="transactions", name=text)]  # its page says that it is pruned
        height = self._hour.height_of(bytes.fromhex(text))
        if height is not None:
            return [Match(kind="blocks", name=str(height))]
        try:
            await self._ask(self._ledger.proposal, params.ProposalParams(proposal=text))
            return [Match(kind="proposals", name=text)]
        except NotFound:
            return await self._by_id_of_the_past(text)

    async def _by_id_of_the_past(self, text: str) -> Sequence[Match]:
        """Return the decided proposal or the older block of this id, if an index knows it."""
        past = await self._past.of_proposal(text, 1)
        if past is not None and past.entries:
            return [Match(kind="proposals", name=text)]
        height = await self._past.height_of(bytes.fromhex(text))
        if height is None:
            return []
        try:
            block = await self._ask(
                self._methods.block,
                params.BlockParams(height=height, transactions="none", events_limit=0),
            )
        except Pruned:
            return [Match(kind="blocks", name=str(height))]  # its page says that it is pruned
        return [Match(kind="blocks", name=str(height))] if block.id == text else []

    async def _by_code(self, text: str) -> Sequence[Match]:
        try:
            await self._ask(self._ledger.asset, params.AssetParams(asset=text))
            return [Match(kind="assets", name=text)]
        except NotFound:
            pass
        try:
            named = await self._ask(
                self._ledger.identifier, params.IdentifierParams(identifier=text)
            )
        except NotFound:
            return []
        kind = "participants" if named.scheme == "lei" else "assets"
        return [Match(kind=kind, name=named.holder)]

    async def _by_name(self, text: str) -> Sequence[Match]:
        try:
            await self._ask(self._ledger.participant, params.ParticipantParams(participant=text))
        except NotFound:
            return []
        return [Match(kind="participants", name=text)]

    async def _by_part(self, text: str) -> list[Match]:
        """Return whom a part of a name may mean: holders of offices first, then by id."""
        names = [
            each.participant
            for each in await self._offices()
            if any(text.casefold() in name for name in _names_of(each.office))
        ]
        part = text.lower().replace(" ", "-")
        if len(part) <= 32:
            after: str | None = None
            for _ in range(PARTICIPANT_CALLS_MAX):
                page, after = await self._participants(after)
                names += [name for name in page if part in name]
                if after is None:
                    break
            else:
                page, _ = await self._participants(part)
                names += [name for name in page if name.startswith(part)]
        return [Match(kind="participants", name=name) for name in dict.fromkeys(names)]

    async def _participants(self, after: str | None) -> tuple[list[str], str | None]:
        """Return a page of ids, and after what the next begins."""
        page = await self._ask(
            self._ledger.participants, params.ParticipantsParams(after=after, limit=200)
        )
        return [each.participant for each in page.participants], page.next

    async def _offices(self) -> Sequence[OfficeView]:
        offices: Sequence[OfficeView] = (await self._ask(self._ledger.offices, NoParams())).offices
        return offices


def _names_of(office: str) -> list[str]:
    """Return what an office is called, in lower case: on the ledger and in each language."""
    words = [catalogue.word(office) for catalogue in catalogues().values()]
    return [name.casefold() for name in (office, office.replace("-", " "), *words)]
