"""`khazana devnet time`: what time it is on the development network, and how its dates pass."""

import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from typing_extensions import override

from node.cli.devnet.place import root_option
from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option

if TYPE_CHECKING:
    from node.provision.local import LocalNetwork
    from node.provision.travelling import Passed

OFFSET: Final = "utc-offset-minutes"
TIMEOUT_S: Final = 10.0
SAY_EVERY_S: Final = 1.0
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([dhm])")
_FORMATS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")


class Span(click.ParamType[timedelta]):
    """A number of days, hours or minutes: 30d, 12h, 90m."""

    name = "span"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        found = _SPAN.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no span of time such as 30d, 12h or 90m", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command("time")
@root_option
@click.option(
    "--to",
    type=click.DateTime(_FORMATS),
    help="Let the dates pass up to the beginning of this day, or this minute, in local time.",
)
@click.option("--by", type=Span(), help="Let so much time pass: 30d, 12h, 90m.")
@json_option
def command(root: Path, to: datetime | None, by: timedelta | None, *, as_json: bool) -> None:
    """Print what time it is on the development network; with --to or --by, let its dates pass.

    All nodes are set ahead in step, from one local midnight to the next and to whatever is due on
    the ledger before, and make a block each time: holds and proposals expire, what was appointed
    for a day happens on it. Time never goes back. Only a network whose genesis says that it is for
    development can travel.

    \b
    Examples:
      khazana devnet time
      khazana devnet time --by 30d
      khazana devnet time --to $(date -d '45 days' +%F)
    """
    from node.provision.local import open_network

    if to is not None and by is not None:
        raise CommandError(
            Exit.USAGE, "either --to or --by", advice="One says where to, the other how far."
        )
    facts = asyncio.run(_run(open_network(root), to, by))
    lines = {
        "network time": facts["time"],
        "local day": facts["today"],
        "ahead of this machine": str(timedelta(milliseconds=facts["travelled_ms"])),
        "last block": f"{facts['height']}, {facts['head_time']}",
    }
    if facts["blocks"] is not None:
        lines["travelled"] = f"{facts['days']} days in {facts['blocks']} blocks"
    emit(facts, fields(lines), as_json=as_json)


async def _run(
    network: "LocalNetwork", to: datetime | None, by: timedelta | None
) -> dict[str, Any]:
    from node.control import ControlError, Refused
    from node.provision.travelling import NoBlock, NodesStopped, TooLate, time_of, travel

    try:
        begun = passed = await time_of(network)
        offset = await _offset_minutes(network)
        to_ms = _destination_ms(begun, to, by, offset)
        if to_ms is not None:
            passed = await travel(
                network, to_ms, utc_offset_minutes=offset, progress=_Progress(to_ms)
            )
    except TooLate as error:
        raise CommandError(
            Exit.REFUSED,
            str(error),
            advice="Each day on the way takes a block, and from there on other programs cannot"
            " write every time. Name an earlier day.",
        ) from None
    except NodesStopped as error:
        raise CommandError(
            Exit.UNREACHABLE, str(error), advice="Start them with `khazana devnet up`."
        ) from None
    except NoBlock as error:
        raise CommandError(
            Exit.UNREACHABLE, str(error), advice="See `khazana devnet status` and the logs."
        ) from None
    except Refused as error:
        raise CommandError(
            Exit.REFUSED,
            str(error),
            advice="`khazana devnet status` says how its nodes are, `khazana devnet logs NAME` why"
            " one does not go on; only a development network travels.",
        ) from None
    except ControlError as error:
        raise CommandError(
            Exit.UNREACHABLE,
            f"a node does not answer its operator: {error}",
            advice="Nodes of an older release cannot travel: stop and start them.",
        ) from None
    local = timezone(timedelta(minutes=offset))
    return {
        "time": _written(passed.now_ms),
        "today": f"{datetime.fromtimestamp(passed.now_ms / 1000, local):%Y-%m-%d}",
        "travelled_ms": passed.travelled_ms,
        "height": passed.height,
        "head_time": _written(passed.head_ms),
        "blocks": None if to_ms is None else passed.height - begun.height,
        "days": None if to_ms is None else (passed.head_ms - begun.head_ms) // 86_400_000,
    }


def _destination_ms(
    begun: "Passed", to: datetime | None, by: timedelta | None, offset: int
) -> int | None:
    """Return up to when the dates are to pass; None: they are not.

    Raises:
        CommandError: that is not after the present.
    """
    if by is not None:
        return begun.now_ms + by // timedelta(milliseconds=1)
    if to is None:
        return None
    moment = to.replace(tzinfo=timezone(timedelta(minutes=offset)))
    to_ms = int(moment.timestamp() * 1000)
    if to_ms <= begun.now_ms:
        raise CommandError(
            Exit.REFUSED,
            f"it is {_written(begun.now_ms)} on the network, not before"
            f" {to.isoformat(timespec='minutes')} in local time",
            advice="Time does not go back. `khazana devnet down --remove` ends the network; the"
            " next `khazana devnet up` begins another one today.",
        )
    return to_ms


async def _offset_minutes(network: "LocalNetwork") -> int:
    from node.client import Client

    async with asyncio.timeout(TIMEOUT_S), Client([n.url for n in network.validators]) as client:
        parameters = (await client.parameters()).value
    return next(each.value for each in parameters if each.name == OFFSET)


def _written(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


class _Progress:
    """Says on stderr how far the network is, where a person looks at it."""

    def __init__(self, to_ms: int) -> None:
        from node.clock import SystemClock

        self._clock = SystemClock()
        self._to_ms = to_ms
        self._said_s = self._clock.monotonic()
        self._wanted = sys.stderr.isatty()

    def __call__(self, passed: "Passed") -> None:
        now_s = self._clock.monotonic()
        if not self._wanted or now_s - self._said_s < SAY_EVERY_S:
            return
        self._said_s = now_s
        left = max(0, self._to_ms - passed.head_ms) // 86_400_000
        click.echo(f"{_written(passed.head_ms)}, block {passed.height}, {left} days left", err=True)
