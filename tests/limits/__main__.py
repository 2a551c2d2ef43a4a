"""Attack a validator process in every way at hand; print what it held.

    python -m tests.limits [ATTACK ...] [--scale 1.0]

Three validators run as processes of this machine; the attacker has the keys of the fourth. Exit
code 1 when a bound was broken or a payment was not final within its time.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.limits.attacks import ATTACKS
from tests.limits.siege import siege


async def run(names: list[str], scale: float) -> int:
    """Try these attacks; return the exit code."""
    broken = 0
    print(
        f"{'attack':<26}{'before':>8}{'highest':>9}{'after':>8}{'bound':>8}{'paid in':>9}  sent",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        async with siege(Path(folder) / "network", scale=scale) as besieged:
            for name in names:
                attack = ATTACKS[name]
                held = await besieged.measure(name, attack.run)
                within = held.grown_mib <= attack.bound_mib
                broken += not within
                print(
                    f"{name:<26}{held.before_mib:>8.0f}{held.highest_mib:>9.0f}"
                    f"{held.after_mib:>8.0f}{held.before_mib + attack.bound_mib:>8.0f}"
                    f"{held.paid_s:>8.2f}s  {held.sent}{'' if within else '  BROKEN'}",
                    flush=True,
                )
    return 1 if broken else 0


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("attacks", nargs="*", choices=[[], *ATTACKS], metavar="ATTACK")
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    return asyncio.run(run(arguments.attacks or list(ATTACKS), arguments.scale))


if __name__ == "__main__":
    sys.exit(main())
