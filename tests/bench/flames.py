"""Where one validator's time goes, function by function: a flame graph, by py-spy from outside.

The budget by stage says which room has become dear, this says which of its functions. The process
is not halted for a sample, so that it is as fast as unwatched; some stacks are torn by that and
left out. To look into another process takes root, or a system that allows it: elsewhere there is no
drawing, and the figures come all the same.
"""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROGRAM: Final = Path(sys.executable).parent / "py-spy"
SAMPLES_PER_S: Final = 200
STOP_TIMEOUT_S: Final = 60.0
"""In which it has to have drawn."""


@contextlib.contextmanager
def drawn(pid: int, into: Path) -> Iterator[None]:
    """Watch a process while the body runs; then draw it, or say on standard error why not."""
    command = [PROGRAM, "record", "--nonblocking", "--function", "--rate", str(SAMPLES_PER_S)]
    watcher = subprocess.Popen(
        [*map(str, command), "--pid", str(pid), "--output", str(into)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield
    finally:
        watcher.send_signal(signal.SIGINT)
        try:
            told, _ = watcher.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            watcher.kill()
            told, _ = watcher.communicate()
        if watcher.returncode:
            words = told.strip().splitlines() or [f"py-spy ended with {watcher.returncode}"]
            print(f"no drawing in {into}: {words[-1]}", file=sys.stderr)
