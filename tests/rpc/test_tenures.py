"""From when to when somebody was a validator: told by the state, by offices and by amendments."""

from typing import Any

import pytest

from tests.chain.amending import CENTRAL, COUNCIL, LOST, MINISTRY, REASON, body_of, go_on, signed
from tests.chain.town import Town, make_record, make_town, validator_record
from tests.rpc.solo import Solo, solo_node

GENESIS = {"by": "genesis", "height": 1, "block": None, "amendment": None}


def key_of(name: str, generation: int = 0) -> str:
    return validator_record(name, generation).public_key.hex()


def by_offices(block: int) -> dict[str, Any]:
    return {"by": "offices", "height": block + 1, "block": block, "amendment": None}


async def ask(solo: Solo, *name: str) -> Any:
    return await solo.call("khz_validatorHistory", list(name))


async def test_each_key_of_a_validator_has_its_time_and_the_blocks_that_changed_it() -> None:
    async with solo_node() as solo:
        town, heights = solo.town, []
        for made in (town.add_validator, town.rotate_validator, town.remove_validator):
            await town.decide(made(MINISTRY))
            heights.append(town.chain.head.height)
            await town.decide()
        added, rotated, removed = heights

        found = await ask(solo, MINISTRY)
        everybody = await ask(solo)

    assert found["height"] == town.chain.head.height
    assert found["earlier"] is False
    assert found["tenures"] == [
        {
            "validator": MINISTRY,
            "public_key": key_of(MINISTRY, 1),
            "from_height": rotated + 1,
            "to_height": removed,
            "begun": by_offices(rotated),
            "ended": by_offices(removed),
        },
        {
            "validator": MINISTRY,
            "public_key": key_of(MINISTRY),
            "from_height": added + 1,
            "to_height": rotated,
            "begun": by_offices(added),
            "ended": by_offices(rotated),
        },
    ]
    still = {
        "validator": CENTRAL,
        "public_key": key_of(CENTRAL),
        "from_height": 1,
        "to_height": None,
        "begun": GENESIS,
        "ended": None,
    }
    assert everybody["tenures"] == [still, *found["tenures"]]


async def test_whoever_was_never_a_validator_has_no_history() -> None:
    async with solo_node() as solo:
        refused = await solo.refused("khz_validatorHistory", {"validator": COUNCIL})
        unnamed = await solo.refused("khz_validatorHistory", {"validator": ""})

    assert refused["message"].endswith("there was no validator 'crypto-council'")
    assert unnamed["code"] == -32602


async def left_out() -> tuple[Town, Any]:
    """A town of four whose operators went on without two of them, and their amendment."""
    town = make_town()
    await town.settle(2)
    amendment = signed(town, body_of(town, added=()))
    return await go_on(town, amendment, blocks=2), amendment


async def test_an_amendment_ends_a_time_and_says_why() -> None:
    town, amendment = await left_out()
    async with solo_node(
        store=town.store, record=make_record(), amendments=[amendment], settled=False
    ) as solo:
        found = await ask(solo, COUNCIL)
        everybody = await ask(solo)

    change = {
        "by": "amendment",
        "height": amendment.rules_from,
        "block": None,
        "amendment": {
            "serial": 1,
            "id": amendment.id.hex(),
            "height": amendment.rules_from,
            "reason": REASON,
        },
    }
    (tenure,) = found["tenures"]
    assert (tenure["from_height"], tenure["to_height"]) == (1, amendment.rules_from - 1)
    assert (tenure["begun"], tenure["ended"]) == (GENESIS, change)
    ended = [each["validator"] for each in everybody["tenures"] if each["ended"]]
    assert sorted(ended) == sorted(LOST)
    assert len(everybody["tenures"]) == 4, "whoever stayed has one time, not two"


async def test_sets_and_times_are_looked_through_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with solo_node() as solo:
        for _ in range(3):
            await solo.town.decide(solo.town.rotate_validator(CENTRAL))
        whole = await ask(solo, CENTRAL)
        monkeypatch.setattr("node.rpc.tenures.SETS_READ_MAX", 2)
        fewer_sets = await ask(solo, CENTRAL)
        monkeypatch.setattr("node.rpc.methods.SETS_READ_MAX", 2)
        unread = await solo.refused("khz_validatorHistory", {"validator": COUNCIL})
        monkeypatch.setattr("node.rpc.tenures.SETS_READ_MAX", 4)
        monkeypatch.setattr("node.rpc.tenures.TENURES_MAX", 3)
        fewer_times = await ask(solo, CENTRAL)

    assert (len(whole["tenures"]), whole["earlier"]) == (4, False)
    assert unread["message"].endswith("in the latest 2 sets of validators")
    assert (fewer_sets["tenures"], fewer_sets["earlier"]) == (whole["tenures"][:2], True)
    assert (fewer_times["tenures"], fewer_times["earlier"]) == (whole["tenures"][:3], True)
