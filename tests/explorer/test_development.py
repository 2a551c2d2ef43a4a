"""The page that acts: where it is, whom it obeys, and what it does on a network that runs."""

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import msgspec
import pytest
from aiohttp import HttpVersion, HttpVersion10, HttpVersion11
from aiohttp.test_utils import make_mocked_request

from node.access import Role
from node.cli.demo.debt import playing as debt
from node.cli.devnet.desk import (
    FAUCET_PER_MINUTE_MAX,
    FAUCET_RUPEES_MAX,
    PLAYS,
    TRAVEL_DAYS_MAX,
    DevnetDesk,
)
from node.cli.exits import CommandError, Exit
from node.cli.start import _open_desk
from node.client import Client
from node.clock import ManualClock, SystemClock
from node.codec import replace
from node.config import DevelopmentConfig, NodeConfig, TlsConfig
from node.explorer import Explorer
from node.explorer.catalogues import catalogues
from node.explorer.contents import (
    CheckLine,
    PlayLine,
    Run,
    RunRefusal,
    StepLine,
)
from node.explorer.development import FORWARDING, Deny, _is_near
from node.explorer.face import Face
from node.explorer.limits import (
    DESK_BODY_BYTES_MAX,
    DESK_FIELDS_MAX,
    DESK_TRANSACTIONS_SHOWN_MAX,
    EVENTS_SHOWN_MAX,
    PAGE_BYTES_MAX,
    RUN_CHECKS_MAX,
    RUN_LINE_CHARACTERS_MAX,
    RUN_LINES_MAX,
    RUN_TRANSACTIONS_MAX,
    RUNS_KEPT_MAX,
)
from node.explorer.refusals import PageRefusal
from node.ledger.operations import PlaceHold, Transfer
from node.provision.description import NetworkDescription
from node.provision.funding import founders, fund
from node.provision.local import LocalNetwork, create_network
from node.provision.reference import INSTITUTIONS, reference_network
from tests.chain.town import BANK, CASH, address_of, make_town
from tests.cli.running import khazana
from tests.explorer.desks import QuietDesk
from tests.explorer.test_browser import DESK, browser
from tests.ports import own_ports
from tests.rpc.solo import Solo, solo_node

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def describe(name: str) -> NetworkDescription:
    ports = own_ports(2 * len(INSTITUTIONS))
    pairs = {each: (ports[2 * n], ports[2 * n + 1]) for n, each in enumerate(INSTITUTIONS)}
    return reference_network(name, ports=pairs, development=True)


@contextlib.asynccontextmanager
async def quiet(**settings: Any) -> AsyncIterator[tuple[Solo, QuietDesk]]:
    desk = QuietDesk(**settings)
    async with solo_node(pages=partial(Explorer, desk=desk)) as solo:
        yield solo, desk


async def send(
    solo: Solo, body: str | bytes, *, headers: Mapping[str, str] | None = None, origin: str = ""
) -> int:
    async with solo.session.post(
        f"{solo.url}/development",
        data=body,
        headers={**FORM, "Origin": origin or solo.url, **(headers or {})},
        allow_redirects=False,
    ) as response:
        return response.status


