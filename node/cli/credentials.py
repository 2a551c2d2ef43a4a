"""What the command line shows to nodes: an API key, and a certificate where a node wants one.

Options of `khazana` itself, before the command, or variables: they are the same for all commands.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from node.cli.exits import CommandError, Exit

Command = TypeVar("Command", bound=Callable[..., Any])

API_KEY_SIZE_MAX: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The files that hold them."""

    api_key_file: Path | None = None
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def settings(self) -> dict[str, Any]:
        """Return what a client is made with, beside the addresses.

        Raises:
            CommandError: a file cannot be used.
        """
        return {"api_key": self._api_key(), "ssl_context": self._ssl_context()}

    def _api_key(self) -> str | None:
        from node.access import key_name

        if self.api_key_file is None:
            return None
        try:
            with self.api_key_file.open("rb") as file:
                text = file.read(API_KEY_SIZE_MAX).decode("ascii", "replace").strip()
        except OSError as error:
            raise _unusable(f"{self.api_key_file}: {error.strerror}") from None
        if key_name(text) is None:
            raise _unusable(
                f"{self.api_key_file}: holds no API key, which begins with khz_ and a name"
            )
        return text

    def _ssl_context(self) -> ssl.SSLContext | None:
        if self.certificate is None and self.key is not None:
            raise _unusable(
                f"{self.key}: a key without its certificate", "Name that with --tls-certificate."
            )
        if self.authority is None and self.certificate is None:
            return None
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:  # An SSLError is an OSError.
            given = (self.authority, self.certificate, self.key)
            files = ", ".join(str(each) for each in given if each)
            raise _unusable(f"{files}: {self._fault(error)}") from None
        return context

    def _fault(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLError) and self.certificate is not None:
            if error.reason == "KEY_VALUES_MISMATCH":
                return "the key is not that of the certificate"
            # OpenSSL says of both a nonsense and a missing key: "PEM lib".
            text = self.certificate.read_bytes()
            if self.key is None and b" CERTIFICATE-" in text and b" KEY-" not in text:
                return "a certificate without its key, which --tls-key names"
        return f"not usable for TLS: {error}"


def credentials_options(command: Command) -> Command:
    """Give a group the options that name the files."""
    for name, variable, text in (
        ("key", "KHAZANA_CLIENT_KEY", "The private key of that certificate, PEM."),
        ("certificate", "KHAZANA_CLIENT_CERTIFICATE", "Shown to nodes that want one, PEM."),
        ("authority", "KHAZANA_CLIENT_AUTHORITY", "Who signed the nodes' certificates, PEM."),
    ):
        command = _file(f"--tls-{name}", name, variable, text)(command)
    return _file(
        "--api-key-file", "api_key_file", "KHAZANA_API_KEY_FILE", "The API key shown to nodes."
    )(command)


def credentials() -> Credentials:
    """Return what the person gave to the command that is running."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Credentials)
    return found or Credentials()


def _file(option: str, name: str, variable: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        option,
        name,
        type=click.Path(dir_okay=False, path_type=Path),
        envvar=variable,
        show_envvar=True,
        help=text,
    )


def _unusable(message: str, advice: str = "Name another file.") -> CommandError:
    return CommandError(Exit.CONFIGURATION, message, advice=advice)
