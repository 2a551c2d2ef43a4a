"""An asset as an ACTUS contract, by the interface and the command line."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.codec import replace
from node.ledger.terms import BondTerms
from node.provision.pakistan import PAKISTAN, define_pakistan
from tests.actus.contracts import Contract
from tests.actus.engine import cash_flows
from tests.actus.times import every_day
from tests.chain.town import make_record
from tests.cli.asked import ask
from tests.ledger.debt import BOND, floating
from tests.rpc.solo import CASH, Solo, solo_node
from tests.rpc.test_securities import BOTH, CENTRAL, define


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node on whose ledger a bond is defined."""
    async with solo_node(record=make_record(validators=1, protocol_version=3), accounts=1) as solo:
        town = solo.town
        calendar = define_pakistan(central_bank=CENTRAL)
        await town.decide(town.transaction([calendar, define()], BOTH))
        yield solo


async def test_bond_is_told_as_a_contract_that_pays_what_its_schedule_says(solo: Solo) -> None:
    told = await solo.call("khz_contract", {"asset": BOND, "face": "5000"})
    schedule = await solo.call("khz_schedule", {"asset": BOND})

    rows = cash_flows(Contract(told["contract"], {PAKISTAN: every_day}), market={})

    assert told["dictionary"] == "1.4"
    assert told["contract"]["notionalPrincipal"] == "5000"
    assert [row.payoff for row in rows] == [-5000, 175, 175, 175, 175, 5000]
    assert len(schedule["payments"]) == 4


async def test_what_floats_waits_for_its_first_rate(solo: Solo) -> None:
    fixed = define("PFL-2Y")
    assert isinstance(fixed.terms, BondTerms)
    plan = replace(fixed.terms.plan, **floating())
    floater = replace(fixed, terms=replace(fixed.terms, plan=plan))
    await solo.town.decide(solo.town.transaction([floater], BOTH))

    error = await solo.refused("khz_contract", {"asset": "PFL-2Y"})

    assert "its first rate, which is not fixed yet" in error["message"]


async def test_cash_is_a_holding(solo: Solo) -> None:
    told = await solo.call("khz_contract", {"asset": CASH})

    assert told["contract"]["contractType"] == "CSH"
    assert told["contract"]["currency"] == "PKR"


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"asset": BOND, "face": "1.001"}, "more decimals than the"),
        ({"asset": BOND, "face": "-5"}, "is not an amount"),
        ({"asset": BOND, "face": "9" * 33}, "face"),
        ({"asset": BOND, "face": 5}, "face"),
    ],
)
async def test_face_that_nobody_can_hold_is_refused(
    solo: Solo, params: dict[str, Any], told: str
) -> None:
    error = await solo.refused("khz_contract", params)

    assert error["code"] == -32602
    assert told in error["message"]


async def test_command_prints_the_contract(solo: Solo) -> None:
    people = await ask(solo, "contract", BOND, "--face", "5000")
    programs = await ask(solo, "contract", BOND, "--face", "5000", "--json")
    sheet = await ask(solo, "contract", BOND, "--face", "5000", "--csv")
    unknown = await ask(solo, "contract", "PIB-NONE")

    assert "contractType" in people.out
    assert "PAM" in people.out
    assert json.loads(programs.out)["contract"]["nominalInterestRate"] == "0.07"
    head, *rows = csv.reader(io.StringIO(sheet.out))
    assert head == ["term", "value"]
    assert ["contractType", "PAM"] in rows
    assert ["notionalPrincipal", "5000"] in rows
    assert unknown.code != 0
    assert "PIB-NONE" in unknown.err
