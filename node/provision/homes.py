"""The home folder of a node: where everything in it stands, and the writing of a new one.

    node.toml               the configuration; every path in it is relative to the home
    genesis.json            the facts of the network
    amendments/NNN.amendment    amendments of its validator set, if there was ever one
    keys/consensus.json     the encrypted key that votes (a validator with a key of its own)
    keys/passphrase         its passphrase, unless the configuration names another file
    keys/tls.pem            the key of the certificate, mode 0600
    keys/tls.der            the certificate, which validators show to the ledger
    observers/NAME.der      certificates of the observers that may connect
    data/                   the database and the log of consensus; the control socket while it runs

A home is written whole beside its place and then renamed: there is no half-made home.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CONFIG_FILE: Final = "node.toml"
GENESIS_FILE: Final = "genesis.json"
KEYSTORE_FILE: Final = "keys/consensus.json"
PASSPHRASE_FILE: Final = "keys/passphrase"
TLS_KEY_FILE: Final = "keys/tls.pem"
TLS_CERTIFICATE_FILE: Final = "keys/tls.der"
OBSERVERS_FOLDER: Final = "observers"
DATA_FOLDER: Final = "data"
DRAFT: Final = ".draft"
NETWORK_LISTEN: Final = "0.0.0.0:26600"
RPC_LISTEN: Final = "127.0.0.1:26680"


class HomeExists(Exception):
    """There is something at the place of a new home.

    Attributes:
        home: that place.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(f"{home} is there already and is no empty folder")
        self.home = home


class HomeUnwritable(Exception):
    """A new home cannot be written where it is to be.

    Attributes:
        home: that place.
    """

    def __init__(self, home: Path, error: OSError) -> None:
        super().__init__(f"{home} cannot be written: {error.strerror or error}")
        self.home = home


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What a node's configuration says, as far as it is not a default."""

    name: str
    network_listen: str = NETWORK_LISTEN
    rpc_listen: str = RPC_LISTEN
    peers: Mapping[str, str] = field(default_factory=dict)
    """Validator to "host:port", without the node itself."""
    observers: tuple[str, ...] = ()
    """Names; each has its certificate in the folder of observers."""
    development_key: str | None = None
    """Label of the development key that votes."""
    passphrase_file: str | None = None
    """Of the keystore in the home. A node with neither key is an observer."""
    log_format: str = "console"
    index: bool = False
    """Keep an index, where the default would be none."""
    development_network: str | None = None
    """Folder of the network that the pages act on."""


def render_settings(settings: NodeSettings) -> str:
    """Return the text of node.toml."""
    lines = [
        f"# Node {settings.name} of a Khazana network. Settings that are not here have their",
        "# defaults: `khazana config show` prints them all.",
        f'name = "{settings.name}"',
        f'genesis = "{GENESIS_FILE}"',
        f'data_dir = "{DATA_FOLDER}"',
        "",
        "[tls]",
        f'key = "{TLS_KEY_FILE}"',
        f'certificate = "{TLS_CERTIFICATE_FILE}"',
    ]
    if settings.development_key is not None:
        lines += [
            "",
            "[validator]",
            "# Known to everybody: accepted only where the genesis says development.",
            f'development_key = "{settings.development_key}"',
        ]
    elif settings.passphrase_file is not None:
        lines += [
            "",
            "[validator]",
            f'keystore = "{KEYSTORE_FILE}"',
            f'passphrase_file = "{settings.passphrase_file}"',
        ]
    lines += ["", "[network]", f'listen = "{settings.network_listen}"']
    if settings.peers:
        lines += ["", "[network.peers]"]
        lines += [f'{name} = "{place}"' for name, place in sorted(settings.peers.items())]
    if settings.observers:
        lines += ["", "[network.observers]"]
        lines += [
            f'{name} = "{OBSERVERS_FOLDER}/{name}.der"' for name in sorted(settings.observers)
        ]
    lines += ["", "[rpc]", f'listen = "{settings.rpc_listen}"']
    if settings.index:
        lines += ["", "[index]", 'database = "sqlite"']
    if settings.development_network is not None:
        lines += [
            "",
            "[development]",
            "# Faucet, travel and demonstrations on the pages, for browsers of this machine.",
            f'network = "{settings.development_network}"',
        ]
    if settings.log_format != "console":
        lines += ["", "[log]", f'format = "{settings.log_format}"']
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHome:
    """Everything that a new home holds."""

    settings: NodeSettings
    tls_key_pem: bytes = field(repr=False)
    tls_certificate: bytes
    """DER."""
    genesis: bytes | None
    """The text of genesis.json; None while the network is still being agreed upon."""
    observer_certificates: Mapping[str, bytes] = field(default_factory=dict)
    consensus_seed: bytes | None = field(default=None, repr=False)
    """32 bytes, stored encrypted; None for a development key, or for an observer."""
    passphrase: str | None = field(default=None, repr=False)
    keep_passphrase: bool = False
    """Write the passphrase beside the keystore: for networks that are not worth protecting."""


