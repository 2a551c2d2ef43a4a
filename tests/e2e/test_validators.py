"""The runbooks, node/replica/RUNBOOKS.md, command by command, on a network of processes.

Validators have keys of their own here, in files, as institutions have. One command of each kind is
typed as its help shows it, at a shell in the folder of the homes.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from node.addresses import render_address
from node.cli.exits import Exit
from node.client import Client
from node.keys.development import development_signer
from node.ledger.policies import account_address, single_signer
from node.provision.funding import founders
from node.provision.homes import DATA_FOLDER, GENESIS_FILE
from node.provision.local import LocalNetwork, create_network
from node.provision.probing import answers
from node.provision.processes import running, start_node
from node.provision.reference import INSTITUTIONS, reference_network
from tests.cli.asked import run
from tests.cli.running import Ran
from tests.docs.blocks import ROOT
from tests.docs.examples import Typed, Watched
from tests.docs.reader import Reader
from tests.docs.shell import surroundings
from tests.e2e.networks import (
    BANK,
    CLOCK,
    COUNCIL,
    MINISTRY,
    PATIENCE_S,
    REGULATOR,
    client_of,
    endow,
    pay_once,
    until,
    until_height,
)
from tests.ports import own_ports

pytestmark = pytest.mark.e2e

NEWCOMER, OPERATOR = "first-bank", "participant-0"
"""A node, and who runs it, as the examples of the commands have them."""


def make_network(root: Path) -> LocalNetwork:
    free = own_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    participants, accounts = founders()
    description = reference_network(
        "institutions",
        ports=ports,
        development=True,
        participants=participants,
        accounts=accounts,
    )
    own_keys = tuple(
        each.model_copy(update={"development_key": None}) for each in description.validators
    )
    described = description.model_copy(update={"validators": own_keys})
    return create_network(root, described, now_ms=CLOCK.now_ms())


@asynccontextmanager
async def started(network: LocalNetwork) -> AsyncIterator[None]:
    try:
        network.start(leashed=True)
        await network.wait_ready()
        await endow(network)
        yield
    finally:
        await network.stop()


class Office:
    """One institution at its terminal."""

    def __init__(self, network: LocalNetwork, name: str) -> None:
        self.url = network.nodes[name].url
        self.home = network.nodes[name].home
        key = development_signer(f"{name}/account").public_key
        address = account_address(name, single_signer(key), bytes(8))
        self._hand = [
            *("--account", render_address(address, test=True)),
            *("--development", f"{name}/account", "--url", self.url),
        ]

    async def does(self, *words: str | Path, code: Exit = Exit.OK) -> Any:
        """Run a `khazana validator` command for this office; return its JSON."""
        ran = await run("validator", *words, *self._hand, "--json")
        assert ran.code == code, ran.err
        return ran.json if code is Exit.OK else ran.err


def at_the_homes(network: LocalNetwork, **more: str) -> Reader:
    """Return who types in the folder where all homes are, with more variables of the shell."""
    urls = {"FIRST": network.nodes[BANK].url, "SECOND": network.nodes[MINISTRY].url}
    variables = surroundings(
        HOME=str(network.root), PYTHONPATH=str(ROOT), KHAZANA_URL=urls["FIRST"], **urls, **more
    )
    return Reader(folder_of(network), variables)


def folder_of(network: LocalNetwork) -> Path:
    return network.nodes[BANK].home.parent


def proposal_in(printed: str) -> str:
    found = re.search(r"khazana validator approve ([0-9a-f]{64})", printed)
    assert found is not None, printed
    return found[1]


async def tell(*words: str | Path, code: Exit = Exit.OK) -> Ran:
    ran = await run("validator", *words)
    assert ran.code == code, ran.err
    return ran


async def listed(office: Office) -> dict[str, Any]:
    ran = await tell("list", "--url", office.url, "--json")
    return {each["name"]: each for each in ran.json["validators"]}


async def agree(proposal: str, *offices: Office) -> None:
    for office in offices[:-1]:
        assert (await office.does("approve", proposal))["state"] == "open"
    assert (await offices[-1].does("approve", proposal))["state"] == "applied"


async def until_signing(network: LocalNetwork, office: Office, name: str) -> None:
    """Let the network decide until a block names a signature of this validator."""
    async with client_of(network, BANK) as client, asyncio.timeout(PATIENCE_S):
        first = (await client.status()).height
        while ((await listed(office))[name]["signed_last"] or 0) <= first:
            await pay_once(client)


async def until_listed(
    office: Office, names: set[str], keys: Mapping[str, str] | None = None
) -> None:
    """Let this office's node come to where another was when it was told of the change."""

    async def come() -> bool:
        found = await listed(office)
        return found.keys() == names and all(
            found[name]["public_key"] == key for name, key in (keys or {}).items()
        )

    await until(come)


