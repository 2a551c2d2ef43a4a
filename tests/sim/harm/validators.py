"""Changes of the set of validators, as operators make them: with orders on the ledger, and by hand.

Each takes a validator out of agreement for a while: a new key comes with a new log, and whoever
joins waits for two blocks of the others. So it counts against what the network survives.
"""

from typing import Final

from tests.sim.harm.fault import Fault, Harm
from tests.sim.machines import consensus_key, identity_of

ORDER_VALID_MS: Final = 4_000
"""An order that was given up is applied by a block of within this time, or never."""


async def _rotate_key(fault: Fault) -> None:
    """A validator gets another key, sometimes another certificate too; its operator follows."""
    machine = fault.impair()
    if machine is None:
        return
    if fault.site.key_of(machine.name) is None:
        fault.site.observing_later.discard(machine.name)
        fault.happened = False
        return
    machine.generation += 1
    public_key = consensus_key(machine.name, machine.generation).public_key
    certificate = machine.identity.certificate
    # Who starts anew from the genesis knows only the certificates that stand there: one more that
    # changes is one less that it can reach.
    if fault.random.random() < 0.5 and not fault.site.new_certificates:
        fault.site.new_certificates += 1
        certificate = identity_of(machine.name, machine.generation).certificate
    fault.note(machine=machine.name, certificate=certificate != machine.identity.certificate)
    load = fault.site.clients.load
    await fault.site.clients.insist(
        lambda: load.rotation(machine.name, public_key=public_key, tls_certificate=certificate),
        valid_ms=ORDER_VALID_MS,
        client="operator",
        chance=fault.random,
        until=lambda: fault.site.key_of(machine.name) == public_key,
    )
    await fault.rejoined(machine)


async def _leave_set(fault: Fault) -> None:
    """A validator is removed, and comes back under another key."""
    machine = fault.impair()
    if machine is None:
        return
    if fault.site.key_of(machine.name) is None:
        fault.site.observing_later.discard(machine.name)
        fault.happened = False
        return
    site, load = fault.site, fault.site.clients.load
    fault.note(machine=machine.name)
    site.away.append(machine)
    await site.clients.insist(
        lambda: load.removal(machine.name),
        valid_ms=ORDER_VALID_MS,
        client="operator",
        chance=fault.random,
        until=lambda: site.key_of(machine.name) is None,
    )
    await fault.last(20)
    await site.bring_in(machine, fault.random)
    site.away.remove(machine)
    await fault.rejoined(machine)


async def _join_set(fault: Fault) -> None:
    """An observer becomes a validator."""
    site = fault.site
    observers = [machine for machine in site.honest if machine.is_reserve]
    if not observers or not site.has_room() or site.key_of(observers[0].name) is not None:
        return
    machine = observers[0]
    if machine.name in site.observing_later:
        return
    site.impaired.add(machine.name)
    fault.note(machine=machine.name)
    await site.bring_in(machine, fault.random)
    await fault.rejoined(machine)


HARMS: Final[dict[str, Harm]] = {
    "rotate-key": _rotate_key,
    "leave-set": _leave_set,
    "join-set": _join_set,
}
