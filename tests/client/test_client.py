"""The client against a real node: reads, the final word, failover."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from node.client import (
    Client,
    ClientNetwork,
    Draft,
    Expired,
    Limited,
    NotFound,
    Refused,
    Unreachable,
    WrongNetwork,
    transaction,
)
from node.client.errors import RETRY_AFTER_MS_DEFAULT, RETRY_AFTER_MS_MAX, call_failed
from node.client.transport import PATIENCE_S
from node.ledger.operations import PlaceHold
from node.ledger.outcomes import Outcome
from node.proofs import verify_proof_file
from node.rpc import RpcLimits
from node.rpc import errors as rpc
from tests.chain.town import key
from tests.client.proxy import proxy_to
from tests.rpc.solo import BANK, CASH, Solo, address_of, solo_node

NOWHERE = "http://127.0.0.1:1"


def client_of(solo: Solo, *endpoints: str, **more: Any) -> Client:
    return Client([*endpoints, solo.url], network=solo.network, **more)


def transfer(solo: Solo, amount: int = 150, *, valid_for_ms: int = 300_000) -> Draft:
    return (
        transaction(solo.network, valid_until_ms=solo.town.chain.head.time_ms + valid_for_ms)
        .transfer(
            account=address_of(BANK, "a0"), to=address_of(BANK, "a1"), asset=CASH, amount=amount
        )
        .sign(key("a0"))
    )


# Reading.


async def test_reads_are_typed_and_say_at_which_block() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        head = solo.town.chain.head
        address = address_of(BANK, "a0")

        account = await client.account(address)
        holdings = await client.holdings(solo.address("a0"))
        asset = await client.asset(CASH)
        block = await client.block(transactions="full")
        status = await client.status()

        assert (account.height, account.block_id) == (head.height, head.block_id.hex())
        assert account.time == datetime.fromtimestamp(head.time_ms / 1000, tz=UTC)
        assert account.value.owner == BANK
        assert account.value.policy.signers[0].public_key == key("a0").public_key.hex()
        (holding,) = holdings.value
        assert (holding.asset, holding.available) == (CASH, Decimal("10000.00"))
        assert asset.value.supply == Decimal("30000.00")
        assert block.value.header.state_root == head.state_root.hex()
        assert block.value.transactions[0].outcome.applied
        assert status.genesis_hash == solo.town.genesis.hash.hex()
        assert await client.holding(address, CASH) == Decimal("10000.00")
        assert await client.holding(address, "NONE") == 0


async def test_every_read_has_a_method() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        assert [each.asset for each in (await client.assets()).value] == [CASH]
        assert (await client.participant(BANK)).value.kind == "bank"
        assert (await client.validators()).value.quorum == 1
        assert (await client.proposals()).value == ()
        assert (await client.holds(solo.address("a0"))).value == ()
        assert "validators-min" in {each.name for each in (await client.parameters()).value}
        assert "transfer" not in {each.operation for each in (await client.powers()).value}
        assert (await client.call("khz_mempool"))["mempool"]["transactions"] == 0


async def test_long_lists_are_read_whole() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        central = address_of("central-bank", "central-bank")
        hold = PlaceHold(
            account=central,
            approvers=(),
            holder=address_of(BANK, "a0"),
            asset=CASH,
            amount=1,
            reason="r",
            legal_reference="l",
            expires_ms=None,
        )
        for _ in range(5):
            await solo.town.decide(solo.town.transaction([hold] * 100, ["central-bank"]))

        holds = (await client.holds(solo.address("a0"))).value

        assert len({each.id for each in holds}) == 500
        assert sum(each.amount for each in holds) == Decimal("5.00")


async def test_what_is_not_there_is_not_found() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        with pytest.raises(NotFound) as missing:
            await client.asset("NONE")

        assert missing.value.code == -32001


async def test_amounts_are_read_by_the_decimals_of_the_asset() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        assert await client.minor_units("100.5", CASH) == 10050
        assert await client.minor_units(Decimal("0.01"), CASH) == 1


async def test_proof_is_verified_without_the_node() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        proof = await client.prove("holding", address=address_of(BANK, "a0"), name=CASH)

        verified = verify_proof_file(proof.value.file, solo.town.genesis)

        assert verified.statement == proof.value.statement
        assert verified.height == proof.height


async def test_simulation_needs_no_signature() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        builder = await client.transaction(signers=[key("a0").public_key])
        draft = builder.act(
            "transfer",
            account=address_of(BANK, "a0"),
            to=address_of(BANK, "a1"),
            asset=CASH,
            amount=1 << 50,
        ).draft()

        simulation = await client.simulate(draft)

        assert simulation.value.outcome.name == "HOLDING_INSUFFICIENT"
        assert simulation.value.id == draft.id.hex()


# The network.


async def test_client_without_a_network_takes_that_of_the_node() -> None:
    async with solo_node() as solo, Client(solo.url) as client:
        assert client.network == solo.network


async def test_node_of_another_network_is_not_believed() -> None:
    other = ClientNetwork(genesis_hash=bytes(32), test=True)
    async with solo_node() as solo, Client(solo.url, network=other) as client:
        with pytest.raises(WrongNetwork) as wrong:
            await client.status()
        with pytest.raises(WrongNetwork):
            async for _ in client.subscribe():
                pass

        assert wrong.value.found == solo.town.genesis.hash.hex()


@pytest.mark.parametrize(
    "endpoint",
    [
        *("ftp://x", "ws://x:1", "", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:0"),
        *("http://[::1", "http://a..b:1", f"http://{'a' * 64}:1"),
    ],
)
def test_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client(endpoint)


async def test_what_fails_in_tls_is_told_as_that_and_not_as_the_systems_error() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = Client(f"https://127.0.0.1:{port}")
        with pytest.raises(Unreachable, match="speaks no TLS"):
            await client.__aenter__()


def test_client_needs_an_endpoint() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Client([])


# Failover.


async def test_endpoint_that_does_not_answer_is_passed_over() -> None:
    async with solo_node() as solo, client_of(solo, NOWHERE) as client:
        assert (await client.status()).height == 2
        assert client._transport.preferred == solo.url


async def test_nobody_answering_says_what_happened_to_each() -> None:
    async with solo_node() as solo:
        async with Client([NOWHERE, "127.0.0.1:2"], network=solo.network) as client:
            with pytest.raises(Unreachable) as nobody:
                await client.status()

        assert set(nobody.value.endpoints) == {NOWHERE, "http://127.0.0.1:2"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b"[]", 200),
        (b"\xff", 200),
        (b'{"jsonrpc":"2.0","id":99,"result":{}}', 200),
        (b'{"jsonrpc":"2.0","id":1,"result":{"height":"x"}}', 200),
        (b"<html>bad gateway</html>", 502),
        (b'{"error":"x"}', 500),
    ],
)
async def test_endpoint_that_answers_nonsense_is_passed_over(body: bytes, status: int) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, status=status)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        nonsense = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with solo_node() as solo, client_of(solo, nonsense) as client:
            assert (await client.asset(CASH)).height == 2
    finally:
        await runner.cleanup()


async def test_answer_without_end_is_cut_off() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * (1 << 20))

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        endless = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with solo_node() as solo, client_of(solo, endless) as client:
            assert (await client.status()).height == 2
    finally:
        await runner.cleanup()


# The final word.


async def test_submission_returns_the_receipt_of_the_application() -> None:
    async with solo_node(sealing=True) as solo, client_of(solo) as client:
        draft = transfer(solo)

        receipt = await client.submit(draft)

        assert receipt.outcome.applied
        assert receipt.events[0]["amount"] == "1.50"
        state = await client.transaction_state(draft.id)
        assert state.value.status == "final"
        assert state.value.receipt == receipt
        assert await client.submit(draft) == receipt
        assert await client.wait(draft.id, valid_until_ms=0) == receipt


async def test_refusal_at_the_first_door_is_final() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        draft = transfer(solo, 1 << 50)

        with pytest.raises(Refused) as refused:
            await client.submit(draft)

        error = refused.value
        assert error.outcome is Outcome.HOLDING_INSUFFICIENT
        assert error.details["expected"] == 1 << 50
        assert solo.address("a0") in error.sentence
        assert error.height is None
        assert error.transaction_id == draft.id.hex()


@pytest.mark.adversarial(62)
async def test_refusal_by_a_block_is_final_with_its_height() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        drafts = [transfer(solo, 900_000), transfer(solo, 800_000)]
        await client.send(drafts[0])
        await client.send(drafts[1])
        await solo.seal()

        assert (await client.submit(drafts[0])).outcome.applied
        with pytest.raises(Refused) as refused:
            await client.submit(drafts[1])

        assert refused.value.outcome is Outcome.HOLDING_INSUFFICIENT
        assert refused.value.height == 3


async def test_transaction_whose_time_passed_before_it_was_handed_in_has_expired() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        draft = transfer(solo, valid_for_ms=1)
        solo.town.clock.advance(10_000)
        submitting = asyncio.ensure_future(client.submit(draft))  # noqa: TID251 - a test's own task
        # The clock alone does not say so, as a block that is not here yet may hold it: whoever was
        # told no comes again.
        for _ in range(3):
            await solo.intake.asked.acquire()
        assert not submitting.done()
        await solo.town.decide()

        with pytest.raises(Expired):
            await submitting


async def test_transaction_that_gets_lost_expires_in_block_time() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        draft = transfer(solo, valid_for_ms=5_000)
        submitting = asyncio.ensure_future(client.submit(draft))  # noqa: TID251 - a test's own task
        await solo.intake.taken.wait()
        solo.town.pool.remove([draft.id])
        solo.town.clock.advance(60_000)
        await solo.town.decide()

        with pytest.raises(Expired) as expired:
            await submitting

        assert expired.value.outcome is Outcome.EXPIRED
        with pytest.raises(Expired):
            await client.wait(draft.id, valid_until_ms=draft.body.valid_until_ms)


@pytest.mark.adversarial(57)
async def test_lost_answer_is_asked_for_again_and_the_transaction_applied_once() -> None:
    async with (
        solo_node(sealing=True) as solo,
        proxy_to(solo.server.port) as proxy,
        Client([proxy.url], network=solo.network) as client,
    ):
        await client.status()
        proxy.swallowing = True
        draft = transfer(solo)
        submitting = asyncio.ensure_future(client.submit(draft))  # noqa: TID251
        await solo.intake.taken.wait()
        proxy.cut()
        proxy.swallowing = False

        receipt = await submitting

        assert receipt.outcome.applied
        assert await client.holding(address_of(BANK, "a0"), CASH) == Decimal("9998.50")


async def test_refusal_is_not_final_once_a_node_may_hold_the_transaction() -> None:
    """The answer is lost, the state changes, and the door says no: only the block counts."""
    async with (
        solo_node() as solo,
        proxy_to(solo.server.port) as proxy,
        Client([proxy.url, solo.url], network=solo.network, timeout_s=5) as client,
    ):
        await client.status()
        draft = transfer(solo, 900_000)
        proxy.swallowing = True
        submitting = asyncio.ensure_future(client.submit(draft))  # noqa: TID251
        await solo.intake.taken.wait()
        await solo.town.decide(solo.town.transfer("a0", "a2", 500_000))
        waiting = list(solo.town.pool.take(count_max=1, size_bytes_max=1 << 20))
        solo.town.pool.remove([draft.id])

        await proxy.close()
        await solo.intake.taken.wait()
        assert not submitting.done()
        await solo.town.decide(solo.town.transfer("a2", "a0", 500_000))
        await solo.town.decide(waiting[0].raw)

        assert (await submitting).outcome.applied


async def test_read_comes_back_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = RpcLimits(calls_per_second=20, calls_burst=2)
    async with solo_node(limits=limits) as solo, client_of(solo) as client:
        refused = asyncio.Event()
        take = solo.server._budget.allowances.calls.take

        def noted(*args: Any, **named: Any) -> None:
            try:
                take(*args, **named)
            except rpc.Limited:
                refused.set()
                raise

        monkeypatch.setattr(solo.server._budget.allowances.calls, "take", noted)
        await client.status()
        with pytest.raises(Limited):
            await client.send(transfer(solo))
        refused.clear()

        async with asyncio.timeout(PATIENCE_S):
            reading = asyncio.ensure_future(client.status())  # noqa: TID251
            await refused.wait()
            solo.town.clock.advance(1_000)
            assert (await reading).network

        def refuse(*_: Any, **__: Any) -> None:
            raise rpc.Limited("not today", retry_after_ms=int(PATIENCE_S * 1000) + 1)

        monkeypatch.setattr(solo.server._budget.allowances.calls, "take", refuse)
        with pytest.raises(Limited):
            await client.status()


async def test_who_has_no_patience_is_told_at_once() -> None:
    limits = RpcLimits(calls_per_second=1, calls_burst=2)
    async with solo_node(limits=limits) as solo, client_of(solo, patience_s=0) as client:
        await client.status()
        with pytest.raises(Limited):
            await client.status()


@pytest.mark.parametrize(
    ("said", "waited_ms"),
    [
        (250, 250),
        (0, 1),
        (-5, 1),
        (10**400, RETRY_AFTER_MS_MAX),
        ("soon", RETRY_AFTER_MS_DEFAULT),
        (None, RETRY_AFTER_MS_DEFAULT),
    ],
)
def test_no_node_says_for_how_long_its_client_sleeps(said: object, waited_ms: int) -> None:
    assert call_failed(-32005, "busy", {"retry_after_ms": said}).retry_after_ms == waited_ms


@pytest.mark.adversarial(75)
async def test_full_pool_is_waited_for() -> None:
    async with solo_node(count_max=1) as solo, client_of(solo) as client:
        await client.send(transfer(solo))
        with pytest.raises(Limited) as full:
            await client.send(transfer(solo))
        assert full.value.retry_after_ms > 0

        submitting = asyncio.ensure_future(client.submit(transfer(solo)))  # noqa: TID251
        await solo.seal()
        solo.intake.taken.clear()
        await solo.intake.taken.wait()
        await solo.seal()

        assert (await submitting).outcome.applied


async def test_submission_goes_on_while_no_node_answers() -> None:
    async with (
        solo_node(sealing=True) as solo,
        proxy_to(solo.server.port) as proxy,
        Client([proxy.url], network=solo.network) as client,
    ):
        proxy_port = int(proxy.url.rpartition(":")[2])
        draft = transfer(solo)
        await proxy.close()
        submitting = asyncio.ensure_future(client.submit(draft))  # noqa: TID251
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.shield(submitting)

        proxy._server = await asyncio.start_server(proxy._serve, "127.0.0.1", proxy_port)

        assert (await submitting).outcome.applied


# Many.


async def test_many_reach_their_ends_each_with_its_own_word() -> None:
    async with solo_node(sealing=True) as solo, client_of(solo) as client:
        good = [transfer(solo, 1 + index) for index in range(50)]
        old = transfer(solo, 77)
        await client.submit(old)
        drafts = [*good[:25], transfer(solo, 1 << 50), old, *good[25:], good[0]]

        results = await client.submit_many(drafts)

        assert [result.id for result in results] == [draft.id.hex() for draft in drafts]
        names = [result.name for result in results]
        assert names[25] == "HOLDING_INSUFFICIENT"
        assert results[25].height is None
        assert set(names[:25] + names[26:]) == {"APPLIED"}
        assert all(result.height for result in results if result.applied)
        total = sum(range(1, 51)) + 77
        assert await client.holding(address_of(BANK, "a0"), CASH) == 10000 - Decimal(total) / 100


async def test_no_transactions_are_done_at_once() -> None:
    async with solo_node(settled=False) as solo, client_of(solo) as client:
        assert await client.submit_many([]) == []


@pytest.mark.adversarial(75)
async def test_many_more_than_fit_are_all_applied_in_the_end() -> None:
    async with solo_node(sealing=True, count_max=10) as solo, client_of(solo) as client:
        drafts = [transfer(solo, 1 + index) for index in range(15)]

        results = await client.submit_many(drafts)

        assert all(result.applied for result in results)


async def test_many_survive_the_loss_of_every_connection() -> None:
    async with (
        solo_node(sealing=True) as solo,
        proxy_to(solo.server.port) as proxy,
        Client([proxy.url], network=solo.network) as client,
    ):
        drafts = [transfer(solo, 1 + index) for index in range(300)]
        submitting = asyncio.ensure_future(client.submit_many(drafts))  # noqa: TID251
        for _ in range(3):
            proxy.requested.clear()
            await proxy.requested.wait()
            proxy.cut()

        results = await submitting

        assert all(result.applied for result in results)
        assert len({result.id for result in results}) == 300


async def test_many_that_get_lost_expire_in_block_time() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        drafts = [transfer(solo, 1 + index, valid_for_ms=5_000) for index in range(3)]
        submitting = asyncio.ensure_future(client.submit_many(drafts))  # noqa: TID251
        await solo.intake.taken.wait()
        solo.town.pool.remove(solo.town.pool.ids())
        solo.town.clock.advance(60_000)
        await solo.town.decide()

        results = await submitting

        assert [(result.name, result.height) for result in results] == [("EXPIRED", None)] * 3


async def test_list_for_load_is_answered_item_by_item() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        draft = transfer(solo)

        items = await client.send_list([draft.raw(), b"\x00"])

        assert items == ((draft.id, 0, None, None), (None, 2, Outcome.MALFORMED, None))


# Following.


async def test_subscription_yields_items_in_order() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        stream = client.subscribe("transactions", start="0-0")
        await solo.town.decide(solo.town.transfer("a0", "a1"))

        items = [await anext(stream) for _ in range(3)]
        await stream.aclose()

        assert [item.topic for item in items] == ["transactions"] * 3
        assert [item.value["height"] for item in items] == [1, 2, 3]


async def test_subscription_goes_on_across_lost_connections_without_gap_or_repetition() -> None:
    async with (
        solo_node() as solo,
        proxy_to(solo.server.port) as proxy,
        Client([proxy.url], network=solo.network) as client,
    ):
        stream = client.subscribe("events", assets=[CASH], start="2-8")
        seen = []
        for index in range(12):
            await solo.town.decide(solo.town.transfer("a0", "a1", 1 + index))
            if index % 3 == 0:
                proxy.cut()
            seen.append((await anext(stream)).value["event"]["amount"])
        await stream.aclose()

        assert seen == [f"0.{1 + index:02}" for index in range(12)]
        assert proxy.connections > 1


async def test_subscription_refused_by_the_node_is_an_error() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        with pytest.raises(Exception, match="from: "):
            await anext(client.subscribe("blocks", start="yesterday"))


async def test_subscription_filters_by_account_as_bytes_or_text() -> None:
    async with solo_node() as solo, client_of(solo) as client:
        await solo.town.decide(solo.town.transfer("a0", "a1", 1), solo.town.transfer("a0", "a2", 2))
        for account in (address_of(BANK, "a2"), solo.address("a2")):
            stream = client.subscribe("events", accounts=[account], start="2-8")

            assert (await anext(stream)).value["event"]["amount"] == "0.02"
            await stream.aclose()


async def test_closed_client_leaves_no_connection() -> None:
    async with solo_node() as solo:
        async with client_of(solo) as client:
            await client.status()
            session = client._transport.session

        assert session.closed