async def again(home: Path, url: str) -> None:
    """Stop the node of a home and start it: until it is level with the network."""
    process = running(home)
    assert process is not None
    assert await process.stop()
    start_node(home, leashed=True)
    await until(lambda: answers(url, "/readyz"))


def settled_home(home: Path, free: list[int]) -> None:
    """Let a new home listen where nobody else does."""
    file = home / "node.toml"
    text = file.read_text()
    text = text.replace("0.0.0.0:26600", f"127.0.0.1:{free[0]}")
    file.write_text(text.replace("127.0.0.1:26680", f"127.0.0.1:{free[1]}"))


def introduce(network: LocalNetwork, certificate: Path) -> None:
    """Name the newcomer as an observer in the configuration of each validator."""
    for node in network.nodes.values():
        file = node.home / "node.toml"
        entry = f'[network.observers]\n{NEWCOMER} = "{certificate}"\n\n[rpc]'
        file.write_text(file.read_text().replace("[rpc]", entry))


@pytest.mark.adversarial(24, 30, 46, 71)
async def test_a_validator_is_let_in_changes_its_keys_and_goes(tmp_path: Path) -> None:
    network = make_network(tmp_path / "network")
    home, passphrase = folder_of(network) / NEWCOMER, tmp_path / "passphrase"
    passphrase.write_text("a passphrase of the clearing bank\n")
    peers: list[str | Path] = [
        word
        for name, node in network.nodes.items()
        for word in ("--peer", f"{name}={listening(node.home)}")
    ]
    made = await run(
        *("init", "--name", NEWCOMER, "--home", home, "--passphrase-file", passphrase, *peers),
        *("--genesis", network.nodes[BANK].home / GENESIS_FILE),
    )
    assert made.code == Exit.OK, made.err
    free = list(own_ports(2))
    settled_home(home, free)
    introduce(network, home / "keys/tls.der")
    url = f"http://127.0.0.1:{free[1]}"
    reader = at_the_homes(network, NEWCOMER=url)
    async with started(network):
        bank, ministry, council, regulator = (Office(network, name) for name in INSTITUTIONS)
        try:
            # It comes.
            await reader.take(Typed("validator request ", r"wrote first-bank\.request\.json"))
            request = folder_of(network) / f"{NEWCOMER}.request.json"
            refused = await bank.does("add", request, code=Exit.REFUSED)
            assert "nobody has seen" in refused
            start_node(home, leashed=True)
            await until(lambda: answers(url, "/livez"))
            async with Client([url], network=network.genesis) as newcomer:
                await until_height(newcomer, 1)
            said = await reader.type(Typed("validator add ", r"first-bank has caught up: height"))
            shown = await tell("list", "--url", bank.url)
            assert f"add_validator {NEWCOMER}" in shown.out
            await agree(proposal_in(said), ministry, council)
            await until_listed(bank, {*INSTITUTIONS, NEWCOMER})
            await until_signing(network, bank, NEWCOMER)

            # It changes its keys, while it runs.
            await reader.take(Typed("validator prepare ", r"wrote first-bank\.rotation\.json"))
            await tell("prepare", "--home", home, code=Exit.CONFIGURATION)
            await tell("settle", "--home", home, "--url", bank.url, code=Exit.REFUSED)
            await again(home, url)
            before = (await listed(bank))[NEWCOMER]["public_key"]
            said = await reader.type(Typed("validator rotate ", r"keys of first-bank: proposed"))
            await agree(proposal_in(said), ministry, regulator)
            await until(lambda: has_another_key(bank, NEWCOMER, before))
            await until_signing(network, bank, NEWCOMER)
            await until(lambda: answers(url, "/readyz"))
            await reader.take(Typed("validator settle ", r"the former files end in \.former"))
            await again(home, url)
            await until_signing(network, bank, NEWCOMER)

            # It goes.
            said = await reader.type(Typed("validator remove ", r"a validator no more: proposed"))
            await agree(proposal_in(said), ministry, regulator)
            await until_listed(bank, set(INSTITUTIONS))
            refused = await ministry.does("remove", COUNCIL, code=Exit.REFUSED)
            assert "may be faulty" in refused or "would be left" in refused
        finally:
            process = running(home)
            if process is not None:
                await process.stop()


