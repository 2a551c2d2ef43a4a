"""The node's local settings: a TOML file becomes a frozen `NodeConfig`, or all its faults at once.

What belongs here is what may differ from node to node: names of files, addresses, limits of this
machine. What must be the same everywhere (timeouts of consensus, block limits, cadence) stands in
the genesis, and a key for it here is refused with that advice. Secrets are named by file, never
written here.

A key `section.key` is overridden by the environment variable `KHAZANA_SECTION__KEY`; no other
module reads the environment. Relative paths start at the folder that the file lies in. Units stand
in the names: `_ms`, `_bytes`; limits end in `_max`.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import override

from node.access import Role

CONFIG_SIZE_MAX: Final = 1 << 20  # 1 MiB; a file of a hundred peers has some 10 KiB
KEEP_BLOCKS_MIN: Final = 1_000
"""A peer that was away for a few minutes of load still finds what it needs."""
POSTGRESQL_URL: Final = "postgresql://"
ENVIRONMENT_PREFIX: Final = "KHAZANA_"

# Keys that once were, or that other ledgers have, and where the matter is settled here. Extended
# when a key is renamed, so that an old file says what to write instead.
ELSEWHERE: Final[Mapping[str, str]] = {
    "moniker": "name",
    "home": "data_dir",
    "chain_id": "the genesis file, which names the network",
    "genesis_file": "genesis",
    "persistent_peers": "network.peers",
    "seeds": "network.peers",
    "consensus": "the genesis file: consensus parameters are the same at every node",
    "keystore": "validator.keystore",
    "priv_validator_key_file": "validator.keystore",
    "log_level": "log.level",
    "log_format": "log.format",
    "p2p": "network",
    "network.laddr": "network.listen",
    "rpc.laddr": "rpc.listen",
    "network.persistent_peers": "network.peers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a file, and where."""

    file: str
    line: int | None
    """Counted from 1; None where the fault has no place, as in the environment."""
    key: str
    """Dotted path of the setting, as one would look for it in the file."""
    message: str
    """What was found, what was expected, and what to do where that is known."""

    @override
    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(Exception):
    """A configuration that cannot be used.

    Attributes:
        faults: all of them, in the order of the file.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Endpoint(NamedTuple):
    """A host (name or address) and a port; 0 asks the system for a free one to listen on."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: object) -> Endpoint:
    """Return the endpoint written as "host:port", "1.2.3.4:port" or "[v6]:port".

    Raises:
        ValueError: anything else.
    """
    if isinstance(text, Endpoint):
        return text
    match = isinstance(text, str) and re.fullmatch(r"(\[[^\[\]]+\]|[^\[\]:]+):(\d{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise PydanticCustomError("endpoint", 'expected "host:port" with a port up to 65535')
    host = match[1]
    if host.startswith("["):
        try:
            host = str(ipaddress.IPv6Address(host[1:-1]))
        except ipaddress.AddressValueError:
            raise PydanticCustomError("endpoint", "no IPv6 address in the brackets") from None
    elif not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", host):
        raise PydanticCustomError("endpoint", "no host name or address before the colon")
    return Endpoint(host, int(match[2]))


def _dialable(endpoint: Endpoint) -> Endpoint:
    if endpoint.port == 0:
        raise PydanticCustomError("endpoint", "a peer's port cannot be 0")
    return endpoint


def _keep_blocks(count: int) -> int:
    if 0 < count < KEEP_BLOCKS_MIN:
        raise PydanticCustomError(
            "keep_blocks", f"expected 0, which keeps all, or at least {KEEP_BLOCKS_MIN}"
        )
    return count


def _block_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise PydanticCustomError("block_id", "expected 64 lower-case hexadecimal digits")
    return text


def _index_database(text: str) -> str:
    if text in {"auto", "off", "sqlite"}:
        return text
    expected = 'expected "auto", "off", "sqlite" or "postgresql://user@host:port/name"'
    if not text.startswith(POSTGRESQL_URL):
        raise PydanticCustomError("index_database", expected)
    try:
        parts = urlsplit(text)
        named = parts.path.strip("/"), parts.port
    except ValueError:
        raise PydanticCustomError("index_database", expected) from None
    if not named[0]:
        raise PydanticCustomError("index_database", "the address names no database; " + expected)
    if parts.password is not None or "password" in parts.query:
        raise PydanticCustomError(
            "secret", "a password does not belong here: put it into index.password_file"
        )
    return text


def _stream_server(text: str) -> str:
    expected = 'expected "nats://host:port", or "tls://host:port" for TLS'
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"nats", "tls"}:
        raise PydanticCustomError("stream_server", expected)
    if "@" in rest:
        raise PydanticCustomError(
            "secret", "who asks does not belong here: say stream.user and stream.password_file"
        )
    try:
        port = parse_endpoint(rest).port
    except PydanticCustomError:
        raise PydanticCustomError("stream_server", expected) from None
    if port == 0:
        raise PydanticCustomError("stream_server", expected)
    return text


