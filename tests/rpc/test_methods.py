"""Every method, on a real chain of one validator."""

import asyncio
import dataclasses
import json
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import pytest
from typing_extensions import override

from consensus.types import BlockId, Round, Step, ValidatorId
from node.addresses import render_address
from node.chain.receipts import encode_block_receipts
from node.codec import encode, replace
from node.ledger.events import Issued
from node.ledger.operations import PlaceHold, Propose, SetParameter, Transfer
from node.ledger.powers import REFERENCE_OFFICES
from node.ledger.transactions import TransactionBody
from node.ledger.transition import Receipt
from node.proofs import ProofError, verify_proof_file
from node.replica.position import Position
from node.rpc.methods import STATUSES_AT_ONCE
from node.rpc.params import TransactionsParams
from node.storage import layout
from tests.chain.stores import CountingStore
from tests.chain.town import address_of as office_address
from tests.explorer.stage import BILL, EXCHANGE, ISIN, LEI, stage
from tests.rpc.solo import BANK, CASH, Solo, StillConsensus, address_of, solo_node

CENTRAL = office_address("central-bank", "central-bank")


def at(solo: Solo) -> dict[str, Any]:
    head = solo.town.chain.head
    return {"height": head.height, "block_id": head.block_id.hex()}


def hold(amount: int = 250, *, account: str = "a0") -> PlaceHold:
    return PlaceHold(
        account=CENTRAL,
        approvers=(),
        holder=address_of(BANK, account),
        asset=CASH,
        amount=amount,
        reason="a court's order",
        legal_reference="C-1/2026",
        expires_ms=None,
    )


def proposal(value: int = 7) -> Propose:
    operation = SetParameter(
        account=CENTRAL, approvers=(), parameter="proposals-open-max", value=value
    )
    return Propose(account=CENTRAL, operations=encode((operation,)), expires_ms=1_600_000_900_000)


async def test_status_says_what_the_network_is_and_where_the_node_stands() -> None:
    async with solo_node() as solo:
        status = await solo.call("khz_status")

        assert status.items() >= at(solo).items()
        assert status["node"] == "central-bank"
        assert status["genesis_hash"] == solo.town.genesis.hash.hex()
        assert status["network"] == status["genesis_hash"][:16]
        assert status["test_network"] is True
        assert status["state_root"] == solo.town.chain.head.state_root.hex()
        assert (status["validators"], status["quorum"], status["faults_survived"]) == (1, 1, 0)
        assert status["ready"] is True


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("khz_status", {}),
        ("khz_mempool", {}),
        ("khz_consensus", {}),
        ("khz_validators", {}),
        ("khz_transaction", {"id": "00" * 32}),
        ("khz_transactions", {"ids": ["00" * 32]}),
        ("khz_block", {}),
        ("khz_evidence", {}),
        ("khz_asset", {"asset": CASH}),
        ("khz_assets", {}),
        ("khz_participant", {"participant": BANK}),
        ("khz_participants", {}),
        ("khz_offices", {}),
        ("khz_licences", {}),
        ("khz_proposals", {}),
        ("khz_parameters", {}),
        ("khz_powers", {}),
        ("khz_prove", {"kind": "asset", "name": CASH}),
    ],
)
async def test_every_read_says_at_which_block_it_was_answered(
    method: str, params: dict[str, Any]
) -> None:
    async with solo_node() as solo:
        result = await solo.call(method, params)

        assert result.items() >= at(solo).items()
        assert datetime.fromisoformat(result["time"]).timestamp() * 1000 == (
            solo.town.chain.head.time_ms
        )


async def test_account_shows_owner_policy_and_status() -> None:
    async with solo_node() as solo:
        address = solo.address("a0")

        account = (await solo.call("khz_account", [address]))["account"]

        assert account["address"] == address
        assert account["owner"] == BANK
        assert account["status"] == "open"
        assert account["hold"] is None
        assert account["policy"]["thresholds"] == {"transfer": 1, "office": 1, "administer": 1}
        assert [signer["weight"] for signer in account["policy"]["signers"]] == [1]


