"""The pages in a real browser: Debian's Chromium, driven by Playwright.

Both are left out of the locked development tools, as 165 MB and a browser are much for those who
never touch a page: `pip install '.[browser]'` and `apt-get install chromium`. Where one is missing
these tests skip and say which.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from node.codec import replace
from node.explorer import Explorer
from node.explorer.limits import OPERATIONS_SHOWN_MAX
from node.ledger.protocol import LATEST_VERSION
from node.proofs import ProofError, verify_proof_file
from tests.chain.town import CASH, make_record
from tests.explorer.desks import BusyDesk
from tests.explorer.forging import forgeries, spelled
from tests.explorer.looking import HEARD, LIES, REACHABLE, REACHED, READ
from tests.explorer.marking import MARK, marked_operations, texts_of
from tests.explorer.stage import BILL, ISIN, Stage, stage
from tests.explorer.test_past import decide_proposals
from tests.rpc.solo import solo_node

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

NOTE_SENT = """document.addEventListener("htmx:sse:before:message", () => {
  document.body.dataset.sent = "";
})"""
MADE = "main :is(b, script, i, img)"
"""What no page of ours has in its content, and markup would make."""
PHONE = {"width": 360, "height": 800}
DESK = {"width": 1200, "height": 900}
PATIENCE_MS = 90_000
"""Against what hangs: a browser takes long on a machine that others load too."""


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    """Run a browser; skip where there is none."""
    playwright = pytest.importorskip(
        "playwright.async_api", reason="no browser driver: pip install '.[browser]'"
    )
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no browser: apt-get install chromium")
    async with playwright.async_playwright() as driver:
        # The sandbox needs more of the system than containers give; only our own pages are shown.
        running = await driver.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=PATIENCE_MS
        )
        running.on("context", lambda context: context.set_default_timeout(PATIENCE_MS))
        try:
            yield running
        finally:
            await running.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Any]:
    """The browser of all these tests."""
    async with browser() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(running: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:  # noqa: ARG001
    """The node of most of them, with an index and a desk: only where there is a browser."""
    root = tmp_path_factory.mktemp("node")
    async with stage(index=root / "index.sqlite", desk=BusyDesk()) as started:
        yield started


@contextlib.asynccontextmanager
async def opened(running: Any, url: str, **settings: Any) -> AsyncIterator[tuple[Any, list[str]]]:
    """Open a page of a node in a window of its own; yield it and what it complained of."""
    context = await running.new_context(base_url=url, **settings)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
    page.on("requestfailed", lambda request: complaints.extend(_told_of(request)))
    try:
        yield page, complaints
    finally:
        await context.close()


def _told_of(request: Any) -> list[str]:
    """Return what is to be told of a failed `request`: nothing where leaving the page ended it.

    A browser gives up what an old page still asks for, its stream of blocks or an icon, when a
    new page comes. What the node refused or broke, and what the content policy forbade, fails
    by another name.
    """
    if request.failure == "net::ERR_ABORTED":
        return []
    return [f"failed: {request.url}: {request.failure}"]


@pytest.mark.parametrize("root", ["", "/ur"])
async def test_every_page_is_for_a_phone_a_keyboard_a_screen_reader_and_both_schemes(
    running: Any, node: Stage, root: str
) -> None:
    paths = {**node.paths, "development": "/development", "several": "/search?q=c"}
    found: list[str] = []
    async with opened(running, node.solo.url, viewport=PHONE) as (page, complaints):
        for name, path in paths.items():
            answer = await page.goto(root + path, wait_until="load")
            for asked in (LIES, HEARD, READ):
                found += [f"{name}: {each}" for each in await page.evaluate(asked)]
            await page.emulate_media(color_scheme="dark")
            found += [f"{name}, dark: {each}" for each in await page.evaluate(READ)]
            await page.emulate_media(color_scheme="light")
            turns = await page.evaluate(REACHABLE)
            assert turns > 15, name
            await asyncio.gather(*(page.keyboard.press("Tab") for _ in range(turns)))
            found += [f"{name}: {each}" for each in await page.evaluate(REACHED)]
            # The browser tells of the status.
            found += [f"{name}: {each}" for each in complaints[answer.status == 404 :]]
            complaints.clear()
    assert found == [], "\n".join(found)


async def test_a_decided_proposal_is_for_a_phone(running: Any, tmp_path: Path) -> None:
    found: list[str] = []
    async with stage(index=tmp_path / "index.sqlite") as shown:
        ends = await decide_proposals(shown)
        await shown.solo.indexed()
        async with opened(running, shown.solo.url, viewport=PHONE) as (page, _):
            for path in (
                f"{root}/proposals/{each}" for root in ("", "/ur") for each in ends.values()
            ):
                await page.goto(path)
                for asked in (LIES, HEARD, READ):
                    found += [f"{path}: {each}" for each in await page.evaluate(asked)]
    assert len(ends) >= 4
    assert found == [], "\n".join(found)


async def test_an_open_page_shows_a_new_block_and_can_be_paused(running: Any, node: Stage) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        town = node.solo.town
        await page.goto("/")

        await town.decide()
        height = town.chain.head.height
        await page.wait_for_selector(f"#now a[href='/blocks/{height}']")

        await page.get_by_role("button", name="Pause").click()
        assert await page.get_by_role("button", name="Go on").is_visible()
        await town.decide()
        await page.get_by_role("button", name="Go on").click()
        await town.decide()
        await page.wait_for_selector(f"#now a[href='/blocks/{height + 2}']")
        assert complaints == []


async def test_a_new_block_takes_the_focus_from_nobody(running: Any, node: Stage) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, _):
        town = node.solo.town
        await page.goto("/ur")
        await page.evaluate(NOTE_SENT)
        await page.keyboard.press("Tab")
        await page.locator("#now a").first.focus()
        there = await page.evaluate("document.activeElement.getAttribute('href')")

        await town.decide()
        await page.wait_for_selector("body[data-sent]")
        assert await page.evaluate("document.activeElement.getAttribute('href')") == there

        await page.get_by_role("searchbox").focus()
        await town.decide()
        await page.wait_for_selector(f"#now a[href='/ur/blocks/{town.chain.head.height}']")
        assert await page.evaluate("document.activeElement.id") == "q"


async def test_charts_tell_what_is_pointed_at_and_what_the_arrow_keys_reach(
    running: Any, node: Stage
) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        await page.goto("/ur")
        content = json.loads((await node.get("/index.json"))[1])
        minute = content["hour"][-1]
        expected = f"{minute['time'][11:16]} UTC: {minute['transactions']}"
        figure = page.locator("figure[data-values]").first
        note = figure.locator("figcaption .note")
        before = await note.inner_text()
        assert await page.locator(".pointed canvas").count() == 6
        assert await page.locator("svg.chart").count() == 0

        await figure.scroll_into_view_if_needed()
        area = await figure.locator(".u-over").bounding_box()
        await page.mouse.move(area["x"] + area["width"] - 2, area["y"] + 20)
        await note.filter(has_text=expected).wait_for()
        await page.mouse.move(0, 0)
        await note.filter(has_text=before).wait_for()
        await figure.locator(".pointed").focus()
        await page.keyboard.press("Home")
        await note.filter(has_text=f"{content['hour'][0]['time'][11:16]} UTC: 0").wait_for()
        await page.keyboard.press("End")
        await note.filter(has_text=expected).wait_for()
        await page.keyboard.press("Tab")
        await note.filter(has_text=before).wait_for()
        assert complaints == []


async def test_a_keyboard_is_enough(running: Any, node: Stage) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        await page.goto("/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.getAttribute('href')") == "#content"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/#content")

        await page.get_by_role("searchbox").focus()
        await page.keyboard.type(ISIN)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")

        assert page.url.endswith(f"/assets/{BILL}")
        assert BILL in await page.locator("h1").inner_text()
        await page.locator("nav a", has_text="Blocks").focus()
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url.endswith("/blocks")

        await page.goto(node.paths["transaction"])
        fields = page.locator("details").first
        await fields.locator("summary").focus()
        await page.keyboard.press("Enter")
        assert await fields.get_attribute("open") == ""
        await page.keyboard.press("Space")
        assert await fields.get_attribute("open") is None
        assert complaints == []


async def test_an_id_is_copied_and_a_moment_told_by_its_age(running: Any, node: Stage) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    async with opened(running, node.solo.url, viewport=DESK, permissions=allowed) as (page, told):
        await page.goto(f"/ur/transactions/{node.paid}")
        await page.locator("button.copy").first.focus()
        await page.keyboard.press("Enter")
        await page.locator("button.copy", has_text="نقل ہو گیا").wait_for()

        assert await page.evaluate("navigator.clipboard.readText()") == node.paid
        ages = await page.locator(".age").all_inner_texts()
        assert len(ages) == 2, "of the block, and of the end of its validity"
        assert all("پہلے" in age for age in ages), ages
        assert told == []


async def test_no_block_is_of_the_future_where_the_ledger_is_ahead(
    running: Any, node: Stage
) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, told):
        await page.clock.set_fixed_time("2000-01-01T00:00:00Z")
        await page.goto("/blocks/1")

        (age,) = await page.locator(".age").all_inner_texts()

        assert age.endswith(("ago)", "(now)")), age
        assert told == []


async def test_without_script_the_pages_are_whole(running: Any, node: Stage) -> None:
    async with opened(running, node.solo.url, viewport=DESK, java_script_enabled=False) as (
        page,
        complaints,
    ):
        await page.goto("/ur")
        height = node.solo.town.chain.head.height
        assert str(height) in await page.locator("#now .figure").first.inner_text()
        assert await page.locator("svg.chart").count() == 6
        assert not await page.locator("#pause").is_visible()

        await page.get_by_role("searchbox").fill(node.paid)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")

        assert page.url.endswith(f"/ur/transactions/{node.paid}")
        await page.get_by_role("link", name="English").click()
        assert page.url.endswith(f"/transactions/{node.paid}")
        assert "/ur/" not in page.url
        assert complaints == []


async def test_markup_in_every_text_field_of_every_operation_is_text(running: Any) -> None:
    """Of refused transactions too: whatever was signed is in the block, and its page shows it."""
    operations = marked_operations()
    record = make_record(validators=1, protocol_version=LATEST_VERSION)
    async with solo_node(settled=False, record=record, pages=Explorer) as solo:
        town = solo.town
        await town.settle(1)
        bodies = [
            replace(town.body(operations[at : at + OPERATIONS_SHOWN_MAX], ["a0"]), memo=MARK)
            for at in range(0, len(operations), OPERATIONS_SHOWN_MAX)
        ]
        committed = await town.decide(*(town.sign(body, ["a0"]) for body in bodies))
        ids = [each.hex() for each in committed.candidate.transaction_ids]
        context = await running.new_context(base_url=solo.url)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.on("console", lambda message: complaints.append(message.text))
        page.on(
            "request",
            lambda request: complaints.append(request.url) if "=x" in request.url else None,
        )
        for place, (identifier, body) in enumerate(zip(ids, bodies, strict=True)):
            await page.goto(f"{('', '/ur')[place % 2]}/transactions/{identifier}")
            shown = await page.evaluate("document.querySelector('main').textContent")

            assert await page.locator(MADE).count() == 0, identifier
            for text in texts_of(body):
                assert text in shown, f"{identifier}: {text}"
        await page.goto(f"/blocks/{town.chain.head.height}")
        assert await page.locator(MADE).count() == 0
        assert complaints == []


# Proofs.


async def proof_of(node: Stage, asset: str = CASH) -> str:
    found = await node.solo.call(
        "khz_prove", {"kind": "holding", "address": node.holder, "name": asset}
    )
    file: str = found["file"]
    return file


DROP = """(text) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "proof.json", { type: "application/json" }));
  const event = { dataTransfer: carried, bubbles: true, cancelable: true };
  document.getElementById("proof").dispatchEvent(new DragEvent("drop", event));
}"""
"""Drop a file with this text where a proof is pasted."""


async def judged(page: Any, proof: str | None) -> tuple[str, str]:
    """What the page says of a file: whether it holds, and what it proves or why not."""
    await page.evaluate("document.getElementById('verdict').hidden = true")
    if proof is not None:
        await page.get_by_label("Paste the proof file").fill(proof)
    await page.get_by_role("button", name="Verify").click()
    await page.wait_for_selector("#verdict:not([hidden])")
    verdict = page.locator("#verdict")
    kind = "good" if "good" in (await verdict.get_attribute("class")).split() else "bad"
    return kind, await verdict.inner_text()


async def test_a_proof_is_verified_in_the_browser_and_says_what_the_command_says(
    running: Any, node: Stage
) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        await page.goto("/verify")
        for asset in (CASH, BILL, "NOTHING-OF-IT"):
            proof = await proof_of(node, asset)
            expected = verify_proof_file(proof, node.solo.town.genesis).statement

            kind, text = await judged(page, proof)

            assert (kind, "It is true." in text) == ("good", True), text
            assert expected in text
        await page.goto("/ur/verify")
        await page.locator("#proof").fill(await proof_of(node))
        await page.locator("form#verify button").click()
        says = await page.locator("#verdict.good .says").inner_text()
        assert node.holder in says
        assert "دستیاب" in says
        assert complaints == []


async def test_a_proof_file_is_chosen_or_dropped(running: Any, node: Stage, tmp_path: Path) -> None:
    expect = pytest.importorskip("playwright.async_api").expect
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        file = tmp_path / "proof.json"
        file.write_text(await proof_of(node))
        statement = verify_proof_file(file.read_bytes(), node.solo.town.genesis).statement
        await page.goto("/verify")

        pasted = page.get_by_label("Paste the proof file")
        await page.get_by_label("Or choose it").set_input_files(file)
        await expect(pasted).not_to_have_value("")
        assert statement in (await judged(page, None))[1]
        await pasted.fill("")
        await page.evaluate(DROP, file.read_text())
        await expect(pasted).not_to_have_value("")
        assert statement in (await judged(page, None))[1]
        assert complaints == []


async def test_a_proof_across_changes_of_the_validators_is_verified(running: Any) -> None:
    async with (
        stage(validators=4) as node,
        opened(running, node.solo.url, viewport=DESK) as (page, _),
    ):
        town = node.solo.town
        await town.decide(town.remove_validator("central-bank"))
        await town.decide()
        await town.decide(town.rotate_validator("crypto-council"))
        await town.decide()
        await town.decide()
        proof = await proof_of(node)
        assert len(json.loads(proof)["handovers"]) == 2
        await page.goto("/verify")

        kind, text = await judged(page, proof)

        assert kind == "good", text
        forged = json.loads(proof)
        forged["handovers"].pop(0)
        assert (await judged(page, spelled(forged)))[0] == "bad"


async def test_a_forged_proof_is_refused_in_the_browser_as_by_the_command(
    running: Any, node: Stage
) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, complaints):
        proof = await proof_of(node)
        await page.goto("/verify")
        for name, forged in forgeries(proof).items():
            with pytest.raises(ProofError):
                verify_proof_file(forged, node.solo.town.genesis)

            kind, text = await judged(page, forged)

            assert (kind, "true" in text) == ("bad", False), f"{name}: {text}"
        assert complaints == []


async def test_a_proof_is_refused_under_a_genesis_that_is_not_trusted(
    running: Any, node: Stage
) -> None:
    async with opened(running, node.solo.url, viewport=DESK) as (page, _):
        await page.goto("/verify")
        await page.get_by_label("The genesis hash that you trust").fill("0" * 64)

        kind, text = await judged(page, await proof_of(node))

        assert kind == "bad"
        assert "another hash than the one you trust" in text
