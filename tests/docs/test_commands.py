"""What the pages tell people to type, typed as it stands, in one shell, by a newcomer.

`khazana devnet up` takes other ports where the usual ones are taken; then the commands after it are
told so by the variable that people use for it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.blocks import HOW_TOS, ROOT, blocks, section, session

TIMEOUT_S = 240
FOUND_PORT = (
    'KHAZANA_URL=$(khazana devnet status --json | python3 -c "import json, sys;'
    " print(json.load(sys.stdin)['nodes'][0]['url'])\"); export KHAZANA_URL\n"
)


@contextmanager
def newcomer(folder: Path) -> Iterator[dict[str, str]]:
    """Lend an environment in which no network runs; afterwards none does again."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KHAZANA_")}
    scripts = str(Path(sys.executable).parent)
    variables = kept | {
        "PATH": f"{scripts}:{kept['PATH']}",
        "KHAZANA_DEVNET": str(folder / "devnet"),
    }
    try:
        yield variables
    finally:
        command = [sys.executable, "-m", "node", "devnet", "down"]
        subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=False)


def typed(lines: str, variables: dict[str, str]) -> str:
    """Return what a shell prints that is given these lines and stops at the first failure."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def after_up(block: str) -> str:
    return block + FOUND_PORT if "devnet up" in block else block


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
def test_first_transfer_takes_three_commands(tmp_path: Path) -> None:
    commands = [
        line
        for line in section(ROOT / "README.md", "A first transfer").splitlines()
        if line.startswith(("make ", ".venv/"))
    ]
    assert len(commands) == 3

    with newcomer(tmp_path) as variables:
        printed = typed("".join(after_up(line + "\n") for line in commands), variables)

    assert "applied in block" in printed


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
def test_tutorial_does_what_it_says(tmp_path: Path) -> None:
    lines = "".join(after_up(block) for block in blocks(ROOT / "node" / "docs" / "tutorial.md"))

    with newcomer(tmp_path) as variables:
        printed = typed(lines, variables)

    assert printed.count("applied in block") == 4
    after = printed[printed.index("travelled ") :]
    assert re.search(r"^ +1 .* settled ", after, re.MULTILINE)
    # A quarter's coupon on 1,250.00 at twelve per cent, for 89 to 92 days of 365.
    assert re.search(r"^PKR +1,000,03[67]\.", after, re.MULTILINE)
    assert "stopped central-bank" in printed


@pytest.mark.e2e
@pytest.mark.timeout(600)
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
def test_how_tos_do_what_they_say(tmp_path: Path) -> None:
    said = {
        "govern": r"accounts-max-provisional +2,000,000 ",
        "look-after-a-node": r"central-bank +\d+ +\d+ .* ready",
        "sell-at-auction": r"each record is proven against the genesis",
        "sign-apart": r"SIGNATURES_MISSING",
        "write-a-program": r"refused: HOLDING_INSUFFICIENT",
    }
    assert {page.stem for page in HOW_TOS} == set(said)

    with newcomer(tmp_path) as variables:
        printed = typed(f"khazana devnet up\n{FOUND_PORT}echo $KHAZANA_URL", variables)
        url = printed.splitlines()[-1]
        for page in HOW_TOS:
            printed = typed(session(page), variables | {"KHAZANA_URL": url})
            assert re.search(said[page.stem], printed, re.MULTILINE), f"{page.name}:\n{printed}"
