"""The newcomer of the README: from a clean clone to the first settled transfer, by the clock.

    python3 -m tests.docs.newcomer [--untimed]

Clones what is committed, types exactly the lines of the section "A first transfer" there, as
somebody without a network, a configuration or a container engine would, and says how long each
took. Ends with 1 where the transfer was not applied, where there are more than three lines, or
where they took longer than 60 s, unless the machine was busy with other things when they began, or
with `--untimed`: how long packages are on their way says nothing about a change.
Needs nothing but Python: there is no environment before `make setup`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.docs.blocks import ROOT, lines_of, section

COMMANDS_MAX: Final = 3
TOTAL_S_MAX: Final = 60.0
DONE: Final = "applied in block"


def main() -> int:
    """Clone, type, measure; return the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="khazana-newcomer-"))
    variables = environment(folder)
    clone = folder / "khazana"
    command = ["git", "clone", "--quiet", str(ROOT), str(clone)]
    if subprocess.run(command, check=False).returncode != 0:
        say("SKIPPED: there is nothing to clone")
        return 0
    lines = lines_of(section(clone / "README.md", "A first transfer"))
    took: list[float] = []
    printed = ""
    is_held = "--untimed" not in sys.argv and os.getloadavg()[0] <= (os.cpu_count() or 1)
    try:
        for line in lines:
            began = time.monotonic()
            ended = subprocess.run(
                ["bash", "-c", line],
                cwd=clone,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            took.append(time.monotonic() - began)
            say(f"{took[-1]:6.1f} s  {line}")
            printed = ended.stdout.strip()
            if ended.returncode != 0:
                say(printed)
                return 1
    finally:
        khazana = clone / ".venv/bin/khazana"
        if khazana.exists():
            subprocess.run([khazana, "devnet", "down"], cwd=clone, env=variables, check=False)
        shutil.rmtree(folder)
    total_s = sum(took)
    judged = "at most" if is_held else "untimed or on a busy machine, so not held to"
    say(f"{total_s:6.1f} s  together; {judged} {TOTAL_S_MAX:.0f}\n{printed}")
    is_slow = total_s > TOTAL_S_MAX and is_held
    return int(DONE not in printed or len(lines) > COMMANDS_MAX or is_slow)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(home: Path) -> dict[str, str]:
    """Return what somebody has who has just come: a home with nothing in it, and no settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KHAZANA_", "VIRTUAL_ENV", "PYTEST_"))
    }
    return kept | {"HOME": str(home)}


if __name__ == "__main__":
    sys.exit(main())