async def test_address_in_capitals_is_the_same_address() -> None:
    async with solo_node() as solo:
        address = solo.address("a0")

        assert (await solo.call("khz_account", [address.upper()]))["account"]["address"] == address


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tkhz1z5ll2qcz4dg3c35wv2laqzrsj3nq2ghc8h9ncx", "mistyped"),
        (render_address(bytes(20), test=False), "main network"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "begins with"),
        ("", "begins with"),
    ],
)
async def test_what_is_no_address_of_this_network_says_why(address: str, says: str) -> None:
    async with solo_node() as solo:
        error = await solo.refused("khz_account", [address])

        assert error["code"] == -32602
        assert error["message"].startswith("address: ")
        assert says in error["message"]


async def test_holdings_are_decimal_strings_of_the_asset() -> None:
    async with solo_node() as solo:
        await solo.town.decide(solo.town.transaction([hold(250)], ["central-bank"]))

        result = await solo.call("khz_holdings", {"address": solo.address("a0")})

        assert result["holdings"] == [
            {
                "asset": CASH,
                "decimals": 2,
                "available": "9997.50",
                "held": "2.50",
                "total": "10000.00",
            }
        ]
        assert result["next"] is None


async def test_page_reads_what_it_holds_and_nothing_of_the_neighbours() -> None:
    store = CountingStore()
    async with solo_node(accounts=80, store=store) as solo:
        # An account that is followed by others in the order of addresses.
        address = min(solo.address(f"a{number}") for number in range(80))
        store.pairs_scanned = 0

        result = await solo.call("khz_holdings", {"address": address, "limit": 50})

        assert [entry["asset"] for entry in result["holdings"]] == [CASH]
        assert result["next"] is None
        assert store.pairs_scanned == 1


async def test_holds_list_amount_reason_and_who_placed_them() -> None:
    async with solo_node() as solo:
        await solo.town.decide(solo.town.transaction([hold(250), hold(100)], ["central-bank"]))

        first = await solo.call("khz_holds", {"address": solo.address("a0"), "limit": 1})
        second = await solo.call(
            "khz_holds", {"address": solo.address("a0"), "limit": 1, "after": first["next"]}
        )

        (one,), (other,) = first["holds"], second["holds"]
        assert {one["amount"], other["amount"]} == {"2.50", "1.00"}
        assert one["placed_by"] == "central-bank"
        assert one["legal_reference"] == "C-1/2026"
        assert one["expires"] is None
        assert second["next"] is None


async def test_asset_shows_amounts_in_its_units() -> None:
    async with solo_node() as solo:
        asset = (await solo.call("khz_asset", {"asset": CASH}))["asset"]

        assert asset["kind"] == "cash"
        assert asset["supply"] == "30000.00"
        assert asset["multiple"] == "0.01"
        assert asset["face_unit"] is None
        assert asset["identifiers"] == {"isin": None, "currency": "PKR", "dti": None}


async def test_participant_shows_registration_and_office() -> None:
    async with solo_node() as solo:
        bank = (await solo.call("khz_participant", [BANK]))["participant"]
        central = (await solo.call("khz_participant", ["central-bank"]))["participant"]

        assert (bank["kind"], bank["office"], bank["registrar"]) == ("bank", None, "central-bank")
        assert central["office"] == "central-bank"
        assert bank["licences"] == []


async def test_participants_are_listed_by_id_page_by_page() -> None:
    async with solo_node() as solo:
        first = await solo.call("khz_participants", {"limit": 3})
        rest = await solo.call("khz_participants", {"limit": 3, "after": first["next"]})

        listed = [*first["participants"], *rest["participants"]]
        names = [each["participant"] for each in listed]
        assert names == sorted([BANK, *REFERENCE_OFFICES])
        assert first["next"] == names[2]
        assert rest["next"] is None
        assert listed[0] == {
            "participant": BANK,
            "kind": "bank",
            "jurisdiction": "PK",
            "office": None,
            "status": "active",
        }


async def test_offices_are_listed_with_who_holds_them() -> None:
    async with solo_node(settled=False) as solo:
        offices = (await solo.call("khz_offices"))["offices"]

        assert {each["office"]: each["participant"] for each in offices} == {
            office: office for office in REFERENCE_OFFICES
        }


