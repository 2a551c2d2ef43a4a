"""`khazana devnet` and what is done on it: one network for the whole file."""

import asyncio
import contextlib
import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo import playing as sale
from node.cli.demo.auction import BIDS, FACE_TOTAL_RUPEES
from node.cli.demo.primary import BILL
from node.cli.demo.retail import VICTIM
from node.cli.demo.stage import Cast, root_at
from node.cli.exits import Exit
from node.client import Client
from node.config import load_config
from node.keys.development import development_signer
from node.provision.local import LocalNetwork, open_network
from node.provision.ports import Reservation
from tests.cli.asked import here
from tests.cli.running import Ran, khazana
from tests.explorer.pressing import Told, pressing
from tests.explorer.test_browser import browser

pytestmark = pytest.mark.e2e


class Devnet:
    """The running network and its accounts."""

    def __init__(self, root: Path, facts: dict[str, Any]) -> None:
        self.root = root
        self.facts = facts
        self.url: str = facts["nodes"][0]["url"]
        self.accounts: list[dict[str, str]] = facts["accounts"]

    def run(self, *words: str | Path) -> Ran:
        """Run a command against this network; what starts or stops nodes as a process."""
        variables = {"KHAZANA_DEVNET": str(self.root), "KHAZANA_URL": self.url}
        return (khazana if words[0] == "devnet" else here)(*words, variables=variables)

    def holding(self, account: int) -> str:
        """What an account has, in rupees."""
        address = self.accounts[account]["address"]
        total: str = self.run("query", "holdings", address, "--json").json["holdings"][0]["total"]
        return total


@pytest.fixture(scope="module")
def begun_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Devnet]]:
    """Two networks, made and started at one moment; afterwards neither runs."""
    roots = [tmp_path_factory.mktemp("devnet") / name for name in ("network", "neighbour")]

    def up(root: Path) -> Ran:
        return khazana("devnet", "up", "--dir", root, "--json")

    try:
        with ThreadPoolExecutor(len(roots)) as both:
            ran = list(both.map(up, roots))
        for each in ran:
            assert each.code == Exit.OK, each.err
        yield [Devnet(root, each.json) for root, each in zip(roots, ran, strict=True)]
    finally:
        for root in roots:
            khazana("devnet", "down", "--dir", root)


@pytest.fixture(scope="module")
def devnet(begun_at_once: list[Devnet]) -> Devnet:
    """The first of them; the other runs no longer."""
    network, neighbour = begun_at_once
    neighbour.run("devnet", "down")
    return network


def test_networks_that_begin_at_one_moment_are_two(begun_at_once: list[Devnet]) -> None:
    """First in the file: one of them is stopped for the others."""
    urls = [node["url"] for each in begun_at_once for node in each.facts["nodes"]]
    assert len(set(urls)) == 8

    for each in begun_at_once:
        found = each.run("devnet", "status", "--json")

        assert found.code == Exit.OK
        assert [node["ready"] for node in found.json["nodes"]] == [True] * 4
    one, other = (khazana("genesis", "show", each.facts["genesis"]) for each in begun_at_once)
    assert one.out != other.out


