"""`khazana calendar list`: the calendars on the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from node.cli.asking import ask_all
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table


@click.command("list")
@url_option
@timeout_option(10)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """List the calendars on the ledger: name, version, number of holidays, title.

    \b
    Example:
      khazana calendar list
    """
    ask_all(url, timeout_s, "khz_calendars", "calendars", as_json=as_json, text=_text)


def _text(calendars: Sequence[Mapping[str, Any]]) -> str:
    names = ("calendar", "version", "holidays", "title")
    return table([tuple(each[name] for name in names) for each in calendars], head=names)
