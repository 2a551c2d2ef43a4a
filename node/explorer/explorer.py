"""The pages over HTTP: which path is which page, and how a page is answered.

======================  ===========================================================================
`/`                     the overview; `/index.json`
`/blocks`, `/blocks/7`  and likewise transactions, accounts, assets, participants, proposals ...
`/validators/<name>`    who decides, and its last hour
`/licences` ...         licences, evidence, rules, hour: one page each, or a list
`/securities`           what the state owes; `/securities/<A>` what one pays; `/auctions` ...
`/search?q=`            what was typed, or where it leads
`/live`                 server-sent events for the overview
`/proofs/<account>/<A>` the proof file of what an account has of an asset
`/verify`               a proof file, verified by the browser; `/verify/genesis` what it trusts
`/static/...`           style, script, icon
`/development`          faucet, travel and demonstrations, on a development network whose node has
                        been given a desk
======================  ===========================================================================

The same under `/ur` in Urdu. Every page has `.json` beside it. Pages are only read, all but the
last: nothing else that a browser sends here changes anything, so there is no form to forge.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from node.explorer.catalogues import LANGUAGES, Catalogue, catalogues
from node.explorer.contents import RefusalContent, SearchContent, VerifyContent
from node.explorer.cursors import TRAIL
from node.explorer.development import PATH as DEVELOPMENT
from node.explorer.development import Deny, Desk, Development
from node.explorer.face import Face, static_files, templates
from node.explorer.hour import Hour
from node.explorer.limits import QUERY_MAX, TEXT_SHOWN_MAX, TRAIL_MAX
from node.explorer.live import Live
from node.explorer.proving import Proving
from node.explorer.reading import Reading
from node.explorer.refusals import PageRefusal
from node.explorer.searching import Search
from node.explorer.securities import Securities
from node.explorer.showing import cut
from node.explorer.stacking import stacked
from node.rpc.errors import InvalidParams, Limited, NotFound, NotReady, Pruned
from node.rpc.http import HttpRefusal, bytes_response, retry_headers
from node.rpc.pages import Door
from node.rpc.tenures import SETS_READ_MAX

HTML_TYPE: Final = "text/html; charset=utf-8"
BYTES_TYPE: Final = "application/octet-stream"
JSON_TYPE: Final = "application/json"
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline and nothing from elsewhere runs, loads or is sent to."""
FORM_HEADERS: Final = {"Referrer-Policy": "same-origin"}
"""Of a page with a form that acts: under the policy of the others, which sends no referrer, a
browser says of its own page's form that it comes from nowhere.

Source: the Fetch standard, "append a request Origin header".
"""
KEPT_FOR_EVER: Final = "public, max-age=31536000, immutable"
CURSORS: Final = frozenset(
    {"before", "after", "index", "event", "operation", "holding", "hold", "history", "q", TRAIL}
)
"""What a query may say; the rest of it is ignored."""

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, read."""

    catalogue: Catalogue
    name: str
    """Of the page; the overview is `overview`, and what is surely none is empty."""
    argument: str | None
    """Which of its things; None: the list of them."""
    query: Mapping[str, str]
    as_json: bool
    has_desk: bool = False
    """Whether whoever asks is led to the page of a development network."""

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of the path that lead here, without language and `.json`."""
        if self.name in {"overview", ""}:
            return ()  # an empty first part would make of the second a host
        return (self.name,) if self.argument is None else (self.name, self.argument)


