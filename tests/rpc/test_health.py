"""Health: what a node says of itself to probes, to whoever balances load, and to Prometheus."""

import json

from tests.network.views import peer_view
from tests.rpc.solo import FixedPeers, solo_node


async def test_live_node_says_so() -> None:
    async with solo_node(settled=False) as solo:
        assert await solo.get("/livez") == (200, "ok\n")
        async with solo.session.head(solo.url + "/livez") as response:
            assert response.status == 200


async def test_ready_node_lists_its_checks_when_asked() -> None:
    async with solo_node(settled=False) as solo:
        assert await solo.get("/readyz") == (200, "ready\n")

        _, text = await solo.get("/readyz?verbose")

        assert "[+] quorum: 1 of 1 validators in reach, 1 decide\n" in text
        assert text.endswith("ready\n")


async def test_node_behind_its_peers_is_not_ready() -> None:
    peers = FixedPeers([peer_view("crypto-council", height=10)])
    async with solo_node(settled=False, peers=peers) as solo:
        status, text = await solo.get("/readyz?verbose")

        assert status == 503
        assert "[-] caught up: at height 0, the highest peer at 10\n" in text
        assert (await solo.call("khz_status"))["not_ready"] == [
            "caught up: at height 0, the highest peer at 10"
        ]
        assert (await solo.get("/livez"))[0] == 200


async def test_validator_that_signs_nothing_is_not_ready_and_says_why() -> None:
    why = "this node does not know what its key has signed: it waits to hear from crypto-council"
    async with solo_node(settled=False, why_silent=why) as solo:
        status, text = await solo.get("/readyz?verbose")

        assert status == 503
        assert f"[-] signing: {why}\n" in text
        assert (await solo.call("khz_status"))["not_ready"] == [f"signing: {why}"]


async def test_a_peer_that_speaks_of_an_amendment_makes_no_node_unready() -> None:
    missing = "amendment ab01, which this node does not have"
    async with solo_node(settled=False, missing=missing) as solo:
        status, text = await solo.get("/readyz?verbose")
        assert status == 200
        assert missing in text

        # Where it is true, nothing is committed here any more.
        solo.town.clock.advance(60_000)
        assert (await solo.get("/readyz"))[0] == 503


async def test_node_without_progress_is_not_ready_until_there_is_a_block() -> None:
    async with solo_node(settled=False) as solo:
        solo.town.clock.advance(60_000)
        assert (await solo.get("/readyz"))[0] == 503

        await solo.seal()

        assert (await solo.get("/readyz"))[0] == 200


async def test_validator_that_reaches_no_quorum_is_not_ready() -> None:
    async with solo_node(settled=False) as solo:
        await solo.town.decide(solo.town.add_validator("finance-ministry"))

        status, text = await solo.get("/readyz?verbose")

        assert status == 503
        assert "[-] quorum: 1 of 2 validators in reach, 2 decide\n" in text


async def test_health_is_the_same_as_one_object() -> None:
    async with solo_node(settled=False) as solo:
        health = json.loads((await solo.get("/health"))[1])

        assert health["ready"] is True
        assert health["height"] == 0
        names = {check["name"] for check in health["checks"]}
        assert names == {"quorum", "signing", "caught up", "protocol", "progress"}


async def test_metrics_are_prometheus_text() -> None:
    async with (
        solo_node(settled=False) as solo,
        solo.session.get(solo.url + "/metrics") as response,
    ):
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "khazana_rpc_requests_total" in await response.text()
