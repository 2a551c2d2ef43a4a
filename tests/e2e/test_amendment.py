"""The runbook for lost keys, command by command, on a network of processes.

Two of four voting keys are gone for good. One of the two institutions comes back with new keys
under its name, the other is replaced by a bank. The network goes on where it stood; who joins
afterwards needs the amendment, by blocks as by a snapshot.
"""

import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.client import Client
from node.genesis import read_amendment
from node.provision.homes import GENESIS_FILE
from node.provision.local import LocalNetwork
from node.provision.probing import answers
from node.provision.processes import NodeProcess, running, start_node
from tests.cli.asked import run
from tests.cli.running import Ran
from tests.docs.examples import Typed, Watched
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    MINISTRY,
    REGULATOR,
    client_of,
    pay_once,
    until,
    until_height,
)
from tests.e2e.test_validators import (
    NEWCOMER,
    OPERATOR,
    Office,
    at_the_homes,
    folder_of,
    listed,
    listening,
    make_network,
    settled_home,
    started,
    tell,
)
from tests.ports import own_ports

pytestmark = [pytest.mark.e2e, pytest.mark.adversarial(23)]

BY_BLOCKS, BY_SNAPSHOT = WATCHERS = "by-blocks", "by-snapshot"


async def amend(*words: str | Path, code: Exit = Exit.OK) -> Ran:
    ran = await run("amendment", *words)
    assert ran.code == code, ran.err
    return ran


def peers_of(network: LocalNetwork, *names: str) -> list[str | Path]:
    return [
        word
        for name in names
        for word in ("--peer", f"{name}={listening(network.nodes[name].home)}")
    ]


async def made(home: Path, name: str, genesis: Path, *words: str | Path) -> None:
    ran = await run("init", "--name", name, "--home", home, "--genesis", genesis, *words)
    assert ran.code == Exit.OK, ran.err


def watched(home: Path, watchers: Path) -> None:
    """Let the nodes that are to watch connect to this one, and join by its snapshots soon."""
    file = home / "node.toml"
    lines = "".join(f'{name} = "{watchers / name}/keys/tls.der"\n' for name in WATCHERS)
    text = file.read_text().replace("[rpc]", f"[network.observers]\n{lines}\n[rpc]")
    file.write_text(f"{text}\n[sync]\nsnapshot_interval = 3\n")