async def has_another_key(office: Office, name: str, before: str) -> bool:
    return bool((await listed(office))[name]["public_key"] != before)


@pytest.mark.adversarial(29)
async def test_three_of_four_that_lost_their_disks_go_on_by_their_operators_word(
    tmp_path: Path,
) -> None:
    network = make_network(tmp_path / "network")
    lost = (MINISTRY, COUNCIL, REGULATOR)
    async with started(network):
        bank = Office(network, BANK)
        running_home = network.nodes[MINISTRY].home
        async with client_of(network, BANK) as client:
            height = (await client.status()).height
        words = ("--above", str(height), "--other", bank.url, "--reason", "heads compared", "--yes")
        await tell("resume", "--home", running_home, *words, code=Exit.DAMAGED)
        for name in lost:
            await network.kill(name)
        async with client_of(network, BANK) as client:
            height = (await client.status()).height
        for name in lost:
            shutil.rmtree(network.nodes[name].home / DATA_FOLDER)
            network.start(name, leashed=True)

        # They say what they wait for.
        await until(lambda: answers(network.nodes[MINISTRY].url, "/livez"))
        await until(lambda: lacks(network, MINISTRY, "khazana validator resume"))
        for name in lost:
            process = network.process(name)
            assert process is not None
            await process.stop()
        words = ("--above", str(height), "--other", bank.url, "--reason", "heads compared", "--yes")
        low = (words[0], str(height - 1), *words[2:])
        refused = await tell("resume", "--home", running_home, *low, code=Exit.REFUSED)
        assert f"is at {height}" in refused.err
        reader = at_the_homes(network, HEIGHT=str(height))
        await reader.take(Watched("validator resume ", f"Sign above {height}?", key=b"y\n"))
        for name in (COUNCIL, REGULATOR):
            said = await tell("resume", "--home", network.nodes[name].home, *words)
            assert "WITHOUT KNOWING" in said.err
        network.start(*lost, leashed=True)
        await network.wait_ready()

        async with client_of(network, MINISTRY) as client:
            assert (await pay_once(client)).height > height
        process = network.process(MINISTRY)
        assert process is not None
        await process.stop()
        await tell("resume", "--home", running_home, *words, code=Exit.REFUSED)


async def lacks(network: LocalNetwork, name: str, words: str) -> bool:
    """Whether a node says this of what it lacks."""
    async with client_of(network, name) as client:
        return words in "".join((await client.call("khz_status"))["not_ready"])


def listening(home: Path) -> str:
    """Where a node of the network is dialled."""
    for line in (home / "node.toml").read_text().splitlines():
        if line.startswith("listen"):
            return line.split('"')[1]
    raise AssertionError(home)
