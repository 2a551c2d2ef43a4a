"""The network of docker/compose.yaml for real: built, brought up, hurt, compared, taken down.

Needs a container engine and Compose, 1.29 or 2; skipped without. One cluster serves the whole file,
and every test leaves all of its nodes running.
"""

import asyncio
import contextlib
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

import nats
import pytest

from node.client import Client
from node.genesis import Genesis, load_genesis
from node.keys import LocalSigner
from node.keys.development import development_signer
from node.provision.acts import RUPEE, address_of_key, define_rupee, issue
from node.provision.containers import (
    INDEXING,
    OBSERVERS_MAX,
    PUBLISHING,
    VALIDATORS_MAX,
    ContainerNetwork,
)
from tests.cli.terminals import shown
from tests.docker import engine
from tests.docker.engine import NODES, VALIDATORS, Project
from tests.docs.blocks import ROOT, block, line
from tests.docs.shell import typed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(engine.BUILD_TIMEOUT_S + 120)]

CATCH_UP_MAX_S = 180
BANK = development_signer("central-bank/account")
MINISTRY = development_signer("finance-ministry/account")
EXCHANGE = development_signer("exchange/account")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    project = Project(secrets_folder=tmp_path_factory.mktemp("cluster") / "secrets")
    try:
        command = line("docker/README.md", "docker compose -f docker/compose.yaml up --build -d")
        variables = project.typing(tmp_path_factory.mktemp("docker"))
        typed(command, variables, timeout_s=engine.BUILD_TIMEOUT_S)
        project.wait_healthy()
        yield project
    finally:
        project.down()


@pytest.fixture
def typing(project: Project, tmp_path: Path) -> dict[str, str]:
    """The environment of who types commands of the pages."""
    return project.typing(tmp_path)


