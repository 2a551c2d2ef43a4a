"""`khazana query`: what the node answers, for people and for machines."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from consensus.evidence import Equivocation
from node.blocks import encode_evidence
from node.cli.exits import CommandError, Exit
from node.cli.output import emit_error, note
from node.codec import encode, replace
from node.ledger.operations import PlaceHold, Propose, SetParameter
from tests.chain.town import address_of, define_cash
from tests.cli.asked import ask, run
from tests.rpc.solo import BANK, CASH, Solo, solo_node

CENTRAL = address_of("central-bank", "central-bank")
MINISTRY = address_of("finance-ministry", "finance-ministry")
UNKNOWN_ID = "0" * 64


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    """A node with three funded accounts, a hold, a proposal, and evidence."""
    async with solo_node() as solo:
        town = solo.town
        await town.decide(
            town.transaction([_hold(), _proposal()], ["central-bank"]),
            town.transfer("a0", "a1", 150),
            evidence=[_evidence(solo)],
        )
        yield solo


def _hold() -> PlaceHold:
    return PlaceHold(
        account=CENTRAL,
        approvers=(),
        holder=address_of(BANK, "a0"),
        asset=CASH,
        amount=250,
        reason="a court's order",
        legal_reference="C-1/2026",
        expires_ms=None,
    )


def _proposal() -> Propose:
    operation = SetParameter(account=CENTRAL, approvers=(), parameter="proposals-open-max", value=7)
    return Propose(account=CENTRAL, operations=encode((operation,)), expires_ms=1_600_000_900_000)


def _evidence(solo: Solo, height: int = 1) -> bytes:
    votes = [solo.town.vote("central-bank", height, bytes([number]) * 32) for number in (1, 2)]
    return encode_evidence(Equivocation(first=votes[0], second=votes[1]))


@pytest.mark.parametrize(
    ("words", "method", "params", "told"),
    [
        (["account", "ADDRESS"], "khz_account", {"address": "ADDRESS"}, ["bank", "weight"]),
        (["asset", CASH], "khz_asset", {"asset": CASH}, ["central-bank", "30,000.00"]),
        (["assets"], "khz_assets", {}, [CASH, "30,000.00"]),
        (["evidence"], "khz_evidence", {}, ["precommit 0101", "precommit 0202"]),
        (["holdings", "ADDRESS"], "khz_holdings", {"address": "ADDRESS"}, ["9,996.00", "2.50"]),
        (["holds", "ADDRESS"], "khz_holds", {"address": "ADDRESS"}, ["a court's order", "2.50"]),
        (["parameters"], "khz_parameters", {}, ["proposals-open-max", "1,024"]),
        (["participant", "bank"], "khz_participant", {"participant": "bank"}, ["central-bank"]),
        (["powers"], "khz_powers", {}, ["define_asset", "3 of central-bank"]),
        (["proposals"], "khz_proposals", {}, ["set_parameter"]),
        (["validators"], "khz_validators", {}, ["1 of these 1", "byzantine"]),
        (["validators", "--height", "2"], "khz_validators", {"height": 2}, ["block 2 takes"]),
        (["block"], "khz_block", {}, ["decided by", "central-bank", "evidence of the block"]),
        (["block", "2"], "khz_block", {"height": 2}, ["parent", "state root"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_query_tells_people_and_machines_what_the_node_says(
    solo: Solo, words: list[str], method: str, params: dict[str, Any], told: list[str]
) -> None:
    address = solo.address("a0")
    words = [address if word == "ADDRESS" else word for word in words]
    params = {name: address if value == "ADDRESS" else value for name, value in params.items()}

    text = await ask(solo, "query", *words)
    machine = await ask(solo, "query", *words, "--json")

    assert text.code == machine.code == Exit.OK, text.err
    assert machine.json == await solo.call(method, params)
    assert f"as of block {solo.town.chain.head.height}, " in text.out
    for part in told:
        assert part in text.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["asset", CASH], {"asset": CASH, "issuer": "central-bank", "supply": "30000.00"}),
        (["assets"], {"asset": CASH, "kind": "cash", "supply": "30000.00"}),
        (["holdings", "ADDRESS"], {"asset": CASH, "available": "9996.00", "held": "2.50"}),
        (["holds", "ADDRESS"], {"reason": "a court's order", "amount": "2.50"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_tables_are_sheets_too(solo: Solo, words: list[str], told: dict[str, str]) -> None:
    words = [solo.address("a0") if word == "ADDRESS" else word for word in words]

    ran = await ask(solo, "query", *words, "--csv")

    assert ran.code == Exit.OK, ran.err
    head, *rows = csv.reader(io.StringIO(ran.out))
    read = dict(rows) if head == ["member", "value"] else dict(zip(head, rows[0], strict=True))
    assert read.items() >= told.items()


async def test_lists_are_read_to_their_end() -> None:
    """More assets than one page of the interface holds."""
    async with solo_node() as solo:
        town, count = solo.town, 250
        for first in range(0, count, 50):
            definitions = [
                replace(define_cash(CENTRAL, (MINISTRY,)), asset=f"C{number:03}")
                for number in range(first, first + 50)
            ]
            await town.decide(town.transaction(definitions, ["central-bank", "finance-ministry"]))

        ran = await ask(solo, "query", "assets", "--json")

        assert ran.code == Exit.OK
        assert len(ran.json["assets"]) == count + 1
        assert ran.json["next"] is None


async def test_empty_list_is_said_in_words() -> None:
    async with solo_node(settled=False) as solo:
        assets = await ask(solo, "query", "assets")
        evidence = await ask(solo, "query", "evidence")

        assert assets.out.startswith("no assets\n")
        assert "as of the genesis" in assets.out
        assert evidence.out.startswith("no validator has been seen")


async def test_evidence_says_what_to_type_for_older_ones() -> None:
    async with solo_node(settled=False) as solo:
        for height in (1, 2):
            await solo.town.decide(evidence=[_evidence(solo, height)])

        newest = await ask(solo, "query", "evidence", "--limit", "1")
        command = newest.out.split("older ones: khazana ")[1].split("\n")[0].split(" ")
        oldest = await ask(solo, *command)

    assert newest.out.splitlines()[1].endswith(" 2")
    assert oldest.out.splitlines()[1].endswith(" 1")
    assert "older ones" not in oldest.out


async def test_one_proposal_is_printed_in_full(solo: Solo) -> None:
    (listed,) = (await solo.call("khz_proposals"))["proposals"]

    text = await ask(solo, "query", "proposal", listed["id"].upper())

    assert text.code == Exit.OK
    assert "proposals-open-max" in text.out
    assert listed["expires"] in text.out


async def test_what_was_proposed_cannot_steer_a_terminal(solo: Solo) -> None:
    """Nobody looks at a proposal's text before it is applied."""
    name = "\x1b]0;x\x07\x1b[2J\x9b31m\noutcome APPLIED\u202e"
    operation = replace(define_cash(CENTRAL, ()), asset="C1", name=name)
    proposal = Propose(
        account=CENTRAL, operations=encode((operation,)), expires_ms=1_600_000_900_000
    )
    await solo.town.decide(solo.town.transaction([proposal], ["central-bank"]))
    listed = (await solo.call("khz_proposals"))["proposals"]
    identifier = next(
        each["id"] for each in listed if each["operations"][0]["type"] == "define_asset"
    )

    text = await ask(solo, "query", "proposal", identifier)
    machine = await ask(solo, "query", "proposal", identifier, "--json")

    assert r"\x1b]0;x\x07\x1b[2J\x9b31m\noutcome APPLIED\u202e" in text.out
    for out in (text.out, machine.out):
        assert all(letter == "\n" or letter.isprintable() for letter in out)
    assert machine.json["proposal"]["operations"][0]["name"] == name