async def test_licences_of_everybody_are_listed_with_their_state() -> None:
    async with stage() as shown:
        first = await shown.solo.call("khz_licences", {"limit": 1})
        rest = await shown.solo.call("khz_licences", {"after": first["next"]})

        listed = [
            (each["participant"], each["licence"]["activity"], each["licence"]["revoked"])
            for each in (*first["licences"], *rest["licences"])
        ]
        assert listed == [(EXCHANGE, "custody", True), (EXCHANGE, "exchange", False)]


async def test_an_identifier_says_what_it_names() -> None:
    async with stage() as shown:
        security = await shown.solo.call("khz_identifier", [ISIN])
        entity = await shown.solo.call("khz_identifier", [LEI])

        assert (security["scheme"], security["holder"]) == ("isin", BILL)
        assert (entity["scheme"], entity["holder"]) == ("lei", "karakoram-bank")


async def test_pages_of_powers_follow_each_other_without_gap_or_repetition() -> None:
    async with solo_node(settled=False) as solo:
        whole = (await solo.call("khz_powers", {"limit": 200}))["powers"]
        pages, after = [], None
        while True:
            page = await solo.call("khz_powers", {"limit": 7, "after": after})
            pages += page["powers"]
            after = page["next"]
            if after is None:
                break

        assert pages == whole
        assert len(whole) > 7
        assert {"operation", "subject", "offices", "required", "licences"} == whole[0].keys()


async def test_proposals_show_their_operations_and_approvals() -> None:
    async with solo_node() as solo:
        await solo.town.decide(solo.town.transaction([proposal()], ["central-bank"]))

        (listed,) = (await solo.call("khz_proposals"))["proposals"]
        shown = (await solo.call("khz_proposal", [listed["id"]]))["proposal"]

        assert shown == listed
        central = solo.address("central-bank", "central-bank")
        assert shown["approvals"] == [central]
        assert shown["operations"] == [
            {
                "type": "set_parameter",
                "account": central,
                "approvers": [],
                "parameter": "proposals-open-max",
                "value": 7,
            }
        ]
        assert shown["expires"] == "2020-09-13T12:41:40.000Z"


async def test_parameters_show_value_and_range() -> None:
    async with solo_node(settled=False) as solo:
        parameters = (await solo.call("khz_parameters"))["parameters"]

        assert {
            "name": "utc-offset-minutes",
            "value": 300,
            "lowest": -720,
            "highest": 840,
        } in parameters


async def test_block_in_full_shows_operations_outcomes_and_events() -> None:
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1", 150)
        await solo.town.decide(raw)

        block = await solo.call("khz_block", {"transactions": "full"})

        assert block["id"] == block["block_id"]
        assert block["header"]["height"] == block["height"]
        assert block["certificate"]["block_id"] == block["id"]
        (entry,) = block["transactions"]
        moved = {
            "account": solo.address("a0"),
            "to": solo.address("a1"),
            "asset": CASH,
            "amount": "1.50",
        }
        assert entry["transaction"]["operations"] == [{"type": "transfer", **moved}]
        assert entry["outcome"]["name"] == "APPLIED"
        assert entry["events"] == [{"type": "transferred", **moved}]
        assert block["transaction_ids"] == []


async def test_block_by_height_and_its_transactions_page_by_page() -> None:
    async with solo_node() as solo:
        raws = [solo.town.transfer("a0", "a1", 1 + index) for index in range(5)]
        await solo.town.decide(*raws)
        height = solo.town.chain.head.height
        await solo.town.decide()

        pages, index = [], 0
        while index is not None:
            page = await solo.call(
                "khz_block",
                {"height": height, "transactions": "full", "limit": 2, "index": index},
            )
            pages += page["transactions"]
            index = page["next_index"]
        ids = (await solo.call("khz_block", {"height": height}))["transaction_ids"]
        none = await solo.call("khz_block", {"height": height, "transactions": "none"})

        assert [entry["transaction"]["id"] for entry in pages] == ids
        assert len(ids) == 5
        assert none["transactions"] == none["transaction_ids"] == []
        assert none["next_index"] is None


