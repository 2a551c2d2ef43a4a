"""No page of another language has a word of English on it but names, codes and units."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, NoReturn

from typing_extensions import override

from node.explorer import Explorer
from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.showing import Showing, names_in
from node.ledger.operations import Issue, OpenAccount, SetPowers, Transfer
from node.ledger.outcomes import Outcome
from node.ledger.policies import AccountPolicy
from node.ledger.powers import PowerRecord
from node.provision.acts import define_bill
from node.provision.pakistan import PAKISTAN
from node.rpc import RpcLimits
from node.rpc.errors import InvalidParams, JsonValue, Limited, NotFound, NotReady
from tests.chain.town import BANK, CASH, address_of
from tests.explorer.desks import BusyDesk
from tests.explorer.marking import MARK, SHORT_MARK
from tests.explorer.owing import AUCTIONED, BOND, PLAN, RUNNING, SOLD, SUKUK
from tests.explorer.reading_html import VOID, Parsed
from tests.explorer.stage import (
    BILL,
    CENTRAL,
    EXCHANGE,
    ISIN,
    LEI,
    MINISTRY,
    OFFICES,
    REGULATOR,
    Stage,
    apply,
    plain,
    stage,
)
from tests.explorer.test_pages import ROOTS, check_strict
from tests.rpc.solo import solo_node

SHOWN_ATTRIBUTES: Final = ("alt", "aria-label", "data-go-on", "data-pause", "placeholder", "title")
"""Attributes whose value somebody reads or hears."""
VERBATIM: Final = frozenset({"code", "pre", "script", "style"})
"""Elements of identifiers, keys, commands, and of what a terminal tells."""
CODES: Final = frozenset(
    (
        *("ACT", "API", "DTI", "Ed", "GET", "HEAD", "ISIN", "ISO", "JSON", "LEI"),
        *("MessagePack", "NFC", "PKR", "TLS", "UTC"),
    )
)
"""What is written in Latin letters in every language."""
TERMS: Final = frozenset(
    [
        "OWED",
        "RESIDUE",
        "COLLECTOR",
        "bond",
        "sukuk",
        "max",
        "min",
        "open",
        "proposals",
        "validators",
    ]
)
"""What sentences of outcomes repeat from the records themselves, as they are spelled there."""
WORD: Final = re.compile(r"[A-Za-z]{2,}")
TABLES: Final = (
    *("texts", "words", "operations", "events"),
    *("outcomes", "people", "reasons", "checks"),
)
DETAILS: Final[Mapping[str, JsonValue]] = {
    **dict.fromkeys(("account", "to", "proposer"), "tkhz1" + "q" * 38),
    **dict.fromkeys(("participant", "owner", "placed_by", "holder"), OFFICES[0]),
    **dict.fromkeys(("asset", "expected_asset"), "PKR"),
    **dict.fromkeys(("auction", "plan", "calendar", "parameter", "series", "source"), "mtb-6m"),
    **dict.fromkeys(("signer", "key", "proposal"), "0" * 64),
    "operation": "commit_bid",
    "subject": "bond",
    "kind": "bond",
    "activity": "exchange",
    "offices": ", ".join(OFFICES[:2]),
    "office": OFFICES[0],
    "status": "suspended",
    "account_class": "TRANSFER",
    "scheme": "ISO 4217 currency",
    "field": "amount",
    "tie": "OWED",
    "validator": OFFICES[0],
    "currency": "PKR",
    "label": "0",
    "hold": "0" * 64,
    "legal_reference": "0",
    "reason": "it lies in no window",
}
"""What an outcome can name, as the interface has it; the others are numbers."""
NAMING: Final[Mapping[str, Mapping[str, JsonValue]]] = {
    "AUCTION_NOT_TO_BE_DECIDED": {"found": "settled"},
    "BID_MANDATE_MISSING": {"found": OFFICES[0], "expected": "nobody"},
    "ENVELOPE_OF_ANOTHER_OFFICE": {"found": OFFICES[0], "expected": OFFICES[1]},
    "NOT_ISSUER": {"found": OFFICES[0], "expected": OFFICES[1]},
    "NOT_REGISTRAR": {"found": OFFICES[0], "expected": OFFICES[1]},
}
"""Of which the numbers are names."""
COMMAND: Final = re.compile(r"khazana( -{0,2}[A-Za-z.]+)+|tkhz1[0-9a-z]+|[0-9a-f]{16}|/ur/[^ ]+")
"""Commands, addresses, ids, paths."""
SPELLED: Final = re.compile(r"\{\w+\}|`[^`]+`|\(\w+_\w+\)|" + COMMAND.pattern)
"""What a text of a catalogue fills in, and names of acts and commands."""
NAMES: Final = sorted(
    (
        *(MARK, f"{MARK[:50]}…", f"{MARK[:49]}…", SHORT_MARK),
        *(EXCHANGE, LEI, "chenab-bank", "karakoram-bank", *OFFICES, "crypto-council", "bank", "PK"),
        *("Market treasury bill, 84 days", "Market treasury bill, 182 days"),
        *("Rupee of the central bank", "for the harvest", "nothing of the kind", "VAA-2026/17"),
        *(
            BILL,
            ISIN,
            CASH,
            "null",
            BOND,
            SUKUK,
            AUCTIONED,
            SOLD,
            RUNNING,
            "mtb-6m",
            PLAN,
            PAKISTAN,
        ),
    ),
    key=len,
    reverse=True,
)
"""What the participants of the stage are called, and have written; the longest first."""


class Reader(HTMLParser):
    """What somebody reads on a page who does not look into what is verbatim."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []
        self.foreign: list[str] = []
        """Elements that say that they are in English."""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("lang") == "en" and tag not in VERBATIM and "hreflang" not in given:
            self.foreign.append(str(attrs))
        own = tag in VERBATIM or given.get("class") == "raw" or "hreflang" in given
        if not own:
            self.read += [given[name] or "" for name in SHOWN_ATTRIBUTES if name in given]
        if tag not in VOID:
            self._open.append("verbatim" if own else tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    @override
    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    @override
    def handle_data(self, data: str) -> None:
        if "verbatim" not in self._open:
            self.read.append(data)


def english(html: str) -> Iterator[str]:
    """Yield what of a page is in English and is no name."""
    page = Reader(html)
    for text in page.read:
        rest = COMMAND.sub("", text)
        for name in NAMES:
            rest = rest.replace(name, "")
        if words := set(WORD.findall(rest)) - CODES:
            yield f"{sorted(words)} in {text!r}"
    yield from page.foreign


def refused() -> Iterator[tuple[str, str]]:
    """Yield what a page of each kind refuses, by path and status."""
    yield from (
        ("/nothing", "404"),
        ("/blocks/x", "400"),
        ("/blocks/99999", "404"),
        ("/transactions/x", "400"),
        ("/accounts/x", "400"),
        ("/assets/0", "404"),
        ("/securities/0", "404"),
        ("/auctions/0", "404"),
        ("/participants/0", "404"),
        ("/participants/" + "0" * 40, "400"),
        ("/proposals/" + "0" * 64, "404"),
        ("/validators/0", "404"),
        ("/blocks?before=x", "400"),
        ("/assets?after=" + "0" * 90, "400"),
        ("/proofs/x/PKR", "400"),
        ("/search?q=" + "0" * 200, "400"),
        ("/static/none.css", "404"),
    )


async def test_no_page_has_english_on_it(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite", desk=BusyDesk()) as shown:
        found = []
        for name, path in {**shown.paths, "development": "/development"}.items():
            _, html = await shown.get("/ur" + path)
            found += [f"{name}: {each}" for each in english(html)]
        for path, status in refused():
            answered, html = await shown.get("/ur" + path)
            assert str(answered) == status, path
            found += [f"{path}: {each}" for each in english(html)]
        for html in [page async for page in refused_forms(shown)]:
            found += [f"a form: {each}" for each in english(html)]
        assert found == [], "\n".join(found)


async def refused_forms(shown: Stage) -> AsyncIterator[str]:
    """Yield the pages that answer forms which the page of a development network does not take."""
    url = f"{shown.solo.url}/ur/development"
    good = {"Origin": shown.solo.url, "Content-Type": "application/x-www-form-urlencoded"}
    for headers, body, status in (
        ({**good, "Origin": "null"}, b"", 403),
        (good, b"act=faucet", 403),
        (good, b"\xff=\xff", 400),
        (good, b"x" * 5_000, 413),
        ({**good, "Content-Type": "text/plain"}, b"", 415),
    ):
        async with shown.solo.session.post(url, data=body, headers=headers) as response:
            assert response.status == status
            assert response.content_type == "text/html"
            yield await response.text()


async def test_no_page_of_an_empty_chain_or_of_a_failing_node_has_english_on_it() -> None:
    """Nor of one without an index."""
    async with plain() as shown:
        explorer = shown.solo.server._pages
        assert isinstance(explorer, Explorer)
        found = []
        for name in explorer._lists:
            _, html = await shown.get(f"/ur/{'' if name == 'overview' else name}")
            found += [f"{name}: {each}" for each in english(html)]
        for path in (f"accounts/{shown.holder}", "assets/PKR-CB", "transactions/" + "0" * 64):
            _, html = await shown.get(f"/ur/{path}")
            found += [f"{path}: {each}" for each in english(html)]
        for error in (
            NotReady("the node is starting", {"height": 1, "retry_after_ms": 1_000}),
            Limited("128 questions wait already", retry_after_ms=1_000),
            InvalidParams("after: expected an id"),
            NotFound("there is no list"),
            ValueError("our own mistake"),
        ):
            failing = replace(explorer._lists["rules"], read=partial(_fail, error))
            explorer._lists["rules"] = failing
            _, html = await shown.get("/ur/rules")
            found += [f"{error!r}: {each}" for each in english(html)]
        assert found == [], "\n".join(found)


async def test_a_browser_that_is_turned_away_reads_so_in_its_language() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=1)
    browsing = {"Accept": "text/html,*/*;q=0.8"}
    async with solo_node(limits=limits, settled=False, pages=Explorer) as solo:
        await solo.get("/")
        for language, root in ROOTS.items():
            for path, kind in ((f"{root}/rules", "text/html"), (f"{root}/rules.json", None)):
                async with solo.session.get(solo.url + path, headers=browsing) as response:
                    assert response.status == 429
                    assert int(response.headers["Retry-After"]) > 0
                    assert response.content_type == (kind or "application/json")
                    if kind is None:
                        continue
                    html = await response.text()
                page = Parsed(html)
                assert page.faults == []
                assert catalogues()[language].text("turned-away-429") in page.text
                assert "central-bank" not in page.text, "nothing of the node or its chain"
                check_strict(page, path)
                assert language == "en" or list(english(html)) == []
        async with solo.session.get(f"{solo.url}/rules") as response:
            assert response.content_type == "application/json", "for programs as it was"
        key = {**browsing, "Authorization": "Bearer khz_nothing"}
        async with solo.session.get(f"{solo.url}/ur/rules", headers=key) as response:
            assert response.status in {401, 429}
            assert list(english(await response.text())) == []


def test_no_text_of_a_catalogue_was_left_in_english() -> None:
    for language in LANGUAGES[1:]:
        catalogue = catalogues()[language]
        for table in TABLES:
            for key, text in getattr(catalogue, table).items():
                shown = SPELLED.sub("", text)
                words = set(WORD.findall(shown)) - CODES - TERMS
                assert not words, f"[{table}] {key} of {language}: {sorted(words)}"


def test_no_outcome_has_english_on_it() -> None:
    """Of all, with whatever is found and expected; nor has any reason."""
    for language in LANGUAGES[1:]:
        showing = Showing(catalogues()[language], "", decimals_of={"PKR": 2}.get)
        found = []
        for outcome in Outcome:
            details = {
                name: NAMING.get(outcome.name, {}).get(name, DETAILS.get(name, 7))
                for name in names_in(outcome.sentence)
            }
            for said in (details, {**details, "asset": "UNKNOWN", "auction": "unknown"}):
                html = showing.outcome(outcome.name, said, "in English")
                shown = SPELLED.sub("", html.replace("UNKNOWN", "").replace("unknown", ""))
                found += [
                    f"{outcome.name}: {each}"
                    for each in english(f"<p>{shown}</p>")
                    if set(WORD.findall(each.partition("]")[0])) - TERMS
                ]
        assert found == [], "\n".join(found)


async def test_no_refused_transaction_has_english_on_its_page() -> None:
    rows, day = PowerRecord(offices=(), required=2, licences=()), "2020-09-10"
    early = define_bill(
        account=MINISTRY,
        approvers=(CENTRAL,),
        asset="MTB-0",
        name="بل",
        isin=ISIN,
        issued=date(2020, 9, 10),
        matures=date(2020, 9, 10),
        multiple=500_000,
        ceiling=500_000,
    )
    nobody = AccountPolicy(signers=((bytes(31) + b"\x01", 255),), thresholds=(1, 1, 256))
    opened = OpenAccount(account=CENTRAL, approvers=(), owner=BANK, policy=nobody, salt=bytes(8))
    async with plain() as shown:
        holder, other = (address_of(BANK, each) for each in ("a0", "a1"))
        short = Transfer(account=holder, to=other, asset=CASH, amount=0)
        alone = Issue(account=MINISTRY, approvers=(), asset=CASH, amount=1, to=MINISTRY)
        weak = SetPowers(
            account=CENTRAL,
            approvers=(MINISTRY, REGULATOR),
            operation="issue",
            subject="bill",
            power=rows,
        )
        for operation, signers, outcome, told in (
            (early, OFFICES[:2], "TERMS_NOT_VALID", "MATURES_BEFORE_ISSUE"),
            (opened, OFFICES[:1], "POLICY_NOT_VALID", "THRESHOLD_OUT_OF_REACH"),
            (weak, OFFICES, "POWER_NOT_VALID", "REQUIRED_OF_NONE"),
            (short, ("a0",), "AMOUNT_OUT_OF_RANGE", None),
            (alone, OFFICES[1:2], "OFFICES_MISSING", None),
        ):
            identifier = await apply(shown.solo, [operation], list(signers))
            for language, root in ROOTS.items():
                _, html = await shown.get(f"{root}/transactions/{identifier}")
                assert outcome in html, (operation, outcome)
                if told is not None:
                    reason = catalogues()[language].reasons[told]
                    for place, value in (("required", "2"), ("maturity", day), ("issue", day)):
                        reason = reason.replace(f"{{{place}}}", value)
                    assert reason in Parsed(html).text
                if short is operation:
                    assert f"0.00 {CASH}" in Parsed(html).text
                assert language == "en" or list(english(html)) == []


async def _fail(error: Exception, *_: object) -> NoReturn:
    raise error
