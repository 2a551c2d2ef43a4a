"""What is answered from the index: pages without gaps, amounts, refusals; the client on top."""

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.client import Client, NoIndex
from node.codec import replace
from node.index.follower import Follower
from node.index.sqlite import SqliteDatabase
from node.ledger.operations import HoldAccount, Transfer
from node.rpc.indexed import FAILING
from tests.chain.town import BANK, CASH, Town, address_of
from tests.rpc.solo import Solo, solo_node

METHODS = {
    "khz_accountHistory": {"address": "ADDRESS"},
    "khz_proposalHistory": {"proposal": "0" * 64},
    "khz_participantHistory": {"participant": BANK},
    "khz_holders": {"asset": CASH},
    "khz_holderClasses": {"asset": CASH},
    "khz_dailyTotals": {},
    "khz_searchText": {"text": "rent"},
}


async def pay(town: Town, sender: str, receiver: str, amount: int, memo: str = "") -> str:
    """Decide a block of one transfer; return its id."""
    operation = Transfer(
        account=address_of(BANK, sender),
        to=address_of(BANK, receiver),
        asset=CASH,
        amount=amount,
    )
    body = replace(town.body([operation], [sender]), memo=memo)
    committed = await town.decide(town.sign(body, [sender]))
    return committed.candidate.transaction_ids[0].hex()


async def all_pages(solo: Solo, method: str, params: dict[str, Any], member: str) -> list[Any]:
    cursor = "after" if method == "khz_holders" else "before"
    found: list[Any] = []
    following: str | None = None
    while True:
        page = await solo.call(method, {**params, cursor: following})
        found += page[member]
        assert len(page[member]) <= params["limit"]
        following = page["next"]
        if following is None:
            return found


async def test_history_says_what_happened_to_an_account_newest_first(tmp_path: Path) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        paid = await pay(solo.town, "a0", "a1", 12_550)
        refused = await pay(solo.town, "a0", "a1", 10**12)
        got = await pay(solo.town, "a2", "a0", 70)
        await pay(solo.town, "a1", "a2", 1)
        await solo.indexed()

        answer = await solo.call("khz_accountHistory", {"address": solo.address("a0")})

        entries = answer["entries"]
        assert [entry["transaction"] for entry in entries[:3]] == [got, refused, paid]
        assert entries[0]["changes"] == [{"asset": CASH, "amount": "0.70"}]
        assert entries[0]["event"]["type"] == "transferred"
        assert entries[1]["event"] is None
        assert entries[1]["outcome"]["name"] == "HOLDING_INSUFFICIENT"
        assert entries[1]["changes"] == []
        assert entries[2]["changes"] == [{"asset": CASH, "amount": "-125.50"}]
        assert [entry["event"]["type"] for entry in entries[3:]] == ["issued", "account_opened"]
        head = solo.town.chain.head.height
        assert (answer["index"]["height"], answer["index"]["from_height"]) == (head, 1)
        # The receiver of what was refused has nothing to do with it.
        other = await solo.call("khz_accountHistory", {"address": solo.address("a1")})
        assert refused not in [entry["transaction"] for entry in other["entries"]]


async def test_cursors_of_history_are_those_of_the_stream(tmp_path: Path) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        await pay(solo.town, "a0", "a1", 5)
        await pay(solo.town, "a1", "a0", 10**12)
        await solo.indexed()
        entries = await all_pages(
            solo, "khz_accountHistory", {"address": solo.address("a0"), "limit": 1}, "entries"
        )
        async with Client(solo.url) as client:
            told = {}
            async with asyncio.timeout(90):
                stream = client.subscribe("events", accounts=[solo.address("a0")], start="0-0")
                async for item in stream:
                    told[item.cursor] = item.value
                    if len(told) == len(entries):
                        break

        assert {entry["cursor"]: entry["event"] for entry in entries} == {
            cursor: value["event"] for cursor, value in told.items()
        }