def test_why_a_command_fails_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    error = CommandError(Exit.REFUSED, "said \x1b[2J", advice="say \x9b", facts={"told": "\x9b"})

    for as_json in (False, True):
        emit_error(error, as_json=as_json)
    note("and \x1b[2J")

    told = capsys.readouterr().err
    assert all(letter == "\n" or letter.isprintable() for letter in told)
    assert told.startswith("khazana: said \\x1b[2J\n  say \\x9b\n")
    assert json.loads(told.splitlines()[2])["error"]["told"] == "\x9b"
    assert told.endswith("and \\x1b[2J\n")


class TestTransaction:
    """What became of it, in the four ways there are."""

    async def test_applied(self, solo: Solo) -> None:
        raw = solo.town.transfer("a0", "a1", 1234)
        await solo.town.decide(raw)
        identifier = solo.town.id_of(raw).hex()

        text = await ask(solo, "query", "transaction", identifier)

        assert text.code == Exit.OK
        assert f"block        {solo.town.chain.head.height}, index 0" in text.out
        assert "APPLIED" in text.out
        assert "12.34" in text.out

    async def test_refused_by_a_block(self, solo: Solo) -> None:
        raw = solo.town.transfer("a0", "a1", 10_000_000)
        await solo.town.decide(raw)
        identifier = solo.town.id_of(raw).hex()

        text = await ask(solo, "query", "transaction", identifier)

        assert text.code == Exit.OK
        assert "HOLDING_INSUFFICIENT: " in text.out
        assert "operation 0" in text.out

    async def test_waiting(self, solo: Solo) -> None:
        (waiting,) = solo.town.wait(solo.town.transfer("a0", "a1"))

        ran = await ask(solo, "query", "transaction", waiting.id.hex(), "--json")

        assert ran.code == Exit.OK
        assert ran.json["status"] == "pending"

    async def test_unknown_ends_with_code_1(self, solo: Solo) -> None:
        ran = await ask(solo, "query", "transaction", UNKNOWN_ID, "--json")

        assert ran.code == Exit.REFUSED
        assert ran.json["status"] == "unknown"


