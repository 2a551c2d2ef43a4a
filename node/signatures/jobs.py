"""What goes over the pipe: jobs there, verdicts back, in the same order.

A job is a count of four bytes and so many checks of 128: signer, what was signed, signature. The
answer is the count again, four bytes of the microseconds of processor time that it took, and a byte
for each check, 1 for a good signature and 0 for another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

Check: TypeAlias = tuple[bytes, bytes, bytes]
"""Signer (32 bytes), what was signed (32 bytes, an id), signature (64 bytes)."""

NUMBER_SIZE: Final = 4
HEAD_SIZE: Final = 2 * NUMBER_SIZE
"""Of an answer: count and time."""
CHECK_SIZE: Final = 32 + 32 + 64


def encode_job(checks: Sequence[Check]) -> bytes:
    """Return the bytes of a job."""
    parts = [len(checks).to_bytes(NUMBER_SIZE)]
    for check in checks:
        parts += check
    job = b"".join(parts)
    # Whatever is of another size would be read as something else.
    assert len(job) == NUMBER_SIZE + CHECK_SIZE * len(checks)
    return job


def checks_of(data: bytes) -> Iterator[Check]:
    """Yield the checks of a job's bytes, without its count."""
    for start in range(0, len(data), CHECK_SIZE):
        signed = start + 32
        yield data[start:signed], data[signed : signed + 32], data[signed + 32 : start + CHECK_SIZE]


def answer(
    data: bytes, verify: Callable[[bytes, bytes, bytes], bool], cpu_s: Callable[[], float]
) -> bytes:
    """Return the answer to a job's bytes, without its count."""
    began_s = cpu_s()
    verdicts = bytes(verify(*check) for check in checks_of(data))
    spent_us = min(int((cpu_s() - began_s) * 1e6), (1 << 32) - 1)
    return len(verdicts).to_bytes(NUMBER_SIZE) + spent_us.to_bytes(NUMBER_SIZE) + verdicts
