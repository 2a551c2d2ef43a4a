"""`khazana access create`: a new API key."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from node.cli.access.files import keys_file
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option, note


@click.command()
@click.argument("name")
@home_option
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "submit", "operate"]),
    multiple=True,
    default=["read"],
    show_default=True,
    help="What it opens; once for each.",
)
@click.option(
    "--calls-per-s",
    type=click.IntRange(1, 10_000_000),
    help="Its own rate instead of that of any address.",
)
@click.option(
    "--expires",
    metavar="DAY",
    help="The day from whose beginning (UTC) it opens nothing, such as 2030-06-30.",
)
@json_option
def command(
    name: str,
    home: Path,
    scopes: tuple[str, ...],
    calls_per_s: int | None,
    expires: str | None,
    *,
    as_json: bool,
) -> None:
    """Make an API key for NAME, and print it: it is not kept and cannot be printed again.

    A running node knows it a second later.

    \b
    Example:
      khazana access create exchange-one --scope read --scope submit --calls-per-s 2000
    """
    from node.access import (
        API_KEYS_MAX,
        ApiKey,
        Scope,
        editing_api_keys,
        hash_of,
        make_api_key,
    )

    day = None if expires is None else _day_of(expires)
    path = keys_file(home)
    text = make_api_key(name)
    with editing_api_keys(path) as keys:
        if name in keys:
            raise CommandError(
                Exit.REFUSED,
                f"there is a key named {name} already",
                advice=f"Choose another name, or `khazana access revoke {name}` first.",
            )
        if len(keys) >= API_KEYS_MAX:
            raise CommandError(
                Exit.REFUSED,
                f"{path} holds {len(keys)} keys, the most it may",
                advice="Take back one that nobody uses: `khazana access list` shows them, `khazana"
                " access revoke NAME` does it.",
            )
        keys[name] = ApiKey(
            sha256=hash_of(text),
            scopes=tuple(sorted({Scope(scope) for scope in scopes})),
            calls_per_s_max=calls_per_s,
            expires=None if day is None else datetime.combine(day, time(), UTC),
        )
    note("Hand this to its owner now; only its hash is kept.")
    emit({"name": name, "api_key": text, "file": str(path)}, text, as_json=as_json)


def _day_of(text: str) -> date:
    """Return the day from which a key is to open nothing.

    Raises:
        CommandError: it is no day, or the key would be dead when it is made.
    """
    from node.clock import SystemClock
    from node.ledger.dates import DatesError, parse_date

    try:
        day = parse_date(text)
    except DatesError as error:
        raise CommandError(
            Exit.USAGE,
            f"--expires: {error}",
            advice="Write the last day that it opens on, such as --expires 2027-06-30, or leave it"
            " out.",
        ) from None
    today = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date()
    if day <= today:
        raise CommandError(
            Exit.USAGE,
            f"--expires is {text}, and it is {today} (UTC): the key would open nothing",
            advice="Name a day after today, or leave it out: without it the key opens until it is"
            " revoked.",
        )
    return day