def test_network_that_another_command_is_starting_is_left_to_it(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        ran = khazana("devnet", "up", "--dir", tmp_path)
    finally:
        os.close(folder)

    assert ran.code == Exit.REFUSED
    assert f"is starting the network in {tmp_path}" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_network_is_not_made_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ran = here("devnet", "up", "--dir", tmp_path / "file/network", "--json")

    assert (ran.code, ran.out) == (Exit.CONFIGURATION, "")
    assert json.loads(ran.err)["error"]["reason"] == "home-unwritable"


@pytest.mark.parametrize("how", ["listens", "has reserved it"])
def test_stopped_network_is_not_started_where_somebody_has_its_port(
    how: str, devnet: Devnet, begun_at_once: list[Devnet]
) -> None:
    """As another network's start has them, from choosing until its nodes listen."""
    del devnet  # Its fixture has stopped the neighbour.
    neighbour = begun_at_once[1]
    config = load_config(neighbour.root / "nodes/crypto-council/node.toml")
    place = config.network.listen
    with contextlib.ExitStack() as holds:
        if how == "listens":
            holds.enter_context(socket.create_server(place))
        else:
            assert holds.enter_context(Reservation()).take(place.port)
        told = neighbour.run("devnet", "up", "--dir", neighbour.root)
        written = neighbour.run("devnet", "up", "--dir", neighbour.root, "--json")
        found = neighbour.run("devnet", "status", "--json")

    assert told.code == written.code == Exit.REFUSED
    assert f"crypto-council: {place}, by process {os.getpid()} (" in told.err
    assert "devnet down --remove" in told.err
    error = json.loads(written.err)["error"]
    assert error["reason"] == "ports-taken"
    (port,) = error["ports"]
    assert (port["node"], port["port"], port["process"]) == (
        "crypto-council",
        place.port,
        os.getpid(),
    )
    assert [node["pid"] for node in found.json["nodes"]] == [None] * 4, "none is started"


def test_node_and_doctor_say_who_has_its_port(devnet: Devnet, begun_at_once: list[Devnet]) -> None:
    """Of the node that has a desk for its pages, which is to wrap no error of the node's."""
    del devnet
    home = begun_at_once[1].root / "nodes/central-bank"
    config = load_config(home / "node.toml")
    place = config.network.listen
    with socket.create_server(place):
        started = khazana("start", "--home", home)
        examined = here("doctor", "--home", home)

    assert config.development.network is not None
    assert started.code == Exit.CONFIGURATION
    assert f"{place} is held by process {os.getpid()} (" in started.err
    assert examined.code == Exit.REFUSED
    assert f"Address already in use, by process {os.getpid()} (" in examined.out


def test_accounts_are_funded_and_their_keys_are_development_keys(devnet: Devnet) -> None:
    assert len(devnet.accounts) == 10
    assert devnet.holding(9) == "1000000.00"
    for account in devnet.accounts:
        signer = development_signer(account["label"])
        assert account["private_key"] == signer.seed.hex()


def test_text_warns_that_the_keys_are_known(devnet: Devnet) -> None:
    ran = devnet.run("devnet", "up")

    assert ran.code == Exit.OK
    assert "DEVELOPMENT ONLY" in ran.out
    assert devnet.accounts[0]["address"] in ran.out


def test_text_says_what_to_type_where_commands_would_ask_another_node(devnet: Devnet) -> None:
    """Somebody else's network would answer in the place of this one."""
    there = khazana("devnet", "up", "--dir", devnet.root)
    elsewhere = khazana(
        "devnet", "up", variables={"KHAZANA_DEVNET": str(devnet.root), "KHAZANA_URL": "http://a:1"}
    )
    known = devnet.run("devnet", "up")

    for ran in (there, elsewhere, known):
        assert ran.code == Exit.OK, ran.err
    assert f"First type: export KHAZANA_DEVNET={devnet.root}\n" in there.out
    assert f"First type: export KHAZANA_URL={devnet.url}\n" in elsewhere.out
    assert "export" not in known.out


def test_commands_ask_the_network_that_runs_whatever_its_ports(devnet: Devnet) -> None:
    variables = {"KHAZANA_DEVNET": str(devnet.root)}

    one = here("query", "parameters", "--json", variables=variables)
    several = here("status", "--json", variables=variables)

    assert one.code == several.code == Exit.OK, one.err + several.err
    assert one.err == several.err == "", "nobody sits at the terminal"
    (node,) = several.json["nodes"]
    assert node["url"] == devnet.url


def test_every_node_is_ready_with_one_state(devnet: Devnet) -> None:
    ran = devnet.run("devnet", "status", "--json")

    assert ran.code == Exit.OK
    assert [node["votes"] for node in ran.json["nodes"]] == [True] * 4
    assert all(node["ready"] for node in ran.json["nodes"])


def test_status_says_who_decides(devnet: Devnet) -> None:
    ran = devnet.run("status", "--json")

    assert ran.code == Exit.OK
    (node,) = ran.json["nodes"]
    assert (node["status"]["validators"], node["status"]["quorum"]) == (4, 3)


def test_status_of_all_nodes_finds_one_state(devnet: Devnet) -> None:
    urls = [word for node in devnet.facts["nodes"] for word in ("--url", node["url"])]

    ran = devnet.run("status", *urls, "--json")

    assert ran.code == Exit.OK
    assert ran.json["one_network"]
    assert ran.json["compared"]["agree"]
    assert len(ran.json["compared"]["state_roots"]) == 4


def test_transfer_moves_exactly_its_amount(devnet: Devnet) -> None:
    payer, payee = devnet.accounts[:2]

    ran = devnet.run(
        *("tx", "transfer", "--account", payer["address"], "--to", payee["address"]),
        *("--asset", "PKR", "--amount", "12.50", "--development", "account-0", "--json"),
    )

    assert ran.code == Exit.OK, ran.err
    assert ran.json["outcome"] == "APPLIED"
    assert devnet.holding(0) == "999987.50"
    assert devnet.holding(1) == "1000012.50"
    found = devnet.run("query", "transaction", ran.json["id"], "--json").json
    assert found["transaction"]["operations"][0]["amount"] == "12.50"
    block = devnet.run("query", "block", str(ran.json["height"]), "--json").json
    assert ran.json["id"] in block["transaction_ids"]


def test_refused_transfer_ends_with_its_outcome_and_code_1(devnet: Devnet) -> None:
    payer, payee = devnet.accounts[2:4]

    ran = devnet.run(
        *("tx", "transfer", "--account", payer["address"], "--to", payee["address"]),
        *("--asset", "PKR", "--amount", "1000000.01", "--development", "account-2", "--json"),
    )

    assert ran.code == Exit.REFUSED
    assert json.loads(ran.err)["error"]["outcome"] == "HOLDING_INSUFFICIENT"
    assert devnet.holding(2) == "1000000.00"


@pytest.mark.parametrize(
    ("amount", "to"), [("1.005", None), ("-1", None), ("ten", None), ("1", "tkhz1nonsense")]
)
def test_mistyped_transfer_is_a_usage_error(devnet: Devnet, amount: str, to: str | None) -> None:
    payer, payee = devnet.accounts[2:4]

    ran = devnet.run(
        *("tx", "transfer", "--account", payer["address"], "--to", to or payee["address"]),
        *("--asset", "PKR", "--amount", amount, "--development", "account-2"),
    )

    assert ran.code == Exit.USAGE, ran.err
    assert "Traceback" not in ran.err


def test_joint_act_travels_as_a_file_from_hand_to_hand(devnet: Devnet, tmp_path: Path) -> None:
    """Bank and ministry define and issue a bill; neither has the other's key."""
    bank = development_signer("central-bank/account")
    ministry = development_signer("finance-ministry/account")
    genesis = khazana("genesis", "show", devnet.facts["genesis"], "--json").json
    address = {entry["owner"]: entry["address"] for entry in genesis["accounts"]}
    operations = tmp_path / "bill.json"
    operations.write_text(
        json.dumps(
            [
                {
                    "type": "define_asset",
                    "account": address["finance-ministry"],
                    "approvers": [address["central-bank"]],
                    "asset": "BILL-1",
                    "name": "A bill",
                    "issuer": "finance-ministry",
                    "identifiers": {"isin": "PKTB0575M006"},
                    "terms": {
                        "type": "bill",
                        "issue_day": "2026-11-20",
                        "maturity_day": "2027-02-12",
                        "face_currency": "PKR",
                    },
                    "term_sheet_hash": "ab" * 32,
                    "decimals": 2,
                    "multiple": "5000.00",
                    "ceiling": "1000000.00",
                    "forced_transfer_allowed": False,
                },
                {
                    "type": "issue",
                    "account": address["finance-ministry"],
                    "approvers": [address["central-bank"]],
                    "asset": "BILL-1",
                    "amount": "250000.00",
                    "to": address["finance-ministry"],
                },
            ]
        )
    )
    draft, by_bank, by_ministry, whole = (tmp_path / f"{n}.json" for n in ("d", "b", "m", "w"))

    built = devnet.run(
        *("tx", "build", operations, "--out", draft, "--json"),
        *("--signer", bank.public_key.hex(), "--signer", ministry.public_key.hex()),
    )
    assert built.code == Exit.OK, built.err
    assert len(built.json["missing"]) == 2
    assert built.json["valid_until"] == khazana("tx", "show", draft, "--json").json["valid_until"]
    khazana("tx", "sign", draft, "--out", by_bank, "--development", "central-bank/account")
    khazana("tx", "sign", draft, "--out", by_ministry, "--development", "finance-ministry/account")
    early = devnet.run("tx", "submit", by_bank)
    combined = khazana("tx", "combine", by_bank, by_ministry, "--out", whole, "--json")
    shown = khazana("tx", "show", whole, "--json").json
    ended = devnet.run("tx", "submit", whole, "--json")

    assert early.code == Exit.USAGE, "one signature is still missing"
    assert combined.json["missing"] == []
    assert [operation["type"] for operation in shown["operations"]] == ["define_asset", "issue"]
    assert ended.code == Exit.OK, ended.err
    assert devnet.run("query", "asset", "BILL-1", "--json").json["asset"]["supply"] == "250000.00"
    again = devnet.run("tx", "submit", whole, "--json")
    assert again.json["height"] == ended.json["height"], "submitting again is harmless"


def test_proof_is_verified_offline_and_refused_once_changed(devnet: Devnet, tmp_path: Path) -> None:
    file, spoilt = tmp_path / "proof.json", tmp_path / "spoilt.json"
    holder = devnet.accounts[5]["address"]

    asked = devnet.run(
        *("query", "prove", "holding", "--address", holder, "--name", "PKR", "--out", file)
    )
    content = file.read_bytes()
    spoilt.write_bytes(content.replace(b"1,000,000.00", b"1,000,000.01"))
    good = khazana("verify", file, "--genesis", devnet.facts["genesis"], "--json")
    bad = khazana("verify", spoilt, "--genesis", devnet.facts["genesis"], "--json")

    assert asked.code == Exit.OK, asked.err
    assert good.code == Exit.OK
    assert holder in good.json["statement"]
    assert len(good.json["decided_by"]) >= 3
    assert bad.code == Exit.REFUSED
    assert json.loads(bad.err)["error"]["holds"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("account", "0"),
        ("asset", "PKR"),
        ("assets",),
        ("block",),
        ("parameters",),
        ("participant", "central-bank"),
        ("powers",),
        ("proposals",),
        ("validators",),
    ],
    ids=lambda words: words[0],
)
def test_query_answers_as_text_and_as_json(devnet: Devnet, words: tuple[str, ...]) -> None:
    if words[0] == "account":
        words = ("account", devnet.accounts[0]["address"])

    text, machine = devnet.run("query", *words), devnet.run("query", *words, "--json")

    assert text.code == machine.code == Exit.OK
    assert "as of block" in text.out
    assert machine.json["height"] >= 1


