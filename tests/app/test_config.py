"""The configuration: everything checked at load, all faults at once, each with its line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from node.access import Role
from node.config import (
    ConfigError,
    Endpoint,
    NodeConfig,
    listeners_of,
    load_config,
    parse_endpoint,
)

GOOD = """\
name = "central-bank"

[tls]
key = "tls.key"
certificate = "tls.crt"

[validator]
keystore = "consensus.json"
passphrase_file = "/run/secrets/passphrase"

[network]
listen = "0.0.0.0:26600"
peers."finance-ministry" = "ministry.example:26600"

[network.observers]
exchange = "observers/exchange.crt"
"""


def load(
    folder: Path,
    text: str,
    *,
    check_files: bool = False,
    environment: Mapping[str, str] | None = None,
) -> NodeConfig:
    path = folder / "node.toml"
    path.write_text(text)
    return load_config(path, environment=environment or {}, check_files=check_files)


def faults(folder: Path, text: str, *, check_files: bool = False) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, check_files=check_files)
    return [(fault.line, fault.key) for fault in caught.value.faults]


def test_a_file_becomes_settings_with_paths_from_its_own_folder(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)

    assert config.name == "central-bank"
    assert config.data_dir == tmp_path / "data"
    assert config.validator is not None
    assert config.validator.keystore == tmp_path / "consensus.json"
    assert config.validator.passphrase_file == Path("/run/secrets/passphrase")
    assert config.network.peers == {"finance-ministry": Endpoint("ministry.example", 26600)}
    assert config.network.observers == {"exchange": tmp_path / "observers/exchange.crt"}


def test_all_faults_are_reported_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
name = "Central Bank"
colour = "green"
[network]
listen = "nowhere"
peers = { other = "host:0", third = 7 }
[tls]
key = "tls.key"
[mempool]
transactions_max = "many"
bytes_max = 1
"""

    assert faults(tmp_path, text) == [
        (1, "name"),
        (2, "colour"),
        (4, "network.listen"),
        (5, "network.peers.other"),
        (5, "network.peers.third"),
        (6, "tls.certificate"),
        (9, "mempool.transactions_max"),
        (10, "mempool.bytes_max"),
    ]


def test_a_syntax_fault_has_its_line(tmp_path: Path) -> None:
    assert faults(tmp_path, 'name = "a"\n[network\n') == [(2, "")]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("nmae = 1", "did you mean name?"),
        ('moniker = "x"', "see name"),
        ("[consensus]\ntimeout_propose_ms = 1", "see the genesis file"),
        ("[network]\npeer = {}", "did you mean peers?"),
        ("[rpc]\nzzz = 1", "there are: listen,"),
        ("[log.level]\nx = 1", "found {'x': 1}"),
    ],
)
def test_an_unknown_key_is_refused_with_what_to_write(
    tmp_path: Path, line: str, advice: str
) -> None:
    with pytest.raises(ConfigError, match=r".") as caught:
        load(tmp_path, f'name = "a"\ntls = {{ key = "k", certificate = "c" }}\n{line}\n')

    assert len(caught.value.faults) == 1
    assert advice in caught.value.faults[0].message


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    text = """\
name = "a"
[network]
listen = "127.0.0.1:1"
[network.peers]
a = "a:1"
b = "b:1"
[network.observers]
b = "b.crt"
[rpc]
listen = "127.0.0.1:1"
[replica]
resend_ms_max = 5
[tls]
key = "k"
certificate = "c"
"""

    assert faults(tmp_path, text) == [
        (5, "network.peers.a"),
        (8, "network.observers.b"),
        (10, "rpc.listen"),
        (12, "replica.resend_ms_max"),
    ]


@pytest.mark.adversarial(54)
@pytest.mark.parametrize(
    ("sync", "found"),
    [
        ("trusted_height = 7", (2, "sync")),
        (f'trusted_block = "{"00" * 32}"', (2, "sync")),
        (f'trusted_height = 0\ntrusted_block = "{"00" * 32}"', (3, "sync.trusted_height")),
        ('trusted_height = 7\ntrusted_block = "abc"', (4, "sync.trusted_block")),
        (f'trusted_height = 7\ntrusted_block = "{"AB" * 32}"', (4, "sync.trusted_block")),
        ("trust_period_hours = 0", (3, "sync.trust_period_hours")),
        ("snapshot_interval = -1", (3, "sync.snapshot_interval")),
    ],
)
def test_half_a_trusted_block_is_refused(tmp_path: Path, sync: str, found: tuple[int, str]) -> None:
    text = f'name = "a"\n[sync]\n{sync}\n[tls]\nkey = "k"\ncertificate = "c"\n'

    assert faults(tmp_path, text) == [found]


