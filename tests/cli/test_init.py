"""`khazana init`: one institution's home, with keys of its own."""

import os
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.config import load_config
from node.keys.certificates import check_certificate
from node.keys.keystore import load_key
from node.provision.containers import MONITORING_FILES
from node.provision.reference import INSTITUTIONS
from tests.cli.asked import here, run
from tests.cli.running import khazana

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return file


def test_validator_home_has_new_keys_and_says_what_to_give_the_others(
    tmp_path: Path, passphrase: Path
) -> None:
    home = tmp_path / "home"

    ran = khazana(
        *("init", "--name", "central-bank", "--home", home, "--passphrase-file", passphrase),
        *("--peer", "finance-ministry=10.0.0.2:26600", "--json"),
    )

    config = load_config(home / "node.toml", environment={}, check_files=False)
    assert config.validator is not None
    assert config.validator.keystore is not None
    signer = load_key(config.validator.keystore, "correct horse", purpose="consensus")
    assert ran.json["public_key"] == signer.public_key.hex()
    assert check_certificate(config.tls.certificate.read_bytes()).name == "central-bank"
    assert str(config.network.peers["finance-ministry"]) == "10.0.0.2:26600"


def test_observer_home_has_no_voting_key(tmp_path: Path) -> None:
    home = tmp_path / "home"

    ran = here("init", "--name", "exchange", "--observer", "--home", home, "--json")

    assert ran.json["public_key"] is None
    assert load_config(home / "node.toml", environment={}, check_files=False).validator is None


def test_validator_needs_a_passphrase_file(tmp_path: Path) -> None:
    ran = here("init", "--name", "central-bank", "--home", tmp_path / "home")

    assert ran.code == Exit.USAGE
    assert not (tmp_path / "home").exists()


def test_home_is_never_overwritten(tmp_path: Path) -> None:
    home = tmp_path / "home"
    here("init", "--name", "exchange", "--observer", "--home", home)
    before = (home / "keys/tls.pem").read_bytes()

    ran = here("init", "--name", "exchange", "--observer", "--home", home)

    assert ran.code == Exit.CONFIGURATION
    assert (home / "keys/tls.pem").read_bytes() == before


def test_two_nodes_on_one_machine_have_ports_of_their_own(tmp_path: Path) -> None:
    for name, ports in (("first", ()), ("second", ("26610", "26690"))):
        said = [f"127.0.0.1:{port}" for port in ports]
        options = [*zip(("--listen", "--rpc-listen"), said, strict=False)]
        words = [word for option in options for word in option]
        ran = here("init", "--name", name, "--observer", "--home", tmp_path / name, *words)
        assert ran.code == Exit.OK

    configs = [
        load_config(tmp_path / name / "node.toml", environment={}, check_files=False)
        for name in ("first", "second")
    ]
    assert [str(each.network.listen) for each in configs] == ["0.0.0.0:26600", "127.0.0.1:26610"]
    assert [str(each.rpc.listen) for each in configs] == ["127.0.0.1:26680", "127.0.0.1:26690"]


@pytest.mark.parametrize("option", ["--listen", "--rpc-listen"])
def test_place_that_cannot_be_listened_on_is_a_usage_error(tmp_path: Path, option: str) -> None:
    home = tmp_path / "h"
    ran = here("init", "--name", "exchange", "--observer", "--home", home, option, "26610")

    assert ran.code == Exit.USAGE
    assert f"Write {option} 127.0.0.1:26610." in ran.err
    assert not home.exists()


@pytest.mark.parametrize("peer", ["finance-ministry", "x=nowhere", "x=host:99999"])
def test_peer_that_cannot_be_dialled_is_a_usage_error(tmp_path: Path, peer: str) -> None:
    ran = here(
        *("init", "--name", "exchange", "--observer", "--home", tmp_path / "h", "--peer", peer)
    )

    assert ran.code == Exit.USAGE


async def test_files_of_a_network_in_containers_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "net"

    ran = await run("init", "--docker", str(folder), "-n", "5", "--json")

    nodes = [*INSTITUTIONS, "validator-5", "exchange"]
    assert ran.json["nodes"] == nodes
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert made == set(ran.json["files"])
    passphrases = {(folder / f"secrets/{name}.passphrase").read_text() for name in nodes[:5]}
    assert len(passphrases) == 5
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    again = await run("init", "--docker", str(folder))
    assert again.code == Exit.CONFIGURATION
    assert "compose.yaml" in again.err
    assert {(folder / f"secrets/{name}.passphrase").read_text() for name in nodes[:5]} == (
        passphrases
    )


async def test_sources_bring_what_watches(tmp_path: Path) -> None:
    folder = tmp_path / "net"

    ran = await run("init", "--docker", folder, "--build", str(ROOT))

    assert ran.code == Exit.OK, ran.err
    for name in MONITORING_FILES:
        copy, original = folder / "monitoring" / name, ROOT / "docker/monitoring" / name
        assert copy.read_bytes() == original.read_bytes()
    refused = await run("init", "--docker", tmp_path / "other", "--build", "..")
    assert refused.code == Exit.USAGE
    assert "no sources of Khazana are at --build .." in refused.err
    assert os.listdir(tmp_path) == ["net"]


async def test_docker_alone_names_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ran = await run("init", "--docker", "-n", "4")

    assert ran.code == Exit.OK
    assert "docker compose -f khazana-docker/compose.yaml up -d" in ran.out
    assert (tmp_path / "khazana-docker/compose.yaml").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--docker", "net", "--name", "bank"], "--name is for a node of your own"),
        (["--docker", "net", "--observer"], "--observer is for a node of your own"),
        (["--name", "bank", "-n", "4"], "--validators is for a network in containers"),
        (["--docker", "net", "-n", "0"], "0 validators are asked for; 1 to 16 can be had"),
        (["--observer"], "the node has no name"),
    ],
)
async def test_a_home_and_a_network_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)

    ran = await run("init", *words)

    assert ran.code == Exit.USAGE
    assert said in ran.err
    assert os.listdir(tmp_path) == []