async def token_of(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        found = re.search(r'name="token" value="([^"]+)"', await response.text())
        # Without it a browser says nothing of where its form comes from.
        assert response.headers["Referrer-Policy"] == "same-origin"
    assert found is not None
    return found[1]


async def test_a_node_without_a_desk_has_no_such_page() -> None:
    async with solo_node(pages=Explorer) as solo:
        for path in ("/development", "/ur/development", "/development.json"):
            async with solo.session.get(solo.url + path) as response:
                assert response.status == 404
            async with solo.session.post(solo.url + path, data="act=faucet") as response:
                assert response.status == 405
        async with solo.session.get(solo.url) as response:
            assert "/development" not in await response.text()


async def test_a_form_is_taken_from_this_very_page_alone() -> None:
    async with quiet() as (solo, desk):
        token = await token_of(solo.session, f"{solo.url}/development")
        good = f"act=faucet&amount=1&token={token}"

        for origin in ("null", "http://evil.example", solo.url.replace("http", "https"), "x"):
            assert await send(solo, good, origin=origin) == 403
        async with solo.session.post(f"{solo.url}/development", data=good, headers=FORM) as answer:
            assert answer.status == 403, "no Origin at all"
        assert await send(solo, "act=faucet&amount=1") == 403
        assert await send(solo, "act=faucet&amount=1&token=x%C3%A4") == 403
        assert await send(solo, good, headers={"Content-Type": "text/plain"}) == 415
        assert await send(solo, good + "&a=" + "x" * DESK_BODY_BYTES_MAX) == 413
        assert await send(solo, good + "&a=b" * DESK_FIELDS_MAX) == 400
        assert await send(solo, b"\xff=\xff") == 400
        assert desk.asked == []

        assert await send(solo, good) == 303
        assert desk.asked == [{"act": "faucet", "amount": "1", "token": token}]


async def test_the_desk_does_one_thing_at_a_time_and_gives_so_often_a_minute(
    tmp_path: Path,
) -> None:
    """Of a network whose nodes do not run: what is begun fails, and was begun."""
    clock, form = ManualClock(), {"act": "faucet", "amount": "1"}
    create_network(tmp_path / "network", describe("quiet"), now_ms=clock.now_ms())
    async with DevnetDesk(tmp_path / "network", clock, everywhere=False) as desk:

        async def refusal() -> tuple[int, str | None]:
            with pytest.raises(PageRefusal) as refused:
                await desk.begin(form, Mock())
            return refused.value.status, refused.value.expected

        for _ in range(FAUCET_PER_MINUTE_MAX):
            await desk.begin(form, Mock())
            assert desk._acting is not None
            assert await refusal() == (409, Deny.BUSY)
            await desk._acting
        assert await refusal() == (429, Deny.TOO_OFTEN)
        told = catalogues()["en"].text(Deny.TOO_OFTEN, most=FAUCET_PER_MINUTE_MAX)
        assert "10 times a minute" in told
        clock.advance(60_000)
        await desk.begin(form, Mock())


async def test_where_no_transactions_are_taken_no_form_is() -> None:
    async with quiet() as (solo, desk):
        token = await token_of(solo.session, f"{solo.url}/development")
        port = await solo.server.start("127.0.0.1", 0, role=Role.PUBLIC)
        url = f"http://127.0.0.1:{port}"
        body = f"act=faucet&token={token}"

        async with solo.session.post(
            f"{url}/development", data=body, headers={**FORM, "Origin": url}
        ) as response:
            assert response.status == 403
        assert desk.asked == []


async def test_the_page_stays_small_with_as_much_as_there_can_be() -> None:
    async with quiet() as (solo, desk):
        town = solo.town
        for number in range(1 + EVENTS_SHOWN_MAX):
            hold = PlaceHold(
                account=address_of("central-bank", "central-bank"),
                approvers=(),
                holder=address_of(BANK, "a0"),
                asset=CASH,
                amount=1,
                reason="it ends",
                legal_reference="C-1/2026",
                expires_ms=town.clock.now_ms() + 60_000 + number,
            )
            made = town.sign(town.body([hold], ["central-bank"]), ["central-bank"])
            await town.decide(made)
        transfer = Transfer(
            account=address_of(BANK, "a0"), to=address_of(BANK, "a1"), asset=CASH, amount=1
        )
        paid = await town.decide(town.sign(town.body([transfer], ["a0"]), ["a0"]))
        town.clock.advance(61_000)
        await town.decide()
        line = "x" * RUN_LINE_CHARACTERS_MAX
        run = Run(
            number=1,
            act="step",
            play="debt",
            step="redeem",
            state="failed",
            wanted=None,
            address=solo.address("a0"),
            private_key="0" * 64,
            transactions=[paid.candidate.transaction_ids[0].hex()] * RUN_TRANSACTIONS_MAX,
            from_height=0,
            to_height=town.chain.head.height,
            lines=[line] * RUN_LINES_MAX,
            checks=[CheckLine(name=line, holds=False, found=line)] * RUN_CHECKS_MAX,
            refusal=RunRefusal(
                reason=Deny.LEDGER, values={}, outcome="NOTHING_KNOWN", sentence=line
            ),
        )
        desk.view = msgspec.structs.replace(
            desk.view,
            runs=[msgspec.structs.replace(run, number=n) for n in range(RUNS_KEPT_MAX, 0, -1)],
            plays=[
                PlayLine(
                    name=play.name,
                    steps=[StepLine(name=step.name, state="ready") for step in play.steps],
                )
                for play in PLAYS
            ],
        )
        for root in ("", "/ur"):
            async with solo.session.get(f"{solo.url}{root}/development") as response:
                page = await response.text()
                assert response.status == 200
            assert len(page.encode()) < PAGE_BYTES_MAX
            assert page.count("/transactions/") == DESK_TRANSACTIONS_SHOWN_MAX
            assert page.count("<li><p>") >= EVENTS_SHOWN_MAX
        async with solo.session.get(f"{solo.url}/development.json") as response:
            assert len((await response.json())["last"]["events"]) == EVENTS_SHOWN_MAX


@pytest.mark.parametrize(
    ("remote", "host", "near"),
    [
        ("127.0.0.1", "127.0.0.1:26680", True),
        ("127.0.0.1", "localhost:26680", True),
        ("::1", "[::1]:26680", True),
        ("10.0.0.7", "127.0.0.1:26680", False),
        ("127.0.0.1", "devnet.example:26680", False),
        ("127.0.0.1", "10.0.0.7", False),
        ("", "localhost", False),
    ],
)
def test_it_is_there_for_browsers_of_this_machine(remote: str, host: str, near: bool) -> None:
    transport = Mock()
    transport.get_extra_info = lambda name, default=None: (
        (remote, 1) if name == "peername" else default
    )
    request = make_mocked_request("GET", "/", headers={"Host": host}, transport=transport)

    assert _is_near(request) is near


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        *(({name: "192.0.2.7"}, HttpVersion11) for name in FORWARDING),
        ({"x-forwarded-for": ""}, HttpVersion11),
        ({}, HttpVersion10),
    ],
)
def test_whoever_comes_by_a_proxy_of_this_machine_is_not_near(
    headers: dict[str, str], version: HttpVersion
) -> None:
    """Such as nginx with no word of Host, or Caddy and Apache with theirs."""
    transport = Mock()
    transport.get_extra_info = lambda name, default=None: (
        ("127.0.0.1", 1) if name == "peername" else default
    )
    given = {"Host": "127.0.0.1:26680", **headers}
    request = make_mocked_request("GET", "/", headers=given, version=version, transport=transport)

    assert not _is_near(request)


