"""Which keys sign: key files with their passphrases, or development keys."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from node.cli.exits import CommandError, Exit
from node.cli.passphrases import obtain_passphrase

if TYPE_CHECKING:
    from node.keys import LocalSigner

Command = TypeVar("Command", bound=Callable[..., Any])


def signing_options(command: Command) -> Command:
    """Give a command `--key`, `--passphrase-file` and `--development`; see `load_signers`."""
    for option in (
        click.option(
            "--development",
            multiple=True,
            metavar="LABEL",
            help="Sign with a development key; once for each.",
        ),
        click.option(
            "--passphrase-file",
            "passphrase_files",
            multiple=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="Passphrase of a --key, in the same order; without it you are asked.",
        ),
        click.option(
            "--key",
            "keys",
            multiple=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="Sign with the key in this file; once for each.",
        ),
    ):
        command = option(command)
    return command


def load_signers(
    keys: tuple[Path, ...], passphrase_files: tuple[Path, ...], development: tuple[str, ...]
) -> "list[LocalSigner]":
    """Return the signers that the options name, asking for passphrases where no file is given.

    Raises:
        CommandError: none is named, or a label has no development key.
        KeysError: a key file cannot be opened.
    """
    from node.keys.development import development_signer
    from node.keys.keystore import load_key

    if not keys and not development:
        raise CommandError(
            Exit.USAGE,
            "a transaction needs a signature",
            advice="Name a key file with --key, or on a development network --development LABEL.",
        )
    signers = []
    for number, path in enumerate(keys):
        file = passphrase_files[number] if number < len(passphrase_files) else None
        passphrase = obtain_passphrase(file, of=str(path))
        signers.append(load_key(path, passphrase, purpose="account"))
    for label in development:
        try:
            signers.append(development_signer(label))
        except KeyError:
            raise CommandError(
                Exit.USAGE,
                f"no development key has the label {label!r}",
                advice="`khazana keys development` lists them.",
            ) from None
    return signers
