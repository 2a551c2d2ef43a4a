"""Other processes, for what one process cannot show: locks, limits, sudden death."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_python(code: str, *arguments: object) -> str:
    """Run a piece of Python from the project's root; return what it prints.

    Raises:
        subprocess.CalledProcessError: it failed; its traceback is in `stderr`.
    """
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        sys.stderr.write(result.stderr)
        result.check_returncode()
    return result.stdout


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a piece of Python whose output is read line by line."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
