"""`khazana status`: one node, several, and nodes that do not fit together."""

import contextlib
import json
import sqlite3
import tomllib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from node.cli.exits import Exit
from node.cli.failures import explain
from node.cli.refusals import known
from node.index import IndexFailure
from node.index.follower import Follower
from node.snapshots import InstallationError
from node.sync import JoinRefused
from tests.cli.asked import ask, run
from tests.network.views import peer_view
from tests.rpc.solo import FixedPeers, Solo, solo_node

NOWHERE = "http://127.0.0.1:1"


@contextlib.asynccontextmanager
async def impostor(solo: Solo, **changed: object) -> AsyncIterator[str]:
    """Serve what this node answers, with some members of it changed; yields its address."""

    async def answer(request: web.Request) -> web.Response:
        _, body = await solo.post(await request.read())
        told = json.loads(body)
        told["result"] |= {k: v for k, v in changed.items() if k in told["result"]}
        return web.json_response(told)

    application = web.Application()
    application.router.add_post("/rpc", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_one_node_is_shown_with_its_network() -> None:
    async with solo_node() as solo:
        text = await ask(solo, "status")
        machine = await ask(solo, "status", "--json")

        head = solo.town.chain.head
        assert text.code == machine.code == Exit.OK
        assert text.out.startswith(f"town, genesis {solo.town.genesis.hash.hex()}\n")
        assert "1 validator, 1 decides (byzantine: 0 may be faulty)" in text.out
        row = next(line for line in text.out.splitlines() if line.startswith("central-bank"))
        assert f" {head.height} " in row
        assert head.state_root.hex()[:16] in row
        assert row.endswith("  ready")
        (node,) = machine.json["nodes"]
        assert node["url"] == solo.url
        assert node["error"] is None
        assert node["block_age_ms"] == 0  # by its own clock: this network may have travelled
        assert node["status"] == await solo.call("khz_status")
        assert machine.json["one_network"] is True
        assert machine.json["compared"] is None


async def test_node_before_its_first_block_has_no_block_age() -> None:
    async with solo_node(settled=False) as solo:
        machine = await ask(solo, "status", "--json")

        assert machine.code == Exit.OK
        assert machine.json["nodes"][0]["block_age_ms"] is None


async def test_peers_of_one_node_are_listed() -> None:
    peers = FixedPeers(
        [peer_view("crypto-council", height=2), peer_view("finance-ministry", height=1)]
    )
    async with solo_node(peers=peers) as solo:
        text = await ask(solo, "status")

        assert "2 of 2" in text.out
        lines = text.out.splitlines()
        assert any(line.split() == ["crypto-council", "validator", "yes", "2"] for line in lines)


@pytest.mark.adversarial(54)
async def test_trusted_point_is_printed_as_lines_of_a_configuration() -> None:
    older, newer = (1_000, bytes(32)), (2_000, bytes(31) + b"\7")
    async with solo_node(snapshots=(older, newer)) as solo:
        text = await ask(solo, "status", "--trust")
        machine = await ask(solo, "status", "--trust", "--json")

    expected = {"trusted_height": 2_000, "trusted_block": newer[1].hex()}
    assert tomllib.loads(text.out) == {"sync": expected}
    assert machine.json == expected


@pytest.mark.adversarial(54)
async def test_only_a_snapshot_that_all_nodes_serve_alike_is_trusted() -> None:
    async with solo_node(snapshots=((1_000, bytes(32)), (2_000, bytes(32)))) as solo:
        other = [{"height": 1_000, "block_id": "00" * 32}, {"height": 2_000, "block_id": "11" * 32}]
        async with impostor(solo, snapshots=other) as url:
            both = await run("status", "--trust", "--json", "--url", solo.url, "--url", url)
        async with impostor(solo, snapshots=[]) as url:
            none = await run("status", "--trust", "--url", solo.url, "--url", url)
    async with solo_node() as solo:
        alone = await ask(solo, "status", "--trust")

    assert both.json["trusted_height"] == 1_000
    assert (none.code, alone.code) == (Exit.UNREACHABLE, Exit.UNREACHABLE)
    assert "no snapshot is served by all of these nodes" in none.err
    assert "every multiple of sync.snapshot_interval" in alone.err


async def test_node_that_is_not_ready_says_why_and_ends_with_code_3() -> None:
    async with solo_node(peers=FixedPeers([peer_view("crypto-council", height=50)])) as solo:
        text = await ask(solo, "status")

        assert text.code == Exit.UNREACHABLE
        assert "central-bank is not ready:\n  caught up: at height 2, the highest peer at 50" in (
            text.out
        )


async def test_an_index_that_cannot_go_on_is_told_of_by_a_ready_node(tmp_path: Path) -> None:
    """A code of 0 alone would let nobody know; `--watch` draws the same parts."""
    index = tmp_path / "index.sqlite"
    async with solo_node(index=index) as solo:
        await solo.indexed()
        sound = await ask(solo, "status")
    with closing(sqlite3.connect(index)) as database, database:
        database.execute("UPDATE checkpoint SET format = format - 1")
    async with solo_node(index=index) as solo:
        assert isinstance(solo.services.index, Follower)
        with pytest.raises(IndexFailure):
            await solo.services.index.reached(1)
        text = await ask(solo, "status")
        watched = await ask(solo, "status", "--watch", "--times", "1")
        top = await ask(solo, "top", "--times", "1")
        machine = await ask(solo, "status", "--json")

    assert "warns" not in sound.out
    assert text.code == machine.code == Exit.OK
    warning = "index: it does not go on; the log says why under part=index"
    (node,) = machine.json["nodes"]
    assert node["status"]["warnings"] == [warning]
    assert f"central-bank warns:\n  {warning}\n  on its machine `khazana doctor" in text.out
    assert f"central-bank warns:\n  {warning}" in watched.out
    assert f"\ncentral-bank warns: {warning}" in top.out
    assert str(tmp_path) not in text.out + machine.out, "where it is, is the operator's"


async def test_several_nodes_are_compared_at_the_height_that_all_have() -> None:
    async with solo_node() as one, solo_node() as other:
        await other.town.decide(other.town.transfer("a0", "a1"))
        urls = ("--url", one.url, "--url", other.url)

        text = await run("status", *urls)
        machine = await run("status", *urls, "--json")

        head = one.town.chain.head
        assert text.code == machine.code == Exit.OK
        assert f"one state at height {head.height}: {head.state_root.hex()}" in text.out
        assert machine.json["compared"] == {
            "height": head.height,
            "agree": True,
            "state_roots": {url: head.state_root.hex() for url in (one.url, other.url)},
        }
        heights = [node["status"]["height"] for node in machine.json["nodes"]]
        assert heights == [head.height, head.height + 1]


async def test_several_addresses_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with solo_node() as one, solo_node() as other:
        monkeypatch.setenv("KHAZANA_URL", f"{one.url} {other.url}")

        machine = await run("status", "--json")

        assert [node["url"] for node in machine.json["nodes"]] == [one.url, other.url]


async def test_different_states_at_one_height_are_cried_out_with_code_1() -> None:
    async with solo_node() as one, solo_node() as other:
        await one.town.decide(one.town.transfer("a0", "a1", 5))
        await other.town.decide(other.town.transfer("a0", "a1", 6))
        urls = ("--url", one.url, "--url", other.url)

        text = await run("status", *urls)
        machine = await run("status", *urls, "--json")

        height = one.town.chain.head.height
        assert text.code == machine.code == Exit.REFUSED
        assert f"DIFFERENT STATES AT HEIGHT {height}" in text.out
        assert "Traceback" not in text.err
        assert machine.json["compared"]["agree"] is False


async def test_nodes_of_different_networks_are_not_compared() -> None:
    async with solo_node() as solo, impostor(solo, genesis_hash="ab" * 32) as stranger:
        text = await run("status", "--url", solo.url, "--url", stranger)
        machine = await run("status", "--url", solo.url, "--url", stranger, "--json")

        assert text.code == Exit.REFUSED
        assert "DIFFERENT NETWORKS" in text.out
        assert "ab" * 32 in text.out
        assert machine.json["one_network"] is False
        assert machine.json["compared"] is None


async def test_one_node_that_does_not_answer_does_not_hide_the_others() -> None:
    async with solo_node() as solo:
        text = await run("status", "--url", solo.url, "--url", NOWHERE)
        machine = await run("status", "--url", solo.url, "--url", NOWHERE, "--json")

        assert text.code == machine.code == Exit.UNREACHABLE
        assert "ready" in text.out
        assert f"{NOWHERE}: no node answered ({NOWHERE}: Connection refused)" in text.out
        assert [node["error"] is None for node in machine.json["nodes"]] == [True, False]


async def test_nobody_at_all_is_an_error_with_advice() -> None:
    text = await run("status", "--url", NOWHERE)
    machine = await run("status", "--url", NOWHERE, "--json")

    assert text.code == machine.code == Exit.UNREACHABLE
    assert "khazana devnet status" in text.err
    assert machine.out == ""
    assert json.loads(machine.err)["error"]["exit"] == Exit.UNREACHABLE


async def test_what_answers_but_is_no_node_is_said_to_be_none() -> None:
    async with solo_node() as solo, impostor(solo, height="three") as stranger:
        text = await run("status", "--url", stranger)

        assert text.code == Exit.UNREACHABLE
        assert "Traceback" not in text.err


async def test_nonsense_for_an_address_is_a_usage_error() -> None:
    text = await run("status", "--url", "ftp://somewhere")

    assert text.code == Exit.USAGE
    assert "http://HOST:PORT" in text.err


@pytest.mark.adversarial(54)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JoinRefused("the trusted block 7 is 400 hours old"), Exit.CONFIGURATION),
        (InstallationError("what was begun here is not to be used"), Exit.DAMAGED),
    ],
)
def test_node_that_cannot_join_ends_with_a_sentence_and_a_code(
    error: Exception, code: Exit
) -> None:
    failure = explain(error)

    assert isinstance(error, known())
    assert (failure.code, failure.message) == (code, str(error))
