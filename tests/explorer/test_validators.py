"""The pages of those who decided once: by offices, by operators, and by nobody."""

import json
from typing import Any

import pytest

from node.explorer import Explorer
from node.explorer.limits import PAGE_BYTES_MAX
from tests.chain.amending import COUNCIL, MINISTRY, REASON
from tests.chain.town import make_record
from tests.rpc.solo import Solo, solo_node
from tests.rpc.test_tenures import left_out


async def page(solo: Solo, path: str) -> tuple[int, str]:
    async with solo.session.get(solo.url + path) as response:
        return response.status, await response.text()


async def content(solo: Solo, path: str) -> Any:
    return json.loads((await page(solo, path))[1])


async def test_whom_the_offices_took_out_has_a_page_that_leads_to_the_blocks_that_did() -> None:
    async with solo_node(pages=Explorer) as solo:
        await solo.town.decide(solo.town.add_validator(MINISTRY))
        first = solo.town.chain.head.height
        await solo.town.decide()
        await solo.town.decide(solo.town.remove_validator(MINISTRY))
        last = solo.town.chain.head.height
        await solo.town.decide()

        said = await content(solo, f"/validators/{MINISTRY}.json")
        (tenure,) = said["tenures"]
        assert (said["name"], said["validator"], said["evidence"]) == (MINISTRY, None, [])
        assert (tenure["from_height"], tenure["to_height"]) == (first + 1, last)
        for root in ("", "/ur"):
            status, shown = await page(solo, f"{root}/validators/{MINISTRY}")
            assert status == 200
            for height in (first, first + 1, last):
                assert f'href="{root}/blocks/{height}"' in shown
            _, others = await page(solo, f"{root}/validators")
            assert f'href="{root}/validators/{MINISTRY}"' in others
        assert "It decides no longer." in (await page(solo, f"/validators/{MINISTRY}"))[1]
        assert "یہ اب فیصلہ نہیں کرتا۔" in (await page(solo, f"/ur/validators/{MINISTRY}"))[1]
        assert "validator_removed" in (await page(solo, f"/blocks/{last}.json"))[1]

        (former,) = (await content(solo, "/validators.json"))["former"]
        assert former == tenure
        status, shown = await page(solo, f"/validators/{COUNCIL}")
        assert status == 404
        assert "or did in the latest 64 sets of validators" in shown
        assert "64" in (await page(solo, f"/ur/validators/{COUNCIL}"))[1]


async def test_whoever_decides_has_its_beginning_and_nobody_before_it() -> None:
    async with solo_node(pages=Explorer) as solo:
        _, shown = await page(solo, "/validators/central-bank")
        _, others = await page(solo, "/validators")

    assert "It is in the genesis." in shown
    assert "Last precommit seen" in shown
    assert "It decides no longer." not in shown
    assert "Who decided before" not in others


async def test_whom_the_operators_left_out_has_a_page_that_names_their_amendment() -> None:
    town, amendment = await left_out()
    async with solo_node(
        store=town.store,
        record=make_record(),
        amendments=[amendment],
        settled=False,
        pages=Explorer,
    ) as solo:
        status, shown = await page(solo, f"/validators/{COUNCIL}")
        _, urdu = await page(solo, f"/ur/validators/{COUNCIL}")
        said = await content(solo, "/validators.json")

    assert status == 200
    assert REASON in shown
    assert REASON in urdu
    assert "outside the chain, by amendment" in shown
    assert sorted(each["validator"] for each in said["former"]) == [COUNCIL, MINISTRY]


CUT = "There may be earlier times; they are not shown here."
CUT_URDU = "اس سے پہلے کے اوقات بھی ہو سکتے ہیں؛ وہ یہاں نہیں دکھائے گئے۔"


async def test_those_who_decided_before_are_cut_and_the_page_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with solo_node(pages=Explorer) as solo:
        for made in (solo.town.add_validator, solo.town.remove_validator):
            await solo.town.decide(made(MINISTRY))
            await solo.town.decide()
        all_of_them = await content(solo, "/validators.json")
        _, whole = await page(solo, "/validators")
        monkeypatch.setattr("node.explorer.reading.ROWS_MAX", 0)
        none_of_them = await content(solo, "/validators.json")
        _, cut = await page(solo, "/validators")
        _, urdu = await page(solo, "/ur/validators")

    assert (len(all_of_them["former"]), all_of_them["earlier"], CUT in whole) == (1, False, False)
    assert (none_of_them["former"], none_of_them["earlier"], CUT in cut) == ([], True, True)
    assert CUT_URDU in urdu


async def test_a_page_with_many_times_is_cut_and_says_so() -> None:
    async with solo_node(pages=Explorer) as solo:
        for _ in range(26):
            await solo.town.decide(solo.town.rotate_validator("central-bank"))
        said = await content(solo, "/validators/central-bank.json")
        _, english = await page(solo, "/validators/central-bank")
        _, shown = await page(solo, "/ur/validators/central-bank")

    assert CUT in english
    assert CUT_URDU in shown
    assert "JSON of this page has everything" not in english
    assert (len(said["tenures"]), said["earlier"]) == (25, True)
    assert len(shown.encode()) < PAGE_BYTES_MAX
