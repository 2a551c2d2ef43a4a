"""A node that has deleted old blocks: what it says of them, and that no client pays twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from node.client import Client, Draft, Expired, Forgotten, Pruned, StreamItem, transaction
from node.ledger.tables import ACCOUNTS
from node.rpc.submissions import ItemStatus
from node.storage import MemoryStore
from tests.chain.stores import contents
from tests.chain.town import BANK, CASH, address_of, key, make_record
from tests.network.views import peer_view
from tests.rpc.solo import FixedPeers, Solo, solo_node

WINDOW_MS = 10_000
KEEP = 5
RECORD = make_record(validators=1, window_ms=WINDOW_MS)


def transfer(solo: Solo, amount: int) -> Draft:
    builder = transaction(
        solo.network, valid_until_ms=solo.town.chain.head.time_ms + WINDOW_MS // 2
    )
    return builder.transfer(
        account=address_of(BANK, "a0"), to=address_of(BANK, "a1"), asset=CASH, amount=amount
    ).sign(key("a0"))


def ended(draft: Draft) -> datetime:
    return datetime.fromtimestamp(draft.body.valid_until_ms / 1000, UTC)


async def first_of(items: AsyncIterator[StreamItem]) -> StreamItem:
    return await anext(items)


async def prune(solo: Solo, height: int) -> None:
    """Let time pass until the block of this height is gone."""
    while not solo.town.chain.history.is_pruned(height):
        await solo.town.decide()


@contextlib.asynccontextmanager
async def old_node() -> AsyncIterator[tuple[Solo, Draft, Draft]]:
    """A node that has pruned the block of one transaction; the other was never applied."""
    async with solo_node(record=RECORD, keep_blocks=KEEP) as solo:
        applied, never = transfer(solo, 1), transfer(solo, 2)
        await solo.town.decide(applied.raw())
        await prune(solo, solo.town.chain.head.height)
        yield solo, applied, never


async def test_reads_of_pruned_heights_say_what_is_kept() -> None:
    async with old_node() as (solo, _, _):
        earliest = solo.town.chain.history.earliest
        head = solo.town.chain.head.height

        for height in (1, earliest - 1):
            error = await solo.refused("khz_block", {"height": height})
            assert error["code"] == -32001
            assert f"earliest kept is block {earliest}" in error["message"]
            assert error["data"] == {
                "height": head,
                "earliest_height": earliest,
                "pruned": True,
            }
        assert (await solo.call("khz_block", {"height": earliest}))["header"]["height"] == earliest
        missing = await solo.refused("khz_block", {"height": head + 1})
        assert "pruned" not in missing["data"]
        assert (await solo.call("khz_status"))["earliest_height"] == earliest
        # Who ruled is known for ever.
        assert (await solo.call("khz_validators", {"height": 1}))["rules_height"] == 1


@pytest.mark.adversarial(57)
async def test_nothing_says_of_an_old_transaction_that_it_was_never_applied() -> None:
    async with old_node() as (solo, applied, never):
        for draft in (applied, never):
            known = await solo.call("khz_transaction", {"id": draft.id.hex()})
            assert known["status"] == "unknown"
            assert datetime.fromisoformat(known["forgotten_until"]) >= ended(draft)
            refused = await solo.refused("khz_submit", {"transaction": draft.raw().hex()})
            assert refused["code"] == -32001
            assert refused["data"]["pruned"] is True
            many = await solo.call("khz_submitMany", {"transactions": [draft.raw().hex()]})
            assert many["results"][0]["error"]["data"]["pruned"] is True
        listed = await solo.call("khz_transactions", {"ids": [applied.id.hex()]})
        assert listed["forgotten_until"] is not None


async def test_client_does_not_say_that_it_expired() -> None:
    async with (
        old_node() as (solo, applied, never),
        Client([solo.url], network=solo.network) as client,
    ):
        for draft in (applied, never):
            with pytest.raises(Forgotten, match="may have been applied"):
                await client.submit(draft)
            with pytest.raises(Forgotten):
                await client.wait(draft.id, valid_until_ms=draft.body.valid_until_ms)
        items = await client.send_list([applied.raw(), never.raw()])
        assert [item[1] for item in items] == [ItemStatus.FORGOTTEN] * 2
        async with asyncio.timeout(90):
            results = await client.submit_many([applied, never])
        assert [(each.forgotten, each.name) for each in results] == [(True, "FORGOTTEN")] * 2
        assert not any(result.applied for result in results)
        # One whose time ends where blocks are kept is still told its end.
        late = transfer(solo, 3)
        solo.town.clock.advance(WINDOW_MS)
        await solo.town.decide()
        with pytest.raises(Expired):
            await client.submit(late)


async def test_client_finds_the_node_that_has_kept_it() -> None:
    """Two nodes of one chain: the one that is asked first has pruned, the other has not."""
    async with solo_node(record=RECORD) as archive:
        applied, never = transfer(archive, 1), transfer(archive, 2)
        await archive.town.decide(applied.raw())
        height = archive.town.chain.head.height
        for _ in range(30):
            await archive.town.decide()
        copy = MemoryStore()
        copy.write(list(contents(archive.town.store).items()), sync=True)
        async with (
            solo_node(store=copy, settled=False, record=RECORD, keep_blocks=KEEP) as solo,
            Client([solo.url, archive.url], network=solo.network) as client,
        ):
            await prune(solo, height)

            receipt = await client.submit(applied)
            assert receipt.height == height
            with pytest.raises(Expired):
                await client.submit(never)
            async with asyncio.timeout(90):
                results = await client.submit_many([applied, never])
            assert [each.name for each in results] == ["APPLIED", "EXPIRED"]
            item = await first_of(client.subscribe("blocks", start="0-0"))
            assert item.value["height"] == 1


async def test_subscription_from_before_what_is_kept_is_refused() -> None:
    async with (
        old_node() as (solo, _, _),
        Client([solo.url], network=solo.network) as client,
    ):
        for start in ("0-0", "1-0"):
            with pytest.raises(Pruned) as refused:
                await first_of(client.subscribe("blocks", start=start))
            assert refused.value.earliest_height == solo.town.chain.history.earliest
        earliest = solo.town.chain.history.earliest
        item = await first_of(client.subscribe("blocks", start=f"{earliest}-0"))
        assert item.value["height"] == earliest + 1


async def test_state_is_not_pruned() -> None:
    async with old_node() as (solo, _, _):
        account = await solo.call("khz_account", {"address": solo.address("a0")})
        assert account["account"]["owner"] == BANK
        assert solo.town.chain.record(ACCOUNTS, address_of(BANK, "a0")) is not None
        proof = await solo.call("khz_prove", {"kind": "asset", "name": CASH})
        assert CASH in proof["statement"]


async def test_readiness_says_that_nobody_keeps_what_is_needed() -> None:
    peers = FixedPeers(
        [peer_view("b", height=90, earliest=50), peer_view("c", height=80, earliest=40)]
    )
    async with solo_node(peers=peers) as solo:
        status, text = await solo.get("/readyz?verbose")
        assert status == 503
        height = solo.town.chain.head.height
        assert f"no peer keeps block {height + 1}" in text
        assert "khazana restore" in text
