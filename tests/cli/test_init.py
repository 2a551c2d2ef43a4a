"""`khazana init`: one institution's home, with keys of its own."""

from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.config import load_config
from node.keys.certificates import check_certificate
from node.keys.keystore import load_key
from tests.cli.running import khazana


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

    ran = khazana("init", "--name", "exchange", "--observer", "--home", home, "--json")

    assert ran.json["public_key"] is None
    assert load_config(home / "node.toml", environment={}, check_files=False).validator is None


def test_validator_needs_a_passphrase_file(tmp_path: Path) -> None:
    ran = khazana("init", "--name", "central-bank", "--home", tmp_path / "home")

    assert ran.code == Exit.USAGE
    assert not (tmp_path / "home").exists()


def test_home_is_never_overwritten(tmp_path: Path) -> None:
    home = tmp_path / "home"
    khazana("init", "--name", "exchange", "--observer", "--home", home)
    before = (home / "keys/tls.pem").read_bytes()

    ran = khazana("init", "--name", "exchange", "--observer", "--home", home)

    assert ran.code == Exit.CONFIGURATION
    assert (home / "keys/tls.pem").read_bytes() == before


@pytest.mark.parametrize("peer", ["finance-ministry", "x=nowhere", "x=host:99999"])
def test_peer_that_cannot_be_dialled_is_a_usage_error(tmp_path: Path, peer: str) -> None:
    ran = khazana(
        *("init", "--name", "exchange", "--observer", "--home", tmp_path / "h", "--peer", peer)
    )

    assert ran.code == Exit.USAGE
