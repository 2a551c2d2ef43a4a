"""`khazana keys`: keys come into files, and nothing overwrites them."""

import re
import stat
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.keys import LocalSigner
from node.keys.certificates import check_certificate
from node.keys.development import DEVELOPMENT_LABELS, development_signer
from node.keys.keystore import load_key
from tests.cli.asked import here
from tests.cli.running import khazana


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return file


def test_generated_key_is_in_an_encrypted_file_of_mode_0600(
    tmp_path: Path, passphrase: Path
) -> None:
    key = tmp_path / "key.json"

    ran = khazana("keys", "generate", key, "--passphrase-file", passphrase, "--json")

    assert ran.code == Exit.OK
    signer = load_key(key, "correct horse", purpose="account")
    assert ran.json["public_key"] == signer.public_key.hex()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert khazana("keys", "show", key, "--json").json == ran.json


def test_key_file_is_never_overwritten(tmp_path: Path, passphrase: Path) -> None:
    key = tmp_path / "key.json"
    here("keys", "generate", key, "--passphrase-file", passphrase)
    before = key.read_bytes()

    ran = here("keys", "generate", key, "--passphrase-file", passphrase)

    assert ran.code == Exit.CONFIGURATION
    assert "never overwritten" in ran.err
    assert key.read_bytes() == before


@pytest.mark.parametrize("raw", [True, False])
def test_existing_key_is_imported(tmp_path: Path, passphrase: Path, *, raw: bool) -> None:
    signer = LocalSigner.generate()
    seed_file, key = tmp_path / "seed", tmp_path / "key.json"
    seed_file.write_bytes(signer.seed if raw else signer.seed.hex().encode() + b"\n")

    ran = here(
        "keys", "import", key, "--seed-file", seed_file, "--passphrase-file", passphrase, "--json"
    )

    assert ran.json["public_key"] == signer.public_key.hex()
    assert load_key(key, "correct horse").seed == signer.seed


def test_file_that_is_no_key_is_refused(tmp_path: Path, passphrase: Path) -> None:
    seed_file = tmp_path / "seed"
    seed_file.write_text("not a key")

    ran = here(
        "keys", "import", tmp_path / "k", "--seed-file", seed_file, "--passphrase-file", passphrase
    )

    assert ran.code == Exit.CONFIGURATION
    assert not (tmp_path / "k").exists()


def test_without_a_terminal_a_passphrase_file_is_asked_for(tmp_path: Path) -> None:
    ran = khazana("keys", "generate", tmp_path / "key.json")

    assert ran.code == Exit.USAGE
    assert "--passphrase-file" in ran.err


def test_tls_identity_names_the_node_and_is_not_overwritten(tmp_path: Path) -> None:
    first = here("keys", "tls", "central-bank", "--out", tmp_path, "--json")
    second = here("keys", "tls", "central-bank", "--out", tmp_path)

    facts = check_certificate((tmp_path / "tls.der").read_bytes())
    assert facts.name == "central-bank"
    assert facts.public_key.hex() == first.json["public_key"]
    assert stat.S_IMODE((tmp_path / "tls.pem").stat().st_mode) == 0o600
    assert second.code == Exit.CONFIGURATION


def test_bad_node_name_is_a_usage_error(tmp_path: Path) -> None:
    assert here("keys", "tls", "Central Bank", "--out", tmp_path).code == Exit.USAGE


def test_development_keys_are_printed_with_a_warning() -> None:
    ran = here("keys", "development", "account-0", "--json")

    (key,) = ran.json["keys"]
    assert key["private_key"] == development_signer("account-0").seed.hex()
    assert "DEVELOPMENT ONLY" in ran.err


def test_development_labels_are_a_screen_and_all_of_them_on_demand() -> None:
    short, whole = here("keys", "development"), here("keys", "development", "--all")

    assert len(short.out.splitlines()) <= 24
    assert re.search(r"validator-0 … validator-99 +/account /consensus /tls +400", short.out)
    assert f"{len(DEVELOPMENT_LABELS)} labels" in short.out
    assert set(whole.out.split()) == DEVELOPMENT_LABELS
    assert set(here("keys", "development", "--json").json["labels"]) == DEVELOPMENT_LABELS
    assert here("keys", "development", "--all", "account-0").code == Exit.USAGE


def test_unknown_development_label_is_a_usage_error() -> None:
    assert here("keys", "development", "my-own").code == Exit.USAGE


def test_address_depends_on_owner_key_and_salt() -> None:
    key = development_signer("account-0").public_key.hex()

    def address(*words: str) -> str:
        text: str = here("keys", "address", key, "--json", *words).json["address"]
        return text

    first = address("--owner", "alice")
    assert first.startswith("tkhz1")
    assert address("--owner", "alice", "--main").startswith("khz1")
    assert (
        len({first, address("--owner", "bob"), address("--owner", "alice", "--salt", "01" * 8)})
        == 3
    )
