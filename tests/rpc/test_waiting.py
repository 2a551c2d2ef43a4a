"""What a node answers while it has no chain."""

import json

import aiohttp
import pytest

from node.cli.exits import Exit
from node.log import silent_log
from node.metrics import Metrics
from node.rpc.limits import RpcLimits
from node.rpc.waiting import WaitingServer
from tests.cli.asked import run


async def test_node_that_joins_lives_is_not_ready_and_says_how_far_it_is() -> None:
    server = WaitingServer(
        lambda: {"height": 2_000, "records": 17},
        metrics=Metrics(),
        log=silent_log(),
        limits=RpcLimits(),
    )
    await server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    try:
        async with aiohttp.ClientSession() as session:

            async def get(path: str) -> tuple[int, str]:
                async with session.get(url + path) as answer:
                    return answer.status, await answer.text()

            assert await get("/livez") == (200, "ok\n")
            code, text = await get("/readyz")
            assert code == 503
            assert "joining by a snapshot: height 2000, records 17" in text
            code, text = await get("/health")
            assert (code, json.loads(text)["joining"]["records"]) == (200, 17)
            code, text = await get("/metrics")
            assert (code, "khazana_height" in text) == (200, True)
            call = {"jsonrpc": "2.0", "id": 1, "method": "khz_status"}
            async with session.post(url + "/rpc", json=call) as answer:
                assert answer.status == 503
                assert answer.headers["Retry-After"] == "1"
                error = (await answer.json())["error"]
            assert (error["code"], error["data"]["joining"]["height"]) == (-32002, 2_000)
            async with session.get(url + "/livez", headers={"Host": "evil.example"}) as answer:
                assert answer.status == 403
        status = await run("status", "--url", url)
        assert status.code == Exit.UNREACHABLE
        assert "joining by a snapshot: height 2000, records 17" in status.err
    finally:
        await server.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url + "/livez")