_Read: TypeAlias = Callable[[Asked, Face], Awaitable[msgspec.Struct]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How a kind of page is made."""

    template: str
    title: str
    """Key of a text, which may name the page's argument."""
    read: _Read


class Explorer:
    """The pages of one node: what `RpcServer` is given to answer all other paths."""

    def __init__(self, door: Door, desk: Desk | None = None) -> None:
        """Make them; from now on the hour is counted.

        Args:
            desk: acts on a development network; None: nothing does, and there is no page for it.
        """
        self._door = door
        services = door.services
        self._chain = services.chain
        self._hour = Hour(services.clock, services.chain.validators_at)
        services.chain.listeners.append(self._hour.note)
        reading = Reading(door, self._hour)
        self._reading = reading
        securities = Securities(door)
        self._search = Search(door, self._hour, reading.past, reading.transaction_told)
        self._proving = Proving(door)
        self._live = Live(door.feed, self._render_live)
        self._development = None if desk is None else Development(desk, door, reading)
        self._templates = templates()
        genesis = services.genesis
        self._network_note = (
            "development-network"
            if genesis.development
            else "test-network"
            if genesis.test_network
            else None
        )
        self._lists = self._pages_of_lists(reading, securities)
        self._things = self._pages_of_things(reading, securities)

    def close(self) -> None:
        """Let those go who are told of new blocks."""
        self._live.close()

    async def answer(
        self, request: web.BaseRequest, is_welcome: Callable[[], bool]
    ) -> web.StreamResponse:
        """Answer a request for a page, a file or the stream; also what has no page gets one."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        desk = self._development
        has_desk = desk is not None and desk.serves(request)
        asked = _read_path(request, has_desk=has_desk)
        if asked.name == "static":
            return self._static(request, asked)
        page = self._page_of(asked)
        # Of the pages alone: whoever asks for many names must not make many metrics.
        label = "page_unknown" if page is None else f"page_{page.template}"
        result = "ok"
        try:
            acts = request.method == hdrs.METH_POST and asked.has_desk
            if desk is not None and acts and asked.path == (DEVELOPMENT,):
                await desk.act(request)
                return self._redirect(asked)
            if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
                raise PageRefusal(
                    405,
                    found=request.method,
                    expected="expected-read",
                    headers={hdrs.ALLOW: "GET, HEAD"},
                )
            if asked.name == "live" and asked.argument is None:
                return await self._live.serve(request, asked.catalogue.language, is_welcome)
            if (asked.name, asked.argument) == ("verify", "genesis"):
                label = "page_genesis"
                return bytes_response(self._proving.genesis(), BYTES_TYPE)
            if asked.name == "proofs" and asked.argument is not None:
                label = "page_proof"
                return await self._answer_proof(asked.argument)
            if page is None:
                raise PageRefusal(404, found=request.path, expected="expected-path")
            return await self._answer_page(asked, page)
        except PageRefusal as refusal:
            result = str(refusal.status)
            return self._refuse(asked, refusal)
        except HttpRefusal as refusal:
            result = str(refusal.status)
            unread = PageRefusal(refusal.status, expected="expected-form", reason=refusal.message)
            return self._refuse(asked, unread)
        except Exception as error:
            result = "500"
            trace_id = self._door.report(request.path, error)
            failed = PageRefusal(500, missing="failed-trace", values={"trace": trace_id})
            return self._refuse(asked, failed)
        finally:
            if asked.name != "live":
                self._door.observe(label, result, loop.time() - began)

    def _pages_of_lists(self, reading: Reading, securities: Securities) -> dict[str, Page]:
        """Return the pages that need no argument, by their names."""
        pages = {
            "overview": _page("overview", "overview-title", lambda _a, _f: reading.overview()),
            "hour": _page("hour", "hour-title", lambda _a, _f: reading.hour()),
            "blocks": _page("blocks", "blocks-title", lambda a, _f: reading.blocks(a.query)),
            "assets": _page("assets", "assets-title", lambda a, _f: reading.assets(a.query)),
            "securities": _page(
                "securities", "securities-title", lambda a, _f: securities.securities(a.query)
            ),
            "auctions": _page(
                "auctions", "auctions-title", lambda a, _f: securities.auctions(a.query)
            ),
            "participants": _page(
                "participants", "participants-title", lambda a, _f: reading.participants(a.query)
            ),
            "licences": _page(
                "licences", "licences-title", lambda a, _f: reading.licences(a.query)
            ),
            "proposals": _page(
                "proposals", "proposals-title", lambda a, _f: reading.proposals.open(a.query)
            ),
            "validators": _page(
                "validators", "validators-title", lambda _a, _f: reading.validators()
            ),
            "evidence": _page(
                "evidence", "evidence-title", lambda a, _f: reading.evidence(a.query)
            ),
            "rules": _page("rules", "rules-title", lambda a, _f: reading.rules(a.query)),
            "verify": _page("verify", "verify-title", self._verify),
            "search": _page("search", "search-title", lambda a, f: self._search.find(a.query, f)),
        }
        if self._development is not None:
            page = self._development
            pages[DEVELOPMENT] = _page(
                DEVELOPMENT, "development-title", lambda _a, f: page.content(f)
            )
        return pages

    def _pages_of_things(self, reading: Reading, securities: Securities) -> dict[str, Page]:
        """Return the pages of one thing each, by the names of the lists they are in."""
        return {
            "blocks": _page(
                "block", "block-title", lambda a, f: reading.block(_argument(a), a.query, f)
            ),
            "transactions": _page(
                "transaction",
                "transaction-title",
                lambda a, f: reading.transaction(_argument(a), a.query, f),
            ),
            "accounts": _page(
                "account", "account-title", lambda a, f: reading.account(_argument(a), a.query, f)
            ),
            "assets": _page("asset", "asset-title", lambda a, _f: reading.asset(_argument(a))),
            "securities": _page(
                "security",
                "security-title",
                lambda a, _f: securities.security(_argument(a), a.query),
            ),
            "auctions": _page(
                "auction", "auction-title", lambda a, _f: securities.auction(_argument(a), a.query)
            ),
            "validators": _page(
                "validator", "validator-title", lambda a, _f: reading.validator(_argument(a))
            ),
            "participants": _page(
                "participant",
                "participant-title",
                lambda a, f: reading.participant(_argument(a), a.query, f),
            ),
            "proposals": _page(
                "proposal",
                "proposal-title",
                lambda a, f: reading.proposals.one(_argument(a), a.query, f),
            ),
        }

    async def _answer_proof(self, argument: str) -> web.Response:
        try:
            file = await self._proving.proof(argument)
        except NotReady as error:
            raise PageRefusal(503, missing="not-now", reason=error.message) from None
        name = quote(argument.rpartition("/")[2], safe="")
        named = {"Content-Disposition": f"attachment; filename*=UTF-8''proof-{name}.json"}
        return bytes_response(file, JSON_TYPE, headers=named)

    async def _answer_page(self, asked: Asked, page: Page) -> web.Response:
        face = self._face(asked)
        try:
            content = await page.read(asked, face)
        except Pruned as error:
            raise PageRefusal(
                404,
                found=asked.argument,
                missing="missing-pruned",
                values={"earliest": self._chain.history.earliest},
                reason=error.message,
            ) from None
        except NotFound as error:
            raise PageRefusal(
                404,
                found=asked.argument,
                missing=None if asked.argument is None else f"missing-{page.template}",
                values={"height": self._chain.head.height, "sets": SETS_READ_MAX},
                reason=error.message,
            ) from None
        except InvalidParams as error:
            raise PageRefusal(
                400, found=asked.argument, expected="expected-links", reason=error.message
            ) from None
        except NotReady as error:
            raise PageRefusal(503, missing="not-now", reason=error.message) from None
        except Limited as error:
            raise PageRefusal(
                429, missing="too-much", reason=error.message, headers=retry_headers(error)
            ) from None
        if asked.as_json:
            return bytes_response(_encode(content), JSON_TYPE)
        if isinstance(content, SearchContent) and content.is_one:
            (match,) = content.matches
            there = face.path(match.kind, match.name)
            return bytes_response(b"", HTML_TYPE, status=303, headers={"Location": there})
        shown = "" if asked.argument is None else cut(asked.argument)
        # A text without a place for it takes no argument.
        title = asked.catalogue.text(
            page.title,
            height=f"{int(shown):,}" if shown.isdecimal() else shown,
            **dict.fromkeys(("asset", "auction"), shown),
            **dict.fromkeys(("participant", "validator"), asked.catalogue.word(shown)),
        )
        return self._html(
            self._render(page.template, asked, face, content=content, title=title),
            status=200,
            headers=FORM_HEADERS if page.template == DEVELOPMENT else None,
        )

    def _render(
        self,
        template: str,
        asked: Asked,
        face: Face,
        *,
        content: msgspec.Struct,
        title: str,
    ) -> str:
        html = self._templates[f"{template}.html"].render(
            ui=face,
            content=content,
            title=title,
            menu="securities" if asked.name == "auctions" else asked.name,
            asked=asked.query,
            query=asked.query.get("q"),
            token=None if self._development is None else self._development.token,
        )
        return stacked(html)

    async def _render_live(self, language: str) -> str:
        """Return the part of the overview that changes, as of now."""
        asked = Asked(
            catalogue=catalogues()[language],
            name="overview",
            argument=None,
            query={},
            as_json=False,
        )
        content = await self._reading.overview()
        return self._render("live", asked, self._face(asked), content=content, title="")

    def _face(self, asked: Asked) -> Face:
        return Face(
            asked.catalogue,
            path=asked.path,
            query=asked.query,
            node=self._door.services.node_name,
            height=self._chain.head.height,
            ready=all(check.passed for check in self._door.health.checks()),
            network_note=self._network_note,
            ledger_ms=self._chain.head.time_ms,
            has_desk=asked.has_desk,
            decimals_of=self._door.views.teller.decimals_of,
            sold_by=self._door.views.teller.sold_by,
        )

    async def _verify(self, _asked: Asked, _face: Face) -> VerifyContent:
        return self._proving.content()

    def _page_of(self, asked: Asked) -> Page | None:
        if asked.name == DEVELOPMENT and not asked.has_desk:
            return None
        pages = self._lists if asked.argument is None else self._things
        return pages.get(asked.name)

    def _redirect(self, asked: Asked) -> web.Response:
        """Lead a browser whose form was taken back to the page: to load it again sends nothing."""
        there = self._face(asked).here() + (".json" if asked.as_json else "")
        return bytes_response(b"", HTML_TYPE, status=303, headers={"Location": there})

    def _refuse(self, asked: Asked, refusal: PageRefusal) -> web.Response:
        texts = asked.catalogue
        missing, expected = refusal.missing, refusal.expected
        if isinstance(expected, Deny):  # a sentence of its own, and not what was expected
            missing, expected = expected, None
        content = RefusalContent(
            status=refusal.status,
            heading=texts.text(f"refusal-{refusal.status}"),
            found=None if refusal.found is None else cut(refusal.found),
            expected=(None if expected is None else texts.text(expected, **refusal.values)),
            missing=(None if missing is None else texts.text(missing, **refusal.values)),
            reason=None if refusal.reason is None else cut(refusal.reason, 2 * TEXT_SHOWN_MAX),
        )
        if asked.as_json:
            return bytes_response(
                _encode(content), JSON_TYPE, status=refusal.status, headers=refusal.headers
            )
        html = self._render(
            "refusal", asked, self._face(asked), content=content, title=content.heading
        )
        return self._html(html, status=refusal.status, headers=refusal.headers)

    def turn_away(
        self, request: web.BaseRequest, status: int, headers: Mapping[str, str]
    ) -> web.Response | None:
        """Return the page for whoever is refused before a page was looked for: see `Pages`."""
        asked = _read_path(request, has_desk=False)
        if asked.as_json or HTML_TYPE.partition(";")[0] not in request.headers.get(hdrs.ACCEPT, ""):
            return None
        return self._html(_turned_away(asked.catalogue.language, status), status, headers)

    def _html(
        self, html: str, status: int, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        return bytes_response(
            html.encode(),
            HTML_TYPE,
            status=status,
            headers={"Content-Security-Policy": CONTENT_POLICY, **(headers or {})},
        )

    def _static(self, request: web.BaseRequest, asked: Asked) -> web.Response:
        file = static_files().get(asked.argument or "")
        if file is None or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return self._refuse(
                asked, PageRefusal(404, found=request.path, expected="expected-path")
            )
        kept = request.query.get("v") == file.version
        headers = {"Cache-Control": KEPT_FOR_EVER} if kept else {}
        return bytes_response(file.content, file.content_type, headers=headers)


@cache
def _turned_away(language: str, status: int) -> str:
    """Return the page that says so; the same for everybody, so that it is made once."""
    catalogue = catalogues()[language]
    face = Face(catalogue, path=(), query={}, node="", height=0, ready=True, network_note=None)
    heading = catalogue.text(f"refusal-{status}")
    said = catalogue.text(f"turned-away-{status}")
    return templates()["turned_away.html"].render(
        ui=face, title=heading, status=status, said=said, menu=None, query=None, asked={}
    )


def _page(template: str, title: str, read: _Read) -> Page:
    return Page(template=template, title=title, read=read)


def _argument(asked: Asked) -> str:
    assert asked.argument is not None, "pages of one thing are found by its name"
    return asked.argument


def _read_path(request: web.BaseRequest, *, has_desk: bool) -> Asked:
    """Return what a path asks for; that there is such a page is not said."""
    parts = [part for part in request.path.split("/")[1:] if part]
    language = LANGUAGES[0]
    if parts and parts[0] in LANGUAGES[1:]:
        language = parts.pop(0)
    as_json = bool(parts) and parts[-1].endswith(".json")
    if as_json:
        parts[-1] = parts[-1].removesuffix(".json")
    if not parts or parts == ["index"]:
        parts = ["overview"]
    elif parts[0] == "overview":
        parts[0] = ""  # it has one path, and this is not it
    return Asked(
        catalogue=catalogues()[language],
        name=parts[0],
        argument="/".join(parts[1:]) if len(parts) > 1 else None,
        query={
            name: cut(value, TRAIL_MAX if name == TRAIL else 2 * QUERY_MAX)
            for name, value in request.query.items()
            if name in CURSORS
        },
        as_json=as_json,
        has_desk=has_desk,
    )
