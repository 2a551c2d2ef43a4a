"""Which database a configuration means. The libraries are imported here, by who has an index."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.config import POSTGRESQL_URL, NodeConfig
from node.index.errors import IndexUnusable

if TYPE_CHECKING:
    from node.index.database import Database

INDEX_FILE: Final = "index.sqlite"
"""In the folder of the node's data."""


def is_wanted(config: NodeConfig) -> bool:
    """Whether this node is to have an index."""
    match config.index.database:
        case "off":
            return False
        case "auto":
            return config.validator is None
        case _:
            return True


def database_of(config: NodeConfig) -> "Database":
    """Return the database of a node that has an index, not open yet.

    Raises:
        IndexUnusable: its library is not installed, or the password cannot be read.
    """
    setting = config.index
    if not setting.database.startswith(POSTGRESQL_URL):
        from node.index.sqlite import SqliteDatabase

        return SqliteDatabase(config.data_dir / INDEX_FILE)
    try:
        from node.index.postgres import PostgresDatabase
    except ImportError as error:
        raise IndexUnusable(
            f"an index in PostgreSQL needs asyncpg ({error}): pip install 'khazana[postgres]'"
        ) from None
    return PostgresDatabase(setting.database, _password(setting.password_file))


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise IndexUnusable(f"the password file {path} cannot be read: {error}") from None
