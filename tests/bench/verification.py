"""Where to verify signatures: on the loop, or in a thread? `python -m tests.bench.verification`.

A loop that has other work for each transaction (pure Python, counted, not timed) and signatures to
verify. Reports, for both ways and several switch intervals, transactions per second, CPU per
transaction, and how late the loop's timers fire meanwhile. Prints one JSON object.
"""

import argparse
import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from node.keys import LocalSigner, verify

Item = tuple[bytes, bytes, bytes]


def calibrate(work_us: int) -> int:
    """Return how many turns of `work` take this long alone."""
    turns = 100_000
    start = time.process_time()
    work(turns)
    return int(turns * work_us / 1e6 / (time.process_time() - start))


def work(turns: int) -> int:
    """Something the GIL is held for."""
    total = 0
    for turn in range(turns):
        total ^= turn
    return total


def check(items: list[Item]) -> None:
    for public_key, message, signature in items:
        assert verify(public_key, message, signature)


async def measure(
    items: list[Item], *, total: int, chunk: int, turns: int, executor: ThreadPoolExecutor | None
) -> dict[str, float]:
    done = worked = 0
    late: list[float] = []

    async def verifier() -> None:
        nonlocal done
        loop = asyncio.get_running_loop()
        while done < total:
            if executor is None:
                check(items[:chunk])
                await asyncio.sleep(0)
            else:
                await loop.run_in_executor(executor, check, items[:chunk])
            done += chunk

    async def others() -> None:
        nonlocal worked
        while worked < total:
            work(turns)
            worked += 1
            if not worked % 16:
                await asyncio.sleep(0)

    async def timer() -> None:
        while done < total or worked < total:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - start - 0.001)

    start, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for task in (verifier(), others(), timer()):
            group.create_task(task)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    late.sort()
    return {
        "per_second": round(total / elapsed),
        "cpu_us": round(cpu / total * 1e6, 1),
        "timer_late_p50_ms": round(late[len(late) // 2] * 1e3, 2),
        "timer_late_max_ms": round(late[-1] * 1e3, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total", type=int, default=8_192)
    parser.add_argument("--work-us", type=int, default=60, help="other work per transaction")
    options = parser.parse_args()
    signer = LocalSigner(bytes(range(32)))
    messages = [number.to_bytes(32) for number in range(64)]
    items = [(signer.public_key, message, signer.sign(message)) for message in messages]
    turns = calibrate(options.work_us)
    usual = sys.getswitchinterval()
    report: dict[str, dict[str, float]] = {}
    with ThreadPoolExecutor(1) as executor:
        for name, chunk, interval, where in (
            ("loop, chunks of 16", 16, usual, None),
            ("loop, chunks of 64", 64, usual, None),
            ("thread, switch 5 ms", 64, 0.005, executor),
            ("thread, switch 0.5 ms", 64, 0.0005, executor),
            ("thread, switch 0.05 ms", 64, 0.00005, executor),
        ):
            sys.setswitchinterval(interval)
            report[name] = asyncio.run(
                measure(items, total=options.total, chunk=chunk, turns=turns, executor=where)
            )
    sys.setswitchinterval(usual)
    print(json.dumps({"other_work_us": options.work_us, "ways": report}, indent=2))


if __name__ == "__main__":
    main()
