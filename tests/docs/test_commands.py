"""What the pages tell people to type, typed as it stands, by one newcomer who reads them in order.

All of it happens on one network: that of the first transfer, which goes on from page to page. Any
test can be run alone, and then begins with `khazana devnet up` as the pages do. That command takes
other ports where the usual ones are taken; the commands after it find that out, and what asks a
node without them is told by the variable that people use for it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import FIRST_PAGE, HOW_TOS, ROOMS, ROOT, TUTORIAL, lines_of, section, session
from tests.docs.test_blocks import NOT_NEXT

TIMEOUT_S = 240
FOUND_PORT = (
    'KHAZANA_URL=$(khazana devnet status --json | python3 -c "import json, sys;'
    " print(json.load(sys.stdin)['nodes'][0]['url'])\"); export KHAZANA_URL\n"
)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here"),
]

HOW_TOS_SAY: Final[Mapping[str, str]] = {
    "govern": r"accounts-max-provisional +2,000,000 ",
    "look-after-a-node": r"central-bank +\d+ +\d+ .* ready",
    "sell-at-auction": r"each record is proven against the genesis",
    "sign-apart": r"SIGNATURES_MISSING",
    "write-a-program": r"refused: HOLDING_INSUFFICIENT",
}
ROOMS_SAY: Final[Mapping[str, str]] = {
    "access": r"revoked exchange-two",
    "configs": r"virtual-asset-regulator",
    "docker": r"compose\.yaml",
    "index": r"sqlite",
    "rpc": r'"code":"PKR"|"asset":"PKR"',
}


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


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One newcomer's environment for all pages."""
    with newcomer(tmp_path_factory.mktemp("newcomer")) as variables:
        yield variables


@pytest.fixture(scope="module")
def network(street: dict[str, str]) -> dict[str, str]:
    """The same, where the network runs and is found."""
    url = typed(f"khazana devnet up\n{FOUND_PORT}echo $KHAZANA_URL", street).splitlines()[-1]
    return street | {"KHAZANA_URL": url}


def typed(lines: str, variables: Mapping[str, str], *, folder: Path = ROOT) -> str:
    """Return what a shell prints that is given these lines and stops at the first failure."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_first_transfer_takes_three_commands(street: dict[str, str]) -> None:
    commands = lines_of(section(FIRST_PAGE, "A first transfer"))
    assert len(commands) == 3

    printed = typed("\n".join(commands), street)

    assert "applied in block" in printed


def test_what_to_do_next_is_done(network: dict[str, str]) -> None:
    commands = lines_of(section(FIRST_PAGE, "What to do next"))

    printed = typed("\n".join(line for line in commands if line not in NOT_NEXT), network)

    assert "4 validators, 3 decide" in printed
    assert re.search(r"travelled +90 days", printed)
    assert "Usage: khazana tx transfer" in printed


def test_tutorial_does_what_it_says(network: dict[str, str]) -> None:
    """Before the auction, whose bill falls due while the days of the tutorial pass."""
    printed = typed(session(TUTORIAL), network)

    assert printed.count("applied in block") == 4
    after = printed[printed.index("travelled ") :]
    assert re.search(r"^ +1 .* settled ", after, re.MULTILINE)
    # A quarter's coupon on 1,250.00 at twelve per cent, for 89 to 92 days of 365.
    had, has = (
        int(rupees.replace(",", ""))
        for rupees in re.findall(r"^PKR +([\d,]+)\.", printed, re.M)[-2:]
    )
    assert has - had in (36, 37, 38)
    assert "stopped central-bank" in printed


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in HOW_TOS])
def test_how_to_does_what_it_says(network: dict[str, str], page: Path) -> None:
    printed = typed(session(page), network)

    assert re.search(HOW_TOS_SAY[page.stem], printed, re.MULTILINE), printed


@pytest.mark.parametrize("page", [pytest.param(page, id=page.parent.name) for page in ROOMS])
def test_page_of_a_room_does_what_it_says(
    network: dict[str, str], page: Path, tmp_path: Path
) -> None:
    if "curl " in session(page) and shutil.which("curl", path=network["PATH"]) is None:
        pytest.skip("no curl on this machine")
    home = Path(network["KHAZANA_DEVNET"]) / "nodes" / "central-bank"
    # What is typed in a clone and leaves something there does so in this one.
    for name in ("configs", "docker"):
        (tmp_path / name).symlink_to(ROOT / name)

    printed = typed(session(page), network | {"KHAZANA_HOME": str(home)}, folder=tmp_path)

    assert re.search(ROOMS_SAY[page.parent.name], printed, re.MULTILINE), printed
