"""A screen that is drawn again and again until somebody ends it.

On a terminal: its other screen, so that what was there comes back; each picture written as one,
over the last, so nothing flickers; `q`, Ctrl-C or a SIGTERM end it, and the terminal is left as it
was found, whatever happens. Elsewhere each picture is plain text below the last one, and only
Ctrl-C, a SIGTERM or the number of pictures asked for end it.
"""

import asyncio
import os
import re
import signal
import sys
import termios
import threading
import tty
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

SEQUENCE: Final = re.compile(rb"\x1b[\[O][0-9;?]*[ -/]*[@-~]")
"""What an arrow or another key of many bytes sends."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUIT: Final = frozenset(b"qQ\x04\x1b")
"""Keys that end it: q, Ctrl-D, Escape."""


async def show(
    look: Callable[[], Awaitable[None]],
    draw: Callable[[int], Sequence[Text]],
    *,
    every_s: float,
    times: int | None,
) -> None:
    """Look, draw, wait; again and again.

    Args:
        look: learns what is new. Not waited for longer than it takes; then the wait begins.
        draw: returns the lines of a picture of this width.
        times: so many pictures; None: until somebody ends it.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    # In another thread than the main one whoever runs it ends it by `times`.
    signals = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    for number in signals:
        loop.add_signal_handler(number, told.set)
    try:
        with _screen(told) as put:
            shown = 0
            while not told.is_set() and shown != times:
                await _unless(told, look())
                if told.is_set():
                    break
                put(draw)
                shown += 1
                if shown != times:
                    await _unless(told, asyncio.sleep(every_s))
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _unless(told: asyncio.Event, work: Awaitable[None]) -> None:
    """Wait for the work or for whoever ends it, and leave neither behind."""
    async with asyncio.TaskGroup() as tasks:

        async def worked() -> None:
            await work
            ending.cancel()

        async def ended() -> None:
            await told.wait()
            working.cancel()

        working = tasks.create_task(worked(), name="look")
        ending = tasks.create_task(ended(), name="quit")


@contextmanager
def _screen(told: asyncio.Event) -> Iterator[Callable[[Callable[[int], Sequence[Text]]], None]]:
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda draw: _print_plain(draw(console.width))
        return
    with _keys(told), Live(console=console, screen=True, auto_refresh=False) as live:

        def put(draw: Callable[[int], Sequence[Text]]) -> None:
            lines = fitting(list(draw(console.width)), console.height)
            for line in lines:
                line.truncate(console.width, overflow="ellipsis")
            live.update(Text("\n", no_wrap=True).join(lines), refresh=True)

        yield put


def sign_of_life(now_ms: int, every_s: float) -> Text:
    """Return the last line of a picture: of when it is, how often it comes, and how to end it."""
    at = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    return Text(f"{at:%H:%M:%S} UTC, every {every_s:g} s; q ends it", style="dim")


def fitting(lines: list[Text], height: int) -> list[Text]:
    """Return as many lines as there is room for, and always the last; say how many are left out."""
    if len(lines) <= height:
        return lines
    left = len(lines) - height + 1
    told = Text(f"… {left} lines more: in a higher terminal")
    return [*lines[: max(0, height - 2)], told, lines[-1]]


def _print_plain(lines: Sequence[Text]) -> None:
    sys.stdout.write("\n".join(line.plain.rstrip() for line in lines) + "\n\n")
    sys.stdout.flush()


@contextmanager
def _keys(told: asyncio.Event) -> Iterator[None]:
    """Take keys one by one, unseen; nothing where nobody can type."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(descriptor)

    def typed() -> None:
        try:
            keys = os.read(descriptor, 64)
        except OSError:
            keys = b""
        # Nothing at all: the terminal has gone.
        if not keys or set(SEQUENCE.sub(b"", keys)) & QUIT:
            told.set()

    try:
        tty.setcbreak(descriptor)
        modes = termios.tcgetattr(descriptor)
        # Suspended it would leave the other screen to the shell.
        modes[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
        loop.add_reader(descriptor, typed)
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def plain(text: object) -> str:
    """Return a node's words without anything that a terminal would act on."""
    return "".join(each if each.isprintable() else "?" for each in str(text))
