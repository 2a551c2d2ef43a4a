"""What this machine can do, and what processes use of it."""

import platform
import statistics
import sysconfig
import time
from pathlib import Path
from typing import Any, Final

from node.keys import LocalSigner, verify

VERIFY_BATCHES: Final = 9
VERIFY_BATCH: Final = 300
FAST_BY: Final = ("--enable-optimizations", "--with-lto")
"""Options with which an interpreter is configured: it is made by profile, and optimised when it is
linked."""


def verify_us() -> float:
    """Return what one verification of a signature costs here, in microseconds of processor time.

    The median of some batches: a machine that others share gives each of them another answer.
    """
    signer = LocalSigner(bytes(range(32)))
    messages = [number.to_bytes(32) for number in range(VERIFY_BATCH)]
    signed = [(message, signer.sign(message)) for message in messages]
    costs = []
    for _ in range(VERIFY_BATCHES):
        began = time.process_time()
        for message, signature in signed:
            assert verify(signer.public_key, message, signature)
        costs.append((time.process_time() - began) / VERIFY_BATCH * 1e6)
    return round(statistics.median(costs), 1)


def interpreter() -> dict[str, Any]:
    """Return which interpreter this is, and what its build says of how it was made fast.

    What it says: Debian's, for one, is made with both and keeps it out of this data.
    """
    return {
        "version": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        "configured_with": made_fast_by(str(sysconfig.get_config_var("CONFIG_ARGS") or "")),
        "shared_library": "libpython" in Path("/proc/self/maps").read_text(),
    }


def made_fast_by(configuration: str) -> list[str]:
    """Return which of the options that make an interpreter fast its configuration has."""
    given = {each.strip("'\"").partition("=")[0] for each in configuration.split()}
    return [each for each in FAST_BY if each in given]


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and of those it has started."""
    return round(sum(_resident_kib(each) for each in _with_children(pid)) / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and those it has started have used; of who runs."""
    return sum(_cpu_s(each) for each in _with_children(pid))


def cpu_seconds_with_ended(pid: int) -> float:
    """Return the same with those that have ended, of a server that starts one for each task."""
    return sum(_cpu_s(each, waited=True) for each in _with_children(pid))


def _with_children(pid: int) -> list[int]:
    """A node's one child verifies signatures."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _cpu_s(pid: int, *, waited: bool = False) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0  # it ended since it was listed
    return sum(map(int, fields[11 : 15 if waited else 13])) / 100