async def test_pages_have_neither_gaps_nor_doubles_whatever_their_size(tmp_path: Path) -> None:
    chance = Random(1)
    async with solo_node(accounts=12, index=tmp_path / "index.sqlite") as solo:
        names = [f"a{number}" for number in range(12)]
        for _ in range(40):
            sender, receiver = chance.sample(names, 2)
            await pay(solo.town, sender, receiver, chance.randrange(1, 10_000), "rent due")
        await solo.indexed()
        questions: list[tuple[str, dict[str, Any], str]] = [
            ("khz_accountHistory", {"address": solo.address("a3")}, "entries"),
            ("khz_holders", {"asset": CASH}, "holders"),
            ("khz_searchText", {"text": "DUE ren"}, "matches"),
        ]
        for method, params, member in questions:
            whole = await all_pages(solo, method, {**params, "limit": 200}, member)
            assert len(whole) >= 6
            for limit in (1, 2, 5):
                assert await all_pages(solo, method, {**params, "limit": limit}, member) == whole


async def test_holders_are_counted_by_kind_and_listed_without_names(tmp_path: Path) -> None:
    async with solo_node(accounts=4, index=tmp_path / "index.sqlite") as solo:
        await pay(solo.town, "a0", "a1", 1_000_000)  # all it has
        await solo.indexed()

        classes = await solo.call("khz_holderClasses", {"asset": CASH})
        holders = await solo.call("khz_holders", {"asset": CASH})

        assert classes["classes"] == [{"kind": "bank", "holders": 3, "amount": "40000.00"}]
        assert {holder["address"]: holder["amount"] for holder in holders["holders"]} == {
            solo.address("a1"): "20000.00",
            solo.address("a2"): "10000.00",
            solo.address("a3"): "10000.00",
        }
        assert all(holder.keys() == {"address", "kind", "amount"} for holder in holders["holders"])


async def test_totals_are_by_day_and_kind(tmp_path: Path) -> None:
    async with solo_node(accounts=2, index=tmp_path / "index.sqlite") as solo:
        for _ in range(3):
            await pay(solo.town, "a0", "a1", 150)
        await pay(solo.town, "a1", "a0", 10**15)
        solo.town.clock.advance(86_400_000)
        await solo.town.decide()
        await pay(solo.town, "a1", "a0", 1)
        await solo.indexed()

        first, second = (await solo.call("khz_dailyTotals", {"asset": CASH}))["days"]

        assert {total["kind"]: total for total in first["totals"]} == {
            "issued": {"kind": "issued", "count": 2, "amount": "20000.00"},
            "transferred": {"kind": "transferred", "count": 3, "amount": "4.50"},
        }
        assert second["totals"] == [{"kind": "transferred", "count": 1, "amount": "0.01"}]
        network = (await solo.call("khz_dailyTotals"))["days"]
        assert network[0]["totals"][-1] == {"kind": "refused", "count": 1, "amount": None}
        only = await solo.call("khz_dailyTotals", {"asset": CASH, "days": 1})
        assert only["days"] == [second]
        earlier = await solo.call(
            "khz_dailyTotals", {"asset": CASH, "days": 1, "last": first["day"]}
        )
        assert earlier["days"] == [first]


async def test_text_is_found_by_the_beginnings_of_its_words_in_any_script(tmp_path: Path) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        rent = await pay(solo.town, "a0", "a1", 5, "Rent for Māh-e-Nāw, no. 17")
        urdu = await pay(solo.town, "a0", "a1", 5, "برائے فصلِ ربیع")
        ends = await pay(solo.town, "a0", "a1", 5, "voil\u00e0")  # ends with the byte of no memo
        hold = HoldAccount(
            account=address_of("central-bank", "central-bank"),
            approvers=(),
            target=address_of(BANK, "a1"),
            reason='A "quoted* OR reason',
            legal_reference="C-12/2026",
        )
        await solo.town.decide(solo.town.transaction([hold], ["central-bank"]))
        await solo.indexed()

        async def found(text: str) -> list[str]:
            answer = await solo.call("khz_searchText", {"text": text})
            return [match["subject"] for match in answer["matches"]]

        assert await found("rent 17") == [rent]
        assert await found("māh") == [rent]
        assert await found("فصل") == [urdu]
        assert await found("voilà") == [ends]
        assert len(await found("quoted or")) == 1
        assert len(await found('"quoted* OR')) == 1
        assert await found("c 12 2026") == await found("quoted")
        assert await found("rupee") == [CASH]
        assert {CASH, BANK} <= set(await found("bank"))
        assert await found("nothing of the kind") == []
        assert await found("'\";:*()-") == []


