"""A project of docker compose, driven as an operator drives it: by its command line."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.docs.shell import surroundings
from tests.ports import own_ports

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE_FILE: Final = ROOT / "docker/compose.yaml"
VALIDATORS: Final = (
    "central-bank",
    "finance-ministry",
    "crypto-council",
    "virtual-asset-regulator",
)
NODES: Final = (*VALIDATORS, "exchange")
PUBLISHED: Final = (*NODES, "nats", "prometheus", "grafana")
IMAGE: Final = "khazana:test"
"""Left on the machine, so that the next run builds from its layers."""
POSTGRES_IMAGE: Final = "postgres:17.5-bookworm"
"""As docker/compose.yaml names it."""
POSTGRES_STAND_IN: Final = "khazana-postgres:test"
"""Made of Debian's own where that cannot be had; left on the machine likewise."""
PROMETHEUS_IMAGE: Final = "prom/prometheus:v3.5.0"
GRAFANA_IMAGE: Final = "grafana/grafana:12.1.1"
NATS_IMAGE: Final = "nats:2.11.4-alpine"
NATS_STAND_IN: Final = "khazana-nats:test"
BUILD_TIMEOUT_S: Final = 900
PLUGIN: Final = """#!/bin/sh
# Makes the command of Compose 1 what `docker compose` runs.
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion": "0.1.0", "Vendor": "khazana", "Version": "1"}'
else
  shift
  exec docker-compose "$@"
fi
"""
COMMAND_TIMEOUT_S: Final = 300
POLL_S: Final = 0.2


def why_not() -> str | None:
    """Return why no cluster can be run here, or None."""
    if shutil.which("docker") is None:
        return "there is no docker on this machine"
    if compose_command() is None:
        return "there is neither docker-compose nor docker compose on this machine"
    try:
        ended = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        return "the container engine does not answer"
    if ended.returncode != 0:
        return f"no container engine answers: {ended.stderr.strip()}"
    return None


def compose_command() -> tuple[str, ...] | None:
    """Return the command of Compose 2 if it is there, else that of Compose 1."""
    found = compose_commands()
    return found[0] if found else None


def compose_commands() -> tuple[tuple[str, ...], ...]:
    """Return every Compose of this machine, the newest first."""
    found: list[tuple[str, ...]] = []
    if shutil.which("docker") is not None:
        ended = subprocess.run(
            ["docker", "compose", "version"], capture_output=True, check=False, timeout=120
        )
        if ended.returncode == 0:
            found.append(("docker", "compose"))
    if shutil.which("docker-compose") is not None:
        found.append(("docker-compose",))
    return tuple(found)


class EngineError(Exception):
    """A command of docker failed; the sentence has what it said."""


def run(
    *words: str, variables: Mapping[str, str] | None = None, timeout_s: float = COMMAND_TIMEOUT_S
) -> str:
    """Run a command and return what it printed on stdout.

    Raises:
        EngineError: it failed.
    """
    ended = subprocess.run(
        words,
        env=os.environ | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    if ended.returncode != 0:
        raise EngineError(f"{' '.join(words)}: {ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    return ended.stdout


def build(name: str, *options: str, sources: Path = ROOT) -> None:
    """Build the node's image under a name, from the layers that are kept."""
    file = str(sources / "docker/Dockerfile")
    words = ("docker", "build", "--quiet", *options, "--file", file, "--tag", name)
    run(*words, str(sources), variables={"DOCKER_BUILDKIT": "0"}, timeout_s=BUILD_TIMEOUT_S)


def copy_sources(to: Path) -> Path:
    """Copy what the image is built of, so that it stays as it is while somebody works on it."""
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    ]
    for name in (*kept, ".dockerignore", "docker/Dockerfile"):
        there = to / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, there)
    return to


def postgres_image() -> str | None:
    """Return an image of PostgreSQL, made here where that of compose.yaml is not; None: neither."""
    return _image(POSTGRES_IMAGE, stand_in=POSTGRES_STAND_IN, folder="postgres")


def nats_image() -> str | None:
    """Return an image of NATS in the same way."""
    return _image(NATS_IMAGE, stand_in=NATS_STAND_IN, folder="nats")


def monitoring_images() -> tuple[str, str] | None:
    """Return images of Prometheus and of what stands where Grafana does."""
    prometheus = _image(PROMETHEUS_IMAGE, stand_in="khazana-prometheus:test", folder="prometheus")
    grafana = _image(GRAFANA_IMAGE, stand_in="khazana-grafana:test", folder="grafana")
    return (prometheus, grafana) if prometheus and grafana else None


def systemd_image() -> str | None:
    """Return an image of a machine with systemd, made of Debian's."""
    return _image("khazana-systemd:test", stand_in="khazana-systemd:test", folder="systemd")


def at_hand(folder: Path) -> dict[str, str]:
    """Return variables with which `docker compose` is a command wherever some Compose is.

    Args:
        folder: an empty one.
    """
    if ("docker", "compose") in compose_commands():
        return {}
    plugin = folder / "cli-plugins" / "docker-compose"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    return {"DOCKER_CONFIG": str(folder)}


