"""A Python prompt in which `await` works, as in `python -m asyncio`; completion by readline.

The prompt stands in the main thread, where Ctrl-C belongs, and the event loop in another. What is
typed is run where it stands; what it awaits, in the loop. Ctrl-C at the prompt forgets the line, in
the middle of an `await` cancels it, and the prompt comes back.
"""

import ast
import asyncio
import builtins
import code
import contextlib
import inspect
import rlcompleter
import sys
import threading
import traceback
import types
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future, wait
from typing import Any, Final, TypeVar

from typing_extensions import override

T = TypeVar("T")

LOOK_UP_S: Final = 0.1
"""So long Ctrl-C may take."""


class LoopThread:
    """An event loop that runs in a thread of its own while this is entered."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)

    def __enter__(self) -> "LoopThread":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it in the loop and wait for it; Ctrl-C cancels it."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            # A signal that comes just before a thread begins to wait for a lock does not wake it.
            while not future.done():
                wait([future], timeout=LOOK_UP_S)
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise


async def _cancel_all() -> None:
    """End what was started at the prompt and is still under way."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class AwaitingConsole(code.InteractiveConsole):
    """A prompt that runs coroutines in a loop."""

    def __init__(
        self,
        names: dict[str, Any],
        loop: LoopThread,
        *,
        sentences: tuple[type[Exception], ...] = (),
    ) -> None:
        """Make a prompt at which these names are known.

        Args:
            sentences: errors whose sentence says all: no traceback is printed of them.
        """
        # Without it Python cannot warn of what is forgotten in a line that was typed.
        names.setdefault("__builtins__", builtins)
        super().__init__(names)
        self._sentences = sentences
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop = loop
        self.has_failed = False
        """Whether anything that was run ended by an exception."""

    @override
    def runcode(self, code: types.CodeType) -> None:
        """Run what was typed, to its end or its traceback."""
        try:
            with self._showing():
                result = types.FunctionType(code, self.locals)()
                if inspect.iscoroutine(result):
                    self._loop.run(result)
        except SystemExit:
            raise
        except KeyboardInterrupt:
            self.write("\nKeyboardInterrupt\n")
        except CancelledError:
            self.write("cancelled\n")
        except self._sentences as error:
            self.has_failed = True
            self.write(f"{type(error).__name__}: {error}\n")
        except BaseException:
            self.showtraceback()

    @contextlib.contextmanager
    def _showing(self) -> Iterator[None]:
        """Show values as the prompt does, but for a coroutine: nobody would ever run it."""
        before = sys.displayhook

        def show(value: object) -> None:
            if not inspect.iscoroutine(value):
                before(value)
                return
            value.close()
            self.has_failed = True
            self.write("nothing was done: write `await` before it\n")

        sys.displayhook = show
        try:
            yield
        finally:
            sys.displayhook = before

    @override
    def showtraceback(self) -> None:
        """Print the traceback of what is being handled, from the line that was typed on."""
        self.has_failed = True
        error = sys.exception()
        assert error is not None
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != self.filename:
            trace = trace.tb_next
        self.write("".join(traceback.format_exception(error.with_traceback(trace))))

    @override
    def showsyntaxerror(self, filename: str | None = None) -> None:
        """Print what is wrong with what was typed."""
        self.has_failed = True
        super().showsyntaxerror(filename)


@contextlib.contextmanager
def completing(names: Mapping[str, Any]) -> Iterator[None]:
    """Let Tab complete names and their attributes, where there is readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    before = readline.get_completer()
    readline.set_completer(rlcompleter.Completer(dict(names)).complete)
    # What libedit, which stands in for readline on some systems, takes instead.
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(before)