async def test_network_goes_on_by_an_amendment_when_two_of_four_keys_are_lost(
    tmp_path: Path,
) -> None:
    network = make_network(tmp_path / "network")
    genesis = tmp_path / GENESIS_FILE
    shutil.copy(network.nodes[BANK].home / GENESIS_FILE, genesis)
    homes = {name: node.home for name, node in network.nodes.items()}
    survivors = (BANK, MINISTRY)
    watchers = tmp_path / "watchers"
    free = list(own_ports(2 * (1 + len(WATCHERS))))
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase\n")
    for number, name in enumerate(WATCHERS):
        await made(watchers / name, name, genesis, "--observer", *peers_of(network, *survivors))
        settled_home(watchers / name, free[2 * number + 2 : 2 * number + 4])
    for name in survivors:
        watched(homes[name], watchers)
    async with started(network), AsyncExitStack() as stack:
        bank = Office(network, BANK)
        async with client_of(network, BANK) as client:
            await pay_once(client)

        # Two institutions have lost everything.
        place = listening(homes[COUNCIL]), network.nodes[COUNCIL].url
        for name in (COUNCIL, REGULATOR):
            await network.kill(name)
            shutil.rmtree(homes[name])

        # 1. The heads of all that is left; then everybody stops.
        statuses = await run(
            "status",
            *(word for name in survivors for word in ("--url", network.nodes[name].url)),
            "--json",
        )
        heads = [each["status"]["height"] for each in statuses.json["nodes"]]
        assert heads[0] == heads[1]
        file = folder_of(network) / "1.amendment"
        kept = [word for name in survivors for word in ("--keep", name)]
        draft: list[str | Path] = [*kept, "--reason", "decided by all four", "--out", file]
        refused = await amend("draft", "--home", homes[BANK], *draft, code=Exit.DAMAGED)
        assert "in use" in refused.err
        for name in survivors:
            process = network.process(name)
            assert process is not None
            assert await process.stop()

        # 2. New keys.
        await made(
            homes[COUNCIL],
            COUNCIL,
            genesis,
            "--passphrase-file",
            passphrase,
            *peers_of(network, *survivors),
        )
        host, port = place[0], place[1].rpartition(":")[2]
        settled_home(homes[COUNCIL], [int(host.rpartition(":")[2]), int(port)])
        newcomer = folder_of(network) / NEWCOMER
        await made(
            newcomer,
            NEWCOMER,
            genesis,
            "--passphrase-file",
            passphrase,
            *peers_of(network, *survivors, COUNCIL),
        )
        settled_home(newcomer, free[:2])
        for home, operator in ((homes[COUNCIL], COUNCIL), (newcomer, OPERATOR)):
            request = folder_of(network) / f"{home.name}.request.json"
            await tell("request", "--home", home, "--participant", operator, "--out", request)

        # 3. The document, and everybody's signature.
        enough = [*kept, "--keep", COUNCIL, *draft[4:]]
        refused = await amend("draft", "--home", homes[BANK], *enough, code=Exit.REFUSED)
        assert "can decide" in refused.err
        reader = at_the_homes(network)
        await reader.take(Typed("amendment draft ", rf"stands on +block {heads[0]}, "))
        assert len(read_amendment(file).missing) == 4
        await amend("check", file, code=Exit.REFUSED)
        refused = await amend("install", file, "--home", homes[BANK], "--yes", code=Exit.REFUSED)
        assert "khazana amendment sign" in refused.err
        await reader.take(Typed("amendment sign ", r"signed by central-bank$"))
        for home in (homes[MINISTRY], homes[COUNCIL], newcomer):
            await amend("sign", file, "--home", home)
        await reader.take(Typed("amendment check ", r"not signed by +nobody: it is complete"))
        refused = await amend("sign", file, "--home", watchers / BY_BLOCKS, code=Exit.CONFIGURATION)

        amendment = read_amendment(file)

        # 4. Every node is given it: called off once, and done again.
        for home in (homes[BANK], homes[MINISTRY], homes[COUNCIL], newcomer):
            said = await amend("install", file, "--home", home, "--yes")
            assert "DID NOT DECIDE ON" in said.err
            await amend("install", file, "--home", home, "--yes", code=Exit.REFUSED)
        await amend("discard", "--home", homes[BANK], "--yes")
        assert "no amendment" in (await amend("show", "--home", homes[BANK])).out
        await reader.take(
            Watched("amendment install ", f"Follow amendment {amendment.id.hex()}?", key=b"y\n")
        )

        # 5. All start, and it goes on.
        network.start(*survivors, COUNCIL, leashed=True)
        start_node(newcomer, leashed=True)
        process = running(newcomer)
        assert process is not None
        stack.push_async_callback(process.stop)
        await network.wait_ready(*survivors, COUNCIL)
        async with client_of(network, COUNCIL) as client:
            receipt = await pay_once(client)
            assert receipt.height > amendment.height
            for _ in range(3):
                receipt = await pay_once(client)
            first = (await client.block(amendment.rules_from)).value
            assert first.header.parent == amendment.id.hex()
        await until(lambda: signs(bank, {BANK, MINISTRY, COUNCIL, NEWCOMER}))
        status = await run("status", "--url", bank.url)
        assert f"amendment 1 rules from height {amendment.rules_from} on" in status.out
        assert f"{amendment.id.hex()}" in (await tell("list", "--url", bank.url)).out

        # Who joins by blocks stops at it until it is given it.
        url = f"http://127.0.0.1:{free[3]}"
        process = await begun(watchers / BY_BLOCKS, url, stack)
        async with Client([url], network=network.genesis) as client:
            await until_height(client, amendment.height)
        await until(lambda: says(url, amendment.id.hex()))
        lacking = await run("status", "--url", url)
        assert "khazana amendment install" in lacking.out
        assert await process.stop()
        async with client_of(network, BANK) as client:
            height = (await pay_once(client)).height
        await joins(watchers / BY_BLOCKS, url, file, stack, height)

        # Another joins by a snapshot.
        trust = (await run("status", "--url", bank.url, "--trust")).out
        toml = watchers / BY_SNAPSHOT / "node.toml"
        toml.write_text(toml.read_text() + "\n" + trust)
        await joins(watchers / BY_SNAPSHOT, f"http://127.0.0.1:{free[5]}", file, stack, height)
        assert "joined by a snapshot" in (watchers / BY_SNAPSHOT / "node.log").read_text()

        # A proof across it.
        proof = tmp_path / "proof.json"
        ran = await run(
            "query", "prove", "validator", "--name", COUNCIL, "--url", bank.url, "--out", proof
        )
        assert ran.code == Exit.OK, ran.err
        words = ("verify", proof, "--genesis", genesis)
        refused = await run(*words)
        assert refused.code == Exit.REFUSED
        assert amendment.id.hex() in refused.err
        assert (await run(*words, "--amendment", file)).code == Exit.OK

        # It is part of the chain now.
        survivor = network.process(MINISTRY)
        assert survivor is not None
        assert await survivor.stop()
        refused = await amend("discard", "--home", homes[MINISTRY], "--yes", code=Exit.REFUSED)
        assert "part of the chain" in refused.err
        checked = await run("check", "--home", homes[MINISTRY])
        assert checked.code == Exit.OK, checked.out


async def begun(home: Path, url: str, stack: AsyncExitStack) -> NodeProcess:
    """Start the node of a home, and let it end with the test."""
    start_node(home, leashed=True)
    process = running(home)
    assert process is not None
    stack.push_async_callback(process.stop)
    await until(lambda: answers(url, "/livez"))
    return process


async def joins(home: Path, url: str, file: Path, stack: AsyncExitStack, height: int) -> None:
    """Give a node the amendment, and let it come to a height."""
    await amend("install", file, "--home", home, "--yes")
    await begun(home, url, stack)
    await until(lambda: answers(url, "/readyz"))
    async with Client([url]) as client:
        await until_height(client, height)


async def signs(office: Office, names: set[str]) -> bool:
    """Whether these are the validators, and each has signed one of the last blocks."""
    found = await listed(office)
    async with Client([office.url]) as client:
        await pay_once(client)
    return found.keys() == names and all(each["signed_last"] for each in found.values())


async def says(url: str, words: str) -> bool:
    async with Client([url]) as client:
        return words in "".join((await client.call("khz_status"))["not_ready"])