def write_home(home: Path, new: NewHome) -> None:
    """Write a new home folder.

    Raises:
        HomeExists: the folder is there and not empty.
        HomeUnwritable: the disk is full, or the folder somebody else's, or its like.
    """
    try:
        _write_home(home, new)
    except OSError as error:
        raise HomeUnwritable(home, error) from None


def _write_home(home: Path, new: NewHome) -> None:
    if home.exists() and (not home.is_dir() or any(e.name != DRAFT for e in home.iterdir())):
        raise HomeExists(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = home / DRAFT if home.exists() else home.with_name(f".{home.name}{DRAFT}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        _fill(draft, new)
        _publish(draft, home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(folder: Path, new: NewHome) -> None:
    (folder / "keys").mkdir(mode=0o700)
    write_secret(folder / TLS_KEY_FILE, new.tls_key_pem)
    (folder / TLS_CERTIFICATE_FILE).write_bytes(new.tls_certificate)
    if new.consensus_seed is not None:
        # Imported here: Argon2id and its library are not needed to read a home.
        from node.keys.keystore import store_key

        assert new.passphrase is not None
        store_key(folder / KEYSTORE_FILE, new.consensus_seed, new.passphrase, purpose="consensus")
        if new.keep_passphrase:
            write_secret(folder / PASSPHRASE_FILE, new.passphrase.encode())
    if new.observer_certificates:
        (folder / OBSERVERS_FOLDER).mkdir()
    for name, certificate in new.observer_certificates.items():
        (folder / OBSERVERS_FOLDER / f"{name}.der").write_bytes(certificate)
    if new.genesis is not None:
        (folder / GENESIS_FILE).write_bytes(new.genesis)
    _bear_log(folder, new)
    (folder / CONFIG_FILE).write_text(render_settings(new.settings))


def _bear_log(folder: Path, new: NewHome) -> None:
    """Say in a validator's log that it was born with its key, which has signed nothing yet.

    Without it the node would have to hear that every other validator stands at the genesis: a
    network could not begin with one of them away (`node.replica.join`).
    """
    # Imported here: reading a home needs no running node.
    from node.app import consensus_log_path
    from node.genesis import parse_genesis
    from node.keys import LocalSigner
    from node.keys.development import development_signer
    from node.replica import write_birth
    from node.storage import open_consensus_log

    if new.consensus_seed is not None:
        signer = LocalSigner(new.consensus_seed)
    elif new.settings.development_key is not None:
        signer = development_signer(f"{new.settings.development_key}/consensus")
    else:
        return
    write_birth(
        open_consensus_log(consensus_log_path(folder / DATA_FOLDER)),
        name=new.settings.name,
        public_key=signer.public_key,
        network=None if new.genesis is None else parse_genesis(new.genesis.decode()).hash,
    )


def _publish(draft: Path, home: Path) -> None:
    if draft.parent != home:
        draft.rename(home)
        return
    # A mounted, empty folder cannot be replaced. The configuration moves last: without it a folder
    # is not a home.
    for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == CONFIG_FILE):
        entry.rename(home / entry.name)


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
