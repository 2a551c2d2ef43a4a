"""The log: event first, bytes as hex, one object a line for machines, no global state."""

import io
import json

import structlog

from node.clock import ManualClock
from node.log import open_log, silent_log


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
