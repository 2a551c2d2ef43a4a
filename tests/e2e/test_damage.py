"""What happens to the disk of one validator of four, done by hand: each damage is found, named in a
sentence with what to do, repaired by copying the chain from the others, and never voted on.

What it signed meanwhile is read from its peers' consensus logs as well as from its own.
"""

import asyncio
import contextlib
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from node.app import CHAIN_FOLDER, LOG_FOLDER
from node.cli.exits import Exit
from node.client import Client
from node.provision.local import LocalNetwork, NodeFailed
from node.provision.probing import answers
from node.provision.processes import LOG_FILE, log_tail
from node.storage import open_leveldb
from node.storage.consensus_log import LOG_NAME
from tests import damage
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    PATIENCE_S,
    client_of,
    endow,
    exit_code,
    make_network,
    pay_once,
    signatures_agree,
    until,
    until_height,
)
from tests.e2e.signatures import Place, signatures_in

pytestmark = pytest.mark.e2e

LOG_LINES = 4
ALONE_S = 3.0
"""Longer than a first round takes to end in votes for nil."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    """Give one running network to all tests here: each leaves it whole."""
    network = make_network(tmp_path_factory.mktemp("damage") / "network")
    try:
        asyncio.run(_begin(network))
        yield network
    finally:
        asyncio.run(network.stop())


async def _begin(network: LocalNetwork) -> None:
    network.start(leashed=True)
    await network.wait_ready()
    await endow(network)


def database(network: LocalNetwork) -> Path:
    return network.nodes[COUNCIL].home / "data" / CHAIN_FOLDER


def consensus_log(network: LocalNetwork) -> Path:
    return network.nodes[COUNCIL].home / "data" / LOG_FOLDER


async def stop(network: LocalNetwork) -> None:
    process = network.process(COUNCIL)
    assert process is not None
    assert await process.stop()


async def start(network: LocalNetwork) -> None:
    network.start(COUNCIL, leashed=True)
    await ready_among_payments(network)


async def ready_among_payments(network: LocalNetwork) -> None:
    """Wait until the node takes part, while others pay: some blocks it may have to let pass."""
    async with asyncio.TaskGroup() as tasks:
        paying = tasks.create_task(_pay_on(network), name="paying")
        await network.wait_ready(COUNCIL)
        paying.cancel()


async def _pay_on(network: LocalNetwork) -> None:
    async with client_of(network, BANK) as client:
        while True:
            await pay_once(client)


async def pay(network: LocalNetwork, count: int, *names: str) -> int:
    """Pay through these nodes and return the height of the last payment."""
    async with client_of(network, *names) as client:
        receipts = [await pay_once(client) for _ in range(count)]
    return receipts[-1].height


async def words_at_its_end(network: LocalNetwork) -> str:
    """Start the damaged node, read everything that it has through it, and return what it says
    before it ends by itself.
    """
    network.start(COUNCIL, leashed=True)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_read_all(network), name="reading")
        status = await exit_code(network, COUNCIL)
        reading.cancel()
    assert status == Exit.DAMAGED
    return "\n".join(log_tail(network.nodes[COUNCIL].home, LOG_LINES))


async def _read_all(network: LocalNetwork) -> None:
    with contextlib.suppress(NodeFailed):
        await network.wait_ready(COUNCIL)
        async with (
            client_of(network, COUNCIL) as client,
            aclosing(client.subscribe(start="0-0")) as stream,
        ):
            async for _ in stream:
                pass


def signed(network: LocalNetwork) -> set[Place]:
    """Return where the damaged validator has signed, as it and its peers wrote it down."""
    return signatures_in(network.nodes.values()).of(COUNCIL)


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file: that nothing was signed, nothing was written."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


Harm = Callable[[Path, bytes], object]
"""What is done to a closed database; it is told some bytes of a block from the middle."""


def _in_table(change: Callable[..., Path]) -> Harm:
    def harm(folder: Path, content: bytes) -> None:
        # What is in the log when it is opened goes to tables.
        open_leveldb(folder, create=False).close()
        file, at = damage.find_bytes(folder, content, ".ldb")
        change(file, at=at)

    return harm


DATABASE_DAMAGES: dict[str, Harm] = {
    "CURRENT is gone": lambda folder, _: damage.remove("CURRENT")(folder),
    "the manifest is gone": lambda folder, _: damage.remove("MANIFEST-*")(folder),
    "bytes of a table are flipped": _in_table(damage.flip_bytes),
    "a page of a table is zeros": _in_table(damage.zero_bytes),
    "a page of the log is zeros": lambda folder, _: damage.zero_bytes(_log_of(folder)),
    "bytes of the log are flipped": lambda folder, _: damage.flip_bytes(_log_of(folder)),
}


def _log_of(folder: Path) -> Path:
    return damage.largest_file(folder, ".log")


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("harm", DATABASE_DAMAGES.values(), ids=DATABASE_DAMAGES)
async def test_a_damaged_database_is_named_and_copied_anew(
    network: LocalNetwork, harm: Harm, request: pytest.FixtureRequest
) -> None:
    height = await pay(network, 5)
    async with client_of(network) as client:
        root = bytes.fromhex((await client.block(height - 2)).value.header.state_root)
    await stop(network)
    harm(database(network), root)
    log_before = contents(consensus_log(network))
    floor = await pay(network, 3, BANK)

    words = await words_at_its_end(network)

    assert f"{database(network)} is damaged" in words
    assert "move this directory aside" in words
    assert "khazana start" in words
    if "table" not in request.node.callspec.id:
        # Found before anything could be signed. What is in a table is found when it is read.
        assert contents(consensus_log(network)) == log_before
    before = signed(network)
    database(network).rename(database(network).with_name("damaged"))
    await start(network)
    await comes_back(network, before, above=floor)
    shutil.rmtree(database(network).with_name("damaged"))


@pytest.mark.adversarial(69)
async def test_a_cut_database_log_is_noticed_and_filled_before_anything_is_signed(
    network: LocalNetwork,
) -> None:
    """A power cut leaves the like, so it is no damage; but blocks that were committed are gone."""
    await pay(network, 5)
    await stop(network)
    damage.cut_in_half(_log_of(database(network)))
    before = signed(network)
    floor = await pay(network, 3, BANK)
    mark = log_size(network)

    await start(network)

    words = "the database is behind the consensus log: nothing is signed before it has caught up"
    assert words in says(network, since=mark)
    await comes_back(network, before, above=floor)


@pytest.mark.adversarial(68, 69)
@pytest.mark.parametrize(
    ("old", "words"),
    [
        ({CHAIN_FOLDER}, "the database is behind the consensus log"),
        ({LOG_FOLDER}, "the consensus log does not reach the chain"),
        ({CHAIN_FOLDER, LOG_FOLDER}, "nothing is signed yet"),
    ],
    ids=["database", "log", "both"],
)
async def test_an_older_copy_is_noticed_and_signs_nothing_that_it_may_have_signed(
    network: LocalNetwork, tmp_path: Path, old: set[str], words: str
) -> None:
    data = database(network).parent
    await stop(network)
    for folder in old:
        shutil.copytree(data / folder, tmp_path / folder)
    await start(network)
    floor = await pay(network, 20)
    # Where log and chain agree, only the others can tell; so they are away at first, and it must
    # not speak of heights that it knows nothing of any more.
    alone = len(old) == 2
    await (network.stop() if alone else stop(network))
    for folder in old:
        damage.put_back(tmp_path / folder, data / folder)
    before = signed(network)
    mark = log_size(network)

    network.start(COUNCIL, leashed=True)
    if alone:
        await asyncio.sleep(ALONE_S)
        network.start(leashed=True)
        await network.wait_ready(BANK)
    await ready_among_payments(network)

    await comes_back(network, before, above=floor)
    assert words in says(network, since=mark)


@pytest.mark.adversarial(58, 69)
async def test_the_database_of_another_network_is_refused_by_name_and_repaired(
    network: LocalNetwork, tmp_path: Path
) -> None:
    await stop(network)
    other = make_network(tmp_path / "other")
    try:
        other.start(BANK, leashed=True)
        await until(lambda: answers(other.nodes[BANK].url, "/livez"))
    finally:
        await other.stop()
    damage.put_back(other.nodes[BANK].home / "data" / CHAIN_FOLDER, database(network))
    log_before = contents(consensus_log(network))
    before = signed(network)
    floor = await pay(network, 3, BANK)

    words = await words_at_its_end(network)

    genesis = network.genesis.hash.hex()
    assert f"it belongs to genesis {other.genesis.hash.hex()}, this is {genesis}" in words
    assert "khazana repair" in words
    assert contents(consensus_log(network)) == log_before
    repair = [sys.executable, "-m", "node", "repair", "--home", str(database(network).parents[1])]
    repairing = await asyncio.create_subprocess_exec(*repair, stdout=asyncio.subprocess.DEVNULL)
    assert await repairing.wait() == 0
    await start(network)
    await comes_back(network, before, above=floor)


@pytest.mark.adversarial(68)
async def test_another_validators_log_is_refused_in_one_sentence(network: LocalNetwork) -> None:
    """A signature made from it could contradict what this key has signed."""
    await stop(network)
    own, aside = consensus_log(network), consensus_log(network).with_name("own")
    own.rename(aside)
    try:
        shutil.copytree(network.nodes[BANK].home / "data" / LOG_FOLDER, own)
        network.start(COUNCIL, leashed=True)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)

        assert f"the consensus log was made for {BANK}" in "\n".join(failed.value.log)
        assert not any("Traceback" in line for line in failed.value.log)
    finally:
        damage.put_back(aside, own)
        shutil.rmtree(aside)
        await start(network)


@pytest.mark.adversarial(68)
@pytest.mark.parametrize("harm", [damage.flip_bytes, damage.zero_bytes])
async def test_a_damaged_consensus_log_is_named_and_nothing_signed_before_the_others_were_heard(
    network: LocalNetwork, harm: Callable[[Path], Path]
) -> None:
    await pay(network, 5)
    await stop(network)
    harm(consensus_log(network) / LOG_NAME)
    floor = await pay(network, 3, BANK)
    before = signatures_in(node for node in network.nodes.values() if node.name != COUNCIL)

    words = await words_at_its_end(network)

    assert f"{consensus_log(network)} is damaged" in words
    assert "move this directory aside" in words
    consensus_log(network).rename(consensus_log(network).with_name("damaged"))
    mark = log_size(network)
    await start(network)
    await comes_back(network, before.of(COUNCIL), above=floor)
    assert "signing resumes" in says(network, since=mark)
    shutil.rmtree(consensus_log(network).with_name("damaged"))


async def comes_back(network: LocalNetwork, before: set[Place], *, above: int) -> None:
    """Assert that the node has what the others have, votes again, and signed nothing that it may
    have signed before.
    """
    async with client_of(network, COUNCIL) as client:
        await until_height(client, await pay(network, 1, BANK))
        # Heights at and above which it has to vote: its vote is in a certificate again.
        async with asyncio.timeout(PATIENCE_S):
            while not await _signs(client):
                await pay_once(client)
    signatures_agree(network)
    assert all(place.height > above for place in signed(network) - before)


async def _signs(client: Client) -> bool:
    return COUNCIL in str((await client.block()).value.certificate)


def log_size(network: LocalNetwork) -> int:
    return (network.nodes[COUNCIL].home / LOG_FILE).stat().st_size


def says(network: LocalNetwork, *, since: int) -> str:
    """Return what the node has logged since its log was so large."""
    return (network.nodes[COUNCIL].home / LOG_FILE).read_bytes()[since:].decode()