def at_a_terminal(command: str, variables: Mapping[str, str]) -> str:
    """Return what a command writes at a terminal, which compose wants."""
    with shown(["bash", "-c", command], variables, folder=ROOT, columns=200) as terminal:
        assert terminal.end() == 0, terminal.written.decode()
    return terminal.written.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def genesis(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Genesis:
    file = tmp_path_factory.mktemp("genesis") / "genesis.json"
    file.write_text(project.execute("exchange", "cat", "/data/genesis.json"))
    return load_genesis(file)


@pytest.fixture(scope="module", autouse=True)
def rupee(project: Project, genesis: Genesis) -> None:
    """Define the rupee: by the bank and the ministry, through a node of neither."""
    ministry = address("finance-ministry", MINISTRY)
    rupee = define_rupee(central_bank=address("central-bank", BANK), approvers=(ministry,))

    async def define() -> None:
        async with Client(project.url("crypto-council"), network=genesis) as client:
            builder = await client.transaction()
            await client.submit(builder.add(rupee).sign(BANK, MINISTRY))

    asyncio.run(define())


def address(owner: str, signer: LocalSigner) -> bytes:
    return address_of_key(owner, signer.public_key)


async def pay(project: Project, genesis: Genesis, through: str, amount: int) -> int:
    """Issue so many paisa to the exchange through one node's published port; return the height."""
    async with Client(project.url(through), network=genesis) as client:
        builder = await client.transaction()
        operation = issue(
            account=address("central-bank", BANK),
            asset=RUPEE,
            amount=amount,
            to=address("exchange", EXCHANGE),
        )
        receipt = await client.submit(builder.add(operation).sign(BANK))
        assert receipt.outcome.applied
        return receipt.height


async def until_height(project: Project, genesis: Genesis, name: str, height: int) -> None:
    """Wait until a node has this block; its own stream of blocks says so."""
    async with (
        asyncio.timeout(CATCH_UP_MAX_S),
        Client(project.url(name), network=genesis) as client,
        aclosing(client.subscribe("blocks", start=f"{height - 1}-0")) as blocks,
    ):
        async for block in blocks:
            if int(block.value["height"]) >= height:
                return


async def state_roots(project: Project, genesis: Genesis, height: int) -> dict[str, str]:
    """Return every node's state root after the block of this height."""
    roots = {}
    for name in NODES:
        await until_height(project, genesis, name, height)
        async with Client(project.url(name), network=genesis) as client:
            block = await client.block(height, transactions="none")
            roots[name] = block.value.header.state_root
    return roots


async def funds(project: Project, genesis: Genesis, through: str) -> int:
    """Return the exchange's rupees in paisa, as one node has them."""
    async with Client(project.url(through), network=genesis) as client:
        amount = await client.holding(address("exchange", EXCHANGE), RUPEE)
        return await client.minor_units(amount, RUPEE)


def test_every_compose_of_this_machine_accepts_the_file(project: Project) -> None:
    for command in engine.compose_commands():
        engine.run(
            *command,
            "-f",
            str(engine.COMPOSE_FILE),
            "config",
            "--quiet",
            variables=project.variables,
        )


def test_every_compose_of_this_machine_accepts_the_largest_network(tmp_path: Path) -> None:
    network = ContainerNetwork(validators=VALIDATORS_MAX, observers=OBSERVERS_MAX, context=None)
    for name, text in network.files().items():
        (tmp_path / name).write_text(text)

    for command in engine.compose_commands():
        told = engine.run(*command, "-f", str(tmp_path / "compose.yaml"), "config", "--services")

        # Compose 1 tells of the services of all profiles, Compose 2 of those that run.
        assert set(told.split()) - {INDEXING, "postgres", PUBLISHING, "nats"} == {
            "init",
            *network.names,
        }


def test_nodes_are_confined(project: Project) -> None:
    for name in NODES:
        found = project.inspect(name)
        host = found["HostConfig"]
        (port,) = host["PortBindings"]["26680/tcp"]

        assert found["Config"]["User"] == "10001:10001"
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges" in str(host["SecurityOpt"])
        assert not host["Privileged"]
        assert host["Memory"] > 0
        assert port["HostIp"] == "127.0.0.1"
        assert "26600/tcp" not in host["PortBindings"]
        assert project.execute(name, "id", "-u").strip() == "10001"
        with pytest.raises(engine.EngineError, match="Read-only file system"):
            project.execute(name, "touch", "/opt/khazana/planted")


def test_secrets_are_files_that_only_their_node_has(project: Project) -> None:
    for name in NODES:
        found = project.inspect(name)
        mounted = {mount["Destination"] for mount in found["Mounts"]}

        expected = {f"/run/secrets/{name}"} if name in VALIDATORS else set()
        assert {place for place in mounted if place.startswith("/run/secrets")} == expected
        for owner in VALIDATORS:
            assert project.passphrase(owner) not in str(found)
            assert project.passphrase(owner) not in project.log(name)


def test_keys_are_closed_to_others(project: Project) -> None:
    for name in NODES:
        secret_files = ["/data/keys/tls.pem"]
        if name in VALIDATORS:
            secret_files.append("/data/keys/consensus.json")
        modes = project.execute(name, "stat", "-c", "%a %u", "/data", *secret_files).split("\n")

        assert modes[0] == "700 10001"
        assert set(modes[1:-1]) == {"600 10001"}


def test_health_is_what_livez_says(project: Project) -> None:
    for name in NODES:
        health = project.inspect(name)["State"]["Health"]

        assert health["Status"] == "healthy"
        assert "/livez" in str(project.inspect(name)["Config"]["Healthcheck"])


async def test_network_goes_on_without_one_container_and_takes_it_back(
    project: Project, genesis: Genesis
) -> None:
    before = await funds(project, genesis, "exchange")
    await pay(project, genesis, "central-bank", 100_00)

    # As a power cut would end it: in Compose 1 and 2 alike, what is killed by hand stays down.
    project.compose("kill", "-s", "SIGKILL", "finance-ministry")
    assert not project.inspect("finance-ministry")["State"]["Running"]
    without = [
        await pay(project, genesis, through, 5_00)
        for through in ("crypto-council", "virtual-asset-regulator", "exchange")
    ]
    project.compose("start", "finance-ministry")
    project.wait_healthy("finance-ministry")
    await until_height(project, genesis, "finance-ministry", without[-1])
    last = await pay(project, genesis, "finance-ministry", 7_00)

    roots = await state_roots(project, genesis, last)
    assert set(roots) == set(NODES)
    assert len(set(roots.values())) == 1, roots
    for name in NODES:
        assert await funds(project, genesis, name) == before + 100_00 + 3 * 5_00 + 7_00


@pytest.mark.parametrize("name", ["central-bank", "exchange"])
async def test_container_ends_in_order_when_told_to(
    name: str, project: Project, genesis: Genesis
) -> None:
    container = project.container(name)

    engine.run("docker", "stop", "--time", "30", container)

    state = project.inspect(name)["State"]
    told = project.log(name)
    engine.run("docker", "start", container)
    project.wait_healthy(name)
    assert state["ExitCode"] == 0, "otherwise the engine has killed it"
    assert not state["OOMKilled"]
    assert "told to end" in told
    height = await pay(project, genesis, "crypto-council", 1_00)
    await until_height(project, genesis, name, height)


async def test_replaced_container_goes_on_from_its_volume(
    project: Project, genesis: Genesis, typing: dict[str, str]
) -> None:
    """What an upgrade does: another container, perhaps of another image, over the same volume."""
    height = await pay(project, genesis, "exchange", 1_00)
    old = project.container("central-bank")

    with engine.named(engine.IMAGE, "khazana:new"):
        typed(line("docker/README.md", "KHAZANA_IMAGE=khazana:new docker compose"), typing)
        assert project.container("central-bank") != old
        project.wait_healthy("central-bank")
        told = at_a_terminal(
            line("docker/README.md", "docker compose -f docker/compose.yaml exec central-bank"),
            typing,
        )
        project.compose("up", "-d", "--no-deps", "central-bank")

    assert re.search(r"^central-bank .* ready *$", told, re.MULTILINE), told
    project.wait_healthy("central-bank")
    await until_height(project, genesis, "central-bank", height)
    last = await pay(project, genesis, "central-bank", 1_00)
    roots = await state_roots(project, genesis, last)
    assert len(set(roots.values())) == 1, roots


def test_a_node_is_asked_and_its_log_read_as_the_page_says(typing: dict[str, str]) -> None:
    asked = line("docker/README.md", "docker compose -f docker/compose.yaml exec exchange")
    read = line("docker/README.md", "docker compose -f docker/compose.yaml logs")

    assert re.search(r"^exchange .* ready *$", at_a_terminal(asked, typing), re.MULTILINE)
    assert "central-bank" in typed(read, typing)


def test_bringing_up_again_makes_no_keys_anew(project: Project, typing: dict[str, str]) -> None:
    """Down without -v, and up again, as at the end and at the beginning of the page."""
    before = {name: project.execute(name, "sha256sum", "/data/genesis.json") for name in NODES}
    key = project.execute("central-bank", "sha256sum", "/data/keys/consensus.json")

    typed(line("docker/README.md", "docker compose -f docker/compose.yaml down"), typing)
    assert engine.run("docker", "ps", "-aq", "--filter", f"name={project.name}") == ""
    # In the foreground, as the first page has it, until Ctrl-C.
    up = ["bash", "-c", line("README.md", "docker compose -f docker/compose.yaml up --build")]
    with shown(up, typing, folder=ROOT, columns=200) as terminal:
        project.wait_healthy_soon()
        terminal.type(b"\x03")
        terminal.end()
    project.compose("up", "-d")
    project.wait_healthy()

    assert "all homes are there already" in project.log("init")
    after = {name: project.execute(name, "sha256sum", "/data/genesis.json") for name in NODES}
    assert after == before
    assert project.execute("central-bank", "sha256sum", "/data/keys/consensus.json") == key


async def test_the_first_observer_can_keep_its_index_in_postgresql(
    project: Project, genesis: Genesis
) -> None:
    """The profile `index` in the place of `observer`, and back."""
    image = engine.postgres_image()
    if image is None:
        pytest.skip(
            f"there is no image {engine.POSTGRES_IMAGE}, and none could be made of Debian's"
        )
    before = await pay(project, genesis, "crypto-council", 3_00)
    indexed = {"COMPOSE_PROFILES": "core,index", "KHAZANA_POSTGRES_IMAGE": image}
    project.compose("stop", "exchange")
    try:
        project.compose("up", "-d", "--no-deps", "postgres", INDEXING, variables=indexed)
        project.wait_healthy("postgres", INDEXING)
        height = await pay(project, genesis, "exchange", 4_00)
        async with (
            asyncio.timeout(CATCH_UP_MAX_S),
            Client(project.url("exchange"), network=genesis) as client,
        ):
            status = (await client.index.status()).value
            while status.index is None or status.index.height < height:
                await asyncio.sleep(engine.POLL_S)
                status = (await client.index.status()).value
            account = client.network.render_address(address("exchange", EXCHANGE))
            entries = [each async for each in client.index.history(account)]
        rows = project.execute(
            "postgres",
            "bash",
            "-c",
            "PGPASSWORD=$(cat /run/secrets/index) psql -U khazana -d khazana -Atc"
            " 'SELECT count(DISTINCT height) FROM"
            " (SELECT height FROM history UNION SELECT height FROM recent) AS past"
            f" WHERE height IN ({before}, {height})'",
        )
        told = project.log(INDEXING)
        mounts = {each["Destination"] for each in project.inspect("postgres")["Mounts"]}
        inspected = str(project.inspect("postgres")) + str(project.inspect(INDEXING))
    finally:
        project.compose("stop", INDEXING, "postgres", variables=indexed)
        project.compose("start", "exchange")
    project.wait_healthy("exchange")

    assert [entry.height for entry in entries[:2]] == [height, before]
    assert rows.strip() == "2"
    assert "postgresql://postgres/khazana" in told
    assert "Traceback" not in told
    assert {"/run/secrets/index", "/var/lib/postgresql/data"} <= mounts
    password = (project.secrets_folder / "index.password").read_text().strip()
    assert password not in inspected + told + project.log("postgres")


async def test_the_first_observer_can_publish_to_nats(project: Project, genesis: Genesis) -> None:
    """The profile `stream` in the place of `observer`, and back."""
    image = engine.nats_image()
    if image is None:
        pytest.skip(f"there is no image {engine.NATS_IMAGE}, and none could be made of Debian's")
    published = {"COMPOSE_PROFILES": "core,stream", "KHAZANA_NATS_IMAGE": image}
    password = (project.secrets_folder / "stream.password").read_text().strip()
    project.compose("stop", "exchange")
    try:
        project.compose("up", "-d", "--no-deps", "nats", PUBLISHING, variables=published)
        project.wait_healthy("nats", PUBLISHING)
        height = await pay(project, genesis, "exchange", 5_00)
        server = await nats.connect(
            f"nats://127.0.0.1:{project.ports['nats']}", user="khazana", password=password
        )
        try:
            reader = await server.jetstream().subscribe(
                f"khazana.{genesis.name}.events.issued", stream=f"khazana-{genesis.name}"
            )
            async with asyncio.timeout(CATCH_UP_MAX_S):
                item = json.loads((await reader.next_msg(CATCH_UP_MAX_S)).data)
                while not item["cursor"].startswith(f"{height}-"):
                    item = json.loads((await reader.next_msg(CATCH_UP_MAX_S)).data)
        finally:
            await server.close()
        standing = json.loads(
            project.execute(PUBLISHING, "khazana", "stream", "status", "--home", "/data", "--json")
        )
        told = project.log(PUBLISHING)
        inspected = str(project.inspect("nats")) + str(project.inspect(PUBLISHING))
    finally:
        project.compose("stop", PUBLISHING, "nats", variables=published)
        project.compose("start", "exchange")
    project.wait_healthy("exchange")

    assert item["value"]["event"]["amount"] == "5.00"
    assert standing["height"] >= height
    assert "Traceback" not in told
    assert password not in inspected + told + project.log("nats")


def test_prometheus_runs_beside_the_nodes(project: Project, typing: dict[str, str]) -> None:
    """With Debian's Prometheus where the image cannot be had; Grafana itself is not tried here."""
    images = engine.monitoring_images()
    if images is None:
        pytest.skip("there are no images for monitoring, and none could be made of Debian's")
    typing |= dict(zip(("KHAZANA_PROMETHEUS_IMAGE", "KHAZANA_GRAFANA_IMAGE"), images, strict=True))
    block_ = block("docker/monitoring/README.md", "COMPOSE_PROFILES=core,observer,monitoring")
    try:
        typed(block_, typing)
        ports = project.ports
        targets = until(
            f"http://127.0.0.1:{ports['prometheus']}/api/v1/targets",
            lambda found: found.count('"health":"up"') == len(NODES),
        )
        rules = until(f"http://127.0.0.1:{ports['prometheus']}/api/v1/rules", lambda _: True)
        if images[1] != engine.GRAFANA_IMAGE:
            path = "var/lib/grafana/dashboards/khazana.json"
            mounted = until(f"http://127.0.0.1:{ports['grafana']}/{path}", lambda _: True)
            assert mounted == (ROOT / "docker/monitoring/grafana/khazana.json").read_text()
    finally:
        project.compose(
            "rm", "-sfv", "prometheus", "grafana", variables={"COMPOSE_PROFILES": "monitoring"}
        )

    assert len(json.loads(targets)["data"]["activeTargets"]) == len(NODES)
    assert any("NodeDown" in str(group) for group in json.loads(rules)["data"]["groups"])


def until(url: str, holds: Callable[[str], bool]) -> str:
    """Return what is answered at an address, once it is there and as it should be."""
    deadline = time.monotonic() + CATCH_UP_MAX_S
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            found: str = answer.read().decode()
            if holds(found):
                return found
        assert time.monotonic() < deadline, f"nothing good at {url}"
        time.sleep(engine.POLL_S)


def test_no_node_has_logged_a_fault(project: Project) -> None:
    """The last of the file: whatever was done to the cluster above is nothing unforeseen."""
    for name in NODES:
        told = project.log(name)

        assert "Traceback" not in told, told
        assert "[error" not in told, told
        assert "[critical" not in told, told
