"""A node's clock set ahead: within which bounds, and what a restart makes of it."""

from pathlib import Path

import pytest

from node.app import Node, NodeParts
from node.app.travel import FILE, Travel, load_travelled, store_travelled
from node.clock import ManualClock, TravellingClock
from node.config import ConfigError, load_config
from node.control import LATEST_MS, STEP_MAX_MS, Refused, Timekeeper
from node.control.place import socket_path
from node.genesis import load_genesis
from node.log import silent_log
from node.provision.description import Account
from node.provision.founding import found_network
from node.provision.homes import CONFIG_FILE, write_home
from node.provision.reference import INSTITUTIONS, reference_network
from tests.chain.town import key, make_record, make_town
from tests.ports import own_ports
from tests.rpc.solo import solo_node

DAY_MS = 86_400_000
NAME = INSTITUTIONS[0]


def beat() -> None:
    """Nobody makes blocks here."""


def travelling(folder: Path, *, now_ms: int = 1_000) -> tuple[Travel, TravellingClock]:
    clock = TravellingClock(ManualClock(now_ms=now_ms))
    return Travel(clock, make_town().chain, folder=folder, beat=beat), clock


async def test_node_is_set_ahead_and_keeps_it_for_its_next_start(tmp_path: Path) -> None:
    travel, clock = travelling(tmp_path)

    assert await travel.move(DAY_MS) is None
    assert await travel.move(DAY_MS) is None
    assert await travel.move(2 * DAY_MS) is None

    assert clock.now_ms() == 2 * DAY_MS + 1_000
    assert load_travelled(tmp_path) == 2 * DAY_MS


@pytest.mark.parametrize(
    ("now_ms", "to_ms", "why"),
    [
        (1_000, DAY_MS - 1, "no clock goes back"),
        (1_000, DAY_MS + STEP_MAX_MS + 1, "so that no day is left out"),
        (1_000, 1 << 80, "so that no day is left out"),
        (1_000, -(1 << 80), "no clock goes back"),
        (LATEST_MS - DAY_MS, DAY_MS + 1, "beyond 2200-01-01"),
    ],
)
async def test_node_is_not_set_ahead(tmp_path: Path, now_ms: int, to_ms: int, why: str) -> None:
    travel, clock = travelling(tmp_path, now_ms=now_ms)
    await travel.move(DAY_MS)

    refused = await travel.move(to_ms)

    assert refused is not None
    assert why in refused
    assert clock.travelled_ms == load_travelled(tmp_path) == DAY_MS


async def test_moment_says_what_is_due_next(tmp_path: Path) -> None:
    town = make_town()
    travel = Travel(TravellingClock(ManualClock()), town.chain, folder=tmp_path, beat=beat)

    moment = travel.moment()

    assert (moment.height, moment.head_ms) == (0, town.chain.head.time_ms)
    assert moment.due_ms is None


async def test_block_above_a_height_that_is_passed_is_not_waited_for(tmp_path: Path) -> None:
    travel, _ = travelling(tmp_path)

    await travel.next_block(-1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"travelled_ms": -1}',
        '{"travelled_ms": true}',
        "[" * 5_000,
        '{"travelled_ms": 1e9}',
    ],
)
def test_file_that_does_not_say_it_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(ConfigError, match=r"clock\.json: travelled_ms: found nothing that says"):
        load_travelled(tmp_path)


def test_node_that_never_travelled_is_where_its_machine_is(tmp_path: Path) -> None:
    assert load_travelled(tmp_path) == 0
    store_travelled(tmp_path / "new", 5)
    assert load_travelled(tmp_path / "new") == 5


@pytest.mark.parametrize("development", [True, False])
async def test_only_a_development_network_lets_its_nodes_travel(
    tmp_path: Path, development: bool
) -> None:
    port, rpc_port, *others = own_ports(8)
    ports = {NAME: (port, rpc_port)} | {
        name: (others[2 * n], others[2 * n + 1]) for n, name in enumerate(INSTITUTIONS[1:])
    }
    network = found_network(
        reference_network(
            "testnet",
            ports=ports,
            development=development,
            accounts=[
                Account(owner=office, public_key=key(office).public_key.hex())
                for office in INSTITUTIONS
            ],
        ),
        folder=tmp_path,
        now_ms=1_700_000_000_000,
        make_keys=True,
    )
    home = tmp_path / NAME
    write_home(home, network.home(NAME, passphrase=None, passphrase_file=None))
    config = load_config(home / CONFIG_FILE, environment={})
    store_travelled(config.data_dir, DAY_MS)
    node = Node(config, load_genesis(config.genesis), NodeParts(log=silent_log()))

    async with node, Timekeeper(socket_path(config.data_dir)) as keeper:
        if development:
            moment = await keeper.move(2 * DAY_MS)
            assert moment.travelled_ms == 2 * DAY_MS
        else:
            with pytest.raises(Refused, match="does not say that it is for development"):
                await keeper.move(2 * DAY_MS)

    assert load_travelled(config.data_dir) == (2 * DAY_MS if development else DAY_MS)


@pytest.mark.adversarial(73)
async def test_the_listener_for_clients_sets_no_clock() -> None:
    async with solo_node(settled=False, record=make_record(validators=1)) as solo:
        for path in ("/time", "/block", "/clock"):
            status, _ = await solo.post(b'{"travelled_ms": 1}', path=path)
            assert status == 404
