"""Where a node's API keys are."""

from pathlib import Path

from node.cli.exits import CommandError, Exit
from node.cli.output import note

FILE_NAME = "api-keys.toml"


def keys_file(home: Path) -> Path:
    """Return the file that the node's configuration names, or the usual one; say what is to be set.

    Raises:
        ConfigError: the configuration cannot be used.
        CommandError: there is no node.
    """
    from node.config import load_config
    from node.provision.homes import CONFIG_FILE

    if not (home / CONFIG_FILE).is_file():
        raise CommandError(
            Exit.CONFIGURATION,
            f"{home}: no node's home: it has no {CONFIG_FILE}",
            advice="Name the folder with --home, or make one with `khazana init`.",
        )
    named = load_config(home / CONFIG_FILE, check_files=False).rpc.api_keys
    if named is not None:
        return named
    note(
        f'The node does not read {FILE_NAME} yet: write api_keys = "{FILE_NAME}" under [rpc] of'
        f" {home / CONFIG_FILE}, and start it again."
    )
    return home / FILE_NAME