def _words(value: object) -> object:
    """Return the words of a text: a variable of the environment holds no list."""
    return tuple(value.split()) if isinstance(value, str) else value


def _resolved(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    try:
        return path if folder is None else Path(os.path.normpath(folder / path.expanduser()))
    except RuntimeError:
        raise PydanticCustomError("path", "there is no user of this name") from None


Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", min_length=1, max_length=32)
]
ListenAddress = Annotated[Endpoint, BeforeValidator(parse_endpoint)]
PeerAddress = Annotated[Endpoint, BeforeValidator(parse_endpoint), AfterValidator(_dialable)]
HostNames = Annotated[tuple[str, ...], BeforeValidator(_words)]
FilePath = Annotated[Path, AfterValidator(_resolved)]
Origin = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[a-z0-9.\-\[\]:]+$", max_length=256),
]
"""As browsers write it: scheme, host in lower case, and the port where it is not the usual one."""
BlockIdText = Annotated[str, AfterValidator(_block_id)]
Count = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Milliseconds = Annotated[int, Field(strict=True, ge=1, le=86_400_000)]
StreamServer = Annotated[str, AfterValidator(_stream_server)]
IndexDatabase = Annotated[str, AfterValidator(_index_database)]
KeepBlocks = Annotated[int, AfterValidator(_keep_blocks), Field(strict=True, ge=0, le=1 << 62)]
Bytes = Annotated[int, Field(strict=True, ge=1024, le=1 << 40)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)