async def test_block_shows_its_transactions_page_by_page(solo: Solo) -> None:
    raws = [solo.town.transfer("a0", "a1", 1 + number) for number in range(120)]
    await solo.town.decide(*raws)

    first = await ask(solo, "query", "block", "--transactions", "full")
    second = await ask(solo, "query", "block", "--transactions", "full", "--index", "100")
    ids = await ask(solo, "query", "block")

    assert "the next page begins with --index 100" in first.out
    assert "next page" not in second.out
    assert solo.town.id_of(raws[119]).hex() in second.out
    assert sum(len(line) == 64 for line in ids.out.splitlines()) == 120


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["asset", "NONE"], "no asset 'NONE'"),
        (["account", "NOBODY"], "no account"),
        (["block", "99999"], "no block 99999"),
        (["participant", "nobody"], "no participant 'nobody'"),
        (["proposal", UNKNOWN_ID], "no open proposal"),
        (["validators", "--height", "99999"], "not known before"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
async def test_what_is_not_there_ends_with_code_1(
    solo: Solo, words: list[str], sentence: str
) -> None:
    nobody = solo.address("nobody")
    words = [nobody if word == "NOBODY" else word for word in words]

    text = await ask(solo, "query", *words)
    machine = await ask(solo, "query", *words, "--json")

    assert text.code == machine.code == Exit.REFUSED
    assert sentence in text.err
    assert "khazana status" in text.err
    error = json.loads(machine.err)["error"]
    assert (error["exit"], error["code"]) == (Exit.REFUSED, -32001)
    assert machine.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["account", "tkhz1nonsense"],
        ["account", ""],
        ["asset", "X" * 33],
        ["block", "0"],
        ["block", "1", "--index", "-1"],
        ["block", "1", "--transactions", "some"],
        ["holdings", "khz1nonsense"],
        ["prove", "holding", "--name", CASH, "--out", "x"],
        ["prove", "galaxy", "--name", CASH, "--out", "x"],
        ["proposal", "55"],
        ["transaction", "55"],
        ["transaction", "g" * 64],
        ["validators", "--height", "0"],
        ["assets", "--url", "ftp://somewhere"],
        ["assets", "--url", ""],
    ],
    ids=" ".join,
)
async def test_what_cannot_be_asked_is_a_usage_error(solo: Solo, words: list[str]) -> None:
    ran = await ask(solo, "query", *words)

    assert ran.code == Exit.USAGE, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


