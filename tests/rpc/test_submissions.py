"""Handing in transactions: the same bytes get the same answer, whatever the way in."""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import msgpack
import pytest

from node.codec import encode
from node.intake import SubmitResult
from node.ledger.acts.calendars.define_calendar import DefineCalendar
from node.ledger.outcomes import Outcome
from node.rpc import RpcLimits
from node.rpc.submissions import ItemStatus
from tests.chain.town import make_record
from tests.rpc.solo import Solo, address_of, solo_node


async def submit_list(solo: Solo, *raws: bytes) -> list[Any]:
    status, body = await solo.submit_list(raws)
    assert status == 200, body
    items: list[Any] = msgpack.unpackb(body)
    return items


def too_much(solo: Solo) -> bytes:
    return solo.town.transfer("a0", "a1", 1 << 40)


def of_version_3(solo: Solo) -> bytes:
    calendar = DefineCalendar(
        account=address_of("central-bank", "central-bank"),
        approvers=(),
        calendar="weeks",
        title="Weeks",
        weekend=0b1100000,
        holidays=(),
    )
    return solo.town.transaction([calendar], ["central-bank"])


def spoilt(raw: bytes) -> bytes:
    """The same transaction with a signature that does not fit."""
    return raw[:-1] + bytes([raw[-1] ^ 1])


def transaction_id(solo: Solo, raw: bytes) -> str:
    return solo.town.id_of(raw).hex()


# One.


async def test_submission_answers_once_the_transaction_waits() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1")

        result = await solo.call("khz_submit", {"transaction": raw.hex()})

        assert result["status"] == "pending"
        assert result["receipt"] is None
        assert bytes.fromhex(result["id"]) in solo.town.pool


@pytest.mark.parametrize(
    "render", [bytes.hex, lambda raw: base64.b64encode(raw).decode()], ids=["hex", "base64"]
)
async def test_submission_may_wait_until_it_is_final(render: Any) -> None:
    async with solo_node(sealing=True) as solo:
        raw = solo.town.transfer("a0", "a1", 150)

        result = await solo.call("khz_submit", {"transaction": render(raw), "wait": "final"})

        assert result["status"] == "final"
        assert result["receipt"]["outcome"]["name"] == "APPLIED"
        assert result["receipt"]["events"][0]["amount"] == "1.50"
        assert result["receipt"]["height"] == result["height"]


@pytest.mark.adversarial(57)
async def test_same_bytes_again_get_the_same_answer_while_waiting_and_when_final() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1").hex()
        waiting = [await solo.call("khz_submit", [raw]) for _ in range(3)]
        await solo.seal()

        final = [await solo.call("khz_submit", [raw]) for _ in range(3)]
        also = await solo.call("khz_submit", [raw, "final"])

        assert waiting[0] == waiting[1] == waiting[2]
        assert final[0] == final[1] == final[2] == also
        assert final[0]["status"] == "final"
        assert final[0]["receipt"]["outcome"]["name"] == "APPLIED"


@pytest.mark.adversarial(57)
async def test_answer_to_the_same_bytes_stays_when_their_time_is_over() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1")
        await solo.town.decide(raw)
        before = (await solo.call("khz_submit", [raw.hex()]))["receipt"]
        solo.town.clock.advance(3_600_000)
        await solo.seal()

        after = (await solo.call("khz_submit", [raw.hex()]))["receipt"]

        assert after == before


@pytest.mark.adversarial(62)
async def test_transaction_refused_in_its_block_is_final_with_its_outcome() -> None:
    async with solo_node() as solo:
        first = solo.town.transfer("a0", "a1", 999_999)
        second = solo.town.transfer("a0", "a2", 999_999)
        for raw in (first, second):
            assert (await solo.call("khz_submit", [raw.hex()]))["status"] == "pending"
        await solo.seal()

        outcomes = [
            (await solo.call("khz_submit", [raw.hex()]))["receipt"]["outcome"]
            for raw in (first, second)
        ]

        assert [outcome["name"] for outcome in outcomes] == ["APPLIED", "HOLDING_INSUFFICIENT"]
        assert outcomes[1]["operation"] == 0
        assert outcomes[1]["details"]["account"] == solo.address("a0")