@contextlib.contextmanager
def named(image: str, name: str) -> Iterator[None]:
    """Let an image have a name that pages use; afterwards the name is what it was before."""
    kept = None
    with contextlib.suppress(EngineError):
        kept = run("docker", "image", "inspect", "--format", "{{.Id}}", name).strip()
    run("docker", "tag", image, name)
    try:
        yield
    finally:
        if kept is None:
            run("docker", "image", "rm", "--force", name)
        else:
            run("docker", "tag", kept, name)


def _image(name: str, *, stand_in: str, folder: str) -> str | None:
    with contextlib.suppress(EngineError):
        run("docker", "image", "inspect", name)
        return name
    with contextlib.suppress(EngineError, subprocess.TimeoutExpired):
        sources = str(Path(__file__).parent / folder)
        run("docker", "build", "-q", "-t", stand_in, sources, timeout_s=BUILD_TIMEOUT_S)
        return stand_in
    return None


@dataclass(kw_only=True)
class Project:
    """The cluster of docker/compose.yaml under a name, ports and passphrases of its own."""

    secrets_folder: Path
    name: str = field(default_factory=lambda: f"khazana-test-{secrets.token_hex(4)}")
    ports: Mapping[str, int] = field(
        default_factory=lambda: dict(zip(PUBLISHED, own_ports(len(PUBLISHED)), strict=True))
    )

    def __post_init__(self) -> None:
        # Compose mounts a secret with the owner and mode that it has here: the node's user, who is
        # not the owner, must be able to read it, and nobody else must enter the folder.
        self.secrets_folder.mkdir(mode=0o700)
        for name in VALIDATORS:
            file = self.secrets_folder / f"{name}.passphrase"
            file.write_text(secrets.token_hex(16) + "\n")
            file.chmod(0o644)
        for service in ("index", "stream"):
            password = self.secrets_folder / f"{service}.password"
            password.write_text(secrets.token_hex(16) + "\n")
            password.chmod(0o644)

    def passphrase(self, name: str) -> str:
        """Return the passphrase of a validator's key."""
        return (self.secrets_folder / f"{name}.passphrase").read_text().strip()

    def url(self, name: str) -> str:
        """Return where a node answers on this machine."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def variables(self) -> dict[str, str]:
        """What compose.yaml takes from the environment."""
        ports = {
            f"KHAZANA_PORT_{name.upper().replace('-', '_')}": str(port)
            for name, port in self.ports.items()
        }
        return ports | {
            "KHAZANA_IMAGE": IMAGE,
            "KHAZANA_SECRETS": str(self.secrets_folder),
            # The classic builder is in every engine.
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
        }

    def compose(
        self,
        *words: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run a command of compose on this project."""
        command = compose_command()
        assert command is not None
        return run(
            *command,
            "-p",
            self.name,
            "-f",
            str(COMPOSE_FILE),
            *words,
            variables=self.variables | dict(variables or {}),
            timeout_s=timeout_s,
        )

    def typing(self, folder: Path) -> dict[str, str]:
        """Return the environment of who types commands of compose at the root of the sources.

        Args:
            folder: an empty one, for settings of docker.
        """
        named = {"COMPOSE_PROJECT_NAME": self.name}
        return surroundings(**self.variables, **named, **at_hand(folder))

    def down(self) -> None:
        """Remove containers, network and volumes."""
        self.compose(
            "down",
            "-v",
            "--remove-orphans",
            variables={"COMPOSE_PROFILES": "core,observer,index,stream,monitoring"},
        )

    def container(self, name: str) -> str:
        """Return the id of a node's container, running or not."""
        found = run(
            "docker",
            "ps",
            "--all",
            "--quiet",
            "--filter",
            f"label=com.docker.compose.project={self.name}",
            "--filter",
            f"label=com.docker.compose.service={name}",
        ).split()
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a node's container."""
        (found,) = json.loads(run("docker", "inspect", self.container(name)))
        assert isinstance(found, dict)
        return found

    def execute(self, name: str, *words: str) -> str:
        """Run a command in a node's container."""
        return run("docker", "exec", self.container(name), *words)

    def log(self, name: str) -> str:
        """Return everything that a node has logged."""
        ended = subprocess.run(
            ["docker", "logs", self.container(name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            timeout=COMMAND_TIMEOUT_S,
        )
        return ended.stdout

    def wait_healthy_soon(self, within_s: float = 180.0) -> None:
        """Wait until every node is there, and healthy."""
        deadline = time.monotonic() + within_s
        for name in NODES:
            while True:
                with contextlib.suppress(AssertionError, EngineError):
                    if self.inspect(name)["State"]["Health"]["Status"] == "healthy":
                        break
                assert time.monotonic() < deadline, f"{name} does not become healthy"
                time.sleep(POLL_S)

    def wait_healthy(self, *names: str, within_s: float = 180.0) -> None:
        """Wait until the engine calls these nodes, or all, healthy."""
        deadline = time.monotonic() + within_s
        for name in names or NODES:
            while (found := self.inspect(name)["State"]["Health"]["Status"]) != "healthy":
                assert time.monotonic() < deadline, f"{name} is {found}:\n{self.log(name)[-4000:]}"
                time.sleep(POLL_S)  # The engine looks only every few seconds.
