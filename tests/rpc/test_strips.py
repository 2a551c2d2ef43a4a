"""Strips by the interface, the client and the sums of the debt: what is stripped counts once."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Final

import pytest

from node.client import CallFailed, Client, ClientNetwork, NotFound
from node.codec import replace
from node.ledger.dates import date_of
from node.ledger.operations import Issue, Operation, Transfer
from node.ledger.stripping import code_of_coupon
from node.provision.pakistan import define_pakistan
from tests.chain.town import address_of, make_record
from tests.ledger.debt import BOND, SERIES, define_strips, reconstitute, strip
from tests.ledger.world import COMMITMENT
from tests.rpc.solo import BANK, CASH, Solo, solo_node
from tests.rpc.test_debt import lines
from tests.rpc.test_securities import BOTH, CENTRAL, MINISTRY, TODAY, define, pass_to

FACES: Final = f"{BOND}-P"
HOLDER: Final = address_of(BANK, "a0")
OTHER: Final = address_of(BANK, "a1")


async def decide(solo: Solo, *operations: Operation, by: tuple[str, ...]) -> None:
    town = solo.town
    town.clock.advance(1_000)
    committed = await town.decide(town.transaction(list(operations), by))
    assert committed.candidate.receipts[0].outcome == 0


def issue_to(asset: str, amount: int, to: bytes) -> Issue:
    return Issue(account=MINISTRY, approvers=(CENTRAL,), asset=asset, amount=amount, to=to)


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node on whose ledger a bond of 5,000 is held, of which 2,000 are stripped."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=2) as solo:
        registered = define_strips(
            account=MINISTRY, approvers=(CENTRAL,), term_sheet_hash=COMMITMENT
        )
        await decide(solo, define_pakistan(central_bank=CENTRAL), define(), registered, by=BOTH)
        await decide(solo, issue_to(BOND, 500_000, HOLDER), by=BOTH)
        taken = replace(strip("amina", 200_000), account=HOLDER)
        await decide(solo, taken, by=("a0",))
        yield solo


def client_of(solo: Solo) -> Client:
    return Client(solo.url, network=ClientNetwork.of(solo.town.genesis))


def coupon(found: dict[str, Any], number: int) -> str:
    code: str = found["coupons"][number - 1]["asset"]
    return code


async def test_strips_of_a_bond_are_listed_with_what_an_account_has(solo: Solo) -> None:
    rendered = solo.server._views.renderer.address(HOLDER)
    found = await solo.call("khz_strips", {"asset": BOND, "account": rendered})
    schedule = (await solo.call("khz_schedule", {"asset": BOND}))["payments"]

    assert (found["multiple"], found["supply"], found["stripped"]) == ("2.00", "3000.00", "2000.00")
    assert (found["held"], found["reconstitutable"]) == ("3000.00", "2000.00")
    assert [each["payment_day"] for each in found["coupons"]] == [
        each["payment_day"] for each in schedule
    ]
    first = found["coupons"][0]
    assert first["asset"].startswith(f"{SERIES}-")
    assert (first["per_hundred"], first["share"], first["supply"], first["held"]) == (
        "3.5000000000",
        "7/200",
        "70.00",
        "70.00",
    )
    assert found["principal"] == {
        "asset": FACES,
        "payment": 4,
        "payment_day": schedule[-1]["payment_day"],
        "per_hundred": "100.0000000000",
        "share": "1/1",
        "supply": "2000.00",
        "open": True,
        "held": "2000.00",
    }
    async with client_of(solo) as client:
        known = (await client.strips(BOND)).value
    assert (known.multiple, known.stripped) == (Decimal("2.00"), Decimal("2000.00"))
    assert known.held is None
    assert known.coupons[0].held is None


async def test_whoever_sold_a_strip_is_told_what_can_be_put_together(solo: Solo) -> None:
    found = await solo.call("khz_strips", {"asset": BOND})
    sold = Transfer(account=HOLDER, asset=coupon(found, 2), amount=3_501, to=OTHER)
    await decide(solo, sold, by=("a0",))

    rendered = solo.server._views.renderer.address(HOLDER)
    after = await solo.call("khz_strips", {"asset": BOND, "account": rendered})

    # 34.99 of the 70.00 are left: 999.71 of face, of which 998.00 is a multiple of 2.00.
    assert after["reconstitutable"] == "998.00"
    whole = replace(reconstitute("amina", 99_800), account=HOLDER)
    await decide(solo, whole, by=("a0",))
    assert (await solo.call("khz_strips", {"asset": BOND}))["stripped"] == "1002.00"


async def test_what_is_stripped_counts_once_in_the_debt(solo: Solo) -> None:
    found = await lines(solo)

    assert list(found) == [BOND]
    bond = found[BOND]
    assert (bond["outstanding"], bond["stripped"]) == ("5000.00", "2000.00")
    assert [each["interest"] for each in bond["payments"]] == ["175.00"] * 4
    assert [each["principal"] for each in bond["payments"]] == ["0.00"] * 3 + ["5000.00"]

    schedule = (await solo.call("khz_schedule", {"asset": BOND}))["payments"]
    await pass_to(solo, _after(schedule[0]["record_day"]))
    recorded = await lines(solo)
    first = (await solo.call("khz_strips", {"asset": BOND}))["coupons"][0]

    assert sorted(recorded) == sorted([BOND, first["asset"]])
    assert first["open"] is False
    of_strip = recorded[first["asset"]]
    assert (of_strip["kind"], of_strip["outstanding"]) == ("bond", "0.00")
    assert [each["interest"] for each in of_strip["payments"]] == ["70.00"]
    assert [each["principal"] for each in of_strip["payments"]] == ["0.00"]
    assert recorded[BOND]["payments"][0]["interest"] == "105.00"
    assert recorded[BOND]["outstanding"] == "5000.00"


async def test_debt_at_the_end_is_what_neither_bond_nor_face_has_paid(solo: Solo) -> None:
    schedule = (await solo.call("khz_schedule", {"asset": BOND}))["payments"]
    for payment in schedule:
        await pass_to(solo, _after(payment["record_day"]))
    # Nobody funded the agent: all of it is still owed, each payment once.
    found = await lines(solo)

    bond = found.pop(BOND)
    assert bond["outstanding"] == "5000.00"
    assert [each["interest"] for each in bond["payments"]] == ["105.00"] * 4
    assert [each["principal"] for each in bond["payments"]] == ["0.00"] * 3 + ["5000.00"]
    coupons = [each["payments"][0]["interest"] for each in found.values()]
    assert coupons == ["70.00"] * 4

    funded = replace(issue_to(CASH, 10_000_000, MINISTRY), account=CENTRAL, approvers=())
    await decide(solo, funded, by=(CENTRAL_OFFICE,))
    await pass_to(solo, _after(schedule[-1]["payment_day"]))
    for _ in range(8):
        await solo.town.decide()
        solo.town.clock.advance(1_000)
    assert await lines(solo) == {}
    strips = await solo.call("khz_strips", {"asset": BOND})
    assert (strips["supply"], strips["stripped"]) == ("0.00", "0.00")


CENTRAL_OFFICE: Final = BOTH[0]


def _after(day: str) -> str:
    return next(
        date_of(n + 1).isoformat() for n in range(TODAY, TODAY + 1_000) if str(date_of(n)) == day
    )


async def test_what_has_no_strips_says_so(solo: Solo) -> None:
    async with client_of(solo) as client:
        with pytest.raises(NotFound):
            await client.strips(CASH)
        with pytest.raises(NotFound):
            await client.strips("PIB-NONE")
        with pytest.raises(CallFailed, match=f"{FACES} is a strip of {BOND}"):
            await client.strips(FACES)


async def test_strip_is_an_asset_with_a_schedule_and_a_contract(solo: Solo) -> None:
    found = await solo.call("khz_asset", {"asset": FACES})
    schedule = await solo.call("khz_schedule", {"asset": FACES})
    contract = (await solo.call("khz_contract", {"asset": FACES}))["contract"]

    asset = found["asset"]
    assert (asset["kind"], asset["terms"]["line"]) == ("strip", BOND)
    (row,) = schedule["payments"]
    assert (row["interest_per_hundred"], row["principal_per_hundred"]) == (
        "0.0000000000",
        "100.000000",
    )
    assert contract["contractType"] == "PAM"
    assert "nominalInterestRate" not in contract
    assert code_of_coupon("PKS", 20_500) == "PKS-20260216"