async def test_proof_is_a_file_that_verifies_offline(solo: Solo, tmp_path: Path) -> None:
    genesis, file, spoilt = (tmp_path / name for name in ("genesis.json", "proof", "spoilt"))
    genesis.write_text(solo.town.genesis.render())
    holder = solo.address("a0")

    asked = await ask(
        solo, "query", "prove", "holding", "--address", holder, "--name", CASH, "--out", file
    )
    spoilt.write_bytes(file.read_bytes().replace(b"9,996.00", b"9,996.01"))
    good = await run("verify", file, "--genesis", genesis)
    bad = await run("verify", spoilt, "--genesis", genesis)

    assert asked.code == good.code == Exit.OK, asked.err + good.err
    assert "9,996.00" in asked.out
    assert "9,996.00" in good.out
    assert bad.code == Exit.REFUSED


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        (["asset", "--name", CASH], "Rupee of the central bank"),
        (["participant", "--name", "nobody"], "hold nothing under 'nobody'"),
        (["validator", "--name", "central-bank"], "central-bank"),
        (["account", "--address", "ADDRESS"], "bank"),
        (["auction", "--name", "mtb-3m"], "The ledger's auctions hold nothing under 'mtb-3m'"),
        (["ladder", "--name", "mtb-3m", "--number", "0"], "The ledger's ladders hold nothing"),
        (["fixing", "--name", "PFL-5Y", "--number", "1"], "The ledger's fixings hold nothing"),
        (["calls", "--name", "PIB-5Y"], "The ledger's calls hold nothing"),
        (["plan", "--name", "2027-q1"], "The ledger's plans of auctions hold"),
        (["calendar", "--name", "karachi"], "The ledger's calendars hold nothing"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
async def test_everything_with_a_place_can_be_proven_and_its_absence(
    solo: Solo, tmp_path: Path, words: list[str], statement: str
) -> None:
    genesis, file = tmp_path / "genesis.json", tmp_path / "proof.json"
    genesis.write_text(solo.town.genesis.render())
    words = [solo.address("a0") if word == "ADDRESS" else word for word in words]

    asked = await ask(solo, "query", "prove", *words, "--out", file, "--json")
    verified = await run("verify", file, "--genesis", genesis, "--json")

    assert asked.code == verified.code == Exit.OK, asked.err + verified.err
    assert statement in asked.json["statement"]
    assert verified.json["statement"] == asked.json["statement"]


async def test_proof_that_cannot_be_written_is_said(solo: Solo, tmp_path: Path) -> None:
    place = tmp_path / "nowhere" / "proof.json"

    ran = await ask(solo, "query", "prove", "asset", "--name", CASH, "--out", place)

    assert ran.code == Exit.CONFIGURATION
    assert "cannot be written" in ran.err


async def test_next_address_is_asked_where_one_does_not_answer(solo: Solo) -> None:
    ran = await ask(solo, "query", "assets", "--url", f"http://127.0.0.1:1 {solo.url}")

    assert ran.code == Exit.OK
    assert CASH in ran.out


async def test_node_that_never_answers_ends_with_code_4() -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        url = f"http://{host}:{port}"

        ran = await run("query", "assets", "--url", url, "--timeout", "1", "--json")

    assert ran.code == Exit.TIMEOUT
    assert json.loads(ran.err)["error"]["exit"] == Exit.TIMEOUT
