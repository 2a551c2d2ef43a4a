"""`khazana top` and `khazana status --watch`: the picture, the polling, and a real terminal."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from rich.text import Text

from node.cli.exits import Exit
from node.cli.live import fitting
from node.cli.top.drawing import picture
from node.cli.top.polling import Consensus, Look, Peer, Poll, Pool, Status, Voter, Watched
from node.clock import ManualClock
from tests.cli.asked import ask, run
from tests.cli.terminals import Terminal, at_terminal, shown
from tests.cli.test_status import NOWHERE, impostor
from tests.docs.blocks import ROOT, line
from tests.docs.shell import surroundings
from tests.rpc.solo import Solo, solo_node

OTHER_SCREEN, FIRST_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
STATUS = Status(
    node="central-bank",
    network_name="town",
    genesis_hash="ab" * 32,
    height=1_200,
    time=NOW,
    clock=NOW,
    development=True,
    state_root="cd" * 32,
    validators=4,
    quorum=3,
    faults_survived=1,
    fault_model="byzantine",
    ready=True,
    not_ready=[],
    mempool=Pool(transactions=7, transactions_max=20_000),
    peers=[Peer(name="crypto-council", connected=True)],
)
CONSENSUS = Consensus(
    deciding=True,
    round=1,
    step="prevote",
    proposer="crypto-council",
    validators=[
        Voter(
            name="central-bank",
            prevote="ef" * 32,
            precommit=None,
            signed_last=1_200,
            proposals_missed=0,
        ),
        Voter(
            name="crypto-council",
            prevote="nil",
            precommit=None,
            signed_last=None,
            proposals_missed=12,
        ),
    ],
    blocks=100,
    transactions=5_000,
    applied=4_990,
    rounds_skipped=3,
)


def look(at_s: float = 0.0, **changed: object) -> Look:
    """An answer with other members, of the status or of consensus."""
    of_status = {k: v for k, v in changed.items() if k in Status.__struct_fields__}
    of_consensus = {k: v for k, v in changed.items() if k in Consensus.__struct_fields__}
    return Look(
        at_s=at_s,
        status=msgspec.structs.replace(STATUS, **of_status),
        consensus=msgspec.structs.replace(CONSENSUS, **of_consensus),
    )


def poll(*nodes: Sequence[Look] | str) -> Poll:
    """What was seen of nodes: their answers, or why there is none."""
    polled = Poll([f"http://node-{n}" for n in range(len(nodes))], ManualClock())
    for node, seen in zip(polled.nodes, nodes, strict=True):
        if isinstance(seen, str):
            node.fail(seen, 0.0)
        else:
            for each in seen:
                node.take(each)
    return polled


def drawn(polled: Poll, width: int = 80) -> list[str]:
    return [line.plain for line in picture(polled, width, every_s=1)]


def test_picture_shows_heights_rounds_votes_peers_pool_rates_and_lag() -> None:
    behind = look(node="finance-ministry", height=1_190, deciding=False, round=None, step=None)
    lines = drawn(
        poll([look(), look(2.0, blocks=104, transactions=5_400, applied=5_380)], [behind])
    )

    assert lines[0] == "town abababab: 3 of 4 decide (byzantine); 2 of 2 nodes answer"
    assert lines[1] == "height 1,200   a block every 0.50 s   200 transactions/s, 5 of them refused"
    assert lines[4].split() == [
        "node",
        "height",
        "lag",
        "age",
        "round,",
        "step",
        "peers",
        "pool",
        "ready",
    ]
    assert lines[5].split() == [
        "central-bank",
        "1,200",
        "0",
        "0.0s",
        "1",
        "prevote",
        "1/1",
        "7",
        "yes",
    ]
    assert lines[6].split()[:5] == ["finance-ministry", "1,190", "10", "0.0s", "waiting"]
    assert lines[9].split() == ["central-bank", "efefef", "-", "1,200", "0"]
    assert lines[10].split() == ["crypto-council", "nil", "-", "-", "12", "proposes"]


def test_picture_says_which_validator_is_away_beside_its_turn() -> None:
    peers = [Peer(name=name, connected=False) for name in ("crypto-council", "exchange")]
    lines = drawn(poll([look(peers=peers, not_ready=["quorum: 1 of 4"], ready=False)]))

    assert lines[10].split() == ["crypto-council", "nil", "-", "-", "12", "proposes,", "away"]
    assert "away" not in lines[9]
    assert lines[6] == "central-bank: quorum: 1 of 4", "before what a low terminal has no room for"


def test_what_a_node_warns_of_is_told_whole_in_eighty_columns() -> None:
    warning = "index: it stands at block 12, 48 behind this node, and does not go on; its log says"
    lines = drawn(poll([look(warnings=[warning])]))

    first = "central-bank warns: index: it stands at block 12, 48 behind this node, and does"
    told = lines.index(first)
    assert lines[told + 1] == "  not go on; its log says"
    assert lines[told - 1].endswith("yes"), "and is ready all the same"


def test_names_are_whole_where_there_is_room() -> None:
    long = "n" * 32
    voters = [msgspec.structs.replace(CONSENSUS.validators[0], name=name) for name in (long,)]
    polled = poll([look(node="virtual-asset-regulator", validators=voters)])

    assert drawn(polled)[5].startswith("virtual-asset-regulator ")
    assert drawn(polled)[8].startswith("n" * 22 + "…")
    assert drawn(polled, width=200)[8].startswith(f"{long}  ")


def test_picture_says_what_a_low_terminal_has_no_room_for() -> None:
    lines = [Text(str(number)) for number in range(30)]

    assert [line.plain for line in fitting(lines, 30)] == [str(number) for number in range(30)]
    assert [line.plain for line in fitting(lines, 24)[21:]] == [
        "21",
        "… 7 lines more: in a higher terminal",
        "29",
    ]


def test_picture_fits_into_eighty_columns_whatever_is_told() -> None:
    """Also where names, heights and pools are as large as they can be."""
    large = look(
        node="a" * 32,
        network_name="n" * 32,
        height=999_999_999,
        mempool=Pool(transactions=999_999, transactions_max=10_000_000),
        peers=[Peer(name="p", connected=True)] * 107,
        step="precommit",
        round=12,
    )

    lines = picture(poll([large], "x" * 500), 80, every_s=1)

    rows = [line.plain for line in lines if line.plain.startswith("a" * 20)]
    assert rows
    assert max(map(len, rows)) <= 80
    assert rows[0].endswith("yes")


@pytest.mark.parametrize("width", [20, 40, 79])
def test_what_has_no_room_in_a_line_of_a_narrow_terminal_stands_in_the_next(width: int) -> None:
    behind = look(node="finance-ministry", height=1_190, deciding=False, round=None, step=None)
    away = [Peer(name="crypto-council", connected=False)]
    first = [look(peers=away), look(2.0, blocks=104, transactions=5_400, applied=5_380, peers=away)]
    lines = drawn(poll(first, [behind], "no route to the host " * 5), width)
    whole = " ".join(line.strip() for line in lines)

    assert max(map(len, lines)) <= width
    for told in (
        "town abababab: 3 of 4 decide (byzantine); 2 of 3 nodes answer",
        "a block every 0.50 s",
        "200 transactions/s, 5 of them refused",
        "central-bank: height 1,200, lag 0, age 0.0s, round 1 prevote, peers 0/1, pool 7, ready",
        "finance-ministry: height 1,190, lag 10, age 0.0s, waiting, peers 1/1",
        "no route to the host no route to the host",
        "central-bank: prevote efefef, precommit -, signed last 1,200, missed 0",
        "crypto-council: prevote nil, precommit -, signed last -, missed 12, proposes, away",
    ):
        assert told in whole, told


@pytest.mark.adversarial(72)
def test_words_of_a_node_cannot_move_the_cursor() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\n"
    lines = picture(
        poll([look(node=evil, network_name=evil, step=evil, not_ready=[evil])], evil),
        80,
        every_s=1,
    )

    assert not {each for line in lines for each in line.plain if not each.isprintable()}


def test_what_is_badly_wrong_is_cried_out() -> None:
    forked = drawn(poll([look()], [look(state_root="00" * 32)]))
    strangers = drawn(poll([look()], [look(genesis_hash="00" * 32)]))
    unready = drawn(poll([look(ready=False, not_ready=["quorum: 1 of 4"])]))

    assert "DIFFERENT STATES AT HEIGHT 1,200: stop, and compare." in forked
    assert "THESE NODES BELONG TO DIFFERENT NETWORKS." in strangers
    assert "central-bank: quorum: 1 of 4" in unready


def test_a_node_that_started_anew_has_no_rate_of_before() -> None:
    node = Watched("http://node")
    node.take(look(0.0))
    node.take(look(1.0, blocks=110))
    assert node.rate("blocks") == 10

    node.take(look(2.0, blocks=1))
    assert node.rate("blocks") is None
    node.take(look(3.0, blocks=3))
    assert node.rate("blocks") == 2


async def test_nodes_are_asked_and_one_that_is_away_or_lies_hides_no_other() -> None:
    async with (
        solo_node() as solo,
        impostor(solo, deciding="perhaps") as liar,
        Poll([solo.url, NOWHERE, liar], ManualClock()) as polled,
    ):
        await polled.look()
        there, away, wrong = polled.nodes

        assert there.last is not None
        assert there.last.status.height == solo.town.chain.head.height
        assert [v.name for v in there.last.consensus.validators] == ["central-bank"]
        assert (away.last, wrong.last) == (None, None)
        assert "no node of this interface" in (wrong.error or "")
        assert polled.furthest is there


async def test_into_a_pipe_it_writes_plain_text_and_ends_after_its_looks() -> None:
    async with solo_node() as solo:
        ran = await ask(solo, "top", "--times", "2", "--every", "0.1")
        watched = await ask(solo, "status", "--watch", "--times", "2", "--every", "0.1")
        machine = await ask(solo, "top", "--json", "--every", "0.1")

    for each in (ran, watched):
        assert each.code == Exit.OK
        assert "\x1b" not in each.out
        assert each.out.count("central-bank  ") >= 2
    assert machine.json["nodes"][0]["status"]["node"] == "central-bank"
    assert machine.json["nodes"][0]["blocks_per_s"] == 0


async def test_watching_says_when_it_looked_and_breaks_lines_between_words() -> None:
    watched = await run("status", "--watch", "--times", "1", "--url", NOWHERE)

    lines = watched.out.rstrip("\n").splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d UTC, every \S+ s; q ends it", lines[-1])
    told = " ".join(lines)
    assert "Connection refused" in told or "Connect call failed" in told
    assert max(map(len, lines)) <= 80


async def test_nobody_there_is_code_3_at_the_end() -> None:
    for words in (("top",), ("status", "--watch")):
        ran = await run(*words, "--times", "1", "--url", NOWHERE)

        assert ran.code == Exit.UNREACHABLE
        assert "no answer" in ran.out


async def test_watching_prints_no_json() -> None:
    ran = await run("status", "--watch", "--json", "--url", NOWHERE)

    assert ran.code == Exit.USAGE


@pytest.mark.parametrize("words", [("top",), ("status", "--watch")])
@pytest.mark.parametrize("key", [b"q", b"\x03"])
async def test_at_a_terminal_it_ends_on_q_and_ctrl_c_and_leaves_it_as_it_was(
    words: tuple[str, ...], key: bytes
) -> None:
    async with solo_node() as solo:
        with at_terminal(*words, "--every", "30", "--url", solo.url) as terminal:
            before = terminal.modes
            picture_ = await asyncio.to_thread(terminal.until, b"central-bank")
            assert terminal.modes != before, "keys are taken one by one"
            # An arrow begins as Escape does, and ends nothing.
            terminal.type(b"\x1b[A")
            terminal.type(key)
            code = await asyncio.to_thread(terminal.end)

            assert OTHER_SCREEN in picture_
            assert FIRST_SCREEN in terminal.written
            assert terminal.modes == before
            assert code == Exit.OK
            assert b"Traceback" not in terminal.written


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
async def test_as_the_first_page_has_one_type_it() -> None:
    command = ["bash", "-c", line("README.md", ".venv/bin/khazana top")]
    async with solo_node() as solo:
        with shown(command, surroundings(KHAZANA_URL=solo.url), folder=ROOT) as terminal:
            await asyncio.to_thread(terminal.until, b"1 of 1 nodes answer")
            terminal.type(b"q")
            assert await asyncio.to_thread(terminal.end) == Exit.OK


async def test_a_node_that_dies_and_comes_back_is_shown_again() -> None:
    async with solo_node() as solo:
        with at_terminal("top", "--every", "0.1", "--url", solo.url) as terminal:
            await _dies_and_comes_back(solo, terminal)
            terminal.type(b"q")
            assert await asyncio.to_thread(terminal.end) == Exit.OK


async def _dies_and_comes_back(solo: Solo, terminal: Terminal) -> None:
    await asyncio.to_thread(terminal.until, b"1 of 1 nodes answer")
    port = solo.server.port
    await solo.server.stop()
    await asyncio.to_thread(terminal.until, b"no answer for")
    await solo.server.start("127.0.0.1", port)
    await asyncio.to_thread(terminal.until, b"1 of 1 nodes answer")