# On a network that runs.


class Running:
    """A development network of one validator, and its page."""

    def __init__(self, network: LocalNetwork, session: aiohttp.ClientSession) -> None:
        self.network = network
        self.session = session
        self.url = network.validators[0].url
        self.token = ""

    async def page(self) -> Any:
        async with self.session.get(f"{self.url}/development.json") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def ask(self, root: str = "", **form: str) -> tuple[int, str]:
        """Press a button; return the status, and the text of a refusal."""
        if not self.token:
            self.token = await token_of(self.session, f"{self.url}/development")
        async with self.session.post(
            f"{self.url}{root}/development",
            data={"token": self.token, **form},
            headers={"Origin": self.url},
            allow_redirects=False,
        ) as response:
            return response.status, await response.text()

    async def done(self) -> Any:
        """Wait until what was begun has ended; return it, and the page."""
        while (page := await self.page())["running"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return page["runs"][0], page

    async def restart(self) -> None:
        await self.network.stop()
        self.network.start(leashed=True)
        await self.network.wait_ready()
        self.token = ""


@contextlib.asynccontextmanager
async def running(root: Path) -> AsyncIterator[Running]:
    ports = own_ports(2 * len(INSTITUTIONS))
    participants, accounts = founders()
    description = reference_network(
        "pressed",
        ports={name: (ports[2 * n], ports[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)},
        development=True,
        participants=participants,
        accounts=accounts,
    )
    one = description.model_copy(update={"validators": description.validators[:1]})
    network = create_network(root, one, now_ms=SystemClock().now_ms(), desk_at=INSTITUTIONS[0])
    try:
        network.start(leashed=True)
        await network.wait_ready()
        async with Client(network.validators[0].url, network=network.genesis) as client:
            await fund(client)
        async with aiohttp.ClientSession() as session:
            yield Running(network, session)
    finally:
        await network.stop()


@pytest.mark.e2e
async def test_what_the_page_does_is_on_the_ledger_and_goes_on_after_a_restart(
    tmp_path: Path,
) -> None:
    """Faucet, travel, and every step of the life of the debt, in both languages in turn."""
    async with running(tmp_path / "network") as here:
        await _faucet(here)
        await _travel(here)
        held = 0
        urdu = face("ur")
        for number, step in enumerate(debt.STEPS):
            if number == 9:
                await here.restart()
            if number == 1:
                status, text = await here.ask(act="step", play="debt", step="trade")
                assert (status, "have to be played first" in text) == (409, True)
                status, text = await here.ask(act="step", play="debt", step="gather")
                assert (status, "was played" in text) == (409, True)
            status, text = await here.ask(
                "/ur" if number % 2 else "", act="step", play="debt", step=step.name
            )
            assert status == 303, text
            run, page = await here.done()

            assert run["state"] == "done", run["refusal"]
            assert [check for check in run["checks"] if not check["holds"]] == []
            held += len(run["checks"])
            for check in run["checks"]:
                assert 'lang="en"' not in urdu.check(check["name"]), check["name"]
            states = [each["state"] for each in page["plays"][1]["steps"]]
            if step.is_played is not None:
                assert states[number] == "done"
                assert states[number + 1] == "ready"
            for each in page["last"]["transactions"]:
                assert each["outcome"]["applied"]
        assert held == 60, "all that the terminal checks, but one of a network of its own"
        assert len((await here.page())["runs"]) == RUNS_KEPT_MAX
        async with here.session.get(f"{here.url}/ur/development") as response:
            assert "آدھا سال" in await response.text()


def face(language: str) -> Face:
    return Face(
        catalogues()[language],
        path=(),
        query={},
        node="",
        height=1,
        ready=True,
        network_note=None,
    )


def test_a_check_is_told_in_the_language_of_the_page_with_what_changes_in_it() -> None:
    told = "nothing acknowledged is lost: <b>crypto-council has every one of them"
    shown = face("ur").check(told)
    assert "<bdi>&lt;b&gt;crypto-council</bdi> کے پاس سب موجود ہیں" in shown
    assert face("ur").check("an issue by the ministry alone is refused").startswith("صرف")
    # Of a later release than the catalogue, and in the language that it is told in.
    assert face("ur").check("<i>anything") == '<bdi lang="en">&lt;i&gt;anything</bdi>'
    assert face("en").check("no bill is left") == '<bdi lang="en">no bill is left</bdi>'


async def _faucet(here: Running) -> None:
    status, _ = await here.ask(act="faucet", amount="10000", address="")
    assert status == 303
    run, page = await here.done()
    assert (run["state"], len(run["private_key"])) == ("done", 64)
    assert "rupee" in page["last"]["transactions"][0]["first"]["sentence"] or run["transactions"]
    async with Client(here.url, network=here.network.genesis) as client:
        assert await client.holding(run["address"], "PKR") == 10_000

        status, _ = await here.ask("/ur", act="faucet", amount="5", address=run["address"])
        assert status == 303
        run, _ = await here.done()
        assert run["private_key"] is None
        assert await client.holding(run["address"], "PKR") == 10_005
        elsewhere = client.network.render_address(bytes(20))
    for amount in ("", "0", "-1", "1.5", "1e3", str(FAUCET_RUPEES_MAX + 1), "\u0661"):
        status, text = await here.ask(act="faucet", amount=amount)
        assert (status, "A whole number of rupees" in text) == (400, True), amount
    status, text = await here.ask(act="faucet", amount="5", address=run["address"][:-1] + "b")
    assert (status, "An address of this network" in text) == (400, True)
    assert "Expected:" not in text, "it is a sentence"
    assert '<p><a href="/development">' in text, "the way back is there"
    status, _ = await here.ask(act="faucet", amount="5", address=elsewhere)
    assert status == 303
    run, _ = await here.done()
    assert (run["state"], run["refusal"]["reason"]) == ("failed", "desk-account")
    assert (await here.ask(act="mint"))[0] == 400
    assert (await here.ask(act="step", play="debt", step="nothing"))[0] == 400


async def _travel(here: Running) -> None:
    today = date.fromisoformat((await here.page())["today"])
    far = today + timedelta(days=TRAVEL_DAYS_MAX + 1)
    for day, status, told in (
        ("tomorrow", 400, "A day is expected"),
        ("20261126", 400, "A day is expected"),
        ("2026-02-30", 400, "A day is expected"),
        (today.isoformat(), 409, "time does not go back"),
        (far.isoformat(), 409, "days pass at once"),
    ):
        found, text = await here.ask(act="travel", to=day)
        assert (found, told in text) == (status, True), day
    status, _ = await here.ask(act="travel", to=(today + timedelta(days=3)).isoformat())
    assert status == 303
    run, page = await here.done()
    assert run["state"] == "done"
    assert run["to_height"] - run["from_height"] >= 3, "each day has a block"
    assert page["today"] == (today + timedelta(days=3)).isoformat()


@pytest.mark.e2e
async def test_a_browser_presses_the_buttons_by_keyboard_and_without_script(
    tmp_path: Path,
) -> None:
    async with browser() as driver, running(tmp_path / "network") as here:
        context = await driver.new_context(base_url=here.url, viewport=DESK)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/")
        await page.locator("nav a", has_text="Development").focus()
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await page.get_by_label("Rupees").focus()
        await page.keyboard.press("Control+A")
        await page.keyboard.type("77")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#done .mark.good")
        assert "77 rupees from the faucet" in await page.locator("#done h2").inner_text()
        assert await page.evaluate("document.activeElement.id") == "done-heading"

        await page.get_by_role("button", name="Let the dates pass").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#done .verdict:has-text('The dates pass until')")
        await page.wait_for_selector("#done .mark.good")

        step = page.locator("section[aria-labelledby=play-debt] li.ready button")
        await step.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("section[aria-labelledby=play-debt] li.done")
        assert await page.locator("#done .acts a[href^='/accounts/']").count() > 0
        assert complaints == []
        await context.close()

        plain = await driver.new_context(
            base_url=here.url, viewport={"width": 390, "height": 800}, java_script_enabled=False
        )
        page = await plain.new_page()
        await page.goto("/ur/development")
        assert await page.locator("html").get_attribute("dir") == "rtl"
        await page.locator("section[aria-labelledby=play-debt] li.ready button").click()
        await page.wait_for_selector("#done .mark.good")  # it has loaded itself again
        await page.wait_for_selector("section[aria-labelledby=play-debt] li:nth-child(2).done")
        assert "2 میں سے 2" in await page.locator("#done .verdict").inner_text()


async def test_a_node_of_no_development_network_does_not_start_with_a_desk(tmp_path: Path) -> None:
    tls = TlsConfig(key=tmp_path / "key", certificate=tmp_path / "certificate")
    config = NodeConfig(name="real", tls=tls, development=DevelopmentConfig(network=tmp_path))
    genesis = make_town().genesis
    genesis = dataclasses.replace(genesis, record=replace(genesis.record, development=False))

    async with contextlib.AsyncExitStack() as stack:
        with pytest.raises(CommandError, match="genesis does not say") as refused:
            await _open_desk(config, genesis, stack)

    assert refused.value.code == Exit.CONFIGURATION


@pytest.mark.e2e
def test_a_desk_without_its_network_is_told_so(tmp_path: Path) -> None:
    root = tmp_path / "network"
    network = create_network(
        root, describe("moved"), now_ms=SystemClock().now_ms(), desk_at=INSTITUTIONS[0]
    )
    (root / "network.json").unlink()

    ran = khazana("start", "--home", network.validators[0].home)

    assert ran.code == Exit.CONFIGURATION
    assert "development.network: there is no network in" in ran.err
