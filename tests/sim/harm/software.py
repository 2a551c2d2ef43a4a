"""Software older than the rules: it keeps consensus until they change, then stops and says so.

Clients schedule and cancel the upgrade as they do everything else, so it may come at any moment of
this, or never.
"""

import asyncio
from typing import Final

from node.ledger.protocol import SUPPORTED
from tests.sim.harm.fault import Fault, Harm


async def _old_software(fault: Fault) -> None:
    machine = fault.impair()
    if machine is None:
        return
    with fault.in_hand(machine):
        await machine.stop()
        machine.versions = frozenset({1})
        fault.note(machine=machine.name)
        await machine.start()
        await asyncio.sleep(2 + fault.some_s(40))
        await machine.stop()
        machine.versions = SUPPORTED
        fault.note("new-software", machine=machine.name, ended=machine.failure is not None)
        await machine.start()
    await fault.rejoined(machine)


HARMS: Final[dict[str, Harm]] = {"old-software": _old_software}
