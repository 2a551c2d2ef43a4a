"""What the pages say of other networks, a node of one's own and a service, typed as it stands.

Each has what it leaves behind taken away again: containers, volumes and names of images.
"""

import base64
import json
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from node.cli.exits import Exit
from tests.cli.running import khazana
from tests.docker import engine
from tests.docker.engine import EngineError, at_hand, run
from tests.docs.blocks import ROOT, block
from tests.docs.shell import surroundings, typed
from tests.ports import own_ports

pytestmark = [pytest.mark.docker, pytest.mark.timeout(engine.BUILD_TIMEOUT_S + 240)]

READY_MAX_S = 180
INSTITUTIONS = ROOT / "configs/four-institutions/network.toml"


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    engine.build(engine.IMAGE)  # As a rule it is kept, from the cluster's.


def network_of_one(folder: Path, key: str) -> None:
    """Write the genesis of a network that one decides, whose certificate is in the folder."""
    text = INSTITUTIONS.read_text()
    text = text[: text.index("[[validators]]")].replace('"byzantine"', '"crash"')
    (folder / "network.toml").write_text(
        text.replace("validators-min = 4", "validators-min = 1")
        + '[[validators]]\nname = "central-bank"\nparticipant = "central-bank"\n'
        + f'public_key = "{key}"\ntls_certificate = "tls.der"\n'
    )
    words = ("genesis", "create", "network.toml", "--out", "genesis.json")
    made = khazana(*words, cwd=folder)
    assert made.code == Exit.OK, made.err


def until_ready(*command: str) -> str:
    """Return what a command says, once it says that a node has a block and is ready."""
    deadline = time.monotonic() + READY_MAX_S
    while True:
        told = ""
        with suppress(EngineError):
            told = run(*command)
            if re.search(r"^[\w-]+ +[1-9]\d* .* ready *$", told, re.MULTILINE):
                return told
        assert time.monotonic() < deadline, told
        time.sleep(engine.POLL_S)  # The engine tells later.


def test_another_network_is_made_and_brought_up(tmp_path: Path) -> None:
    names = (*engine.NODES, "validator-5", "observer-2")
    ports = zip(names, own_ports(len(names)), strict=True)
    (tmp_path / "docker").mkdir()
    project = f"khazana-test-{secrets.token_hex(4)}"
    variables = surroundings(
        COMPOSE_PROJECT_NAME=project,
        **at_hand(tmp_path / "docker"),
        **{f"KHAZANA_PORT_{name.upper().replace('-', '_')}": str(port) for name, port in ports},
    )
    typed(block("docker/README.md", "khazana init --docker net"), variables, folder=tmp_path)
    up = block("docker/README.md", "KHAZANA_IMAGE=khazana:local docker compose -f net")

    with engine.named(engine.IMAGE, "khazana:local"):
        try:
            typed(up, variables, folder=tmp_path)
            observer = "label=com.docker.compose.service=observer-2"
            words = ("docker", "ps", "-q", "--filter", f"name={project}", "--filter", observer)
            told = until_ready("docker", "exec", run(*words).strip(), "khazana", "status")
        finally:
            down = "docker compose -f net/compose.yaml down -v --timeout 5"
            typed(down, variables | {"KHAZANA_IMAGE": "khazana:local"}, folder=tmp_path)

    assert "\n5 validators, 4 decide " in told


@pytest.fixture
def _nobody_is_called_khazana() -> Iterator[None]:
    """A machine on which the names and ports of the page are free, as they are afterwards."""
    for kind in ("container", "volume"):
        with suppress(EngineError):
            run("docker", kind, "inspect", "khazana")
            pytest.skip(f"there is a {kind} `khazana` on this machine")
    for port in (26600, 26680):
        with socket.socket() as taken:
            if taken.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port} of this machine is taken")
    with engine.named(engine.IMAGE, "khazana:latest"):
        try:
            yield
        finally:
            with suppress(EngineError):
                run("docker", "rm", "--force", "khazana")
            run("docker", "volume", "rm", "--force", "khazana")


