"""What can be done to a network: a file for each sort of harm."""

from typing import Final

from tests.sim.harm import clocks, disks, processes, software, validators, wires
from tests.sim.harm.fault import Fault, Harm, Site

__all__ = ["HARMS", "KINDS", "OF_WIRES", "Fault", "Harm", "Site"]

HARMS: Final[dict[str, Harm]] = {
    **wires.HARMS,
    **processes.HARMS,
    **disks.HARMS,
    **clocks.HARMS,
    **validators.HARMS,
    **software.HARMS,
}

KINDS: Final = tuple(HARMS)
"""Every kind of fault, by the name that `--faults` takes."""

OF_WIRES: Final = frozenset(wires.HARMS)
"""Those between two machines."""