async def test_own_events_of_a_block_come_page_by_page_where_a_page_is_asked_for() -> None:
    async with solo_node() as solo:
        await solo.town.decide()
        height = solo.town.chain.head.height
        assert (await solo.call("khz_block", {"height": height - 1, "events_limit": 0}))[
            "next_event"
        ] is None  # it has none
        events = [
            Issued(asset=CASH, amount=100 * number, to=bytes(20), supply=0) for number in range(5)
        ]
        # As a block has them that pays a coupon; which one says so does not matter to who asks.
        solo.town.store.write(
            [(layout.receipts_key(height), encode_block_receipts([], encode(tuple(events))))],
            sync=False,
        )

        whole = await solo.call("khz_block", {"height": height})
        pages, place = [], 0
        while place is not None:
            page = await solo.call(
                "khz_block", {"height": height, "first_event": place, "events_limit": 2}
            )
            assert len(page["events"]) <= 2
            pages += page["events"]
            place = page["next_event"]
        none = await solo.call("khz_block", {"height": height, "events_limit": 0})
        beyond = await solo.call("khz_block", {"height": height, "first_event": 9})

        assert [each["amount"] for each in whole["events"]] == [f"{each}.00" for each in range(5)]
        assert whole["next_event"] is None
        assert pages == whole["events"]
        assert (none["events"], none["next_event"]) == ([], 0)
        assert (beyond["events"], beyond["next_event"]) == ([], None)


@pytest.mark.parametrize(
    ("method", "params", "says"),
    [
        ("khz_block", {"height": 99}, "no block 99; its last is 2"),
        ("khz_validators", {"height": 99}, "not known before height 98"),
        ("khz_asset", {"asset": "NONE"}, "no asset 'NONE'"),
        ("khz_participant", {"participant": "nobody"}, "no participant 'nobody'"),
        ("khz_identifier", {"identifier": "PKTB0574M033"}, "identified by 'PKTB0574M033'"),
        ("khz_proposal", {"proposal": "00" * 32}, "no open proposal"),
        ("khz_account", {"address": render_address(bytes(20), test=True)}, "no account"),
        ("khz_holdings", {"address": render_address(bytes(20), test=True)}, "no account"),
    ],
)
async def test_what_does_not_exist_is_not_found(
    method: str, params: dict[str, Any], says: str
) -> None:
    async with solo_node() as solo:
        error = await solo.refused(method, params)

        assert error["code"] == -32001
        assert says in error["message"]


async def test_height_before_the_first_block_has_no_block() -> None:
    async with solo_node(settled=False) as solo:
        assert (await solo.refused("khz_block"))["code"] == -32001


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("account", {"address": "a0"}),
        ("holding", {"address": "a0", "name": CASH}),
        ("holding", {"address": "a0", "name": "NONE"}),
        ("asset", {"name": CASH}),
        ("participant", {"name": BANK}),
        ("participant", {"name": "nobody"}),
        ("validator", {"name": "central-bank"}),
    ],
)
async def test_proof_of_a_record_or_of_its_absence_holds_offline(
    kind: str, params: dict[str, str]
) -> None:
    async with solo_node() as solo:
        if "address" in params:
            params = params | {"address": solo.address(params["address"])}

        proof = await solo.call("khz_prove", {"kind": kind, **params})

        verified = verify_proof_file(proof["file"], solo.town.genesis)
        assert verified.statement == proof["statement"]
        assert verified.height == proof["height"]
        with pytest.raises(ProofError):
            verify_proof_file(proof["file"].replace("0", "1", 1), solo.town.genesis)


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "account"},
        {"kind": "account", "name": "x"},
        {"kind": "holding", "name": CASH},
        {"kind": "asset"},
        {"kind": "table", "name": "x"},
        {"kind": "ladder", "name": "x"},
        {"kind": "ladder", "name": "x", "number": -1},
        {"kind": "auction", "name": "x", "number": 0},
    ],
)
async def test_proof_of_nothing_in_particular_is_refused(params: dict[str, str]) -> None:
    async with solo_node() as solo:
        assert (await solo.refused("khz_prove", params))["code"] == -32602


async def test_proof_before_the_first_block_is_not_ready() -> None:
    async with solo_node(settled=False) as solo:
        error = await solo.refused("khz_prove", {"kind": "asset", "name": CASH})

        assert error["code"] == -32002
        assert error["data"]["retry_after_ms"] > 0