async def test_refusal_at_the_door_carries_code_name_sentence_and_numbers() -> None:
    async with solo_node() as solo:
        raw = too_much(solo)

        error = await solo.refused("khz_submit", [raw.hex()])

        assert error["code"] == -32003
        data = error["data"]
        assert data["outcome"] == Outcome.HOLDING_INSUFFICIENT
        assert data["name"] == "HOLDING_INSUFFICIENT"
        assert data["numbers"]["found"] == 1_000_000
        assert data["numbers"]["expected"] == 1 << 40
        assert data["numbers"]["account"] == solo.address("a0")
        assert data["id"] == transaction_id(solo, raw)
        assert data["sentence"] in error["message"]
        assert len(solo.town.pool) == 0


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (lambda _: b"\x00", "MALFORMED"),
        (lambda _: bytes(65_537), "TOO_LARGE"),
        (lambda solo: spoilt(solo.town.transfer("a0", "a1")), "BAD_SIGNATURE"),
        (lambda solo: solo.town.transfer("a0", "a1", valid_until_ms=1), "EXPIRED"),
        (
            lambda solo: solo.town.transfer("a0", "a1", valid_until_ms=1 << 45),
            "TOO_FAR_AHEAD",
        ),
        (too_much, "HOLDING_INSUFFICIENT"),
    ],
)
async def test_every_way_in_refuses_with_the_same_outcome(bad: Any, name: str) -> None:
    async with solo_node() as solo:
        raw = bad(solo)

        one = await solo.refused("khz_submit", [raw.hex()])
        (many,) = (await solo.call("khz_submitMany", {"transactions": [raw.hex()]}))["results"]
        ((_, status, outcome, _),) = await submit_list(solo, raw)

        assert one["data"]["name"] == name
        assert many["status"] == "refused"
        assert many["error"] == one
        assert (status, outcome) == (ItemStatus.REFUSED, Outcome[name])


@pytest.mark.parametrize("text", ["", "0", "zz!", "AB", "0x00", "é"])
async def test_text_that_is_neither_hexadecimal_nor_base64_is_no_parameter(text: str) -> None:
    async with solo_node(settled=False) as solo:
        error = await solo.refused("khz_submit", [text])

        assert error["code"] in (-32602, -32003)
        assert error["code"] == -32602 or error["data"]["name"] == "MALFORMED"


async def test_waiting_ends_with_a_timeout_that_names_the_id() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1")

        error = await solo.refused(
            "khz_submit", {"transaction": raw.hex(), "wait": "final", "timeout_ms": 20}
        )

        assert error["code"] == -32010
        assert error["data"] == {"id": transaction_id(solo, raw)}
        assert bytes.fromhex(error["data"]["id"]) in solo.town.pool


async def test_node_does_not_wait_longer_than_it_allows() -> None:
    async with solo_node(limits=RpcLimits(wait_max_ms=10)) as solo:
        raw = solo.town.transfer("a0", "a1")

        error = await solo.refused(
            "khz_submit", {"transaction": raw.hex(), "wait": "final", "timeout_ms": 600_000}
        )

        assert error["code"] == -32010


async def test_waiting_ends_when_the_transaction_has_expired() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1", valid_until_ms=solo.town.clock.now_ms() + 2_000)
        waiting = asyncio.ensure_future(  # noqa: TID251 - a test's own task
            solo.refused("khz_submit", {"transaction": raw.hex(), "wait": "final"})
        )
        await solo.intake.taken.wait()
        solo.town.pool.remove(solo.town.pool.ids())
        solo.town.clock.advance(60_000)
        await solo.town.decide()

        error = await waiting

        assert error["code"] == -32003
        assert error["data"]["name"] == "EXPIRED"


@pytest.mark.adversarial(75)
async def test_full_pool_says_so_and_when_to_try_again() -> None:
    async with solo_node(count_max=1) as solo:
        first, second = solo.town.transfer("a0", "a1", 1), solo.town.transfer("a0", "a1", 2)
        await solo.call("khz_submit", [first.hex()])

        error = await solo.refused("khz_submit", [second.hex()])
        (many,) = (await solo.call("khz_submitMany", [[second.hex()]]))["results"]
        ((_, status, _, retry_after_ms),) = await submit_list(solo, second)

        assert error["code"] == many["error"]["code"] == -32005
        assert error["data"]["retry_after_ms"] > 0
        assert (status, retry_after_ms) == (ItemStatus.BUSY, error["data"]["retry_after_ms"])
        assert (await solo.call("khz_submit", [first.hex()]))["status"] == "pending"
        await solo.seal()
        assert (await solo.call("khz_submit", [second.hex()]))["status"] == "pending"


