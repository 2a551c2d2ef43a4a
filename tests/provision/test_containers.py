"""The files of a network in containers: those of `docker/` are what is made for four and one."""

import subprocess
from pathlib import Path

import pytest

from consensus import FaultModel
from node.genesis import parse_genesis
from node.provision.containers import (
    INDEX_SECRET,
    INDEXING,
    NODE_NAMES,
    OBSERVERS_MAX,
    PUBLISHING,
    STREAM_FILE,
    STREAM_SECRET,
    VALIDATORS_MAX,
    ContainerNetwork,
    ContainersError,
)
from node.provision.description import load_description
from node.provision.founding import found_network

DOCKER = Path(__file__).resolve().parents[2] / "docker"


def network(
    validators: int = 4, observers: int = 1, context: str | None = None
) -> ContainerNetwork:
    return ContainerNetwork(validators=validators, observers=observers, context=context)


@pytest.mark.parametrize(
    "name", ["compose.yaml", "network.toml", ".env", "nats.conf", "monitoring/prometheus.yml"]
)
def test_files_of_the_repository_are_what_is_made(name: str) -> None:
    """`khazana init --docker FOLDER --build ..` makes them; what is to change changes there."""
    assert (DOCKER / name).read_text() == network(context="..").files()[name]


def test_repository_has_the_secrets_that_its_compose_file_names() -> None:
    found = {path.relative_to(DOCKER).as_posix() for path in (DOCKER / "secrets").iterdir()}

    assert found == set(network().secret_files)


@pytest.mark.parametrize(
    ("validators", "observers"), [(1, 0), (2, 1), (3, 1), (4, 0), (7, 2), (16, 8)]
)
def test_a_network_of_any_size_can_be_founded(
    tmp_path: Path, validators: int, observers: int
) -> None:
    made = network(validators, observers)
    file = tmp_path / "network.toml"
    file.write_text(made.files()["network.toml"])

    founded = found_network(load_description(file), folder=tmp_path, now_ms=1, make_keys=True)

    genesis = parse_genesis(founded.genesis.render(), file="genesis.json")
    assert len(genesis.validators) == validators
    assert genesis.fault_model is (FaultModel.CRASH if validators == 3 else FaultModel.BYZANTINE)
    assert set(founded.keys) == set(made.names)
    assert len(made.names) == validators + observers


def test_image_has_a_home_for_every_node() -> None:
    """A volume whose place the image lacks would belong to root: the first job could not write."""
    folders = (DOCKER / "Dockerfile").read_text().partition("install -d")[2].partition("&&")[0]
    lines = folders.splitlines()
    words = []
    for line in lines:
        if not line.strip().startswith("#"):
            words.append(line.rstrip("\\"))
            if not line.endswith("\\"):
                break
    listed = subprocess.run(
        ["sh", "-c", f"echo {' '.join(words)}"], capture_output=True, text=True, check=True
    )

    homes = [word for word in listed.stdout.split() if word.startswith("/homes/")]
    assert sorted(homes) == sorted(f"/homes/{name}" for name in NODE_NAMES)


def test_without_sources_nothing_is_built_and_nothing_watches() -> None:
    with_sources, without = network(context="..").files(), network().files()

    assert "build:" in with_sources["compose.yaml"]
    assert "monitoring" in with_sources["compose.yaml"]
    assert "build:" not in without["compose.yaml"]
    assert "monitoring" not in without["compose.yaml"]
    assert set(with_sources) - set(without) == {"monitoring/prometheus.yml"}


def test_the_first_observer_is_there_once_more_with_its_index_in_postgresql() -> None:
    made = network(4, 2)
    text = made.files()["compose.yaml"]
    _, _, service = text.partition(f"\n  {INDEXING}:\n")
    service, _, rest = service.partition("\n\n")

    assert 'volumes: ["exchange:/data"]' in service
    assert "aliases: [exchange]" in service
    assert "KHAZANA_INDEX__DATABASE: postgresql://khazana@postgres/khazana\n" in service
    assert "secrets: [index]" in service
    assert text.count('"127.0.0.1:${KHAZANA_PORT_EXCHANGE:-26684}:26680"') == 3
    assert rest.startswith("  postgres:\n")
    assert "POSTGRES_PASSWORD_FILE: /run/secrets/index\n" in rest
    assert INDEX_SECRET in made.secret_files
    alone = network(observers=0)
    assert "postgres" not in "".join(alone.files().values())
    assert INDEX_SECRET not in alone.secret_files


def test_the_first_observer_is_there_once_more_and_publishes_to_nats() -> None:
    made = network(4, 2)
    text = made.files()["compose.yaml"]
    _, _, service = text.partition(f"\n  {PUBLISHING}:\n")
    service, _, rest = service.partition("\n\n")

    assert "    profiles: [stream]\n" in service
    assert 'volumes: ["exchange:/data"]' in service
    assert "aliases: [exchange]" in service
    assert "KHAZANA_STREAM__SERVER: nats://nats:4222\n" in service
    assert "KHAZANA_STREAM__PASSWORD_FILE: /run/secrets/stream\n" in service
    assert "secrets: [stream]" in service
    assert "\n  nats:\n" in rest
    assert f"./{STREAM_FILE}:/etc/nats/khazana.conf:ro" in rest
    assert "password: $STREAM_PASSWORD " in made.files()[STREAM_FILE]
    assert STREAM_SECRET in made.secret_files
    alone = network(observers=0)
    assert "nats" not in "".join(alone.files().values())
    assert STREAM_SECRET not in alone.secret_files


def test_what_watches_asks_every_node() -> None:
    made = network(7, 2, context="..")

    for name in made.names:
        assert f"- {name}:26680\n" in made.files()["monitoring/prometheus.yml"]
    hosts = f"KHAZANA_RPC__HOSTS: {' '.join(made.names)}\n"
    assert hosts in made.files()["compose.yaml"]


def test_every_node_has_its_profile_and_a_port_of_its_own() -> None:
    made = network(VALIDATORS_MAX, OBSERVERS_MAX)
    text = made.files()["compose.yaml"]

    assert text.count("    profiles: [core]\n") == VALIDATORS_MAX
    assert text.count("    profiles: [observer]\n") == 1
    assert text.count("    profiles: [observer, index, stream]\n") == OBSERVERS_MAX - 1
    for number, name in enumerate(made.names):
        variable = f"KHAZANA_PORT_{name.upper().replace('-', '_')}"
        assert f'"127.0.0.1:${{{variable}:-{26_680 + number}}}:26680"' in text
    assert network(observers=0).files()[".env"].endswith("COMPOSE_PROFILES=core\n")


@pytest.mark.parametrize(
    ("validators", "observers", "words"),
    [
        (0, 0, "0 validators are asked for; 1 to 16 can be had"),
        (VALIDATORS_MAX + 1, 0, "17 validators are asked for; 1 to 16 can be had"),
        (4, -1, "-1 observers are asked for; 0 to 8 can be had"),
        (4, OBSERVERS_MAX + 1, "9 observers are asked for; 0 to 8 can be had"),
    ],
)
def test_what_cannot_be_had_is_refused(validators: int, observers: int, words: str) -> None:
    with pytest.raises(ContainersError, match=words):
        network(validators, observers)