async def test_validators_of_a_height_are_those_who_decided_it() -> None:
    async with solo_node() as solo:
        before = solo.town.chain.head.height
        await solo.town.decide(solo.town.add_validator(REFERENCE_OFFICES[1]))

        old = await solo.call("khz_validators", {"height": before + 1})
        new = await solo.call("khz_validators")

        assert [each["name"] for each in old["validators"]] == [REFERENCE_OFFICES[0]]
        assert len(new["validators"]) == 2
        assert new["rules_height"] == before + 2
        assert (new["quorum"], new["faults_survived"]) == (2, 0)


async def test_simulation_tells_the_outcome_and_changes_nothing() -> None:
    async with solo_node() as solo:
        root = solo.town.chain.head.state_root
        good, bad = solo.town.transfer("a0", "a1", 150), solo.town.transfer("a0", "a1", 1 << 40)

        applied = await solo.call("khz_simulate", [good.hex()])
        refused = await solo.call("khz_simulate", [bad.hex()])

        assert applied["outcome"]["name"] == "APPLIED"
        assert applied["events"][0]["amount"] == "1.50"
        assert refused["outcome"]["name"] == "HOLDING_INSUFFICIENT"
        assert refused["outcome"]["operation"] == 0
        assert refused["outcome"]["details"]["account"] == solo.address("a0")
        assert solo.address("a0") in refused["outcome"]["sentence"]
        assert refused["events"] == []
        assert solo.town.chain.head.state_root == root
        assert len(solo.town.pool) == 0


async def test_simulation_takes_a_body_that_nobody_has_signed() -> None:
    async with solo_node() as solo:
        operation = Transfer(
            account=address_of(BANK, "a0"), to=address_of(BANK, "a1"), asset=CASH, amount=5
        )
        body = encode(solo.town.body([operation], ["a0"]))

        assert (await solo.call("khz_simulate", [body.hex()]))["outcome"]["name"] == "APPLIED"