@pytest.mark.adversarial(75)
async def test_crowded_node_refuses_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused for want of time costs no decoding: even nonsense is told to come back."""
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", 2)
    async with solo_node() as solo:
        await submit_list(solo, *(solo.town.transfer("a0", "a1", 1 + index) for index in range(2)))
        decoded = solo.town.admission.signatures_verified

        error = await solo.refused("khz_submit", [b"nonsense".hex()])
        status, body = await solo.post(
            b"no list", path="/transactions", content_type="application/msgpack"
        )

        assert error["code"] == -32005
        assert error["data"]["retry_after_ms"] > 0
        assert status == 429
        assert json.loads(body)["error"]["data"]["retry_after_ms"] > 0
        assert solo.town.admission.signatures_verified == decoded
        await solo.seal()
        assert (await solo.refused("khz_submit", [b"nonsense".hex()]))["code"] == -32003


@pytest.mark.adversarial(75)
async def test_crowded_node_reads_no_transaction_in_a_call_by_whatever_way_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.intake.crowding.WAITING_MIN", 2)
    nonsense = "neither hexadecimal nor base64"
    params = {"transactions": [nonsense] * 3}
    call = {"jsonrpc": "2.0", "id": 1, "method": "khz_submitMany", "params": params}
    async with solo_node() as solo, solo.session.ws_connect(solo.url + "/ws") as socket:
        await submit_list(solo, *(solo.town.transfer("a0", "a1", 1 + index) for index in range(2)))

        error = await solo.refused("khz_submit", [nonsense])
        items = (await solo.call("khz_submitMany", params))["results"]
        await socket.send_json(call)
        told = await socket.receive_json()

        assert error["code"] == -32005
        assert error["data"]["retry_after_ms"] > 0
        refused = {"id": None, "status": "refused", "receipt": None, "error": error}
        assert items == told["result"]["results"] == [refused] * 3
        assert solo.services.metrics.value("khazana_submissions_total", answer="full") == 7
        assert (await solo.call("khz_status"))["mempool"]["transactions"] == 2
        await solo.seal()
        assert (await solo.refused("khz_submitMany", params))["code"] == -32602


async def test_node_that_is_behind_refuses_nothing_by_its_state() -> None:
    async with solo_node(record=make_record(validators=4)) as solo:
        raw = too_much(solo).hex()
        broken = spoilt(solo.town.transfer("a0", "a1")).hex()
        head = solo.town.chain.head.height
        names = [validator.id for validator in solo.town.chain.validators.validators]
        # One may lie, and so may any number of observers.
        solo.intake.claims = {names[0]: 10**9, names[1]: head, "observer": 10**9}
        assert (await solo.refused("khz_submit", [raw]))["code"] == -32003

        solo.intake.claims[names[1]] = head + 1

        error = await solo.refused("khz_submit", [raw])
        assert error["code"] == -32002
        assert error["data"]["retry_after_ms"] > 0
        ((_, status, _, retry_after_ms),) = await submit_list(solo, bytes.fromhex(raw))
        assert (status, retry_after_ms) == (ItemStatus.BUSY, error["data"]["retry_after_ms"])
        # The version that rules is of the state, too.
        assert (await solo.refused("khz_submit", [of_version_3(solo).hex()]))["code"] == -32002
        solo.intake.claims.clear()
        error = await solo.refused("khz_submit", [of_version_3(solo).hex()])
        assert error["data"]["name"] == "OPERATION_NOT_IN_FORCE"
        # What the bytes themselves say no block can cure.
        solo.intake.claims[names[0]] = solo.intake.claims[names[1]] = head + 1
        assert (await solo.refused("khz_submit", [broken]))["code"] == -32003


@pytest.mark.adversarial(57, 59)
async def test_time_that_is_over_by_the_clock_alone_is_no_answer() -> None:
    """The block that holds it may be decided and not be here: who heard that it expired, and never
    will be applied, would sign another."""
    async with solo_node() as solo:
        town = solo.town
        until_ms = town.clock.now_ms() + 2_000
        taken = town.transfer("a0", "a1", valid_until_ms=until_ms)
        never = town.transfer("a0", "a1", 2, valid_until_ms=until_ms)
        await solo.call("khz_submit", [taken.hex()])
        town.clock.advance(10_000)

        for raw in (taken, never):
            error = await solo.refused("khz_submit", [raw.hex()])
            assert error["code"] == -32002
            assert error["data"]["retry_after_ms"] > 0
            ((_, status, _, _),) = await submit_list(solo, raw)
            assert status == ItemStatus.BUSY
        late = town.chain.build(round=0, time_ms=until_ms, transactions=town.pool.waiting())
        await town.chain.commit(late, town.certify(late))

        assert (await solo.call("khz_submit", [taken.hex()]))["status"] == "final"
        error = await solo.refused("khz_submit", [never.hex()])
        assert (error["code"], error["data"]["name"]) == (-32003, "EXPIRED")


# Several.


async def test_each_of_several_gets_its_own_answer_in_order() -> None:
    async with solo_node(sealing=True) as solo:
        good = [solo.town.transfer("a0", "a1", 1 + index) for index in range(3)]
        raws = [good[0], b"\x00", good[1], too_much(solo), good[2], good[0]]

        results = (
            await solo.call(
                "khz_submitMany",
                {"transactions": [raw.hex() for raw in raws], "wait": "final"},
            )
        )["results"]

        assert [item["status"] for item in results] == [
            "final", "refused", "final", "refused", "final", "final",
        ]  # fmt: skip
        assert results[0] == results[5]
        assert results[1]["error"]["data"]["name"] == "MALFORMED"
        assert [item["receipt"]["outcome"]["name"] for item in results if item["receipt"]] == (
            ["APPLIED"] * 4
        )


async def test_several_that_are_not_final_in_time_are_pending() -> None:
    async with solo_node() as solo:
        raws = [solo.town.transfer("a0", "a1", 1 + index).hex() for index in range(3)]

        results = (
            await solo.call(
                "khz_submitMany", {"transactions": raws, "wait": "final", "timeout_ms": 10}
            )
        )["results"]

        assert [item["status"] for item in results] == ["pending"] * 3


async def test_status_of_many_by_id() -> None:
    async with solo_node() as solo:
        final, waiting = solo.town.transfer("a0", "a1", 1), solo.town.transfer("a0", "a1", 2)
        await solo.town.decide(final)
        await solo.call("khz_submit", [waiting.hex()])
        ids = [transaction_id(solo, final), transaction_id(solo, waiting), "00" * 32]

        statuses = (await solo.call("khz_transactions", [ids]))["transactions"]

        assert [item["id"] for item in statuses] == ids
        assert [item["status"] for item in statuses] == ["final", "pending", "unknown"]
        assert statuses[0]["receipt"]["outcome"]["name"] == "APPLIED"


async def test_transaction_is_shown_waiting_and_final() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1", 150)
        submitted = await solo.call("khz_submit", [raw.hex()])

        waiting = await solo.call("khz_transaction", [submitted["id"]])
        await solo.seal()
        final = await solo.call("khz_transaction", [submitted["id"]])

        assert (waiting["status"], waiting["receipt"]) == ("pending", None)
        assert final["status"] == "final"
        assert final["transaction"] == waiting["transaction"]
        assert final["transaction"]["operations"][0]["amount"] == "1.50"
        assert final["receipt"]["height"] == final["height"]


# Thousands.


async def test_list_of_transactions_is_answered_by_a_list() -> None:
    async with solo_node() as solo:
        old = solo.town.transfer("a0", "a1", 1)
        await solo.town.decide(old)
        new = solo.town.transfer("a0", "a1", 2)

        items = await submit_list(solo, new, old, new, b"\x00", too_much(solo))

        new_id = solo.town.id_of(new)
        assert items == [
            [new_id, ItemStatus.PENDING, None, None],
            [solo.town.id_of(old), ItemStatus.FINAL, Outcome.APPLIED, None],
            [new_id, ItemStatus.PENDING, None, None],
            [None, ItemStatus.REFUSED, Outcome.MALFORMED, None],
            [items[4][0], ItemStatus.REFUSED, Outcome.HOLDING_INSUFFICIENT, None],
        ]
        assert len(solo.town.pool) == 1


async def test_list_is_answered_in_json_for_who_asks() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1")

        status, body = await solo.post(
            encode((raw, b"\x00")),
            path="/transactions",
            Content_Type="application/msgpack",
            Accept="application/json",
        )

        assert status == 200
        taken, refused = json.loads(body)
        assert taken["id"] == transaction_id(solo, raw)
        assert taken["status"] == "pending"
        assert (refused["status"], refused["outcome"], refused["code"]) == (
            "refused", "MALFORMED", 2,
        )  # fmt: skip


@pytest.mark.adversarial(39, 40)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x90",
        b"\xc0",
        b"\x91\xc0",
        b"\x91\xa1a",
        b"\x91\x91\xc4\x01\x00",
        b"\x91\xc5\x00\x01\x00",
        b"\x91\xc4\x05\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\x91\xc6\x7f\xff\xff\xff",
        b"\x81\x00\xc4\x01\x00",
        b"\x91\xc4\x01\x00\x00",
        b"\x91" * 10_000,
    ],
)
async def test_body_that_is_no_canonical_list_is_refused_whole(body: bytes) -> None:
    async with solo_node(settled=False) as solo:
        status, answer = await solo.post(
            body, path="/transactions", Content_Type="application/msgpack"
        )

        assert status == 400
        assert json.loads(answer)["error"]["code"] == -32602


async def test_list_longer_than_the_limit_is_refused_whole() -> None:
    async with solo_node(limits=RpcLimits(submission_max=2)) as solo:
        raws = [solo.town.transfer("a0", "a1", 1 + index) for index in range(3)]

        status, body = await solo.submit_list(raws)

        assert status == 400
        assert json.loads(body)["error"]["data"] == {"submission_max": 2}
        assert len(solo.town.pool) == 0


async def test_list_of_too_many_bytes_is_refused() -> None:
    async with solo_node(limits=RpcLimits(submission_max_bytes=100)) as solo:
        assert (await solo.submit_list([bytes(101)]))[0] == 413


async def test_list_of_another_type_is_refused() -> None:
    async with solo_node(settled=False) as solo:
        assert (await solo.post(b"[]", path="/transactions"))[0] == 415


@pytest.mark.adversarial(75)
async def test_lists_that_are_worked_on_at_one_time_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with solo_node(limits=RpcLimits(submissions_at_once_max=1)) as solo:
        arrived, go_on, submit = asyncio.Event(), asyncio.Event(), solo.intake.submit

        async def held(raws: Sequence[bytes]) -> Sequence[SubmitResult]:
            arrived.set()
            await go_on.wait()
            return await submit(raws)

        monkeypatch.setattr(solo.intake, "submit", held)
        raw = solo.town.transfer("a0", "a1")
        first = asyncio.ensure_future(solo.submit_list([raw]))  # noqa: TID251
        await arrived.wait()

        status, body = await solo.submit_list([raw])

        assert status == 429
        assert json.loads(body)["error"]["code"] == -32005
        go_on.set()
        assert (await first)[0] == 200
        assert (await solo.submit_list([raw]))[0] == 200


@pytest.mark.adversarial(39)
async def test_who_sends_a_list_slowly_keeps_nobody_out() -> None:
    async with solo_node(limits=RpcLimits(submissions_at_once_max=1)) as solo:
        head = (
            "POST /transactions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            "Content-Type: application/msgpack\r\nContent-Length: 1\r\n\r\n"
        )
        reader, slow = await asyncio.open_connection("127.0.0.1", solo.server.port)
        slow.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

        assert (await solo.submit_list([solo.town.transfer("a0", "a1")]))[0] == 200

        slow.write(b"\x90")
        assert b" 400 " in await reader.readline()
        slow.close()


@pytest.mark.adversarial(39)
async def test_large_lists_under_way_are_bounded_by_what_has_come() -> None:
    limits = RpcLimits(
        submissions_max_bytes=4_000, submission_max_bytes=2_000, body_small_bytes=100
    )
    async with solo_node(limits=limits) as solo:
        head = (
            "POST /transactions HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/msgpack\r\nContent-Length: 2000\r\n\r\n"
        )
        _, slow = await asyncio.open_connection("127.0.0.1", solo.server.port)
        slow.write(head.encode() + bytes(1_999))
        async with asyncio.timeout(60):
            while not solo.server._budget.held.lists.held_bytes:  # noqa: ASYNC110
                await asyncio.sleep(0)

        status, body = await solo.submit_list([solo.town.transfer("a0", "a1")])

        assert status == 429
        assert "lists of transactions" in json.loads(body)["error"]["message"]
        slow.close()


async def test_transactions_of_one_caller_are_counted_where_there_is_a_figure() -> None:
    limits = RpcLimits(transactions_per_second=10, transactions_burst=3)
    async with solo_node(limits=limits) as solo:
        raws = [solo.town.transfer("a0", "a1", 1 + index) for index in range(4)]
        assert (await solo.submit_list(raws[:3]))[0] == 200

        status, body = await solo.submit_list(raws[3:])

        assert status == 429
        assert json.loads(body)["error"]["data"] == {"retry_after_ms": 100}
        assert len(solo.town.pool) == 3


async def test_submissions_are_counted_and_verified_once() -> None:
    async with solo_node() as solo:
        before = solo.town.admission.signatures_verified
        raw = solo.town.transfer("a0", "a1")

        await solo.call("khz_submit", [raw.hex()])
        await submit_list(solo, raw, raw)
        await solo.seal()
        await solo.call("khz_submit", [raw.hex()])

        assert solo.town.admission.signatures_verified == before + 1
        assert solo.services.metrics.value("khazana_submissions_total", answer="taken") == 1
