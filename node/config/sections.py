"""The settings of a node, section by section, each with its default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import override

from node.access import Role
from node.config.endpoints import Endpoint
from node.config.values import (
    POSTGRESQL_URL,
    BlockIdText,
    Bytes,
    Count,
    FilePath,
    HostNames,
    IndexDatabase,
    KeepBlocks,
    ListenAddress,
    Milliseconds,
    Name,
    Origin,
    PeerAddress,
    StreamServer,
    SubjectPrefix,
)


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
    client_revocations: FilePath | None = None
    """Lists of the certificates that this authority has revoked, PEM; who comes with one of these,
    or after the date that a list names for the next, is turned away."""

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise PydanticCustomError("listener_tls", "certificate and key go together")
        if self.client_authority is not None and self.certificate is None:
            raise PydanticCustomError(
                "listener_tls", "client_authority needs the listener's own certificate and key"
            )
        if self.client_revocations is not None and self.client_authority is None:
            raise PydanticCustomError(
                "listener_tls", "client_revocations needs the client_authority that signed them"
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
    prefix: SubjectPrefix | None = None
    """Of the subjects, up to 128 characters; None: `khazana.` and the name of the network."""
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
    _home: Path | None = PrivateAttr(None)

    @property
    def home(self) -> Path | None:
        """The folder of the file that it was read from, which commands take as `--home`; None: it
        was not read from a file."""
        return self._home

    @override
    def model_post_init(self, context: Any, /) -> None:
        self._home = (context or {}).get("folder")


def listeners_of(rpc: RpcConfig) -> list[tuple[tuple[str, ...], ListenerConfig]]:
    """Return every address for clients, the first one first, with the key that it stands under."""
    more = [(("rpc", "listeners", name), each) for name, each in sorted(rpc.listeners.items())]
    return [(("rpc",), rpc), *more]
