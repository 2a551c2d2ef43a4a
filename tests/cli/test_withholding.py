"""What is withheld from interest, by commands."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from node.cli.exits import CommandError, Exit
from node.cli.withholding.classes import KINDS, STATUSES, TAXPAYERS
from node.cli.withholding.set_ import changes_of, read_rates
from node.client import Client
from node.ledger.securities import TaxStatus
from node.ledger.taxpayers import CLASSES
from node.rpc.withholding import KINDS as KINDS_OF_LEDGER
from tests.cli.desk import Desk, open_desk
from tests.cli.running import Ran


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def test_withholding_is_set_by_class_date_and_source_and_shown(desk: Desk) -> None:
    nothing = await desk.run("withholding", "show")
    collector = desk.solo.address("a2")
    first = await desk.together(
        *("withholding", "set", "person", "bond", "--from", "2020-07-01", "--rate", "15"),
        *("--source", "Section 151", "--collector", collector),
    )
    second = await desk.together(
        *("withholding", "set", "person", "bond", "--from", "2090-07-01", "--rate", "17.5"),
        *("--source", "Finance Act 2090"),
    )
    mended = await desk.together(
        *("withholding", "set", "person", "bond", "--from", "2020-07-01", "--rate", "20"),
        *("--source", "Section 151, as amended"),
    )
    shown = await desk.run("withholding", "show", "--taxpayer", "person", "--csv")
    file = desk.folder / "rates.csv"
    file.write_text(shown.out)
    of_another = await desk.together(
        "withholding", "set", "company", "sukuk", file, "--collector", collector
    )
    # As a spreadsheet leaves it where its cells are emptied.
    file.write_text(shown.out.replace("person,bond,", ",,"))
    copied = await desk.together(
        "withholding", "set", "company", "sukuk", file, "--collector", collector
    )

    assert nothing.out.startswith("nothing is withheld")
    for ran in (first, second, mended, copied):
        assert ran.code == Exit.OK, ran.err
    assert of_another.code == Exit.USAGE
    assert "line 2: taxpayer is 'person', expected company or nothing" in of_another.err
    assert "--taxpayer company --kind sukuk --csv" in of_another.err
    assert [line.split(",")[:4] for line in shown.out.splitlines()[1:]] == [
        ["person", "bond", "2020-07-01", "20.00"],
        ["person", "bond", "2090-07-01", "17.50"],
    ]
    found = (await desk.solo.call("khz_withholding"))["withholding"]
    assert [(each["taxpayer"], each["kind"], each["collector"]) for each in found] == [
        ("company", "sukuk", collector),
        ("person", "bond", collector),
    ]
    for each in found:
        assert each["rates"] == [
            {
                "from_day": "2020-07-01",
                "rate": "20.00",
                "source": "Section 151, as amended",
                "rules": True,
            },
            {
                "from_day": "2090-07-01",
                "rate": "17.50",
                "source": "Finance Act 2090",
                "rules": False,
            },
        ]
    async with Client(desk.solo.url) as client:
        read = (await client.withholding()).value
    assert [rate.rate for rate in read[1].rates] == [Decimal("20.00"), Decimal("17.50")]
    assert "today" in (await desk.run("withholding", "show", "--kind", "sukuk")).out


async def test_taxpayer_is_told_to_be_inactive_and_shown(desk: Desk) -> None:
    words = ("withholding", "taxpayer", "central-bank", "inactive", "--source", "a list")
    told = await desk.together(*words, "--from", "2090-03-01")
    shown = await desk.run("query", "participant", "central-bank")

    assert told.code == Exit.OK, told.err
    participant = await desk.solo.call("khz_participant", {"participant": "central-bank"})
    change = {"status": "inactive", "from_day": "2090-03-01", "source": "a list"}
    assert participant["participant"]["taxpayer"] == {
        "taxpayer": "institution",
        "ruling": None,
        "change": change,
    }
    assert "2090-03-01" in shown.out


async def test_whole_table_and_collector_are_told_before_they_are_signed(desk: Desk) -> None:
    collector, another = desk.solo.address("a2"), desk.solo.address("a1")
    file = desk.folder / "rates.csv"
    file.write_text(
        "from_day,rate,source\n2020-07-01,15,Section 151\n2040-07-01,16,Act 2040\n"
        "2090-07-01,17.5,Act 2090\n"
    )
    of_person = ("withholding", "set", "person", "bond")
    first = await desk.together(*of_person, file, "--collector", collector)

    one = (*of_person, "--from", "2040-07-01", "--rate", "12.25", "--source", "Act 2039")
    replaced = await desk.together(*one)
    before = await desk.solo.call("khz_withholding")
    file.write_text("from_day,rate,source\n2020-07-01,15,Section 151\n2095-07-01,0,Act 2095\n")
    dry = await desk.together(*of_person, file, "--collector", another, "--dry-run")

    assert (first.code, replaced.code, dry.code) == (Exit.OK, Exit.OK, Exit.OK), dry.err
    assert _told(first) == [
        "from what a bond pays a person, in place of the whole table:",
        "change from_day rate source before",
        "added 2020-07-01 15.00 Section 151",
        "added 2040-07-01 16.00 Act 2040",
        "added 2090-07-01 17.50 Act 2090",
        f"collector {collector}",
    ]
    assert _told(replaced)[2:] == [
        "kept 2020-07-01 15.00 Section 151",
        "replaced 2040-07-01 12.25 Act 2039 16.00, Act 2040",
        "kept 2090-07-01 17.50 Act 2090",
        f"collector {collector}",
    ]
    assert _told(dry)[2:] == [
        "kept 2020-07-01 15.00 Section 151",
        "removed 2040-07-01 - - 12.25, Act 2039",
        "removed 2090-07-01 - - 17.50, Act 2090",
        "added 2095-07-01 0.00 Act 2095",
        f"collector {another}",
        f"before {collector}",
    ]
    assert (await desk.solo.call("khz_withholding")) == before


def _told(ran: Ran) -> list[str]:
    """Return what was said beside the result, with single blanks, up to the empty line."""
    lines = [" ".join(line.split()) for line in ran.err.splitlines()]
    start = next(at for at, line in enumerate(lines) if line.startswith("from what "))
    return lines[start : lines.index("", start)]


def test_row_is_one_line_whatever_its_source_says() -> None:
    forged = {"from_day": "2030-01-01", "rate_bps": 5, "source": "a\nkept\tlaw"}

    assert changes_of({}, [forged]) == [("added", "2030-01-01", "0.05", "a\\nkept\\tlaw", "")]


async def test_sheet_of_every_class_is_refused_for_one(desk: Desk) -> None:
    collector = desk.solo.address("a2")
    for taxpayer, kind in (("person", "bond"), ("person", "sukuk")):
        ran = await desk.together(
            *("withholding", "set", taxpayer, kind, "--from", "2030-01-01", "--rate", "15"),
            *("--source", "a law", "--collector", collector),
        )
        assert ran.code == Exit.OK, ran.err
    before = await desk.solo.call("khz_withholding")
    file = desk.folder / "rates.csv"
    file.write_text((await desk.run("withholding", "show", "--csv")).out)

    for taxpayer, kind, said in (
        ("person", "bond", "line 3: kind is 'sukuk', expected bond or nothing"),
        ("person", "sukuk", "line 2: kind is 'bond', expected sukuk or nothing"),
        ("company", "bond", "line 2: taxpayer is 'person', expected company or nothing"),
    ):
        ran = await desk.together(
            "withholding", "set", taxpayer, kind, file, "--collector", collector
        )
        assert ran.code == Exit.USAGE, (taxpayer, kind)
        assert f"{file}, {said}" in ran.err
    assert (await desk.solo.call("khz_withholding")) == before


async def test_rates_that_cannot_be(desk: Desk) -> None:
    of_person = ("withholding", "set", "person", "bond")
    one = ("--from", "2030-01-01", "--source", "a law")
    for words, said in (
        ((), "expected either a FILE or"),
        (one, "expected either a FILE or"),
        ((*one, "--rate", "15"), "Say with --collector"),
        ((*one, "--rate", "100.01", "--collector", desk.central), "a rate is 100.01 %"),
        ((*one, "--rate", "1.005", "--collector", desk.central), "at most two decimals"),
    ):
        ran = await desk.together(*of_person, *words)
        assert ran.code == Exit.USAGE, words
        assert said in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from_day,rate\n2030-01-01,15\n", "no column source"),
        ("from_day,rate,source\n2030-01-01,fifteen,a law\n", "line 2: "),
        ("from_day,rate,source\n1st of May,15,a law\n", "line 2: "),
        ("from_day,rate,source\n" + "2030-01-01,15,a law\n" * 2, "line 3: found 2030-01-01 twice"),
        (
            "taxpayer,from_day,rate,source\n,2030-01-01,15,a law\nbank,2030-01-02,15,a law\n",
            "line 3: taxpayer is 'bank', expected person or nothing",
        ),
    ],
)
def test_table_of_no_rates(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(text)

    with pytest.raises(CommandError, match=said):
        read_rates(file, "person", "bond")


def test_classes_are_those_of_the_ledger() -> None:
    assert CLASSES == TAXPAYERS
    assert sorted(status.name.lower() for status in TaxStatus) == sorted(STATUSES)
    assert [kind.value for kind in KINDS_OF_LEDGER] == [*KINDS]
