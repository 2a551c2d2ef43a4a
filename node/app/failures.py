"""How the failure of one task becomes the end of its node, as itself."""

import asyncio
from collections.abc import Callable

from node.storage import StorageError


def told_to(failures: asyncio.Queue[StorageError]) -> Callable[[StorageError], None]:
    """Return what puts a failure into this queue, from whichever thread met it."""
    loop = asyncio.get_running_loop()

    def failed(failure: StorageError) -> None:
        # The second may follow from the first, or from closing.
        if failures.empty() and not loop.is_closed():
            loop.call_soon_threadsafe(failures.put_nowait, failure)

    return failed


async def fail_with(failures: asyncio.Queue[StorageError]) -> None:
    """Wait for a failure of the disk, and let the node end with it, whoever met it."""
    raise await failures.get()


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that stopped the node; the others followed from it."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