@pytest.mark.parametrize(
    "words",
    [
        ("asset", "NONE"),
        ("block", "999999"),
        ("participant", "nobody"),
    ],
    ids=lambda words: words[0],
)
def test_query_for_what_is_not_there_is_answered_with_a_sentence(
    devnet: Devnet, words: tuple[str, ...]
) -> None:
    ran = devnet.run("query", *words)

    assert ran.code == Exit.REFUSED
    assert "Traceback" not in ran.err


def test_nobody_at_the_address_is_code_3() -> None:
    ran = khazana("status", "--url", "http://127.0.0.1:1", "--timeout", "5")

    assert ran.code == Exit.UNREACHABLE
    assert "devnet status" in ran.err


def test_development_keys_are_refused_by_a_network_that_is_none(
    devnet: Devnet, tmp_path: Path
) -> None:
    """The devnet's own genesis, without the word `development`."""
    genesis = Path(devnet.facts["genesis"]).read_text()
    strict = tmp_path / "genesis.json"
    strict.write_text(genesis.replace('"development": true', '"development": false'))

    ran = here("genesis", "check", strict)

    assert ran.code == Exit.CONFIGURATION
    assert "development key" in ran.err


@pytest.mark.timeout(600)
async def test_a_browser_plays_the_sale_of_a_bill_button_by_button(devnet: Devnet) -> None:
    """In English with script and in Urdu without it, in turn; each step is on the ledger then.

    Among the last in the file: a validator is killed.
    """
    network, checked = open_network(devnet.root), 0
    before = network.process(VICTIM)
    async with (
        browser() as driver,
        Client(devnet.url, network=network.genesis) as client,
        pressing(driver, devnet.url, "dvp") as windows,
    ):
        for number, step in enumerate(sale.STEPS):
            window = windows[number % 2]
            told = await window.press(step.name)

            assert told.state == ("ready" if step.is_played is None else "done"), told.verdict
            # How long the chain stood still is the one check that a busy machine can fail.
            assert step.name == "outage" or told.failed == [], told.checked
            assert told.faults == [], step.name
            following = [each for each in sale.STEPS[number + 1 :] if each.is_played is not None]
            repeated = [each for each in sale.STEPS if each.is_played is None]
            ready = following[:1] if following else repeated
            assert told.ready == [window.title(each.name) for each in ready]
            checked += len(told.checked)
            await look_up(step.name, told, client, network)
    assert checked == 22, "all that the terminal checks, but the supply of the rupee"
    after = network.process(VICTIM)
    assert before is not None
    assert after is not None
    assert after.pid != before.pid


