"""`khz_evidence`: who has signed two things at once, page by page, whatever comes meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest

from consensus.evidence import Equivocation
from node.blocks import encode_evidence
from node.chain.history import History
from node.rpc import evidence as evidence_module
from node.rpc.errors import InvalidParams
from node.rpc.evidence import Evidence
from tests.chain.town import Town
from tests.rpc.solo import Solo, solo_node


def accusation(town: Town, height: int) -> bytes:
    votes = [town.vote("central-bank", height, bytes([each]) * 32) for each in (1, 2)]
    return encode_evidence(Equivocation(first=votes[0], second=votes[1]))


async def accuse(solo: Solo, *heights: int) -> None:
    """Commit a block that shows what the bank signed at these heights."""
    await solo.town.decide(evidence=[accusation(solo.town, each) for each in heights])


async def paged(solo: Solo, limit: int) -> list[tuple[int, int]]:
    """Return block and height of every accusation, read by pages of so many."""
    found, after = [], None
    while True:
        page = await solo.call("khz_evidence", {"after": after, "limit": limit})
        assert 1 <= len(page["evidence"]) <= limit
        found += [(each["shown_in"], each["height"]) for each in page["evidence"]]
        after = page["next"]
        if after is None:
            return found


def blocks(found: Sequence[tuple[int, int]]) -> list[int]:
    return [shown for shown, _ in found]


async def test_evidence_names_the_validator_and_shows_both_signatures() -> None:
    async with solo_node() as solo:
        town = solo.town
        votes = [town.vote("central-bank", 1, bytes([number]) * 32) for number in (1, 2)]
        evidence = encode_evidence(Equivocation(first=votes[0], second=votes[1]))
        await town.decide(evidence=[evidence])
        height = town.chain.head.height
        await town.decide()

        (shown,) = (await solo.call("khz_evidence"))["evidence"]
        block = await solo.call("khz_block", {"height": height})

        assert (shown["shown_in"], shown["validator"]) == (height, "central-bank")
        assert (shown["height"], shown["round"]) == (1, 0)
        assert {shown["first"]["block_id"], shown["second"]["block_id"]} == {"01" * 32, "02" * 32}
        assert shown["first"]["kind"] == "precommit"
        assert block["evidence"] == [shown]


async def test_pages_of_it_are_the_whole_of_it_however_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several in a block, more blocks than are kept in memory, and a slice of two of them."""
    monkeypatch.setattr(evidence_module, "KEPT_MAX", 3)
    monkeypatch.setattr(evidence_module, "SLICE", 2)
    async with solo_node() as solo:
        for heights in ([1, 2], [3], [], [4, 5, 6], [7]):
            await accuse(solo, *heights)
        whole = await paged(solo, 200)

        assert blocks(whole) == [7, 6, 6, 6, 4, 3, 3]
        assert sorted(height for _, height in whole) == [1, 2, 3, 4, 5, 6, 7]
        for limit in (1, 2, 3, 4, 7):
            assert await paged(solo, limit) == whole, limit


async def test_page_goes_on_where_it_ended_whatever_is_shown_meanwhile() -> None:
    async with solo_node() as solo:
        await accuse(solo, 1, 2, 3)
        first = await solo.call("khz_evidence", {"limit": 2})
        await accuse(solo, 4)

        rest = await solo.call("khz_evidence", {"after": first["next"], "limit": 2})

        shown = [each["height"] for each in first["evidence"] + rest["evidence"]]
        assert sorted(shown) == [1, 2, 3]
        assert rest["next"] is None


async def test_order_is_the_same_where_the_blocks_are_no_longer_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with solo_node() as solo:
        await accuse(solo, 1, 2, 3)
        whole = (await solo.call("khz_evidence"))["evidence"]
        monkeypatch.setattr(History, "block", lambda *_: None)

        without = (await solo.call("khz_evidence"))["evidence"]

    assert [each["height"] for each in without] == [each["height"] for each in whole]
    assert [each["first"] for each in without] == [None] * 3
    assert all(each["first"] and each["second"] for each in whole)


async def test_all_are_gone_through_once_and_the_latest_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Accusations are never deleted, and one validator can make two of every height."""
    monkeypatch.setattr(evidence_module, "KEPT_MAX", 3)
    async with solo_node() as solo:
        for height in (1, 2):
            await accuse(solo, height)
        assert blocks(await paged(solo, 2)) == [4, 3]

        def gone_through(*_: object) -> None:
            raise AssertionError("all accusations are gone through again")

        with monkeypatch.context() as patched:
            patched.setattr(History, "accusations_after", gone_through)
            await solo.town.decide()
            await accuse(solo, 3)
            latest = await solo.call("khz_evidence", {"limit": 2})
            await accuse(solo, 4)
            latest_again = await solo.call("khz_evidence", {"limit": 2})
        assert [each["shown_in"] for each in latest["evidence"]] == [6, 4]
        assert [each["shown_in"] for each in latest_again["evidence"]] == [7, 6]
        assert blocks(await paged(solo, 3)) == [7, 6, 4, 3]


async def test_block_that_comes_while_all_are_gone_through_is_there_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ids are hashes, so what is new may stand before or after what is read already."""
    monkeypatch.setattr(evidence_module, "SLICE", 1)
    async with solo_node() as solo:
        chain = solo.town.chain
        for height in (1, 2):
            await accuse(solo, height)
        anew = Evidence(chain, solo.server._views)

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(anew.page(None, 10), name=f"asks-{n}") for n in range(3)]
            await asyncio.sleep(0)
            await accuse(solo, 3)
        pages = [each.result() for each in asked]
        pages.append(await anew.page(None, 10))

        for views, following in pages:
            assert following is None
            assert [each.shown_in for each in views] == [5, 4, 3]


async def test_whoever_gives_up_while_all_are_gone_through_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evidence_module, "SLICE", 1)
    async with solo_node() as solo:
        for height in (1, 2):
            await accuse(solo, height)
        anew = Evidence(solo.town.chain, solo.server._views)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(anew.page(None, 10), name="asks")
            await asyncio.sleep(0)
            asked.cancel()
        assert asked.cancelled()
        await accuse(solo, 3)

        views, _ = await anew.page(None, 10)

        assert [each.shown_in for each in views] == [5, 4, 3]


@pytest.mark.parametrize(
    "after", ["", "3", "-3-" + "0" * 64, "03-" + "0" * 64, "3-" + "0" * 62, "3-" + "F" * 64, "x"]
)
async def test_what_is_no_place_in_it_is_refused(after: str) -> None:
    async with solo_node() as solo:
        refused = await solo.refused("khz_evidence", {"after": after})

    assert refused["code"] == InvalidParams.code


async def test_place_that_nothing_stands_at_is_gone_on_after() -> None:
    async with solo_node() as solo:
        await accuse(solo, 1)
        shown_in = solo.town.chain.head.height

        before = await solo.call("khz_evidence", {"after": f"{shown_in + 1}-{'f' * 64}"})
        behind = await solo.call("khz_evidence", {"after": f"{shown_in - 1}-{'0' * 64}"})

    assert len(before["evidence"]) == 1
    assert behind["evidence"] == []
    assert behind["next"] is None
