"""A new home says in its consensus log that the validator's key has signed nothing yet."""

from pathlib import Path

import pytest

from node.app import consensus_log_path
from node.keys.development import development_signer
from node.provision.homes import HomeExists, NewHome, NodeSettings, write_home
from node.replica.entries import Born, decode_entry
from node.storage import open_consensus_log

LABEL = "central-bank"


def new_home(*, development_key: str | None) -> NewHome:
    """Return what a home holds, but for the genesis."""
    return NewHome(
        settings=NodeSettings(name="central-bank", development_key=development_key),
        tls_key_pem=b"key",
        tls_certificate=b"certificate",
        genesis=None,
    )


def test_log_of_a_new_validator_is_born_with_its_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_home(home, new_home(development_key=LABEL))

    log = open_consensus_log(consensus_log_path(home / "data"))
    entries = [decode_entry(entry) for entry in log.load()]
    log.close()

    signer = development_signer(f"{LABEL}/consensus")
    assert entries == [Born(name="central-bank", public_key=signer.public_key, network=None)]


def test_observer_has_no_consensus_log(tmp_path: Path) -> None:
    write_home(tmp_path / "home", new_home(development_key=None))

    assert not consensus_log_path(tmp_path / "home" / "data").exists()


def test_home_that_exists_keeps_the_log_it_has(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_home(home, new_home(development_key=LABEL))
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    with pytest.raises(HomeExists):
        write_home(home, new_home(development_key=LABEL))

    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
