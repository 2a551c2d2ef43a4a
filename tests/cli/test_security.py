"""`khazana security`: strips, fixings and calls, signed by key files, on a real node."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from node.cli.exits import Exit
from node.codec import Record
from node.keys.keystore import Work, store_key
from node.ledger.operations import Issue
from node.provision.pakistan import define_pakistan
from tests.chain.town import address_of, key, make_record
from tests.cli.asked import ask
from tests.cli.running import Ran
from tests.ledger.debt import BOND, callable_bond, floating
from tests.rpc.solo import BANK, Solo, solo_node
from tests.rpc.test_securities import BOTH, CENTRAL, MINISTRY, TODAY, define, pass_to

LITTLE: Final = Work(memory_kib=1_024, passes=1, lanes=1)
FLOATER: Final = "PFL-2Y"
CALLABLE: Final = "PIB-CALL"
HOLDER: Final = address_of(BANK, "a0")


@dataclass
class Desk:
    """The node, and the key files of those who sign."""

    solo: Solo
    folder: Path

    async def run(self, command: str, *words: str | Path, by: tuple[str, ...] = ()) -> Ran:
        """Run `khazana security COMMAND`, signed by the keys of these names."""
        signing: list[str | Path] = []
        passphrase = self.folder / "passphrase"
        passphrase.write_text("open sesame\n")
        for name in by:
            file = self.folder / f"{name}.json"
            if not file.exists():
                store_key(file, key(name).seed, "open sesame", purpose="account", work=LITTLE)
            signing += ["--key", file, "--passphrase-file", passphrase]
        return await ask(self.solo, "security", command, *words, *signing)

    async def decide(self, *operations: Record, by: tuple[str, ...]) -> None:
        committed = await self.solo.town.decide(self.solo.town.transaction(operations, by))
        [receipt] = committed.candidate.receipts
        assert receipt.outcome == 0, receipt

    @property
    def offices(self) -> tuple[str, ...]:
        return (
            "--account",
            self.solo.address("finance-ministry", "finance-ministry"),
            "--approver",
            self.solo.address("central-bank", "central-bank"),
        )

    @property
    def holder(self) -> str:
        return self.solo.address("a0", BANK)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A bank that has Rs 5,000 of a bond; a bond that floats, and one that may be called."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=2, sealing=True) as solo:
        desk = Desk(solo, tmp_path)
        issued = Issue(
            account=MINISTRY, approvers=(CENTRAL,), asset=BOND, amount=500_000, to=HOLDER
        )
        right = callable_bond()["call"]
        window = right.windows[0]
        days = range(TODAY + 365, TODAY + 500)
        window = type(window)(from_day=days[0], to_day=days[-1], price_e4=1_010_000)
        await desk.decide(
            define_pakistan(central_bank=CENTRAL),
            define(),
            define(FLOATER, **floating()),
            define(CALLABLE, **callable_bond(windows=(window,))),
            issued,
            by=BOTH,
        )
        yield desk


async def test_bond_is_registered_stripped_and_put_together(desk: Desk, tmp_path: Path) -> None:
    document = tmp_path / "strips.pdf"
    document.write_bytes(b"What strips are.")
    before = await desk.run("strips", BOND)
    early = await desk.run("strip", BOND, "2000", "--account", desk.holder, by=("a0",))
    for_programs = await desk.run(
        *("strip", BOND, "2000", "--account", desk.holder, "--json"), by=("a0",)
    )

    defined = await desk.run(
        *("define-strips", BOND, "--series", "PIBS", "--document", document, "--json"),
        *desk.offices,
        by=BOTH,
    )
    stripped = await desk.run("strip", BOND, "2000", "--account", desk.holder, "--json", by=("a0",))
    listed = await desk.run("strips", BOND, "--account", desk.holder)
    as_csv = await desk.run("strips", BOND, "--csv")
    odd = await desk.run("reconstitute", BOND, "1.01", "--account", desk.holder, by=("a0",))
    whole = await desk.run(
        "reconstitute", BOND, "500", "--account", desk.holder, "--json", by=("a0",)
    )
    facts = json.loads((await desk.run("strips", BOND, "--json")).out)

    assert before.code == Exit.REFUSED
    assert early.code == Exit.REFUSED
    assert "no strips of it are registered" in early.err
    error = json.loads(for_programs.err)["error"]
    reason = "no strips of it are registered"
    assert error["details"] == {"asset": BOND, "reason": reason}
    assert (error["reason_code"], error["reason_arguments"]) == ("NOT_REGISTERED", {})
    assert error["sentence"] in error["message"]
    assert defined.code == Exit.OK, defined.err
    (event,) = defined.json["events"]
    assert (event["type"], event["multiple"]) == ("strips_defined", "2.00")
    assert stripped.code == Exit.OK, stripped.err
    (event,) = stripped.json["events"]
    assert (event["type"], event["face"], event["stripped"]) == (
        "security_stripped",
        "2000.00",
        "2000.00",
    )
    assert [each["amount"] for each in event["coupons"]] == ["70.00"] * 4
    assert listed.code == Exit.OK, listed.err
    assert (
        f"of {BOND}, 2,000.00 is stripped and 3,000.00 is not; in multiples of 2.00" in listed.out
    )
    assert "put 2,000.00 together" in listed.out
    assert as_csv.out.splitlines()[-1].startswith(f"{BOND}-P,4,")
    assert odd.code == Exit.REFUSED
    assert "1.01 of PIB-2Y-100 cannot be stripped" in odd.err
    assert "Take a multiple of 2.00." in odd.err
    assert whole.code == Exit.OK, whole.err
    assert (facts["stripped"], facts["supply"]) == ("1500.00", "3500.00")


async def test_rate_that_is_awaited_is_fixed_without_its_number(desk: Desk) -> None:
    words = ("--reference", "11.25", "--source", "PKRV 6M, five days", *desk.offices)
    schedule = (await desk.solo.call("khz_schedule", {"asset": FLOATER}))["payments"]
    await pass_to(desk.solo, schedule[0]["start"])

    off = await desk.run("fix", FLOATER, "--reference", "11.25001", *words[2:], by=BOTH)
    nothing = await desk.run("fix", BOND, *words, by=BOTH)
    fixed = await desk.run("fix", FLOATER, *words, "--json", by=BOTH)
    again = await desk.run("fix", FLOATER, *words, by=BOTH)

    assert (off.code, nothing.code) == (Exit.USAGE, Exit.REFUSED)
    assert "at most four decimals" in off.err
    assert f"no rate of {BOND} is awaited" in nothing.err
    assert fixed.code == Exit.OK, fixed.err
    assert (
        f"payment 1 of {FLOATER} will pay 12.75 % a year: 11.25 % and a margin of 1.5 %, at least"
        " 0 % and at most 100 %; a rate is fixed once" in fixed.err
    )
    (event,) = fixed.json["events"]
    assert (event["payment"], event["reference_ppm"], event["rate_ppm"]) == (1, 112_500, 127_500)
    assert again.code == Exit.REFUSED


async def test_security_is_called_in_part_on_a_day(desk: Desk) -> None:
    schedule = (await desk.solo.call("khz_schedule", {"asset": CALLABLE}))["payments"]
    second = next(each["end"] for each in schedule if each["number"] == 2)

    early = await desk.run("call", CALLABLE, "--day", "2020-12-30", *desk.offices, by=BOTH)
    off = await desk.run(
        *("call", CALLABLE, "--day", second, "--share", "0.00001", *desk.offices), by=BOTH
    )
    called = await desk.run(
        *("call", CALLABLE, "--day", second, "--share", "25", *desk.offices, "--json"), by=BOTH
    )

    assert early.code == Exit.REFUSED
    assert "lies in no window" in early.err
    assert off.code == Exit.USAGE
    assert called.code == Exit.OK, called.err
    (event,) = called.json["events"]
    assert (event["payment"], event["share_ppm"], event["day"]) == (2, 250_000, second)


async def test_document_that_is_not_there_is_said(desk: Desk, tmp_path: Path) -> None:
    missing = await desk.run(
        *("define-strips", BOND, "--series", "PIBS", "--document", tmp_path / "none.pdf"),
        *desk.offices,
        by=BOTH,
    )

    assert missing.code == Exit.CONFIGURATION
    assert "none.pdf" in missing.err
