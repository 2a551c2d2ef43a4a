"""How the demonstration tells what it does: lines as it happens, and the checks it makes.

On a terminal with colours and a moving line; elsewhere plain lines, one event each, so that a log
of it reads well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TextIO

from node.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that was to hold, and whether it did."""

    step: int
    name: str
    holds: bool
    found: str


class Voice(Protocol):
    """Where the telling goes."""

    def heading(self, text: str) -> None:
        """Begin a step."""
        ...

    def line(self, text: str, *, good: bool | None = None) -> None:
        """Tell one thing; `good` marks a check."""
        ...

    def moving(self, text: str) -> None:
        """Replace the moving line; empty ends it."""
        ...


class Narrator:
    """Numbers the steps, stamps the time, and remembers every check."""

    def __init__(self, voice: Voice, clock: Clock, *, steps: int) -> None:
        self._voice = voice
        self._steps = steps
        self._clock = clock
        self._began = clock.monotonic()
        self._step = 0
        self.checks: list[Check] = []

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock.monotonic() - self._began

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self._voice.heading(f"{self._step}/{self._steps}  {title}")

    def tell(self, text: str) -> None:
        """Tell what was done."""
        self._voice.line(f"{self.elapsed_s:5.1f} s  {text}")

    def check(self, name: str, *, holds: bool, found: object = "") -> None:
        """Note something that was to hold, and tell whether it did."""
        shown = str(found)
        self.checks.append(Check(step=self._step, name=name, holds=holds, found=shown))
        text = f"{self.elapsed_s:5.1f} s  {'holds ' if holds else 'FAILED'} {name}"
        self._voice.line(f"{text}: {shown}" if shown else text, good=holds)

    @contextmanager
    def doing(self, text: str) -> Iterator["Progress"]:
        """Show that something takes its time."""
        progress = Progress(self._voice, text)
        self._voice.moving(text)
        try:
            yield progress
        finally:
            self._voice.moving("")

    @property
    def all_hold(self) -> bool:
        """Whether there were checks and every one holds."""
        return bool(self.checks) and all(check.holds for check in self.checks)


class Progress:
    """How far something has come."""

    def __init__(self, voice: Voice, text: str) -> None:
        self._voice = voice
        self._text = text

    def at(self, done: int, of: int) -> None:
        """Show a count."""
        self._voice.moving(f"{self._text}: {done:,} of {of:,}")


class PlainVoice:
    """One line per event; nothing moves."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ""

    def heading(self, text: str) -> None:
        self._write(f"\n{text}")

    def line(self, text: str, *, good: bool | None = None) -> None:
        del good  # The text says it too.
        self._write(f"   {text}")

    def moving(self, text: str) -> None:
        """Tell once that something has begun; counts do not become lines."""
        subject = text.partition(":")[0]
        if subject and subject != self._last:
            self._write(f"            … {subject}")
        self._last = subject

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class TerminalVoice:
    """Colours, and a line that moves while something takes its time."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._status = self._console.status("")

    def heading(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/bold]")

    def line(self, text: str, *, good: bool | None = None) -> None:
        style = {None: None, True: "green", False: "bold red"}[good]
        self._console.print(f"   {text}", style=style, markup=False)

    def moving(self, text: str) -> None:
        if text:
            self._status.update(text)
            self._status.start()
        else:
            self._status.stop()