class LogConfig(_Section):
    """What is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"
    """One line for people, or one JSON object a line for machines."""


class NetworkConfig(_Section):
    """The peers, and what they may cost."""

    listen: ListenAddress = Endpoint("0.0.0.0", 26600)
    peers: Mapping[Name, PeerAddress] = Field(default_factory=dict)
    """Where each validator is dialled. Names are resolved anew at each dial: containers move.
    Who a peer is says its certificate, never its address."""
    observers: Mapping[Name, FilePath] = Field(default_factory=dict)
    """Certificates (DER or PEM) of the observers that may connect; nobody else gets in."""
    lane_bytes_max: Bytes = 4 << 20
    """Outgoing bytes that may wait for one peer in each of the three lanes."""
    frames_per_s_max: Count = 2_000
    """Frames of one peer, on average; beyond it the peer is read more slowly."""
    bytes_per_s_max: Bytes = 64 << 20
    handshakes_max: Count = 64
    """Inbound connections that have not shown an identity yet."""


class ListenerConfig(_Section):
    """One address at which clients are answered."""

    listen: ListenAddress
    role: Role = Role.OPERATOR
    """What is answered without an API key: "closed" nothing, "public" reads, "participant" reads
    and transactions, "operator" all, the metrics too."""
    certificate: FilePath | None = None
    """For TLS: PEM, with the certificates between it and an authority that clients know."""
    key: FilePath | None = None
    """Its private key, PEM, not encrypted."""
    client_authority: FilePath | None = None
    """For mutual TLS: PEM; clients without a certificate signed by it are turned away."""

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise PydanticCustomError("listener_tls", "certificate and key go together")
        if self.client_authority is not None and self.certificate is None:
            raise PydanticCustomError(
                "listener_tls", "client_authority needs the listener's own certificate and key"
            )
        return self


class RpcConfig(ListenerConfig):
    """What clients are answered, and where."""

    listen: ListenAddress = Endpoint("127.0.0.1", 26680)
    listeners: Mapping[Name, ListenerConfig] = Field(default_factory=dict)
    """More addresses, each with its own role."""
    api_keys: FilePath | None = None
    """File of the API keys that are good at every listener, written by `khazana access`."""
    origins: tuple[Origin, ...] = ()
    """Of pages on other hosts that may ask here, such as "https://desk.example"."""
    body_bytes_max: Bytes = 1 << 20
    """Of one JSON-RPC request or WebSocket message."""
    batch_max: Count = 100
    """Calls in one JSON-RPC batch."""
    submission_bytes_max: Bytes = 4 << 20
    """Of one `POST /transactions`."""
    submission_max: Count = 5_000
    """Transactions in one `POST /transactions`."""
    connections_max: Count = 2_048
    connections_per_address_max: Count = 512
    calls_per_s_max: Count = 500
    """Calls of one address, on average."""
    work_ms_per_s_max: Count = 250
    """Milliseconds of the node's processor that the calls and pages of one address take, on
    average, of 1,000 that its loop has."""
    subscribers_max: Count = 1_024
    wait_ms_max: Milliseconds = 60_000
    """The longest that a submission may wait for finality in one request."""
    waiters_max: Count = 100_000
    """Transactions that clients may wait for at one time, over all requests."""
    pages: bool = True
    """Whether the pages for people are served beside the interface."""
    hosts: HostNames = ()
    """Names under which clients may call beside addresses and `localhost`; "*" is any. In the
    environment: separated by spaces."""


class ValidatorConfig(_Section):
    """The key that votes. A node without this section observes."""

    keystore: FilePath | None = None
    """An encrypted keystore written by `khazana keys`."""
    passphrase_file: FilePath | None = None
    development_key: Name | None = None
    """Label of a printed development key, without its use: "central-bank" votes with the key
    central-bank/consensus. Only on a network whose genesis says development."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.keystore is None) == (self.development_key is None):
            raise PydanticCustomError(
                "one_key", "expected exactly one of keystore and development_key"
            )
        if self.keystore is not None and self.passphrase_file is None:
            raise PydanticCustomError("one_key", "a keystore needs passphrase_file beside it")
        return self


class TlsConfig(_Section):
    """This node's identity towards peers."""

    key: FilePath
    """Private key, PEM, mode 0600."""
    certificate: FilePath
    """Self-signed certificate, DER or PEM; for a validator the one on the ledger."""


class MempoolConfig(_Section):
    """Transactions that may wait here for a block."""

    transactions_max: Count = 20_000
    """At 2,000 a second, ten seconds of load."""
    bytes_max: Bytes = 32 << 20
    """Of their raw forms; the decoded ones take about four times as much again."""


class VerificationConfig(_Section):
    """Where the signatures of transactions are verified."""

    process: Literal["auto", "on", "off"] = "auto"
    """On: many at a time in a process of their own. Auto: where this node may use four
    processors or more; on: also where it has two to itself."""


class StorageConfig(_Section):
    """What is kept in memory of what is on disk."""

    records_cache_bytes: Bytes = 96 << 20
    """Decoded ledger records: some 200,000 accounts and holdings."""
    keep_blocks: KeepBlocks = 0
    """How many blocks to keep, with receipts and ids of transactions; 0 keeps all. More are kept
    while their transactions' ids are needed: two windows of validity (genesis), by block time."""


class SyncConfig(_Section):
    """How hard this node catches up."""

    fetches_max: Count = 4
    """Ranges asked for at one time."""
    range_blocks_max: Annotated[int, Field(strict=True, ge=1, le=256)] = 32
    buffer_bytes_max: Bytes = 64 << 20
    """Blocks fetched and not yet committed."""
    fetch_timeout_ms: Milliseconds = 5_000
    snapshot_interval: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] = 1_000
    """Heights from one snapshot that this node serves to the next; 0 serves none. The same on all
    nodes, so that a new one can take over from several at once."""
    trusted_height: Annotated[int, Field(strict=True, ge=1)] | None = None
    """With `trusted_block`: a node without data joins by a snapshot whose way from the genesis
    leads through this block. `khazana status --trust` prints the lines on a running node."""
    trusted_block: BlockIdText | None = None
    """The block's id, learnt from somebody you trust, not over this network."""
    trust_period_hours: Annotated[int, Field(strict=True, ge=1, le=87_600)] = 336
    """How old the trusted block may be when it is used: two weeks."""