@pytest.mark.usefixtures("_nobody_is_called_khazana")
def test_a_node_of_ones_own_is_made_started_and_backed_up(tmp_path: Path) -> None:
    passphrase = ROOT / "docker/secrets/central-bank.passphrase"
    (tmp_path / "voting.passphrase").write_bytes(passphrase.read_bytes())
    (tmp_path / "voting.passphrase").chmod(0o644)
    variables = surroundings(DOCKER_BUILDKIT="0")
    made = block("docker/README.md", "docker build -f docker/Dockerfile -t khazana .")
    started = block("docker/README.md", "docker run --rm -i -v khazana:/data --entrypoint tee")
    backed_up = block("docker/README.md", "docker exec khazana khazana backup")

    engine.copy_sources(tmp_path)
    printed = typed(made, variables, folder=tmp_path, timeout_s=engine.BUILD_TIMEOUT_S)

    (key,) = (each.split('"')[1] for each in printed.splitlines() if "public_key = " in each)
    read = ("docker", "run", "--rm", "-v", "khazana:/data", "--entrypoint", "base64", "khazana")
    (tmp_path / "tls.der").write_bytes(base64.b64decode(run(*read, "/data/keys/tls.der")))
    network_of_one(tmp_path, key)
    typed(started, variables, folder=tmp_path)
    until_ready("docker", "exec", "khazana", "khazana", "status")
    printed = typed(backed_up, variables, folder=tmp_path)

    assert re.search(r"^whole, at height \d", printed, re.MULTILINE), printed
    until_ready("docker", "exec", "khazana", "khazana", "status")


CANNOT: Final = """[Service]
PrivateUsers=no
LoadCredential=
Environment=KHAZANA_VALIDATOR__PASSPHRASE_FILE=/var/lib/khazana/voting
"""
"""What systemd cannot give a service in a container: users of its own, and credentials."""


@pytest.fixture
def machine() -> Iterator[str]:
    """A container in which systemd runs."""
    found = engine.systemd_image()
    if found is None:
        pytest.skip("no image with systemd could be made of Debian's")
    name = f"khazana-test-{secrets.token_hex(4)}"
    mounts = ("/run", "/run/lock", "/tmp")
    run(
        *("docker", "run", "-d", "--name", name, "--cap-add", "SYS_ADMIN"),
        *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"),
        *(f"--tmpfs={each}" for each in mounts),
        *("-v", "/sys/fs/cgroup:/sys/fs/cgroup:ro", found),
    )
    try:
        deadline = time.monotonic() + READY_MAX_S
        while not comes_up(name):
            if time.monotonic() > deadline:
                pytest.skip("systemd does not come up in a container here")
            time.sleep(engine.POLL_S)  # The engine tells later.
        yield name
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def comes_up(name: str) -> bool:
    with suppress(EngineError):
        return run("docker", "exec", name, "systemctl", "is-active", "multi-user.target") != ""
    return False


def test_a_service_is_installed_and_runs(machine: str, tmp_path: Path) -> None:
    release = tmp_path / "release"
    (release / "configs").mkdir(parents=True)
    typed(f"python -m hatchling build -t wheel -d {release}")
    (release / "passphrase").write_text(secrets.token_hex(16) + "\n")
    run("docker", "cp", str(release), f"{machine}:/release")
    for name in ("requirements.lock", "configs/systemd"):
        run("docker", "cp", str(ROOT / name), f"{machine}:/release/{name}")

    def type_there(lines: str) -> str:
        words = ("docker", "exec", "-w", "/release", machine, "bash", "-euo", "pipefail", "-c")
        return run(*words, lines, timeout_s=engine.BUILD_TIMEOUT_S)

    type_there(block("configs/README.md", "useradd --system"))
    run("docker", "cp", f"{machine}:/var/lib/khazana/keys/tls.der", str(tmp_path))
    key = json.loads(type_there("cat /var/lib/khazana/keys/consensus.json"))["public_key"]
    network_of_one(tmp_path, key)
    run("docker", "cp", str(tmp_path / "genesis.json"), f"{machine}:/release/")
    assert "/run/credentials/khazana.service/voting" in type_there("cat /var/lib/khazana/node.toml")
    dropped = "/etc/systemd/system/khazana.service.d"
    type_there(f"mkdir {dropped} && printf '%s' '{CANNOT}' > {dropped}/container.conf")
    type_there("install -m 0400 passphrase /var/lib/khazana/voting")
    type_there(block("configs/README.md", "install -m 0644 genesis.json"))

    until_ready("docker", "exec", machine, "/opt/khazana/bin/khazana", "status")
    shown = type_there("systemctl show khazana -p ActiveState -p UnitFileState -p User")
    assert set(shown.split()) == {"ActiveState=active", "UnitFileState=enabled", "User=khazana"}
