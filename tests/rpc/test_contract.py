"""The interface held against its own OpenRPC document, by calls that are made from the document.

What fits the described parameters is answered by a result of the described form, or by one of the
described errors; what does not fit is -32602 and nothing else. No call, of either kind, is our
mistake (-32603). `hypothesis-jsonschema` makes the calls, `jsonschema` judges the answers.
"""

import asyncio
import functools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from http.client import HTTPConnection
from typing import Any, Final

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from node.rpc import RpcLimits
from node.rpc.document import render
from tests.rpc.solo import BANK, Solo, solo_node

DOCUMENT: Final[dict[str, Any]] = json.loads(render())
METHODS: Final[dict[str, dict[str, Any]]] = {
    entry["name"]: entry for entry in DOCUMENT["methods"] if "x-transport" not in entry
}
INVALID_PARAMS: Final = -32602
INTERNAL: Final = -32603
ALWAYS: Final = {INVALID_PARAMS, INTERNAL}

ODD: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
"""What a parameter is not expected to be."""


class Served:
    """A node in a thread of its own, and calls to it."""

    def __init__(self) -> None:
        self._ready: Future[tuple[int, dict[str, list[str]]]] = Future()
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="node")
        self._thread.start()
        port, self.known = self._ready.result(timeout=60)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        limits = RpcLimits(calls_per_second=None, wait_max_ms=1)
        async with solo_node(limits=limits, sealing=True) as solo:
            await solo.seal()
            self._ready.set_result((solo.server.port, await _known(solo)))
            await self._over.wait()

    def call(self, method: str, params: object) -> dict[str, Any]:
        """Return the answer."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        self._connection.request(
            "POST", "/rpc", json.dumps(body), {"Content-Type": "application/json"}
        )
        response = self._connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        answer: dict[str, Any] = json.loads(data)
        assert answer["id"] == 7
        return answer

    def stop(self) -> None:
        """End the node."""
        self._connection.close()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(timeout=60)


async def _known(solo: Solo) -> dict[str, list[str]]:
    """Return values of parameters that name something on this ledger."""
    accounts = [solo.address(f"user-{number}") for number in range(3)]
    assets = [entry["asset"] for entry in (await solo.call("khz_assets"))["assets"]]
    return {
        "address": [*accounts, solo.address("treasury")],
        "asset": assets,
        "participant": [BANK],
        "name": [*assets, BANK],
        "after": [*assets, BANK],
    }


@pytest.fixture(scope="module")
def node() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


# Made of the whole document: once for a method, and not for every call.


@functools.cache
def _fitting(method: str) -> dict[str, st.SearchStrategy[Any]]:
    """Return what fits each parameter of a method."""
    return {
        parameter["name"]: from_schema(
            {**parameter["schema"], "components": DOCUMENT["components"]}
        )
        for parameter in METHODS[method]["params"]
    }


@functools.cache
def _judge(method: str) -> jsonschema.Draft202012Validator:
    """Return what knows the form of a method's result."""
    schema = {**METHODS[method]["result"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _codes(method: dict[str, Any]) -> set[int]:
    errors = DOCUMENT["components"]["errors"]
    return {errors[error["$ref"].rpartition("/")[2]]["code"] for error in method["errors"]}


@pytest.mark.adversarial(73)
@pytest.mark.parametrize("name", METHODS)
@given(data=st.data())
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_call_that_fits_the_document_is_answered_as_it_says(
    node: Served, name: str, data: st.DataObject
) -> None:
    method = METHODS[name]
    params = {}
    for parameter in method["params"]:
        if parameter["required"] or data.draw(st.booleans()):
            values = _fitting(name)[parameter["name"]]
            if parameter["name"] in node.known:
                values = st.sampled_from(node.known[parameter["name"]]) | values
            params[parameter["name"]] = data.draw(values)

    answer = node.call(name, params)

    if "result" in answer:
        _judge(name).validate(answer["result"])
    else:
        assert answer["error"]["code"] in _codes(method) - {INTERNAL}
        assert answer["error"]["message"]


@pytest.mark.adversarial(73)
@pytest.mark.parametrize("name", [name for name, entry in METHODS.items() if entry["params"]])
@given(data=st.data())
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_call_that_fits_nothing_is_no_mistake_of_ours(
    node: Served, name: str, data: st.DataObject
) -> None:
    method = METHODS[name]
    names = [parameter["name"] for parameter in method["params"]]
    by_name = st.dictionaries(st.sampled_from([*names, "zzz"]), ODD, max_size=len(names))
    params = data.draw(by_name | st.lists(ODD, max_size=len(names) + 1))

    answer = node.call(name, params)

    if "zzz" in params:
        assert answer["error"]["code"] == INVALID_PARAMS
    elif "error" in answer:
        assert answer["error"]["code"] in _codes(method) - {INTERNAL}
