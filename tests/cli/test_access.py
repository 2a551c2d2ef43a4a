"""`khazana access`, and the keys and certificates that the command line shows."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.access import load_api_keys
from node.cli.exits import Exit
from node.clock import SystemClock
from tests.cli.asked import here
from tests.cli.running import khazana
from tests.rpc.authorities import Authority

CONFIG = """
name = "central-bank"
[tls]
key = "tls.key"
certificate = "tls.crt"
[rpc]
api_keys = "api-keys.toml"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "node.toml").write_text(CONFIG)
    return tmp_path


def test_key_is_printed_once_and_revoked(home: Path) -> None:
    made = here(
        *("access", "create", "exchange-one", "--home", str(home), "--json"),
        *("--scope", "submit", "--scope", "read", "--calls-per-s", "2000"),
        *("--expires", "2999-06-30"),
    )
    assert made.code == Exit.OK, made.err
    key = made.json["api_key"]
    assert key.startswith("khz_exchange-one_")

    listed = here("access", "list", "--home", home)
    assert "exchange-one  read submit" in listed.out
    assert "2999-06-30T00:00:00+00:00" in listed.out
    assert key not in (home / "api-keys.toml").read_text() + listed.out + listed.err

    again = here("access", "create", "exchange-one", "--home", home)
    assert again.code == Exit.REFUSED
    assert "revoke exchange-one" in again.err

    assert here("access", "revoke", "exchange-one", "--home", home).code == Exit.OK
    assert load_api_keys(home / "api-keys.toml") == {}
    assert here("access", "revoke", "exchange-one", "--home", home).code == Exit.REFUSED


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("create", "Exchange"), Exit.CONFIGURATION, "no name of a key"),
        (("create", "one", "--expires", "tomorrow"), Exit.USAGE, "is no day"),
        (("create", "one", "--expires", "2020-02-29"), Exit.USAGE, "would open nothing"),
        (("create", "one", "--scope", "rule"), Exit.USAGE, "'rule' is not one of"),
        (("create", "one", "--calls-per-s", "0"), Exit.USAGE, "not in the range"),
    ],
)
def test_nonsense_is_refused_and_writes_nothing(
    home: Path, words: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = here("access", *words, "--home", home)

    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert not (home / "api-keys.toml").exists()


def test_key_that_would_be_dead_today_is_not_made(home: Path) -> None:
    today = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date()

    ran = here("access", "create", "one", "--home", home, "--expires", str(today))

    assert ran.code == Exit.USAGE
    assert "Name a day after today" in ran.err
    assert not (home / "api-keys.toml").exists()


def test_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    ran = here("access", "list", "--home", tmp_path)

    assert ran.code == Exit.CONFIGURATION
    assert "no node's home" in ran.err


def test_person_is_told_what_the_configuration_lacks(home: Path) -> None:
    config = home / "node.toml"
    config.write_text(config.read_text().replace('api_keys = "api-keys.toml"', ""))

    ran = khazana("access", "create", "one", "--home", home)

    assert ran.code == Exit.OK
    assert 'write api_keys = "api-keys.toml" under [rpc]' in ran.err
    assert tomllib.loads((home / "api-keys.toml").read_text()).keys() == {"one"}


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--api-key-file", None, "No such file"),
        ("--api-key-file", b"\xff", "holds no API key"),
        ("--tls-authority", None, "not usable for TLS"),
        ("--tls-authority", b"nonsense", "not usable for TLS"),
        ("--tls-certificate", b"nonsense", "not usable for TLS"),
    ],
)
def test_file_of_credentials_that_cannot_be_used_is_named(
    tmp_path: Path, option: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)

    ran = here(option, file, "query", "assets")

    assert ran.code == Exit.CONFIGURATION
    assert said in ran.err
    assert str(file) in ran.err


def test_certificate_and_key_that_do_not_go_together_are_told_apart(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    one, other = authority.sign("one"), authority.sign("other")

    for given, said in (
        (("--tls-certificate", one.certificate), "a certificate without its key"),
        (("--tls-key", one.key), "a key without its certificate"),
        (
            ("--tls-certificate", one.certificate, "--tls-key", other.key),
            "the key is not that of the certificate",
        ),
    ):
        ran = here(*given, "query", "assets")

        assert ran.code == Exit.CONFIGURATION
        assert said in ran.err