@pytest.mark.parametrize("count", [1, 999, -1])
def test_too_few_blocks_to_keep_are_refused(tmp_path: Path, count: int) -> None:
    text = f'name = "a"\n[storage]\nkeep_blocks = {count}\n[tls]\nkey = "k"\ncertificate = "c"\n'

    assert faults(tmp_path, text) == [(3, "storage.keep_blocks")]


@pytest.mark.parametrize(
    "section", ["", 'keystore = "k"\npassphrase_file = "p"\ndevelopment_key = "a"', 'keystore="k"']
)
def test_a_validator_has_exactly_one_key_and_its_passphrase(tmp_path: Path, section: str) -> None:
    text = f'name = "a"\n[tls]\nkey = "k"\ncertificate = "c"\n[validator]\n{section}\n'

    assert faults(tmp_path, text) == [(5, "validator")]


def test_named_files_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "tls.key").touch()

    assert faults(tmp_path, GOOD, check_files=True) == [
        (1, "genesis"),
        (5, "tls.certificate"),
        (8, "validator.keystore"),
        (9, "validator.passphrase_file"),
        (16, "network.observers.exchange"),
    ]


def test_named_file_that_the_system_does_not_let_one_look_for_is_a_fault(tmp_path: Path) -> None:
    """As in a folder that one may not enter; a name of this length is refused to root too."""
    text = GOOD.replace("/run/secrets/passphrase", "p" * 300)

    with pytest.raises(ConfigError, match=r"passphrase_file: .*: File name too long"):
        load(tmp_path, text, check_files=True)


def test_a_missing_or_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "bytes.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigError, match="larger than"):
        load_config(tmp_path / "huge.toml")


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        GOOD,
        environment={
            "KHAZANA_RPC__LISTEN": "127.0.0.1:0",
            "KHAZANA_MEMPOOL__TRANSACTIONS_MAX": "12",
            "KHAZANA_CONFIG": "ours to ignore",
            "OTHER": "x",
        },
    )

    assert config.rpc.listen == Endpoint("127.0.0.1", 0)
    assert config.mempool.transactions_max == 12


def test_a_fault_of_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD, environment={"KHAZANA_RPC__LISTEN": "x"})

    assert str(caught.value).startswith("environment: KHAZANA_RPC__LISTEN: found 'x'")


@pytest.mark.parametrize("text", ["h:1", "h-1.example:65535", "10.0.0.1:26600", "[::1]:80"])
def test_an_endpoint_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_endpoint(text)) == text


@pytest.mark.parametrize("text", ["", "h", ":1", "h:", "h:65536", "::1:80", "[x]:1", "-h:1", 5])
def test_no_endpoint_is_read_from(text: object) -> None:
    with pytest.raises(ValueError, match=r"endpoint|expected|no "):
        parse_endpoint(text)


# Listeners for clients.


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ('role = "king"', 6, "'closed', 'public', 'participant' or 'operator'"),
        ('certificate = "c"', 5, "certificate and key go together"),
        ('client_authority = "c"', 5, "needs the listener's own certificate"),
        ('client_revocations = "c"', 5, "needs the client_authority that signed them"),
        ('origins = ["desk.example"]', 6, "found 'desk.example'"),
        ('origins = ["https://desk.example/"]', 6, "found 'https://desk.example/'"),
        ('[rpc.listeners.Public]\nlisten = "h:1"', 6, "Public"),
        ("[rpc.listeners.public]", 6, "missing"),
        ('[rpc.listeners.public]\nlisten = "127.0.0.1:7"\nkey = "k"', 6, "go together"),
        ('listeners.public.listen = "127.0.0.1:7"\n[network]\nlisten = "127.0.0.1:7"', 6, "taken"),
    ],
)
def test_listener_that_cannot_be_is_refused_where_it_stands(
    tmp_path: Path, lines: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'name = "a"\n[tls]\nkey = "k"\ncertificate = "c"\n[rpc]\n{lines}\n')

    (fault,) = caught.value.faults
    assert fault.line == line
    assert said in str(fault)


