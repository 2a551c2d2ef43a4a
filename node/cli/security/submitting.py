"""What the commands of the group that submit have in common: their options, and the submission."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options

Handler: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """How an operation is signed and handed in."""

    keys: tuple[Path, ...]
    passphrase_files: tuple[Path, ...]
    development: tuple[str, ...]
    memo: str
    valid_for_s: float
    url: str
    timeout_s: float
    as_json: bool

    def send(self, operation: Mapping[str, object]) -> None:
        """Build, sign and submit an operation; print the receipt."""
        from node.cli.tx.submitting import send

        send(
            [dict(operation)],
            load_signers(self.keys, self.passphrase_files, self.development),
            url=self.url,
            timeout_s=self.timeout_s,
            memo=self.memo,
            valid_for_s=self.valid_for_s,
            as_json=self.as_json,
        )


_MEMBERS = tuple(Submission.__dataclass_fields__)


def submission_options(handler: Handler) -> Handler:
    """Give a command the options of signing and submitting; it is handed them as a `Submission`."""

    @wraps(handler)
    def gathered(**values: Any) -> Any:
        told = {name: values.pop(name) for name in _MEMBERS}
        return handler(submission=Submission(**told), **values)

    whole: Handler = gathered
    for option in (
        json_option,
        timeout_option(60),
        url_option,
        building_options,
        signing_options,
    ):
        whole = option(whole)
    return whole


def office_options(handler: Handler) -> Handler:
    """Give a command `--account` and `--approver`, of the offices behind it."""
    for option in (
        click.option(
            "--approver",
            "approvers",
            multiple=True,
            help="Address of another office that has to stand behind it; once for each.",
        ),
        click.option("--account", required=True, help="Address of the office that acts."),
    ):
        handler = option(handler)
    return handler