async def test_a_node_without_an_index_says_so() -> None:
    async with solo_node() as solo:
        for method, params in METHODS.items():
            shown = {
                name: solo.address("a0") if value == "ADDRESS" else value
                for name, value in params.items()
            }
            error = await solo.refused(method, shown)
            assert error["code"] == -32007, method
            assert "index.database" in error["message"]
        assert (await solo.call("khz_index"))["kept"] is False
        async with Client(solo.url) as client:
            with pytest.raises(NoIndex):
                await client.index.holder_classes(CASH)


async def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        await solo.indexed()
        address = solo.address("a0")
        for method, params in (
            ("khz_accountHistory", {"address": address, "before": "1"}),
            ("khz_accountHistory", {"address": address, "before": f"{10**19}-0"}),
            ("khz_accountHistory", {"address": address, "limit": 201}),
            ("khz_accountHistory", {"address": "khz1nobody"}),
            ("khz_proposalHistory", {"proposal": "0" * 63}),
            ("khz_proposalHistory", {"proposal": "0" * 64, "before": "x"}),
            ("khz_participantHistory", {"participant": BANK, "before": "x"}),
            ("khz_participantHistory", {"participant": "x" * 33}),
            ("khz_holders", {"asset": CASH, "after": "x"}),
            ("khz_dailyTotals", {"last": "2026-02-30"}),
            ("khz_dailyTotals", {"last": "1969-12-31"}),
            ("khz_dailyTotals", {"days": 367}),
            ("khz_searchText", {"text": "x" * 201}),
            ("khz_searchText", {"text": "x", "before": "1-2"}),
            ("khz_searchText", {"text": "x", "before": f"1-{1 << 31}-0"}),
        ):
            assert (await solo.refused(method, params))["code"] == -32602, params
        for method in ("khz_holders", "khz_holderClasses", "khz_dailyTotals"):
            assert (await solo.refused(method, {"asset": "NONE"}))["code"] == -32001
        nobody = await solo.refused("khz_participantHistory", {"participant": "nobody"})
        assert nobody["code"] == -32001
        # Beyond everything there is nothing, and that is an answer.
        last = await solo.call("khz_accountHistory", {"address": address, "before": "1-0"})
        assert last["entries"] == []
        none = await solo.call("khz_proposalHistory", {"proposal": "0" * 64})
        assert none["entries"] == []


async def test_an_index_that_fails_is_told_of_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        await solo.indexed()
        index = solo.services.index
        assert isinstance(index, Follower)

        async def broken(*_: object) -> None:
            await SqliteDatabase(tmp_path / "nowhere").open(write=False)

        monkeypatch.setattr(index.answers._database, "read", broken)
        error = await solo.refused("khz_holderClasses", {"asset": CASH})

        assert error["code"] == -32002
        assert error["data"]["retry_after_ms"] > 0
        assert str(tmp_path) not in str(error)

        index.failure = f"{tmp_path}/index.sqlite: database or disk is full"
        status = await solo.call("khz_index")
        index.checkpoint = None
        unbegun = await solo.refused("khz_holderClasses", {"asset": CASH})

        assert status["kept"]
        assert status["failure"] == unbegun["message"] == FAILING


async def test_the_client_reads_it_as_typed_values(tmp_path: Path) -> None:
    async with solo_node(index=tmp_path / "index.sqlite") as solo:
        await pay(solo.town, "a0", "a1", 12_550, "rent")
        await solo.indexed()
        async with Client(solo.url) as client:
            history = [entry async for entry in client.index.history(solo.address("a0"))]
            holders = [holder async for holder in client.index.holders(CASH)]
            classes = (await client.index.holder_classes(CASH)).value
            totals = (await client.index.daily_totals(CASH)).value
            matches = [match async for match in client.index.search("rent")]
            status = (await client.index.status()).value

        assert history[0].changes[0].amount == Decimal("-125.50")
        assert len(holders) == classes[0].holders == 3
        assert totals[0].totals[-1].amount == Decimal("125.50")
        assert matches[0].subject == history[0].transaction
        assert status.index is not None
        assert status.index.height == solo.town.chain.head.height