def test_listeners_are_named_with_what_they_answer(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        GOOD
        + """
[rpc.listeners.everyone]
listen = "0.0.0.0:26681"
role = "public"
[rpc.listeners.operations]
listen = "0.0.0.0:26682"
certificate = "operations.pem"
key = "operations.key"
client_authority = "authority.pem"
client_revocations = "revoked.pem"
""",
    )

    found = [(".".join(key), str(each.listen), each.role) for key, each in listeners_of(config.rpc)]
    assert found == [
        ("rpc", str(config.rpc.listen), Role.OPERATOR),
        ("rpc.listeners.everyone", "0.0.0.0:26681", Role.PUBLIC),
        ("rpc.listeners.operations", "0.0.0.0:26682", Role.OPERATOR),
    ]
    operations = config.rpc.listeners["operations"]
    assert operations.client_authority == tmp_path / "authority.pem"
    assert operations.client_revocations == tmp_path / "revoked.pem"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u@h/d",
        "postgresql://user@host",
        "postgresql://user:secret@host/name",
        "postgresql://user@host/name?password=secret",
        "postgresql://user@host:x/name",
        "yes",
    ],
)
def test_an_index_is_nowhere_else_and_its_password_in_a_file(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, GOOD + f'[index]\ndatabase = "{text}"\n') == [(18, "index.database")]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD + f'[index]\ndatabase = "{text}"\n')
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'server = "host:4222"',
        'server = "http://host:4222"',
        'server = "nats://host"',
        'server = "nats://host:0"',
        'server = "nats://khazana:secret@host:4222"',
    ],
)
def test_a_stream_is_at_a_server_and_its_password_in_a_file(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, GOOD + f"[stream]\n{text}\n") == [(18, "stream.server")]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD + f"[stream]\n{text}\n")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        "gaps = true",
        'server = "nats://host:4222"\nuser = "khazana"',
        'server = "nats://host:4222"\nauthority = "ca.pem"',
        'server = "tls://host:4222"\ncertificate = "own.pem"',
        'server = "nats://h:1"\nuser = "a"\npassword_file = "b"\ncredentials_file = "c"',
    ],
)
def test_settings_of_a_stream_go_together(tmp_path: Path, lines: str) -> None:
    assert faults(tmp_path, GOOD + f"[stream]\n{lines}\n") == [(17, "stream")]


def test_a_stream_may_be_behind_tls_and_a_password(tmp_path: Path) -> None:
    lines = (
        'server = "tls://host:4222"\nname = "ledger"\nprefix = "bank.Ledger_2"\n'
        'user = "khazana"\npassword_file = "secret"\n'
        'authority = "ca.pem"\ncertificate = "own.pem"\nkey = "own.key"\n'
    )

    stream = load(tmp_path, GOOD + "[stream]\n" + lines).stream

    assert (stream.server, stream.name) == ("tls://host:4222", "ledger")
    assert stream.prefix == "bank.Ledger_2"
    assert (stream.password_file, stream.key) == (tmp_path / "secret", tmp_path / "own.key")
    assert load(tmp_path, GOOD).stream.server is None


@pytest.mark.parametrize(
    "text", ["", ".a", "a.", "a..b", "a.>", "a.*", "$JS.API", "a b", "a" * 129]
)
def test_a_prefix_of_subjects_is_words_with_points_between(tmp_path: Path, text: str) -> None:
    lines = f'server = "nats://host:4222"\nprefix = "{text}"\n'
    assert faults(tmp_path, GOOD + f"[stream]\n{lines}") == [(19, "stream.prefix")]


def test_a_missing_file_of_credentials_is_found_before_the_node_runs(tmp_path: Path) -> None:
    lines = 'server = "nats://host:4222"\ncredentials_file = "missing.creds"\n'
    found = faults(tmp_path, GOOD + f"[stream]\n{lines}", check_files=True)
    assert (19, "stream.credentials_file") in found


def test_an_index_may_be_on_a_server(tmp_path: Path) -> None:
    server = '[index]\ndatabase = "postgresql://user@host:5433/name"\npassword_file = "secret"\n'

    assert load(tmp_path, GOOD + server).index.password_file == tmp_path / "secret"
    assert load(tmp_path, GOOD).index.database == "auto"
    local = '[index]\npassword_file = "secret"\n'
    assert faults(tmp_path, GOOD + local) == [(17, "index")]