class IndexConfig(_Section):
    """The index of history, holders and totals that pages and clients are answered from."""

    database: IndexDatabase = "auto"
    """`sqlite` is a file in `data_dir`; `postgresql://user@host:port/name` is a database on a
    server; `off` is none. `auto`: SQLite at a node that observes, none at one that votes."""
    password_file: FilePath | None = None
    """Of the user on the server; the first line counts."""

    @model_validator(mode="after")
    def _has_use(self) -> Self:
        if self.password_file is not None and not self.database.startswith(POSTGRESQL_URL):
            raise PydanticCustomError(
                "password_file", "password_file is for a database on a server; remove it"
            )
        return self


class StreamConfig(_Section):
    """The stream of NATS JetStream to which blocks and events are published."""

    server: StreamServer | None = None
    """`nats://host:4222`, or `tls://host:4222`; None: nothing is published."""
    name: Name | None = None
    """Of the stream; None: `khazana-` and the name of the network."""
    user: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    password_file: FilePath | None = None
    """Of the user; the first line counts."""
    credentials_file: FilePath | None = None
    """In their place, what NATS gives a user: a file `.creds`, or the seed of an nkey (`SU...`)."""
    authority: FilePath | None = None
    """PEM, for TLS: who has signed the server's certificate; None: whom this machine trusts."""
    certificate: FilePath | None = None
    """PEM, to be shown to a server that wants one."""
    key: FilePath | None = None
    """Its private key, PEM, not encrypted."""
    gaps: Annotated[bool, Field(strict=True)] = False
    """Where blocks that the stream has not seen are no longer kept here: say so in the stream and
    go on. False: publish nothing until a node that has them has published them."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.server is None and self.model_fields_set - {"server"}:
            raise PydanticCustomError("stream", "says how to publish, and not where: set server")
        if (self.user is None) != (self.password_file is None):
            raise PydanticCustomError("stream", "user and password_file go together")
        if self.credentials_file is not None and self.user is not None:
            raise PydanticCustomError(
                "stream", "user and credentials_file exclude each other: one of them signs in"
            )
        if (self.certificate is None) != (self.key is None):
            raise PydanticCustomError("stream", "certificate and key go together")
        if (self.authority or self.certificate) and not (self.server or "").startswith("tls:"):
            raise PydanticCustomError("stream", 'certificates are for a server at "tls://..."')
        return self


class ReplicaConfig(_Section):
    """The consensus loop of this node. Nothing here is visible to others but by its speed."""

    queue_max: Count = 4_096
    """Messages of peers that may wait; a full queue makes the peer wait."""
    resend_ms: Milliseconds = 750
    """First repetition of own messages while nothing changes; doubled each time."""
    resend_ms_max: Milliseconds = 8_000
    fetch_timeout_ms: Milliseconds = 300
    """How long one peer may take to answer for a proposal's missing transactions."""
    patience_ms: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 30
    """How long a transaction may be behind the proposal that names it before it is asked for."""


class DevelopmentConfig(_Section):
    """What the pages of a development network do when a browser asks for it: faucet, travel,
    demonstrations. Only where the genesis says development."""

    network: FilePath | None = None
    """Folder of the network on this machine, as `khazana devnet` makes it; without it the pages do
    nothing."""
    everywhere: bool = False
    """Whether browsers of other machines are served too. By default they find nothing there."""


class NodeConfig(_Section):
    """All local settings of one node."""

    name: Name
    """A validator's name on the ledger; an observer's own choice."""
    data_dir: FilePath = Path("data")
    genesis: FilePath = Path("genesis.json")
    amendments: FilePath = Path("amendments")
    """Folder of the amendments of the validator set that `khazana amendment install` has put in."""
    tls: TlsConfig
    validator: ValidatorConfig | None = None
    network: NetworkConfig = NetworkConfig()
    rpc: RpcConfig = RpcConfig()
    mempool: MempoolConfig = MempoolConfig()
    verification: VerificationConfig = VerificationConfig()
    storage: StorageConfig = StorageConfig()
    sync: SyncConfig = SyncConfig()
    index: IndexConfig = IndexConfig()
    stream: StreamConfig = StreamConfig()
    replica: ReplicaConfig = ReplicaConfig()
    development: DevelopmentConfig = DevelopmentConfig()
    log: LogConfig = LogConfig()


