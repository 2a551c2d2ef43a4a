"""The log: event first, bytes as hex, one object a line for machines, no global state."""

import contextlib
import errno
import io
import json
import os
from pathlib import Path

import structlog
from typing_extensions import override

from node.clock import ManualClock
from node.log import Sparing, open_log, silent_log


def test_a_console_line_has_time_level_event_and_values() -> None:
    stream = io.StringIO()
    log = open_log(stream, now_ms=ManualClock(1_600_000_000_123).now_ms, node="a")

    log.info("decided", height=12, block=b"\xab\x12")

    assert stream.getvalue() == (
        "2020-09-13T12:26:40.123Z [info     ] decided node=a height=12 block=ab12\n"
    )


def test_a_json_line_is_one_object() -> None:
    stream = io.StringIO()
    log = open_log(stream, now_ms=ManualClock(0).now_ms, form="json").bind(part="sync")

    try:
        raise ValueError("no")
    except ValueError:
        log.exception("peer failed")

    line = json.loads(stream.getvalue())
    assert line["event"] == "peer failed"
    assert line["part"] == "sync"
    assert "ValueError: no" in line["exception"]


def test_a_level_hides_what_is_below_it_and_loggers_do_not_share_it() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    clock = ManualClock()

    open_log(quiet, now_ms=clock.now_ms, level="warning").info("hidden")
    open_log(loud, now_ms=clock.now_ms, level="debug").debug("shown")
    silent_log().error("nowhere")

    assert quiet.getvalue() == ""
    assert "shown" in loud.getvalue()
    assert not structlog.is_configured()


class Disk(io.StringIO):
    """A file whose disk may be full."""

    full = False

    @override
    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def test_lines_that_strangers_cause_are_bounded_and_the_rest_is_counted() -> None:
    stream = io.StringIO()
    sparing = Sparing(open_log(stream, now_ms=ManualClock(0).now_ms), at_once=3, every_s=10.0)

    for number in range(60_000):  # A thousand a second for a minute.
        sparing.info(1_000 + number / 1000, "turned away", number=number)
    sparing.info(2_000.0, "turned away", number=60_000)

    lines = stream.getvalue().splitlines()
    told = [int(line.partition("number=")[2].split()[0]) for line in lines]
    assert told == [0, 1, 2, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    assert "left_out" not in lines[2]
    left_out = sum(int(line.partition("left_out=")[2]) for line in lines if "left_out" in line)
    assert len(lines) + left_out == 60_001


def test_lines_that_find_no_room_are_dropped_and_counted_not_raised() -> None:
    disk = Disk()
    log = open_log(disk, now_ms=ManualClock().now_ms)
    log.info("first")
    disk.full = True

    log.info("lost")
    log.error("lost too")
    disk.full = False
    log.info("last")

    first, told, last = disk.getvalue().splitlines()
    assert "first" in first
    assert told == "2 lines of the log could not be written"
    assert "last" in last


def test_a_log_on_a_full_disk_stops_nobody() -> None:
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:
        log = open_log(full, now_ms=ManualClock().now_ms)
        for number in range(100):
            log.warning("nobody reads this", number=number, padding="x" * 200)
