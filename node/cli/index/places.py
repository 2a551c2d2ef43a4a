"""What the commands about an index share: the database that a home's configuration means."""

from typing import TYPE_CHECKING

from node.cli.exits import CommandError, Exit
from node.cli.upkeep import Home

if TYPE_CHECKING:
    from node.index.database import Database


def index_of(place: Home) -> "Database":
    """Return the database of a home's index, not open yet.

    Raises:
        CommandError: the node has no index.
        IndexUnusable: its library is missing, or its password cannot be read.
    """
    from node.index import database_of, is_wanted

    if not is_wanted(place.config):
        raise CommandError(
            Exit.REFUSED,
            f"node {place.config.name} has no index: index.database is"
            f" {place.config.index.database!r}, and it votes"
            if place.config.index.database == "auto"
            else f"node {place.config.name} has no index: index.database is 'off'",
            advice='Set database = "sqlite" under [index] in its node.toml; an observer is the'
            " better place.",
        )
    return database_of(place.config)