@pytest.mark.adversarial(75)
async def test_simulations_of_one_request_leave_the_loop_to_others_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has to sign what is tried out, and a batch may hold a hundred: votes go on."""
    async with solo_node() as solo:
        turn = 0
        turns: list[int] = []
        simulate = solo.town.chain.simulate

        def counted(body: TransactionBody, *, now_ms: int) -> Receipt:
            turns.append(turn)
            return simulate(body, now_ms=now_ms)

        async def vote() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        monkeypatch.setattr(solo.town.chain, "simulate", counted)
        raw = solo.town.transfer("a0", "a1", 150).hex()
        call = {"jsonrpc": "2.0", "id": 1, "method": "khz_simulate", "params": [raw]}
        async with asyncio.TaskGroup() as group:
            voting = group.create_task(vote(), name="votes")
            status, data = await solo.post(json.dumps([call] * 20).encode())
            voting.cancel()

        assert status == 200
        assert all(each["result"]["outcome"]["name"] == "APPLIED" for each in json.loads(data))
        assert len(set(turns)) == 20


async def test_simulation_of_other_bytes_is_rejected_as_malformed() -> None:
    async with solo_node() as solo:
        error = await solo.refused("khz_simulate", ["00ff"])

        assert error["code"] == -32003
        assert error["data"]["name"] == "MALFORMED"
        assert error["data"]["reason_code"] == "OTHER_TYPE"
        assert error["data"]["reason_arguments"] == {
            "expected": "array",
            "found": "int",
            "place": "$",
        }


async def test_refusal_is_told_for_programs_and_for_people() -> None:
    async with solo_node() as solo:
        much = solo.town.transfer("a0", "a1", amount=1 << 40)
        short = await solo.refused("khz_submit", [much.hex()])
        nothing = solo.town.transfer("a0", "a1", amount=0)
        refused = (await solo.call("khz_simulate", [nothing.hex()]))["outcome"]

        assert short["data"]["reason_code"] is None
        assert "has 10000.00 PKR-CB available" in short["data"]["told"]
        assert refused["details"]["found"] == 0
        assert "is 0; it must be at least 1" in refused["sentence"]
        assert "The field amount is 0.00 PKR-CB;" in refused["told"]
        assert refused["reason"] is None


async def test_discovery_describes_every_method() -> None:
    async with solo_node(settled=False) as solo:
        document = await solo.call("rpc.discover")

        assert document["openrpc"] == "1.3.2"
        assert {"khz_status", "khz_submit", "khz_subscribe"} <= {
            entry["name"] for entry in document["methods"]
        }


@pytest.mark.adversarial(73)
async def test_nothing_but_public_methods_is_answered() -> None:
    async with solo_node(settled=False) as solo:
        names = [entry["name"] for entry in (await solo.call("rpc.discover"))["methods"]]

        assert {name.partition("_")[0] for name in names} == {"khz", "rpc.discover"}
        for method in ("admin_stop", "admin_addPeer", "dev_mine", "khz_propose", "khz_vote"):
            assert (await solo.refused(method))["code"] == -32601


async def test_subscriptions_are_answered_on_the_socket_only() -> None:
    async with solo_node(settled=False) as solo:
        error = await solo.refused("khz_subscribe", {"topics": ["blocks"]})

        assert error["code"] == -32601
        assert "/ws" in error["message"]


async def test_calls_are_counted_by_method_and_result() -> None:
    async with solo_node(settled=False) as solo:
        await solo.call("khz_mempool")
        await solo.refused("khz_asset", ["NONE"])
        await solo.refused("x" * 50)

        value = solo.services.metrics.value
        name = "khazana_rpc_requests_total"
        assert value(name, method="khz_mempool", result="ok") == 1
        assert value(name, method="khz_asset", result="-32001") == 1
        assert value(name, method="unknown", result="-32601") == 1
        assert value("khazana_rpc_seconds_count", method="khz_asset") == 1


async def test_proof_made_while_a_block_is_written_is_made_again() -> None:
    """For a moment the store is ahead of the head; what was made then does not hold."""
    async with solo_node() as solo:
        chain = solo.town.chain
        made = []
        real = chain.prove

        def prove(table: Any, key: bytes) -> Any:
            proof = real(table, key)
            made.append(proof)
            if len(made) == 1:
                return replace(proof, header=replace(proof.header, state_root=bytes(32)))
            return proof

        chain.prove = prove  # type: ignore[method-assign]
        answer = await solo.call("khz_prove", {"kind": "asset", "name": CASH})

        assert len(made) == 2
        assert verify_proof_file(answer["file"], solo.town.genesis).height == 2


async def test_votes_and_counts_of_consensus_are_shown_as_they_have_come() -> None:
    class Deciding(StillConsensus):
        @property
        @override
        def position(self) -> Position:
            return dataclasses.replace(
                super().position,
                deciding=True,
                round=Round(2),
                step=Step.PREVOTE,
                prevotes={ValidatorId("central-bank"): BlockId(b"\7" * 32)},
                precommits={ValidatorId("central-bank"): None},
            )

    async with solo_node() as solo:
        still = await solo.call("khz_consensus")
        deciding = Deciding(solo.town)
        deciding.totals.blocks, deciding.totals.missed["central-bank"] = 9, 4
    async with solo_node(consensus=deciding) as solo:
        told = await solo.call("khz_consensus")

    assert (still["deciding"], still["round"], still["step"]) == (False, None, None)
    assert (told["round"], told["step"], told["blocks"]) == (2, "prevote", 9)
    (voter,) = told["validators"]
    assert (voter["prevote"], voter["precommit"]) == ("07" * 32, "nil")
    assert (voter["signed_last"], voter["proposals_missed"]) == (None, 4)


def turns_of(work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
    """Return in how many turns of a loop a coroutine that waits for nothing ends, and how."""
    turns = 1
    while True:
        try:
            work.send(None)
        except StopIteration as ended:
            return turns, ended.value
        turns += 1


async def test_many_transactions_are_looked_up_a_few_in_a_turn_and_never_as_of_a_later_block() -> (
    None
):
    async with solo_node() as solo:
        raw = solo.town.transfer("a0", "a1")
        last = solo.town.id_of(raw).hex()
        ids = [last] + [f"{number:064x}" for number in range(199)]
        (entry,) = (each for each in solo.server._calls.methods if each.name == "khz_transactions")
        asked = entry.call(TransactionsParams(ids=ids))
        assert asked.send(None) is None  # it has looked for the first, which is unknown
        height = solo.town.chain.head.height
        await solo.town.decide(raw)

        _, result = turns_of(asked)

        assert result.height == height  # not that of the block which came meanwhile
        assert result.transactions[0].status == "unknown"
        again = entry.call(TransactionsParams(ids=ids))
        assert turns_of(again)[0] == 1 + len(ids) // STATUSES_AT_ONCE
