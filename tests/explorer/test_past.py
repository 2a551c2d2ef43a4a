"""What pages show from the index, and what they show without one."""

import json
from pathlib import Path

import pytest

from node.client import Client
from node.codec import encode, replace
from node.explorer import Explorer
from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.limits import (
    HISTORY_SHOWN_MAX,
    HOLDERS_KEPT_MS,
    PAGE_BYTES_MAX,
    TEXTS_SHOWN_MAX,
)
from node.explorer.showing import Showing
from node.ledger.events import Proposed
from node.ledger.operations import (
    Approve,
    Propose,
    SetParameter,
    Transfer,
    Withdraw,
)
from node.ledger.policies import account_address, single_signer
from tests.chain.town import BANK, CASH, SALT, Town, address_of, key
from tests.explorer.marking import MARK
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import (
    BILL,
    CENTRAL,
    EXCHANGE,
    MINISTRY,
    OFFICES,
    REGULATOR,
    Stage,
    plain,
    stage,
)
from tests.explorer.test_pages import ROOTS, check_accessible, check_strict
from tests.index.servers import WHY_NOT, postgres_server
from tests.rpc.solo import solo_node


async def test_every_page_is_whole_with_an_index_in_every_language(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        for language in LANGUAGES:
            for name in ("overview", "account", "account-held", "asset", "search"):
                status, html = await shown.get(ROOTS[language] + shown.paths[name])
                page = Parsed(html)
                where = f"{language} {name}"
                assert status == 200, where
                assert page.faults == [], where
                assert len(html.encode()) < PAGE_BYTES_MAX, where
                check_accessible(page, where)
                check_strict(page, where)
                assert catalogues()[language].text("no-index") not in page.text, where


async def test_an_account_shows_its_past_with_what_changed_and_what_was_refused(
    tmp_path: Path,
) -> None:
    async with solo_node(pages=Explorer, index=tmp_path / "index.sqlite") as solo:
        refused = await solo.town.decide(solo.town.transfer("a2", "a0", 10**12))
        paid = await solo.town.decide(solo.town.transfer("a0", "a2", 12_550))
        await solo.indexed()
        ids = [each.candidate.transaction_ids[0].hex() for each in (paid, refused)]
        path = f"/accounts/{solo.address('a0')}"
        _, html = await solo.get(path)
        past = json.loads((await solo.get(path + ".json"))[1])["past"]

        # It was to receive what was refused: that is no business of its past. The sender's it is.
        assert [line["transaction"] for line in past["lines"]][:1] == ids[:1]
        assert ids[1] not in html
        assert past["lines"][0]["changes"] == [{"asset": CASH, "amount": "-125.50"}]
        assert CASH in past["lines"][0]["sentence"]
        assert "\N{MINUS SIGN}125.50" in Parsed(html).text
        assert f"/transactions/{ids[0]}" in html
        _, html = await solo.get(f"/accounts/{solo.address('a2')}")
        assert catalogues()["en"].text("refused-one") in Parsed(html).text
        assert f"/transactions/{ids[1]}" in html
        assert "+125.50" in Parsed(html).text


async def test_a_long_past_goes_on_by_cursor(tmp_path: Path) -> None:
    async with solo_node(pages=Explorer, index=tmp_path / "index.sqlite") as solo:
        town = solo.town
        for _ in range(23):
            await town.decide(town.transfer("a0", "a1", 1))
        await solo.indexed()
        path, cursors = f"/accounts/{solo.address('a0')}.json", []
        following: str | None = ""
        while following is not None:
            asked = path if following == "" else f"{path}?history={following}"
            past = json.loads((await solo.get(asked))[1])["past"]
            cursors += [line["cursor"] for line in past["lines"]]
            assert len(past["lines"]) <= HISTORY_SHOWN_MAX
            following = past["next"]

        assert len(cursors) == len(set(cursors)) == 25
        assert (await solo.get(f"{path}?history=none"))[0] == 400


async def test_an_asset_shows_its_holders_by_kind_and_no_name(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        _, html = await shown.get(f"/assets/{BILL}")
        past = json.loads((await shown.get(f"/assets/{BILL}.json"))[1])["past"]

        assert {each["kind"]: each["holders"] for each in past["classes"]} == {
            "institution": 1,
            "bank": 1,
        }
        assert past["holders"] == 2
        assert shown.holder not in html
        (chart,) = Parsed(html).all("svg")
        assert "on the last day 2" in (chart["aria-label"] or "")


async def test_the_overview_says_to_how_many_holders_what_was_issued(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        solo = shown.solo
        content = json.loads((await shown.get("/index.json"))[1])
        assert content["holders"].keys() == {each["asset"] for each in content["assets"]}
        assert content["holders"][BILL] == 2
        page = Parsed((await shown.get("/ur"))[1])
        assert catalogues()["ur"].text("holders") in page.text

        moved = Transfer(
            account=address_of(BANK, "a0"), to=address_of(BANK, "a2"), asset=BILL, amount=500_000
        )
        await solo.town.decide(solo.town.sign(solo.town.body([moved], ["a0"]), ["a0"]))
        await solo.indexed()
        # Kept for a while, however often blocks come.
        assert json.loads((await shown.get("/index.json"))[1])["holders"][BILL] == 2
        solo.town.clock.advance(HOLDERS_KEPT_MS)
        assert json.loads((await shown.get("/index.json"))[1])["holders"][BILL] == 3


async def test_text_is_found_and_shown_as_text(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        status, html = await shown.get("/search?q=harvest")
        assert status == 200
        assert f"/transactions/{shown.paid}" in html
        found = json.loads((await shown.get("/search.json?q=onclick+alert"))[1])["texts"]
        assert any(MARK in each["text"] for each in found)
        page = Parsed((await shown.get("/search?q=onclick+alert"))[1])
        check_strict(page, "search")


async def test_text_is_found_with_what_its_transaction_does(tmp_path: Path) -> None:
    async with plain(index=tmp_path / "index.sqlite") as shown:
        memo = "Rent of <b>November</b>"
        await pay(shown.solo.town, memo)
        await shown.solo.indexed()
        (found,) = json.loads((await shown.get("/search.json?q=rent"))[1])["texts"]
        html = (await shown.get("/search?q=rent"))[1]
        urdu = (await shown.get("/ur/search?q=rent"))[1]

    assert found["text"] == memo
    assert found["line"]["id"] == found["name"]
    assert found["line"]["first"]["sentence"] in Parsed(html).text
    assert "<mark>Rent</mark> of &lt;b&gt;November&lt;/b&gt;</bdi>" in html
    for page in (html, urdu):
        check_strict(Parsed(page), "/search")
        check_accessible(Parsed(page), "/search")


async def test_what_was_written_is_shown_field_by_field_with_what_it_is(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        texts = {
            query: json.loads((await shown.get(f"/search.json?q={query}"))[1])["texts"]
            for query in ("vaa", "treasury")
        }
        html = (await shown.get("/search?q=vaa"))[1]
        urdu = (await shown.get("/ur/search?q=vaa"))[1]

    (revoked,) = texts["vaa"]
    assert revoked["text"] != "VAA-2026/17"
    assert revoked["written"] == [{"field": "legal_reference", "text": "VAA-2026/17"}]
    (named,) = [each for each in texts["treasury"] if each["name"] == BILL]
    assert [each["field"] for each in named["written"]] == ["name", "issuer"]
    assert named["written"][1]["text"] == "finance-ministry"
    for language, page in (("en", html), ("ur", urdu)):
        label = catalogues()[language].text("legal-reference")
        assert f"{label}: VAA-2026/17 ·" in Parsed(page).text
        assert EXCHANGE not in Parsed(page).text.partition("VAA-2026/17")[2]


def test_words_that_were_looked_for_are_marked_and_shown_wherever_they_stand() -> None:
    showing = Showing(catalogues()["en"], "")
    far = "Rent " + "and " * 50 + "RENTAL, rented; cur\u0000rent"

    assert showing.found(far, "rental") == ("<bdi>…<mark>RENTAL</mark>, rented; cur\\x00rent</bdi>")
    assert showing.found(far, "rent").startswith("<bdi><mark>Rent</mark> and and")
    assert (
        showing.found("Änderung <x>", "änd X")
        == "<bdi><mark>Änderung</mark> &lt;<mark>x</mark>&gt;</bdi>"
    )
    assert showing.found("کرایہ نومبر", "نومبر") == "<bdi>کرایہ <mark>نومبر</mark></bdi>"
    assert showing.found("plain", ", .") == "<bdi>plain</bdi>"


async def pay(town: Town, *memos: str) -> None:
    """Decide a block of transfers with these memos."""
    paid = Transfer(account=address_of(BANK, "a0"), to=address_of(BANK, "a1"), asset=CASH, amount=1)
    bodies = [replace(town.body([paid], ["a0"]), memo=memo) for memo in memos]
    await town.decide(*(town.sign(body, ["a0"]) for body in bodies))


async def texts_of(shown: Stage, path: str) -> tuple[list[str], str | None, Parsed]:
    """Return what a page of a search shows, and its link to older texts."""
    page = Parsed((await shown.get(path))[1])
    check_strict(page, path)
    check_accessible(page, path)
    assert page.faults == []
    found = json.loads((await shown.get(path.replace("/search", "/search.json")))[1])
    (link,) = [each["href"] for each in page.all("a") if each.get("rel") == "next"] or [None]
    assert (link is None) is (found["next"] is None)
    return [each["text"] for each in found["texts"]], link, page


async def test_more_texts_than_a_page_shows_are_on_the_next_ones(tmp_path: Path) -> None:
    async with plain(index=tmp_path / "index.sqlite") as shown:
        memos = [f"harvest {number}" for number in range(2 * TEXTS_SHOWN_MAX + 3)]
        await pay(shown.solo.town, *memos)
        await shown.solo.indexed()
        written: list[str] = []
        link: str | None = "/search?q=harvest"
        pages = 0
        while link is not None:
            texts, link, _ = await texts_of(shown, link)
            written += texts
            pages += 1
        refused, _ = await shown.get("/search?q=harvest&before=yesterday")

    assert sorted(written) == sorted(memos)
    assert pages == 3
    assert refused == 400


async def test_words_that_are_seldom_together_are_looked_for_further_back_on_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    postgres = pytest.importorskip("node.index.postgres", reason="asyncpg is not installed")
    monkeypatch.setattr("node.index.starts.WALKED_FIRST", 16)
    monkeypatch.setattr("node.index.starts.WALKED_MAX", 16)
    with postgres_server() as server:
        database = postgres.PostgresDatabase(server.new_database())
        async with plain(index=database) as shown:
            town = shown.solo.town
            await pay(town, "wheat and maize")
            await pay(town, *("wheat", "maize") * 18)
            await shown.solo.indexed()
            further = catalogues()["en"].text("texts-further-back")
            link: str | None = "/search?q=wheat+maize"
            for expected in ([], ["wheat and maize"]):
                assert link is not None
                texts, link, page = await texts_of(shown, link)
                assert texts == expected
                assert (further in page.text) is (not expected)
                assert catalogues()["en"].text("nothing-found") not in page.text
            assert link is None


async def test_without_an_index_pages_say_what_is_missing() -> None:
    async with stage() as shown:
        for path in (f"/accounts/{shown.holder}", f"/assets/{BILL}"):
            status, html = await shown.get(path)
            assert status == 200
            assert catalogues()["en"].text("no-index") in Parsed(html).text
            assert json.loads((await shown.get(path + ".json"))[1])["past"] is None
        assert json.loads((await shown.get("/search.json?q=harvest"))[1])["texts"] == []
        status, html = await shown.get("/")
        assert status == 200
        assert catalogues()["en"].text("no-index") in Parsed(html).text
        assert json.loads((await shown.get("/index.json"))[1])["holders"] is None


async def decide_proposals(shown: Stage) -> dict[str, str]:
    """Let a proposal end in each way there is; return their ids by how they ended."""
    town = shown.solo.town
    ends = {"applied": shown.proposal}
    for end, value in (("refused", 10**12), ("withdrawn", 16), ("expired", 16)):
        proposed = Propose(
            account=CENTRAL,
            operations=encode(
                (
                    SetParameter(
                        account=CENTRAL,
                        approvers=(),
                        parameter="proposals-open-max",
                        value=value,
                    ),
                )
            ),
            expires_ms=town.clock.now_ms() + 3_600_000,
        )
        committed = await town.decide(town.transaction([proposed], ["central-bank"]))
        (event,) = committed.candidate.receipts[0].events
        assert isinstance(event, Proposed)
        ends[end] = event.proposal.hex()
    for end in ("applied", "refused"):
        for account, office in ((MINISTRY, OFFICES[1]), (REGULATOR, OFFICES[2])):
            approve = Approve(account=account, proposal=bytes.fromhex(ends[end]))
            await town.decide(town.transaction([approve], [office]))
    withdraw = Withdraw(account=CENTRAL, proposal=bytes.fromhex(ends["withdrawn"]))
    await town.decide(town.transaction([withdraw], ["central-bank"]))
    town.clock.advance(3_600_000)
    await town.decide()
    return ends


async def test_a_decided_proposal_keeps_its_page(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        _, html = await shown.get(f"/proposals/{shown.proposal}")
        assert catalogues()["en"].text("proposal-open") in Parsed(html).text
        ends = await decide_proposals(shown)
        await shown.solo.indexed()
        assert (await shown.solo.call("khz_proposals"))["proposals"] == []

        for state, proposal in ends.items():
            path = f"/proposals/{proposal}"
            content = json.loads((await shown.get(path + ".json"))[1])
            assert content["state"] == state
            assert content["proposer"] == "central-bank"
            assert content["operations"][0]["fields"]["parameter"] == "proposals-open-max"
            approved = state in {"applied", "refused"}
            assert content["approvals"] == [*OFFICES][: 3 if approved else 1]
            assert [line["event"]["type"] for line in content["past"]["lines"]][-1] == "proposed"
            for language in LANGUAGES:
                status, html = await shown.get(ROOTS[language] + path)
                page = Parsed(html)
                assert status == 200, state
                assert page.faults == [], state
                assert catalogues()[language].text(f"proposal-{state}") in page.text
                assert content["past"]["lines"][-1]["transaction"] in html
                check_accessible(page, state)
                check_strict(page, state)
            location = (await shown.get(f"/search.json?q={proposal}"))[1]
            assert json.loads(location)["matches"] == [{"kind": "proposals", "name": proposal}]
        # An id that only begins like one is another.
        other = proposal[:40] + "0" * 24
        assert (await shown.get(f"/proposals/{other}"))[0] == 404
        async with Client(shown.solo.url) as client:
            past = [each async for each in client.index.proposal_history(ends["applied"])]
        assert [each.event and each.event["type"] for each in past] == [
            "proposal_applied",
            "approved",
            "approved",
            "proposed",
        ]


async def test_a_participant_shows_its_accounts_licences_and_what_it_issues(
    tmp_path: Path,
) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        said: dict[str, list[str]] = {}
        for name in ("karakoram-bank", EXCHANGE, "finance-ministry", "chenab-bank"):
            content = json.loads((await shown.get(f"/participants/{name}.json"))[1])
            said[name] = [line["event"]["type"] for line in content["past"]["lines"]]
            for language in LANGUAGES:
                _, html = await shown.get(f"{ROOTS[language]}/participants/{name}")
                page = Parsed(html)
                assert page.faults == [], name
                check_accessible(page, name)
                check_strict(page, name)
                assert len(html.encode()) < PAGE_BYTES_MAX
                for address in content["founded"]:
                    assert f"{ROOTS[language]}/accounts/{address}" in page.links()
        _, html = await shown.get("/participants/karakoram-bank")
        account = shown.solo.network.render_address(
            account_address("karakoram-bank", single_signer(key("karakoram").public_key), SALT)
        )
        ministry = json.loads((await shown.get("/participants/finance-ministry.json"))[1])
        async with Client(shown.solo.url) as client:
            past = [each async for each in client.index.participant_history(EXCHANGE)]

        assert f"/accounts/{account}" in Parsed(html).links()
        assert said["karakoram-bank"] == ["account_opened", "participant_registered"]
        assert said["chenab-bank"] == ["participant_registered"]
        assert said[EXCHANGE][0] == "licence_revoked"
        assert said[EXCHANGE][-2:] == ["licence_granted", "participant_registered"]
        assert "asset_defined" in said["finance-ministry"]
        assert ministry["founded"] == [shown.solo.network.render_address(MINISTRY)]
        assert [each.event and each.event["type"] for each in past] == said[EXCHANGE]


async def test_the_past_of_a_participant_goes_on_by_its_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.explorer.past.HISTORY_SHOWN_MAX", 1)
    async with stage(index=tmp_path / "index.sqlite") as shown:
        path = "/participants/karakoram-bank"
        first = json.loads((await shown.get(f"{path}.json"))[1])["past"]
        older = json.loads((await shown.get(f"{path}.json?history={first['next']}"))[1])["past"]
        page = Parsed((await shown.get(path))[1])
        status, _ = await shown.get(f"{path}?history=yesterday")

    assert [each["event"]["type"] for each in first["lines"]] == ["account_opened"]
    assert [each["event"]["type"] for each in older["lines"]] == ["participant_registered"]
    assert older["next"] is None
    assert f"{path}?history={first['next']}&via=" in page.links()
    assert status == 400


async def test_accounts_of_the_genesis_are_shown_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with plain() as shown:
        path = "/participants/finance-ministry.json"
        some = json.loads((await shown.get(path))[1])
        monkeypatch.setattr("node.explorer.reading.FOUNDED_SHOWN_MAX", 0)
        none = json.loads((await shown.get(path))[1])
        monkeypatch.undo()
        monkeypatch.setattr("node.explorer.reading.FOUNDING_READ_MAX", 0)
        unread = json.loads((await shown.get(path))[1])

    assert len(some["founded"]) == 1
    assert none["founded"] == unread["founded"] == []
    assert some["past"] is None


async def test_an_old_block_is_found_by_its_id(tmp_path: Path) -> None:
    async with stage(index=tmp_path / "index.sqlite") as shown:
        explorer = shown.solo.server._pages
        assert isinstance(explorer, Explorer)
        explorer._hour._recent.clear()
        explorer._hour._heights.clear()  # as after a start
        block = (await shown.solo.call("khz_block", {"height": 2}))["id"]
        for text, matches in (
            (block, [{"kind": "blocks", "name": "2"}]),
            (block[:40] + "0" * 24, []),
        ):
            found = json.loads((await shown.get(f"/search.json?q={text}"))[1])
            assert found["matches"] == matches