async def look_up(step: str, told: Told, client: Client, network: LocalNetwork) -> None:
    """Hold what the page says of a step of the sale against the ledger."""
    cast = Cast.known()
    match step:
        case "gather":
            owners = [(await client.account(each.address)).value.owner for each in cast.dealers]
            assert owners == [each.name for each in cast.dealers]
        case "issue":
            assert (await client.asset(BILL)).value.supply == FACE_TOTAL_RUPEES
        case "settle":
            held = [await client.holding(each.address, BILL) for each in cast.dealers]
            assert held == [bid.face_rupees for bid in BIDS]
        case "retail":
            assert (await client.participant(cast.exchange.name)).value.licences
            assert all([await client.holding(each.address, BILL) for each in cast.people])
        case "outage":
            height = (await client.status()).height
            async with Client(network.nodes[VICTIM].url, network=client.network) as alone:
                root = (await client.block(height, transactions="none")).value.header.state_root
                assert await root_at(alone, height) == root
        case "refusals":
            assert (await client.account(cast.people[0].address)).value.hold is None
            names = "OFFICES_MISSING ACCOUNT_ON_HOLD HOLDING_INSUFFICIENT PARTICIPANT_UNKNOWN"
            for name in (*names.split(), "WRONG_NETWORK"):
                assert any(name in each for each in told.checked), name
        case "proof":
            assert any("The proof holds" in each for each in told.checked)
            assert any("proof refused" in each for each in told.checked)
        case "close":
            (stated,) = re.findall(r"(\d+)\D*: ([0-9a-f]{16})$", "\n".join(told.checked), re.M)
            block = (await client.block(int(stated[0]), transactions="none")).value
            assert block.header.state_root.startswith(stated[1])
        case _:
            pytest.fail(f"{step} is looked up nowhere")
    for path in told.linked:
        sent = (await client.transaction_state(path.rpartition("/")[2])).value
        assert sent.receipt is not None
        assert sent.receipt.applied


