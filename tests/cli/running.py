"""Run the command line as a person does: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed on stdout, as the JSON that it must be."""
        return json.loads(self.out)


def khazana(
    *words: str | Path,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
    timeout_s: float = 240,
) -> Ran:
    """Run `khazana` with these words; nobody sits at the terminal."""
    root = Path(__file__).resolve().parents[2]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KHAZANA_")}
    ended = subprocess.run(
        [sys.executable, "-m", "node", *map(str, words)],
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(root)} | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)
