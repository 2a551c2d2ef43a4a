"""Every page in both languages: whole, small, accessible, strict; and what has no page says why."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import pytest

from consensus.evidence import Equivocation
from node.blocks import encode_evidence
from node.explorer import Explorer
from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.explorer import CONTENT_POLICY
from node.explorer.limits import PAGE_BYTES_MAX, QUERY_MAX
from node.hashing import Domain, tagged_hash
from node.proofs import verify_proof_file
from node.rpc import RpcLimits
from node.rpc.errors import InvalidParams, Limited, NotReady, RpcError
from node.rpc.tenures import SETS_READ_MAX
from tests.explorer.marking import MARK, SHORT_MARK
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import (
    BILL,
    EXCHANGE,
    ISIN,
    LEI,
    Stage,
    plain,
    stage,
)
from tests.rpc.solo import solo_node

ROOTS = {"en": "", "ur": "/ur"}


async def test_every_page_is_whole_in_every_language() -> None:
    async with stage() as shown:
        for language in LANGUAGES:
            for name, path in shown.paths.items():
                status, html = await shown.get(ROOTS[language] + path)
                where = f"{language} {name}"
                page = Parsed(html)

                assert status == (404 if name == "refusal" else 200), where
                assert page.faults == [], where
                assert len(html.encode()) < PAGE_BYTES_MAX, where
                (root,) = page.all("html")
                assert root == {"lang": language, "dir": catalogues()[language].direction}, where
                check_accessible(page, where)
                check_strict(page, where)
                assert "{" not in page.text.replace(MARK, ""), f"{where}: a name was not filled in"


def check_accessible(page: Parsed, where: str) -> None:
    """Landmarks, one heading above all, tables with headers, names for what is no text."""
    for landmark in ("header", "main", "nav", "footer"):
        assert page.all(landmark), f"{where}: no {landmark}"
    assert len(page.all("h1")) == len(page.all("main")) == 1, where
    levels = [int(name[1]) for name, _ in page.elements if name in {"h1", "h2", "h3"}]
    assert levels[0] == 1, where
    assert all(after - before <= 1 for before, after in pairwise(levels)), where
    for header in page.all("th"):
        assert header.get("scope") in {"col", "row"}, where
    assert len(page.all("table")) == len(page.all("thead")), where
    labelled = {label["for"] for label in page.all("label")}
    for field in page.all("input"):
        assert field["id"] in labelled, where
    for drawing in page.all("svg"):
        assert drawing["role"] == "img", where
        assert drawing["aria-label"], where
    for image in page.all("img"):
        assert "alt" in image, where
    for area in page.all("div"):
        if area.get("class") == "scroll":
            assert area["tabindex"] == "0", f"{where}: a keyboard cannot scroll it"
            assert area["aria-label"], where
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(identifiers) == len(set(identifiers)), f"{where}: an id twice"
    assert any(link.get("href") == "#content" for link in page.all("a")), where


def check_strict(page: Parsed, where: str) -> None:
    """Nothing inline, nothing from elsewhere."""
    for name, attributes in page.elements:
        assert name != "style", where
        assert not [key for key in attributes if key == "style" or key.startswith("on")], where
        if name == "script":
            assert attributes.get("src"), f"{where}: an inline script"
    for link in page.links():
        assert link.startswith(("/", "#")), f"{where}: {link}"
        assert not link.startswith("//"), f"{where}: {link}"


async def test_scripts_run_in_their_order_before_the_page_is_complete() -> None:
    """Deferred, htmx begins in a turn of its own: at times before its extension was read."""
    async with plain() as shown:
        scripts = Parsed((await shown.get("/"))[1]).all("script")

        assert [str(each["src"]).partition("?")[0] for each in scripts] == [
            f"/static/{name}"
            for name in ("htmx.min.js", "hx-sse.min.js", "uplot.min.js", "charts.js", "explorer.js")
        ]
        assert [set(each) for each in scripts] == [{"src"}] * 5


async def test_answers_carry_a_strict_content_policy() -> None:
    async with stage() as shown, shown.solo.session.get(shown.solo.url + "/") as response:
        policy = response.headers["Content-Security-Policy"]
        names = {part.strip().split()[0] for part in policy.split(";")}

        assert policy == CONTENT_POLICY
        assert "'unsafe" not in policy
        assert {"default-src", "base-uri", "form-action", "frame-ancestors"} <= names
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Set-Cookie" not in response.headers


async def test_every_link_of_a_page_leads_somewhere() -> None:
    async with stage() as shown:
        seen = set()
        for root in ROOTS.values():
            for path in shown.paths.values():
                _, html = await shown.get(root + path)
                for link in Parsed(html).links():
                    target = urljoin(root + path, link)
                    # The stream of new blocks never ends; what search says of what it is not
                    # given stands elsewhere.
                    if not urlsplit(target).path.endswith(("/live", "/search")):
                        seen.add(target.partition("#")[0])
        for target in sorted(seen):
            status, _ = await shown.get(target)
            # Accounts and participants that a refused transaction names do not exist.
            known = "%3Cimg" in target or "99999" in target
            assert status == (404 if known else 200), target


async def test_every_page_has_json_beside_it() -> None:
    async with stage() as shown:
        for path in shown.paths.values():
            status, html = await shown.get(path)
            (link,) = [
                each for each in Parsed(html).all("link") if each.get("type") == "application/json"
            ]
            assert link["href"] is not None

            json_status, text = await shown.get(link["href"])

            assert json_status == status, link
            content = json.loads(text)
            assert "height" in content or content["status"] == 404


async def test_a_validator_has_a_page_with_its_hour_and_what_is_against_it() -> None:
    async with stage() as shown:
        assert "/validators/central-bank" in Parsed((await shown.get("/validators"))[1]).links()
        content = json.loads((await shown.get("/validators/central-bank.json"))[1])
        head = shown.solo.town.chain.head.height

        assert content["validator"]["last_signed"] == content["validator"]["last_proposed"] == head
        assert sum(minute["signed"] for minute in content["hour"]) == head
        assert [each["shown_in"] for each in content["evidence"]] == [shown.evidence_height]
        page = Parsed((await shown.get("/validators/central-bank"))[1])
        assert len(page.all("svg")) == 2
        assert f"/blocks/{shown.evidence_height}" in page.links()
        assert "/participants/central-bank" in page.links()


async def test_pages_of_one_thing_lead_to_what_is_beside_it() -> None:
    async with plain() as shown:
        head = shown.solo.town.chain.head.height
        for path, there, elsewhere in (
            ("/blocks/1", "/blocks/2", "/blocks/0"),
            (f"/blocks/{head}", f"/blocks/{head - 1}", f"/blocks/{head + 1}"),
            (f"/blocks/{head}", "/validators/central-bank", ""),
            ("/participants/central-bank", "/validators/central-bank", ""),
            ("/participants/finance-ministry", "/participants", "/validators/central-bank"),
        ):
            links = Parsed((await shown.get(path))[1]).links()
            assert there in links, path
            assert elsewhere not in links, path
        assert json.loads((await shown.get("/participants/central-bank.json"))[1])["validator"]


async def test_what_participants_wrote_is_text_wherever_it_is_shown() -> None:
    """Memo, names, reasons, references, identifiers: the parser finds no element of theirs."""
    async with stage() as shown:
        found = set()
        for root in ROOTS.values():
            for name, path in shown.paths.items():
                _, html = await shown.get(root + path)
                page = Parsed(html)
                assert not page.all("b"), name
                assert not [img for img in page.all("img") if img["src"] == "x"], name
                assert [each for each in page.all("script") if "src" not in each] == [], name
                if MARK in page.text:
                    found.add(name)
                if SHORT_MARK in page.text:
                    found.add(f"{name}, short")

        assert found == {
            "overview",
            "block",
            "transaction",
            "transaction-strange",
            "transaction-strange, short",
            "account",
            "account-held",
            "assets",
            "asset",
            "securities",
        }


REFUSED = [
    ("/nowhere", 404, "/nowhere", "one of the pages"),
    ("/blocks/seven", 400, "seven", "a whole number from 1"),
    ("/blocks/0", 400, "0", "a whole number from 1"),
    ("/blocks/99999", 404, "99999", None),
    ("/transactions/abc", 400, "abc", "64 characters"),
    ("/accounts/nobody", 400, "nobody", "the address of an account on this network"),
    ("/assets/NONE", 404, "NONE", None),
    (f"/assets/{'A' * 33}", 400, "A" * 33, "1 to 32 characters"),
    ("/participants/nobody", 404, "nobody", None),
    ("/validators/nobody", 404, "nobody", None),
    (f"/proposals/{'0' * 64}", 404, "0" * 64, None),
    ("/static/secrets", 404, None, "one of the pages"),
]
"""Path, status, what it says was found, and what was expected."""


async def test_what_has_no_page_says_what_was_found_and_expected() -> None:
    async with plain() as shown:
        for path, status, found, expected in REFUSED:
            answered, text = await shown.get(path)
            json_answered, json_text = await shown.get(path + ".json")

            assert answered == json_answered == status, path
            page, content = Parsed(text), json.loads(json_text)
            assert page.faults == [], path
            assert (found or "") in page.text, path
            assert (expected or "") in page.text, path
            assert content["status"] == status, path
            assert found is None or content["found"].removesuffix(".json") == found, path
            assert (expected or "") in (content["expected"] or ""), path
            assert content["expected"] or content["reason"], path


async def test_what_is_not_there_is_said_in_the_language_of_the_page() -> None:
    async with plain() as shown:
        explorer = shown.solo.server._pages
        assert isinstance(explorer, Explorer)
        names = {"blocks": "99999", "accounts": shown.solo.address("nobody"), "proposals": "0" * 64}
        for name, page in explorer._things.items():
            path = f"/{name}/{names.get(name, 'NONE')}"
            for language in LANGUAGES:
                if name == "transactions":
                    continue  # its page says that it is unknown here
                _, text = await shown.get(ROOTS[language] + path)
                said = catalogues()[language].text(
                    f"missing-{page.template}",
                    height=shown.solo.town.chain.head.height,
                    sets=SETS_READ_MAX,
                )
                assert said in Parsed(text).text, path
                assert catalogues()[language].text("reason-given") not in Parsed(text).text, path
            content = json.loads((await shown.get(path + ".json"))[1])
            assert name == "transactions" or content["reason"], path


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NotReady("the node is starting", {"height": 1, "retry_after_ms": 1_000}), 503, "not-now"),
        (Limited("128 questions wait already", retry_after_ms=1_000), 429, "too-much"),
        (InvalidParams("after: expected an id"), 400, "expected-links"),
    ],
)
async def test_why_not_now_is_said_in_the_language_of_the_page(
    error: RpcError, status: int, said: str
) -> None:
    async def failing(*_: object) -> NoReturn:
        raise error

    async with plain() as shown:
        explorer = shown.solo.server._pages
        assert isinstance(explorer, Explorer)
        explorer._lists["rules"] = replace(explorer._lists["rules"], read=failing)
        for language in LANGUAGES:
            answered, text = await shown.get(f"{ROOTS[language]}/rules")
            assert answered == status
            assert catalogues()[language].text(said) in Parsed(text).text
            assert language == "en" or error.message not in text
        assert json.loads((await shown.get("/rules.json"))[1])["reason"] == error.message


async def test_the_rules_are_called_in_words_with_their_names_beside() -> None:
    async with plain() as shown:
        for language in LANGUAGES:
            _, html = await shown.get(f"{ROOTS[language]}/rules")
            text, catalogue = Parsed(html).text, catalogues()[language]
            for key, name in (
                ("parameter-validators-min", "validators-min"),
                ("act-add_validator", "add_validator"),
            ):
                assert catalogue.text(key) in text
                assert name in text


async def test_no_path_makes_a_page_that_leads_to_another_host() -> None:
    async with plain() as shown:
        for path in ("/overview/evil.example", "/.json", "//evil.example", "/%2fevil.example/x"):
            for root in ("", *(f"/{language}" for language in LANGUAGES[1:])):
                status, text = await shown.get(root + path)

                assert status == 404, path
                assert 'href="//' not in text, path
                assert f'href="{root}//' not in text, path


async def test_cursors_that_no_page_gave_are_refused() -> None:
    async with plain() as shown:
        for path in (
            "/blocks?before=x",
            "/blocks/1?index=-1",
            "/blocks/1?index=99999999999",
            "/participants?after=" + "x" * 33,
            "/proposals?after=zz",
            "/rules?after=" + "x" * 80,
            "/search?q=" + "x" * (QUERY_MAX + 1),
        ):
            status, html = await shown.get(path)

            assert status == 400, path
            assert "Expected" in Parsed(html).text, path


async def test_pages_are_only_read() -> None:
    async with plain() as shown:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            request = shown.solo.session.request(method, shown.solo.url + "/blocks")
            async with request as response:
                assert response.status == 405, method
                assert response.headers["Allow"] == "GET, HEAD"


async def test_head_is_answered_without_the_page() -> None:
    async with (
        plain() as shown,
        shown.solo.session.head(shown.solo.url + "/blocks") as response,
    ):
        assert response.status == 200
        assert await response.read() == b""


async def test_a_page_costs_its_caller_a_call() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=2)
    async with solo_node(settled=False, limits=limits, pages=Explorer) as solo:
        statuses = [(await solo.get("/blocks"))[0] for _ in range(3)]

        assert statuses == [200, 200, 429]


async def test_a_node_without_pages_answers_as_before() -> None:
    async with solo_node(settled=False) as solo:
        status, text = await solo.get("/")

        assert status == 404
        assert "there is nothing here" in text


async def test_page_of_a_foreign_host_is_refused() -> None:
    """A page that has its own name resolve here reaches nothing."""
    async with plain() as shown:
        request = shown.solo.session.get(shown.solo.url + "/", headers={"Host": "evil.example"})
        async with request as response:
            assert response.status == 403


async def test_our_own_failure_is_a_page_with_a_trace_id() -> None:
    async with plain() as shown:
        shown.solo.town.chain.history.accusations_after = None  # type: ignore[assignment,method-assign]

        status, html = await shown.get("/evidence")

        assert status == 500
        assert "trace id" in Parsed(html).text
        assert "Traceback" not in html


# Lists.


async def test_evidence_goes_on_by_its_cursor_as_a_page_and_as_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.explorer.cursors.ROWS_MAX", 2)
    async with plain() as shown:
        town = shown.solo.town
        for height in (1, 2, 3):
            votes = [town.vote("central-bank", height, bytes([each]) * 32) for each in (1, 2)]
            item = encode_evidence(Equivocation(first=votes[0], second=votes[1]))
            await town.decide(evidence=[item])

        first = json.loads((await shown.get("/evidence.json"))[1])
        rest = json.loads((await shown.get(f"/evidence.json?after={first['next']}"))[1])
        page = Parsed((await shown.get("/ur/evidence"))[1])
        last = Parsed((await shown.get(f"/evidence?after={first['next']}"))[1])
        status, refused = await shown.get("/evidence?after=yesterday")

    assert [each["height"] for each in first["evidence"] + rest["evidence"]] == [3, 2, 1]
    assert rest["next"] is None
    assert f"/ur/evidence?after={first['next']}&via=" in page.links()
    assert {"/ur/validators/central-bank", "/ur/blocks/2", "/ur/blocks/3"} <= set(page.links())
    assert not any("after=" in link for link in last.links() if link.startswith("/evidence?"))
    assert "/evidence" in last.links()
    assert status == 400
    assert "yesterday" in refused


async def test_blocks_page_back_to_the_first_and_forward_again() -> None:
    async with plain() as shown:
        for _ in range(60):
            await shown.solo.town.decide()
        pages = [json.loads((await shown.get("/blocks.json"))[1])]
        while (older := pages[-1]["older"]) is not None:
            pages.append(json.loads((await shown.get(f"/blocks.json?before={older}"))[1]))

        head = shown.solo.town.chain.head.height
        heights = [block["height"] for page in pages for block in page["blocks"]]
        assert heights == list(range(head, 0, -1))
        assert len(pages) == 3
        assert pages[0]["newer"] is None
        assert pages[2]["newer"] == pages[1]["blocks"][-1]["height"] + 25 - 1 + 1


async def test_blocks_from_before_the_start_are_read_from_the_store() -> None:
    async with solo_node(pages=Explorer) as solo:
        content = json.loads((await solo.get("/blocks.json"))[1])

        assert [block["height"] for block in content["blocks"]] == [2, 1]
        assert {block["refused"] for block in content["blocks"]} == {None}


async def test_lists_of_records_page_by_cursor() -> None:
    async with stage() as shown:
        pages = [json.loads((await shown.get("/rules.json"))[1])]
        while (after := pages[-1]["next"]) is not None:
            pages.append(json.loads((await shown.get(f"/rules.json?after={after}"))[1]))

        assert [len(page["powers"]) for page in pages[:-1]] == [25] * (len(pages) - 1)
        assert [bool(page["parameters"]) for page in pages] == [True] + [False] * (len(pages) - 1)
        listed = [(row["operation"], row["subject"]) for page in pages for row in page["powers"]]
        assert listed == sorted(set(listed))
        assert len(pages) >= 2
        assert "First page" in (await shown.get(f"/rules?after={pages[0]['next']}"))[1]


# What the pages say.


async def test_a_transfer_reads_as_a_sentence_in_both_languages() -> None:
    async with stage() as shown:
        english = json.loads((await shown.get(f"/transactions/{shown.paid}.json"))[1])
        urdu = json.loads((await shown.get(f"/ur/transactions/{shown.paid}.json"))[1])

        payer, payee = (shown.solo.address(name) for name in ("a0", "a2"))
        short = [f"{each[:12]}…{each[-6:]}" for each in (payer, payee)]
        assert english["operations"][0]["sentence"] == (
            f"{short[0]} pays 125.50 PKR-CB to {short[1]}."
        )
        assert urdu["operations"][0]["sentence"] == (
            f"{short[0]} نے 125.50 PKR-CB {short[1]} کو ادا کیے۔"
        )
        assert english["operations"][0]["fields"]["amount"] == "125.50"
        assert english["transaction"]["memo"] == "for the harvest"


async def test_a_refusal_says_why_in_both_languages() -> None:
    async with stage() as shown:
        english = json.loads((await shown.get(f"/transactions/{shown.refused}.json"))[1])
        urdu = json.loads((await shown.get(f"/ur/transactions/{shown.refused}.json"))[1])

        assert english["outcome"]["name"] == urdu["outcome"]["name"] == "HOLDING_INSUFFICIENT"
        assert "10,000,000,000.00 are needed" in english["outcome"]["sentence"]
        assert "10,000,000,000.00 درکار ہیں" in urdu["outcome"]["sentence"]
        assert english["outcome"]["operation"] == 0


async def test_licences_say_whether_they_count() -> None:
    async with stage() as shown:
        content = json.loads((await shown.get(f"/participants/{EXCHANGE}.json"))[1])

        states = {line["licence"]["activity"]: line["state"] for line in content["licences"]}
        assert states == {"exchange": "active", "custody": "revoked"}


# Search.


async def found_by(shown: Stage, query: str, root: str = "") -> str | None:
    """Where a search leads by itself; None: nowhere."""
    request = shown.solo.session.get(
        f"{shown.solo.url}{root}/search", params={"q": query}, allow_redirects=False
    )
    async with request as response:
        assert response.status in {200, 303}
        return response.headers.get("Location")


async def test_search_finds_by_whatever_one_has() -> None:
    async with stage() as shown:
        address = shown.solo.address("a0")
        last = shown.solo.town.chain.head
        wanted = {
            "3": "/blocks/3",
            " 3 ": "/blocks/3",
            "\u06f3": "/blocks/3",  # as a keyboard in Urdu types it
            "\u0663": "/blocks/3",  # and one in Arabic
            last.block_id.hex(): f"/blocks/{last.height}",
            shown.paid: f"/transactions/{shown.paid}",
            shown.paid.upper(): f"/transactions/{shown.paid}",
            shown.proposal: f"/proposals/{shown.proposal}",
            address: f"/accounts/{address}",
            address.upper(): f"/accounts/{address}",
            BILL: f"/assets/{BILL}",
            BILL.lower(): f"/assets/{BILL}",
            ISIN: f"/assets/{BILL}",
            LEI.lower(): "/participants/karakoram-bank",
            EXCHANGE: f"/participants/{EXCHANGE}",
            "Indus Exchange": f"/participants/{EXCHANGE}",
            "Central Bank": "/participants/central-bank",
            "finance ministry": "/participants/finance-ministry",
            "regulator": "/participants/virtual-asset-regulator",
            "وزارتِ خزانہ": "/participants/finance-ministry",
        }
        for query, path in wanted.items():
            assert await found_by(shown, query) == path, query
            assert await found_by(shown, query, "/ur") == f"/ur{path}", query


async def test_search_that_finds_nothing_says_so() -> None:
    async with plain() as shown:
        for query in ("", " ", "99999", "f" * 64, "tkhz1qqqqqq", "<script>", "../x"):
            assert await found_by(shown, query) is None, query
            async with shown.solo.session.get(
                shown.solo.url + "/search.json", params={"q": query}
            ) as response:
                assert (await response.json())["matches"] == [], query


async def test_search_that_finds_several_things_lists_them() -> None:
    async with stage() as shown:
        request = shown.solo.session.get(shown.solo.url + "/search", params={"q": "c"})
        async with request as response:
            page = Parsed(await response.text())

        assert "/participants/central-bank" in page.links()
        assert "/participants/crypto-council" in page.links()


async def test_search_for_a_part_of_a_name_lists_all_that_have_it(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        found = json.loads((await shown.get("/search.json?q=Ban"))[1])
        names = {each["name"] for each in found["matches"]}
        assert {"bank", "central-bank", "karakoram-bank"} <= names
        assert not found["more"]
        assert await found_by(shown, "ban") is None
        page = Parsed((await shown.get("/ur/search?q=ban"))[1])
        assert {f"/ur/participants/{name}" for name in names} <= set(page.links())

        # Called exactly that, in words or as on the ledger, it leads there by itself.
        assert await found_by(shown, "bank") == "/participants/bank"
        for query in ("central-bank", "Central Bank", "مرکزی بینک"):
            assert await found_by(shown, query) == "/participants/central-bank", query
        assert await found_by(shown, "karakoram bank") == "/participants/karakoram-bank"


# Proofs.


async def test_the_proof_of_a_holding_is_a_file_that_the_command_accepts() -> None:
    async with stage() as shown:
        genesis = shown.solo.town.genesis
        path = f"/proofs/{shown.holder}/{BILL}"
        assert path in Parsed((await shown.get(f"/accounts/{shown.holder}"))[1]).links()
        async with shown.solo.session.get(shown.solo.url + path) as response:
            file = await response.read()
            assert response.headers["Content-Disposition"].endswith(f"proof-{BILL}.json")

        assert "500,000,000.00" in verify_proof_file(file, genesis).statement
        for strange in ("/proofs/nobody/X", f"/proofs/{shown.holder}", "/proofs/a/b/c"):
            status, html = await shown.get(strange)
            assert status == 400, strange
            assert "a slash, and the code" in Parsed(html).text


async def test_the_genesis_that_a_browser_trusts_has_the_hash_that_the_page_shows() -> None:
    async with plain() as shown:
        async with shown.solo.session.get(shown.solo.url + "/verify/genesis") as response:
            encoded = await response.read()

        genesis = shown.solo.town.genesis
        assert tagged_hash(Domain.GENESIS, encoded) == genesis.hash
        assert genesis.hash.hex() in (await shown.get("/verify"))[1]


# Files.


async def test_files_may_be_kept_for_ever_under_their_version() -> None:
    async with plain() as shown:
        _, html = await shown.get("/")
        files = {link for link in Parsed(html).links() if link.startswith("/static/")}
        assert len(files) == 8
        for path in files:
            async with shown.solo.session.get(shown.solo.url + path) as response:
                assert response.status == 200
                assert "immutable" in response.headers["Cache-Control"]
            bare = path.partition("?")[0]
            async with shown.solo.session.get(shown.solo.url + bare) as response:
                assert response.headers["Cache-Control"] == "no-store"


async def test_metrics_count_pages_by_kind_and_not_by_name() -> None:
    async with plain() as shown:
        for path in ("/", "/blocks/1", "/blocks/x", "/made-up-1", "/made-up-2"):
            await shown.get(path)

        _, text = await shown.solo.get("/metrics")

        assert 'khazana_rpc_requests_total{method="page_overview",result="ok"} 1.0' in text
        assert 'khazana_rpc_requests_total{method="page_block",result="400"} 1.0' in text
        assert 'khazana_rpc_requests_total{method="page_unknown",result="404"} 2.0' in text
        assert "made-up" not in text
