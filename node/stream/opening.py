"""Which stream a configuration means. The library is imported here, by who publishes."""

from pathlib import Path
from typing import TYPE_CHECKING

from node.config import NodeConfig
from node.genesis import Genesis
from node.stream.credentials import CREDENTIALS_SIZE_MAX, Credentials, parse_credentials
from node.stream.errors import StreamUnusable
from node.stream.messages import Naming

if TYPE_CHECKING:
    from node.stream.link import Link


def is_wanted(config: NodeConfig) -> bool:
    """Whether this node is to publish."""
    return config.stream.server is not None


def naming_of(config: NodeConfig, genesis: Genesis) -> Naming:
    """Return how messages and stream are named."""
    setting = config.stream
    return Naming(genesis.name, genesis.hash, stream=setting.name, prefix=setting.prefix)


def link_of(config: NodeConfig, genesis: Genesis) -> "Link":
    """Return the way to the stream of a node that publishes, not open yet.

    Raises:
        StreamUnusable: the library is not installed, or the file of a password or of credentials
            cannot be used.
    """
    setting = config.stream
    assert setting.server is not None
    try:
        from node.stream.link import Link, LinkSettings
    except ImportError as error:
        raise StreamUnusable(
            f"publishing to NATS needs nats-py ({error}): pip install 'khazana[nats]'"
        ) from None
    settings = LinkSettings(
        server=setting.server,
        user=setting.user,
        password=_password(setting.password_file),
        credentials=(
            None if setting.credentials_file is None else credentials_in(setting.credentials_file)
        ),
        authority=setting.authority,
        certificate=setting.certificate,
        key=setting.key,
    )
    return Link(settings, naming_of(config, genesis))


def credentials_in(path: Path) -> Credentials:
    """Return what a file of credentials holds.

    Raises:
        StreamUnusable: it cannot be read, or is none; names the file.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(CREDENTIALS_SIZE_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise StreamUnusable(f"the credentials file {path} cannot be read: {error}") from None
    if len(text) > CREDENTIALS_SIZE_MAX:
        raise StreamUnusable(
            f"the credentials file {path} has more than {CREDENTIALS_SIZE_MAX} characters"
        )
    try:
        return parse_credentials(text)
    except StreamUnusable as error:
        raise StreamUnusable(f"the credentials file {path} has {error}") from None


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise StreamUnusable(f"the password file {path} cannot be read: {error}") from None
