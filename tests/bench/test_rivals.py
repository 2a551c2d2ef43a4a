"""The runners of other chains: encoding, settings, reasons, and the load rule on a small chain."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.bench.rivals import __main__ as rivals
from tests.bench.rivals.cometbft import set_settings
from tests.bench.rivals.ethereum import encode_rlp
from tests.bench.rivals.installed import Skipped, go_program, npm_program
from tests.bench.rivals.openloop import Call, Client, measure


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"dog", "83646f67"),
        ([b"cat", b"dog"], "c88363617483646f67"),
        (b"", "80"),
        (0, "80"),
        (15, "0f"),
        (1024, "820400"),
        ([], "c0"),
        ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
        (b"Lorem ipsum dolor sit amet, consectetur adipisicing elit", None),
    ],
)
def test_rlp_is_that_of_the_yellow_paper(value: Any, expected: str | None) -> None:
    wanted = b"\xb8\x38" + value if expected is None else bytes.fromhex(expected)

    assert encode_rlp(value) == wanted


def test_settings_are_changed_in_their_tables(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('size = 1\n[rpc]\n# laddr = "x"\nladdr = "a"\n[p2p]\nladdr = "b"\nsize = 2\n')

    set_settings(path, {"p2p.laddr": "c", "p2p.size": 3})

    assert path.read_text() == (
        'size = 1\n[rpc]\n# laddr = "x"\nladdr = "a"\n[p2p]\nladdr = "c"\nsize = 3\n'
    )


def test_what_is_not_to_be_had_is_skipped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Skipped, match="there is no npm on this machine"):
        npm_program(tmp_path, "@foundry-rs/anvil", "1.7.1", "bin/*")

    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho first >&2\necho no such module >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(Skipped, match=r"go install example\.org/x@v1: first; no such module"):
        go_program(tmp_path, "example.org/x", "v1")


class OneChain:
    """A chain over JSON-RPC whose nodes are one: a block each 20 ms, of whatever has come."""

    begins_at = 1

    def __init__(self, *, block_max: int = 1_000) -> None:
        self.block_max = block_max
        self.urls: Sequence[str] = ()
        self.pids: Sequence[int] = [os.getpid()]
        self.blocks: list[list[str]] = [[]]
        self.waiting: list[str] = []

    def calls(self, count: int) -> list[Call]:
        requests = [{"id": 1, "method": "send", "params": [str(n)]} for n in range(count)]
        return [Call(str(n), json.dumps(request).encode()) for n, request in enumerate(requests)]

    async def prepare(self, client: Client) -> None:
        """Nothing is left to do."""

    async def height(self, client: Client, url: str) -> int:
        return int(await client.call(url, "height"))

    async def ids(self, client: Client, height: int) -> list[str]:
        return list(await client.call(self.urls[0], "block", height))

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.json()
        answers = [self._one(each) for each in (body if isinstance(body, list) else [body])]
        return web.json_response(answers if isinstance(body, list) else answers[0])

    def _one(self, call: Any) -> dict[str, Any]:
        if call["method"] == "send":
            self.waiting += call["params"]
            return {"result": call["params"][0]}
        if call["method"] == "height":
            return {"result": len(self.blocks) - 1}
        return {"result": self.blocks[call["params"][0]]}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        runner = web.ServerRunner(web.Server(self.answer))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.urls = (url, url)
        async with asyncio.TaskGroup() as tasks:
            deciding = tasks.create_task(self._decide(), name="decide")
            yield
            deciding.cancel()
        await runner.cleanup()

    async def _decide(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.blocks.append(self.waiting[: self.block_max])
            self.waiting = self.waiting[self.block_max :]


async def test_the_load_rule_counts_each_transaction_once_on_any_chain() -> None:
    chain = OneChain()
    async with chain.running():
        found = await measure(chain, rate=400, warm_up_s=0.1, window_s=0.4)

    assert found["submitted"] == found["final_on_all"] == 200
    assert found["answers"] == {"taken": 200}
    assert sorted(each for block in chain.blocks for each in block) == sorted(map(str, range(200)))
    assert 0 < found["latency_ms"]["p50"] < 5_000
    assert found["drained"]


async def test_a_chain_that_takes_more_than_it_decides_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.bench.rivals.openloop.DRAIN_S", 0.2)
    chain = OneChain(block_max=1)
    async with chain.running():
        found = await measure(chain, rate=2_000, warm_up_s=0.2, window_s=0.4)

    assert found["answers"] == {"taken": 1_200}
    assert not found["drained"]
    # To decide all of them takes 24 s. Some forty are decided where nobody holds this up.
    assert 0 < found["final_on_all"] < 600
    assert found["tps"] <= 50 * 1.5
    assert found["drained_in_s"] <= 12


def test_a_rival_that_drowns_is_offered_half_until_it_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    does = {4_000: (0.0, False), 2_000: (300.0, False), 1_000: (700.0, False), 500: (490.0, True)}

    def at(_name: str, _cache: Path, rate: int, *_: float) -> dict[str, Any]:
        tps, drained = does[rate]
        return {"tps": tps, "drained": drained}

    monkeypatch.setattr(rivals, "_at", at)

    found = rivals.theirs("geth", tmp_path, 4_000, 1.0, 1.0)

    assert (found["tps"], found["rate_asked"]) == (700.0, 1_000)
    assert found["tps_by_rate_asked"] == {rate: tps for rate, (tps, _) in does.items()}
    assert rivals.ratios({"tps": 4_200.0}, {"geth": found}) == {"geth": 6.0}


def test_who_kept_up_is_told_beside_the_ratios() -> None:
    found = rivals.kept_up(
        4_000,
        {"sustained": False},
        {
            "anvil": {"drained": True, "drained_in_s": 2.0, "rate_asked": 4_000},
            "late": {"drained": True, "drained_in_s": 2.1, "rate_asked": 4_000},
            "cometbft": {"drained": False, "drained_in_s": 0.0, "rate_asked": 4_000},
            "geth": {"drained": True, "drained_in_s": 0.5, "rate_asked": 1_000},
            "other": {"skipped": "it is not to be had"},
        },
    )

    others = dict.fromkeys(("late", "cometbft", "geth"), False)
    assert found == {"khazana": False, "anvil": True} | others


def test_a_rival_whose_every_transfer_comes_after_the_window_has_not_kept_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    does = {2_000: 0.0, 1_000: 800.0}
    monkeypatch.setattr(
        rivals, "_at", lambda _name, _cache, rate, *_: {"tps": does[rate], "drained": True}
    )

    assert rivals.theirs("geth", tmp_path, 2_000, 1.0, 1.0)["tps_by_rate_asked"] == does


def test_a_rival_that_is_not_to_be_had_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rivals, "_at", lambda *_: {"skipped": "no go"})

    assert rivals.theirs("geth", tmp_path, 4_000, 1.0, 1.0) == {"skipped": "no go"}
