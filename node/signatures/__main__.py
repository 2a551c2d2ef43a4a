"""The process itself: reads jobs from standard input, verifies, answers on standard output.

Started by `helper.py`, never by hand. Ends with its input.
"""

import os
import signal
import sys
from typing import BinaryIO

from node.clock import SystemClock
from node.keys import verify
from node.signatures.jobs import CHECK_SIZE, NUMBER_SIZE, answer


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Say that there is somebody, and answer jobs until there are no more."""
    cpu_s = SystemClock().cpu_s
    answers.write(answer(b"", verify, cpu_s))
    answers.flush()
    while len(count := jobs.read(NUMBER_SIZE)) == NUMBER_SIZE:
        data = jobs.read(CHECK_SIZE * int.from_bytes(count))
        if len(data) < CHECK_SIZE * int.from_bytes(count):
            return
        answers.write(answer(data, verify, cpu_s))
        answers.flush()


def main() -> None:
    """Serve standard input."""
    # They go to all processes of a terminal or a service; the node ends in its own time, and this
    # with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody waits for the answer. The interpreter would try to write the rest once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
