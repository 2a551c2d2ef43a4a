"""What can be done to a network: one file for wires, processes, disks and clocks each."""

from typing import Final

from tests.sim.harm import clocks, disks, processes, wires
from tests.sim.harm.fault import Fault, Harm, Site

__all__ = ["HARMS", "KINDS", "OF_WIRES", "Fault", "Harm", "Site"]

HARMS: Final[dict[str, Harm]] = {
    **wires.HARMS,
    **processes.HARMS,
    **disks.HARMS,
    **clocks.HARMS,
}

KINDS: Final = tuple(HARMS)
"""Every kind of fault, by the name that `--faults` takes."""

OF_WIRES: Final = frozenset(wires.HARMS)
"""Those between two machines."""
