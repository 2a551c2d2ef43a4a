"""What the pages tell people to type, typed as it stands, by one newcomer who reads them in order.

All of it happens on one network: that of the first transfer, which goes on from page to page. Any
test can be run alone, and then begins with `khazana devnet up` as the pages do. That command takes
other ports where the usual ones are taken; the commands after it find that out, and what asks a
node without them is told by the variable that people use for it.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import (
    HOW_TOS,
    ROOMS,
    ROOT,
    TUTORIAL,
    block,
    commands_in,
    line,
    session,
    text,
)
from tests.docs.shell import shows, surroundings, typed

FOUND_PORT = (
    'KHAZANA_URL=$(khazana devnet status --json | python3 -c "import json, sys;'
    " print(json.load(sys.stdin)['nodes'][0]['url'])\"); export KHAZANA_URL\n"
)
pytestmark = [
    pytest.mark.e2e,
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
    "index": r"sqlite",
    "rpc": r'"code":"PKR"|"asset":"PKR"',
}


@contextmanager
def newcomer(folder: Path) -> Iterator[dict[str, str]]:
    """Lend an environment in which no network runs; afterwards none does again."""
    variables = surroundings(KHAZANA_DEVNET=str(folder / "devnet"))
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


def test_first_transfer_takes_three_commands(street: dict[str, str]) -> None:
    commands = block("README.md", "make setup")
    assert len(commands_in(commands)) == 3

    printed = typed(commands, street)

    assert "applied in block" in printed


def test_what_to_do_next_is_done(network: dict[str, str]) -> None:
    """What else that section has wants a terminal, an engine or a minute, and other tests."""
    status = typed(line("README.md", ".venv/bin/khazana status"), network)
    travelled = typed(line("README.md", ".venv/bin/khazana devnet time"), network)
    owed = typed(line("README.md", ".venv/bin/khazana debt"), network)
    help_ = typed(line("README.md", ".venv/bin/khazana tx transfer --help"), network)

    assert "4 validators, 3 decide" in status
    assert re.search(r"travelled +90 days", travelled)
    assert "Debt service: what is to be paid" in owed
    assert "Usage: khazana tx transfer" in help_


def test_nodes_are_compared_as_the_page_of_commands_shows(network: dict[str, str]) -> None:
    listed = json.loads(typed("khazana devnet status --json", network))
    two = " ".join(node["url"] for node in listed["nodes"][:2])

    printed = typed(block("node/cli/README.md", "khazana status"), network | {"KHAZANA_URL": two})

    shows(printed, text("node/cli/README.md", "devnet, genesis"))


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
    (tmp_path / "configs").symlink_to(ROOT / "configs")

    printed = typed(session(page), network | {"KHAZANA_HOME": str(home)}, folder=tmp_path)

    assert re.search(ROOMS_SAY[page.parent.name], printed, re.MULTILINE), printed