def test_killed_node_is_seen_and_comes_back(devnet: Devnet) -> None:
    """Among the last in the file: it hurts the network that the others use."""
    killed = devnet.run("devnet", "kill", "crypto-council", "--json")
    down = devnet.run("devnet", "status", "--json")
    up = devnet.run("devnet", "up", "--json")
    logs = devnet.run("devnet", "logs", "crypto-council", "--lines", "5", "--json")
    unknown = devnet.run("devnet", "kill", "nobody")

    assert killed.json["killed"] is True
    assert down.code == Exit.UNREACHABLE
    assert [n["ready"] for n in down.json["nodes"] if n["name"] == "crypto-council"] == [False]
    assert up.code == Exit.OK
    assert len(logs.json["lines"]) == 5
    assert unknown.code == Exit.USAGE


async def block_times(url: str, heights: range) -> list[datetime]:
    async with Client(url) as client:
        return [
            (await client.block(height, transactions="none")).value.header.time
            for height in heights
        ]


def test_dates_pass_block_by_block_and_outlive_a_restart(devnet: Devnet) -> None:
    """Last in the file: the network is in another year afterwards."""
    begun = devnet.run("devnet", "time", "--json").json
    day = date.fromisoformat(begun["today"])
    wanted = day + timedelta(days=5)

    travelled = devnet.run("devnet", "time", "--to", wanted.isoformat(), "--json")

    assert travelled.code == Exit.OK, travelled.err
    assert travelled.json["today"] == wanted.isoformat()
    assert travelled.json["days"] >= 4
    times = asyncio.run(
        block_times(devnet.url, range(begun["height"] + 1, travelled.json["height"] + 1))
    )
    local = {(time + timedelta(hours=5)).date() for time in times}
    assert {day + timedelta(days=number) for number in range(1, 6)} <= local

    back = devnet.run("devnet", "time", "--to", day.isoformat())
    both = devnet.run("devnet", "time", "--to", wanted.isoformat(), "--by", "1d")
    assert (back.code, both.code) == (Exit.REFUSED, Exit.USAGE)
    assert "Time does not go back" in back.err
    for far, told in (("9999-12-31", "beyond 2200-01-01"), ("0001-01-01", "Time does not go back")):
        refused = devnet.run("devnet", "time", "--to", far)
        assert (refused.code, told in refused.err) == (Exit.REFUSED, True), refused.err

    devnet.run("devnet", "kill", "finance-ministry")
    left = devnet.run("devnet", "time", "--by", "1d")
    assert left.code == Exit.UNREACHABLE
    assert "finance-ministry must run as well" in left.err
    assert devnet.run("devnet", "up").code == Exit.OK
    on = devnet.run("devnet", "time", "--by", "36h", "--json")
    assert on.code == Exit.OK, on.err
    assert on.json["travelled_ms"] > travelled.json["travelled_ms"] + 35 * 3_600_000
    states = devnet.run("devnet", "status", "--json")
    assert all(node["ready"] for node in states.json["nodes"])
    checked = devnet.run("calendar", "check", "--json")
    assert checked.json["day"] == on.json["today"]