def listeners_of(rpc: RpcConfig) -> list[tuple[tuple[str, ...], ListenerConfig]]:
    """Return every address for clients, the first one first, with the key that it stands under."""
    more = [(("rpc", "listeners", name), each) for name, each in sorted(rpc.listeners.items())]
    return [(("rpc",), rpc), *more]


def load_config(
    path: Path, *, environment: Mapping[str, str] | None = None, check_files: bool = True
) -> NodeConfig:
    """Return the settings in this file, overridden by the environment.

    Args:
        environment: the process's own when None.
        check_files: also report named files that are not there.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or holds anything unknown, missing, of the
            wrong type or out of range; with all faults.
    """
    file = str(path)
    text, tree = read_toml(path, size_max=CONFIG_SIZE_MAX)
    lines = _lines(text)
    overridden = _override(tree, os.environ if environment is None else environment)
    tree.setdefault("data_dir", "data")
    tree.setdefault("genesis", "genesis.json")
    tree.setdefault("amendments", "amendments")
    faults: list[Fault] = []
    config: NodeConfig | None = None
    try:
        config = NodeConfig.model_validate(tree, context={"folder": path.absolute().parent})
    except ValidationError as error:
        faults += [_fault(file, lines, overridden, details) for details in error.errors()]
    if config is not None:
        faults += [
            _place(file, lines, overridden, key, message)
            for key, message in _conflicts(config, check_files=check_files)
        ]
    if faults or config is None:
        raise ConfigError(tuple(sorted(faults, key=lambda fault: fault.line or 0)))
    return config


