"""Every block of commands in the documentation is typed by a test, or says what runs them instead.

A page that is new, or a block in a page, fails here until it is one or the other.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import DOCS, FIRST_PAGE, ROOT, TYPED, Block, all_blocks, lines_of, section

_CONTAINERS: Final = "tests/docker/test_cluster.py"
ELSEWHERE: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("README.md", "make demo"): (
        "tests/cli/test_demo.py::test_demonstration_holds_and_leaves_no_process",
        "The test starts the same demonstration; `make test` is what runs this.",
    ),
    ("README.md", "make setup"): (
        "tests/docs/test_commands.py::test_first_transfer_takes_three_commands",
        "Typed, line by line, out of its section.",
    ),
    ("README.md", ".venv/bin/khazana status"): (
        "tests/docs/test_commands.py::test_what_to_do_next_is_done",
        "Typed, line by line, out of its section.",
    ),
    (
        "configs/README.md",
        "useradd --system --home-dir /var/lib/khazana --shell /usr/sbin/nologin khazana",
    ): (
        "tests/test_packaging.py::test_service_is_confined_and_systemd_understands_it",
        "It wants root, and changes the machine. The test has systemd itself read the unit.",
    ),
    ("docker/README.md", "docker compose -f docker/compose.yaml up --build -d"): (
        f"{_CONTAINERS}::test_bringing_up_again_makes_no_keys_anew",
        "It wants an engine. The fixture of that file brings the same up, and takes it down.",
    ),
    (
        "docker/README.md",
        "docker image inspect --format '{{json .RootFS.Layers}}' khazana:local",
    ): (
        "tests/docker/test_image.py::test_two_builds_have_the_same_layers",
        "It wants an engine and two builds.",
    ),
    ("docker/README.md", "KHAZANA_IMAGE=khazana:local docker compose -f net/compose.yaml up -d"): (
        f"{_CONTAINERS}::test_every_compose_of_this_machine_accepts_the_largest_network",
        "It wants an engine.",
    ),
    ("docker/README.md", "docker build -f docker/Dockerfile -t khazana ."): (
        f"{_CONTAINERS}::test_nodes_are_confined",
        "It wants an engine, and other institutions at their addresses.",
    ),
    (
        "docker/README.md",
        "docker exec khazana khazana backup --home /data --to /data/chain.backup",
    ): (
        "tests/e2e/test_upkeep.py::test_an_operator_backs_up_repairs_and_restores",
        "It wants an engine. The commands inside are run there on a node of this machine.",
    ),
    (
        "docker/README.md",
        "KHAZANA_IMAGE=khazana:new docker compose -f docker/compose.yaml up -d --no-deps"
        " central-bank",
    ): (
        f"{_CONTAINERS}::test_replaced_container_goes_on_from_its_volume",
        "It wants an engine.",
    ),
    (
        "docker/monitoring/README.md",
        "COMPOSE_PROFILES=core,observer,monitoring docker compose -f docker/compose.yaml up -d",
    ): (
        "tests/app/test_monitoring.py::test_what_is_mounted_into_the_containers_is_there",
        "It wants an engine and the images of others.",
    ),
    ("node/cli/README.md", ">>> accounts[0]"): (
        "tests/cli/test_shell.py::test_money_moves_by_what_is_at_hand",
        "Typed at a prompt.",
    ),
    (
        "node/cli/README.md",
        "khazana auction announce mtb-3m-575 … --account MINISTRY --approver BANK"
        " --key ministry.json --key bank.json",
    ): (
        "tests/cli/test_desk.py::test_bill_from_its_definition_to_its_result",
        "A form with places to fill in; the test does all three.",
    ),
    (
        "node/stream/README.md",
        "nats stream add khazana-town --subjects 'khazana.town.>' --retention limits --discard new"
        " --storage file --replicas 3",
    ): (
        "tests/stream/test_publisher.py::test_a_stream_that_would_lose_or_mix_is_refused",
        "It wants three servers and a program of theirs. The test makes streams by hand.",
    ),
    ("tests/README.md", "make test"): (
        "tests/test_scheduling.py",
        "It is what runs this.",
    ),
    (
        "tests/bench/README.md",
        "git worktree add ../before REVISION && make -C ../before setup",
    ): (
        "tests/bench/test_turns.py::"
        "test_who_comes_second_is_not_always_the_same_and_a_check_that_fails_is_told",
        "It wants a second checkout with an environment. The test lets two small ones take turns.",
    ),
    ("tests/e2e/README.md", "python -m tests.e2e.campaign --kills 200 --seed 7"): (
        "tests/e2e/test_kills.py::test_killed_under_load_one_by_one_and_all_at_once_loses_nothing",
        "It takes fifteen minutes; the test is a shorter campaign.",
    ),
    ("tests/limits/README.md", "python -m tests.limits [ATTACK ...] [--scale 1.0]"): (
        "tests/limits/test_attacks.py::test_a_validator_under_attack_holds_little_and_serves_on",
        "It takes minutes; the test is the same on a smaller scale.",
    ),
    ("tests/sim/README.md", "python -m tests.sim --seed 7"): (
        "tests/sim/test_sim.py::test_the_trace_is_the_same_under_another_hash_seed_and_time_zone",
        "They take up to an hour; the test runs the command for one seed.",
    ),
}
"""Blocks that are not typed: page and first line; the test that runs what is in them, and why."""

NOT_NEXT: Final[Mapping[str, str]] = {
    ".venv/bin/khazana demo debt": (
        "tests/cli/test_demo.py::test_securities_live_their_whole_life_and_every_check_holds"
    ),
    ".venv/bin/khazana top": (
        "tests/cli/test_top.py::test_at_a_terminal_it_ends_on_q_and_ctrl_c_and_leaves_it_as_it_was"
    ),
    "docker compose -f docker/compose.yaml up --build": (
        f"{_CONTAINERS}::test_bringing_up_again_makes_no_keys_anew"
    ),
    "make docs": "tests/docs/test_pages.py::test_documentation_is_built_without_a_warning",
}
"""Of what the first page has one do next: what other tests run, because it wants its minute."""


def pages() -> Iterator[Path]:
    """Yield every page of the documentation, and whatever else of ours is Markdown."""
    for page in sorted(ROOT.glob("**/*.md")):
        if not any(part.startswith(".") for part in page.relative_to(ROOT).parts):
            yield page


def blocks_of_commands() -> Iterator[tuple[str, Block]]:
    for page in pages():
        for block in all_blocks(page):
            if block.commands and not (page in TYPED and block.language == "bash"):
                yield str(page.relative_to(ROOT)), block


def test_every_block_of_commands_is_typed_or_says_what_runs_it() -> None:
    unheld = [(page, block.first) for page, block in blocks_of_commands()]

    assert sorted(set(unheld) - ELSEWHERE.keys()) == [], "type it, or say what runs it instead"
    assert sorted(ELSEWHERE.keys() - set(unheld)) == [], "no page has this any more"


def test_every_page_that_is_typed_is_there_and_has_something_to_type() -> None:
    for page in TYPED:
        assert any(block.language == "bash" for block in all_blocks(page)), page
    assert {page for page in pages() if DOCS in page.parents and "bash" in languages(page)} <= set(
        TYPED
    )


def languages(page: Path) -> set[str]:
    return {block.language for block in all_blocks(page)}


@pytest.mark.parametrize(
    "test", sorted({*(test for test, _ in ELSEWHERE.values()), *NOT_NEXT.values()})
)
def test_what_runs_it_instead_is_a_test(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    names = {
        each.name
        for each in ast.walk(tree)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert name in names or (not name and any(each.startswith("test_") for each in names))


def test_what_is_left_out_of_what_to_do_next_is_on_the_page() -> None:
    lines = lines_of(section(FIRST_PAGE, "What to do next"))

    assert set(NOT_NEXT) < set(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("khazana status\n", True),
        ("$ khazana status\n", True),
        (".venv/bin/python -m pytest tests\n", True),
        ("KHAZANA_IMAGE=new docker compose up\n", True),
        ("sudo systemctl restart khazana\n", True),
        ("height   64\nkhazana = 1\n", False),
        ("[index]\ndatabase = 'sqlite'\n", False),
        ("catalogue of assets\n", False),
    ],
)
def test_a_block_without_a_mark_is_known_by_what_it_begins_with(
    text: str, *, expected: bool
) -> None:
    assert Block(language="", text=text).commands is expected
    assert Block(language="bash", text=text).commands
    assert not Block(language="python", text=text).commands
