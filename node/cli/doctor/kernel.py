"""What the kernel says of its clock, by `adjtimex(2)`; reading it needs no rights.

The layout is that of Linux on 64-bit machines (`struct timex` in <sys/timex.h>). Elsewhere nothing
is known.
"""

import ctypes
import sys
from dataclasses import dataclass
from typing import Final

UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC
_SCALE: Final = 1 << 16
"""Frequencies are in parts per million, with sixteen binary places."""


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),  # More than any kernel writes.
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelClock:
    """The state of the clock's discipline."""

    synchronised: bool
    """Whether something, as a rule an NTP daemon, keeps it right and has said so lately."""
    error_bound_ms: float
    """By which it is wrong at most, if it is synchronised."""
    frequency_ppm: float
    """By which it is made faster to run right: its own drift, with the opposite sign."""


def read_kernel_clock() -> KernelClock | None:
    """Return the state; None where this system does not tell it."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) != 8:
        return None
    timex = _Timex()
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    if adjtimex(ctypes.byref(timex)) < 0:
        return None
    return KernelClock(
        synchronised=not timex.status & UNSYNCHRONISED,
        error_bound_ms=timex.maxerror / 1000,
        frequency_ppm=timex.freq / _SCALE,
    )