def read_toml(path: Path, *, size_max: int) -> tuple[str, dict[str, Any]]:
    """Return the text of a TOML file, and what it says.

    Args:
        size_max: bytes; nothing is read beyond them.

    Raises:
        ConfigError: it cannot be read, is larger, or is no TOML.
    """
    file = str(path)
    try:
        with path.open("rb") as source:
            data = source.read(size_max + 1)
        if len(data) > size_max:
            raise ConfigError((_whole(file, f"larger than {size_max} bytes"),))
        text = data.decode()
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigError((_whole(file, f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError:
        raise ConfigError((_whole(file, "is not UTF-8"),)) from None
    except RecursionError:
        raise ConfigError((_whole(file, "is nested more deeply than any setting"),)) from None
    except ValueError as error:  # Besides tomllib's own, that of a number with thousands of digits.
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise ConfigError((Fault(file=file, line=line, key="", message=str(error)),)) from None


def _conflicts(config: NodeConfig, *, check_files: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with settings that are each fine alone."""
    if config.name in config.network.peers:
        yield ("network", "peers", config.name), "a node is not its own peer; remove the line"
    for name in sorted(config.network.peers.keys() & config.network.observers.keys()):
        yield ("network", "observers", name), "also a peer; a name is one or the other"
    taken = {config.network.listen: "network.listen"}
    for key, listener in listeners_of(config.rpc):
        if listener.listen.port != 0 and listener.listen in taken:
            other = taken[listener.listen]
            yield (*key, "listen"), f"{listener.listen} is already taken by {other}"
        taken.setdefault(listener.listen, ".".join((*key, "listen")))
    sync = config.sync
    if (sync.trusted_height is None) != (sync.trusted_block is None):
        yield ("sync",), "trusted_height and trusted_block go together; one of them is missing"
    if config.replica.resend_ms_max < config.replica.resend_ms:
        yield ("replica", "resend_ms_max"), "less than replica.resend_ms"
    if not check_files:
        return
    named: list[tuple[tuple[str, ...], Path | None]] = [
        (("genesis",), config.genesis),
        (("tls", "key"), config.tls.key),
        (("tls", "certificate"), config.tls.certificate),
    ]
    for key, listener in listeners_of(config.rpc):
        names = ("certificate", "key", "client_authority")
        named += [((*key, name), getattr(listener, name)) for name in names]
    if config.validator is not None:
        named.append((("validator", "keystore"), config.validator.keystore))
        named.append((("validator", "passphrase_file"), config.validator.passphrase_file))
    named.append((("rpc", "api_keys"), config.rpc.api_keys))
    named.append((("index", "password_file"), config.index.password_file))
    for name in ("password_file", "authority", "certificate", "key"):
        named.append((("stream", name), getattr(config.stream, name)))
    named += [(("network", "observers", n), p) for n, p in config.network.observers.items()]
    for key, path in named:
        if path is not None and not path.is_file():
            yield key, f"no such file: {path}"


def _override(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Write the environment's settings into the tree; return the variable behind each key."""
    variables: dict[tuple[str, ...], str] = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        key = tuple(variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
        if key[0] not in NodeConfig.model_fields:
            continue  # Other programs, and our own command line, may use the prefix.
        *parents, last = key
        table = tree
        for parent in parents:
            inner = table.setdefault(parent, {})
            if not isinstance(inner, dict):
                break
            table = inner
        else:
            text = environment[variable]
            table[last] = int(text) if re.fullmatch(r"\d{1,15}", text) else text
        variables[key] = variable
    return variables


def _fault(
    file: str,
    lines: Mapping[tuple[str, ...], int],
    overridden: Mapping[tuple[str, ...], str],
    details: Any,
) -> Fault:
    """Turn one of pydantic's findings into ours."""
    key = tuple(str(part) for part in details["loc"] if part != "[key]")
    match details["type"]:
        case "extra_forbidden":
            message = _unknown(key)
        case "missing":
            message = "missing"
        case "string_pattern_mismatch" | "string_too_short" | "string_too_long":
            message = (
                f"found {_shown(details['input'])}, expected 1 to 32 lower-case letters, digits "
                "and inner hyphens"
            )
        case "secret":
            message = str(details["msg"])  # what was found is not repeated
        case _:
            text = str(details["msg"]).removeprefix("Value error, ")
            message = f"found {_shown(details['input'])}: {text[:1].lower() + text[1:]}"
    return _place(file, lines, overridden, key, message)


def _place(
    file: str,
    lines: Mapping[tuple[str, ...], int],
    overridden: Mapping[tuple[str, ...], str],
    key: tuple[str, ...],
    message: str,
) -> Fault:
    dotted = ".".join(key)
    if key in overridden:
        return Fault(file="environment", line=None, key=overridden[key], message=message)
    # The nearest thing that is in the file: the key, or the table that it is missing from.
    near = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), 1)
    return Fault(file=file, line=near, key=dotted, message=message)


def _unknown(key: tuple[str, ...]) -> str:
    place = ELSEWHERE.get(".".join(key))
    if place is not None:
        return f"no such setting here; see {place}"
    model: Any = NodeConfig
    for part in key[:-1]:
        field = model.model_fields.get(part)
        annotation = None if field is None else field.annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        if model is None:
            return "no such setting"
    close = difflib.get_close_matches(key[-1], list(model.model_fields), n=1)
    known = ", ".join(model.model_fields)
    return f"no such setting; {f'did you mean {close[0]}?' if close else f'there are: {known}'}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _whole(file: str, message: str) -> Fault:
    return Fault(file=file, line=None, key="", message=message)


_KEY: Final = r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'"""
_DOTTED: Final = rf"((?:{_KEY})(?:\s*\.\s*(?:{_KEY}))*)"
_TABLE: Final = re.compile(rf"\s*\[\s*{_DOTTED}\s*\]")
_ASSIGNMENT: Final = re.compile(rf"\s*{_DOTTED}\s*=")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of each table and key. No library says it, so the text is scanned; a key
    inside an inline table has the line of the key that holds it.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _TABLE.match(line):
            table = _split(found[1])
            lines.setdefault(table, number)
        elif found := _ASSIGNMENT.match(line):
            lines.setdefault(table + _split(found[1]), number)
    return lines


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))
