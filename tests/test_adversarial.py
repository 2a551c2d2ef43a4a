"""The adversarial list: which test covers which case, and that none is forgotten.

A test names the cases it covers with `@pytest.mark.adversarial(4, 11)`. The numbers are permanent.
A case whose feature does not exist yet stands in `AWAITING` with the feature it waits for; once a
test covers it, it must leave that table. `python -m tests.test_adversarial` prints the whole table:
case, test, and where it happens, which follows from where the test lives.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

TESTS = Path(__file__).parent

CASES: Mapping[int, str] = {
    1: "a proposer sends two proposals in one round",
    2: "a validator prevotes twice in one round",
    3: "a validator precommits twice in one round",
    4: "a locked validator is offered another value without a newer polka",
    5: "a proposal's valid round is not below its round",
    6: "a proposal cites a polka that was not seen",
    7: "a polka arrives after the precommit for nil",
    8: "precommits of an older round arrive late",
    9: "precommits arrive before the proposal",
    10: "votes stay split for three rounds",
    11: "a lock that the others never saw",
    12: "votes exactly at two thirds and at one half",
    13: "thresholds for one to ten validators in both fault models",
    14: "messages from a higher round, one too few and just enough",
    15: "votes for absurd rounds",
    16: "votes for another height",
    17: "a vote signed for another network or as another kind",
    18: "a vote whose stated validator did not sign it",
    19: "a validator outside the set",
    20: "a commit certificate with duplicates, nils, too few or one bad signature",
    21: "twins: one key running twice under every partition",
    22: "a cloned signer isolates half of the network",
    23: "a validator change takes effect at the next height, certificates on both sides",
    24: "validators removed down to one, the last one, and added back",
    25: "approvals for governance expire alike on every node",
    26: "the proposers of the first rounds are dead",
    27: "half of the network is away for an hour",
    28: "all validators restart in the middle of a round",
    29: "a wiped validator joins again with its key",
    30: "a validator is voted in while its node is off",
    31: "a clock is off by seconds or a day",
    32: "every proposer pushes time by the maximum",
    33: "a proposer is slow each time",
    34: "a partition in one direction",
    35: "loss, reordering, jitter and duplicates",
    36: "one victim never receives proposals",
    37: "an idle chain, then one transaction",
    38: "a full pool and empty blocks",
    39: "truncated, over-long, deeply nested and slow frames",
    40: "every message with every field missing, null or of another type",
    41: "a voter list of another length",
    42: "a part of a proposal that is not of that proposal",
    43: "a proposal larger than a block may be",
    44: "a compact proposal with unknown, repeated or wrong transactions",
    45: "a small message that decodes to a huge one",
    46: "an unknown, wrong or removed key connects",
    47: "a handshake with a weak point, replayed or swapped",
    48: "one peer opens very many connections",
    49: "a peer announces a great height, then a lower one",
    50: "a synchronised block with a certificate that is not valid",
    51: "a block is served twice or is committed already",
    52: "synchronisation to the same height",
    53: "a forged snapshot",
    54: "a snapshot without a trusted starting point",
    55: "a light client at its thresholds",
    56: "an old transaction after a snapshot",
    57: "one transaction twice, in every disguise",
    58: "a transaction for another network or a former one",
    59: "the window of validity at its edges, and nobody stuck",
    60: "amounts at and past every edge",
    61: "transfers to oneself, to nobody, by the wrong party, from a held account",
    62: "a transaction valid at admission and refused in the block",
    63: "a block with a wrong field",
    64: "two processes with another hash seed, locale, zone and version",
    65: "killed at every write boundary",
    66: "one node computes otherwise",
    67: "mixed versions and a rule gated by height",
    68: "an older, missing or doubled record of what was signed",
    69: "a damaged, full or read-only database",
    70: "power fails between two writes",
    71: "a consensus key is rotated while the old one is online",
    72: "JSON-RPC at its edges",
    73: "administration from the public side",
    74: "subscribers that do not read",
    75: "ten times the load that fits",
    76: "injected host names and markup",
}

AWAITING: Mapping[int, str] = {
    42: "nothing: a proposal travels as its header and ids, there are no parts to confuse",
}
"""Cases without a test yet, each with the feature or the harness that it waits for."""


PLACES: Final = {
    "tests/sim": "simulator",
    "tests/app": "memory network",
    "tests/sync": "memory network",
    "tests/network": "memory network",
    "tests/network/test_tls.py": "real sockets",
    "tests/network/test_websocket.py": "real sockets",
    "tests/network/test_handshakes.py": "real sockets",
    "tests/network/test_dials.py": "real sockets",
    "tests/client": "real sockets",
    "tests/testing": "real sockets",
    "tests/rpc": "real sockets",
    "tests/rpc/test_jsonrpc.py": "one node",
    "tests/chain/test_determinism.py": "real processes",
    "tests/control": "real sockets",
    "tests/e2e": "real processes",
    "tests/docker": "real processes",
    "tests/limits/test_attacks.py": "real processes",
    "tests/consensus": "pure machine",
    "tests/ledger": "pure machine",
    "tests/blocks": "pure machine",
    "tests/foundations": "pure machine",
    "tests/keys": "pure machine",
}
"""Where the tests of a folder or a file let things happen; the longest path counts. Elsewhere it is
one node, or a part of one: its chain, its pool, its disk, its replica without a network."""

WHOLE_NODES: Final = frozenset({"simulator", "memory network", "real sockets", "real processes"})
SAFETY: Final = range(1, 26)
"""Cases that hold for every schedule: on the pure machine, and once more with whole nodes."""


def where(test: str) -> str:
    """Return where a test, given as `path::function`, lets things happen."""
    path = test.partition("::")[0]
    fitting = [prefix for prefix in PLACES if path == prefix or path.startswith(f"{prefix}/")]
    return PLACES[max(fitting, key=len)] if fitting else "one node"


@functools.cache
def covered() -> Mapping[int, list[str]]:
    """Return the tests that name each case, as `path::function`, in order of path."""
    tests: dict[int, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("*.py")):
        for name, number in _marks(path):
            tests[number].append(f"{path.relative_to(TESTS.parent)}::{name}")
    return dict(tests)


def _marks(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(
                ".adversarial"
            ):
                yield from (
                    (node.name, argument.value)
                    for argument in decorator.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
                )


def test_every_case_has_a_test_or_says_what_it_waits_for() -> None:
    missing = sorted(set(CASES) - set(covered()) - set(AWAITING))

    assert not missing, "\n".join(f"{number}: {CASES[number]}" for number in missing)


def test_no_case_that_has_a_test_is_listed_as_waiting() -> None:
    assert not set(covered()) & set(AWAITING)


def test_no_test_names_a_case_that_does_not_exist() -> None:
    assert set(covered()) <= set(CASES)


def test_every_safety_case_is_tried_on_the_pure_machine_and_with_whole_nodes() -> None:
    tests = covered()
    places = {number: {where(test) for test in tests.get(number, ())} for number in SAFETY}

    assert {number for number in SAFETY if "pure machine" not in places[number]} == set()
    assert {number for number in SAFETY if not places[number] & WHOLE_NODES} == set()


def test_every_place_is_there() -> None:
    assert all((TESTS.parent / place).exists() for place in PLACES)


if __name__ == "__main__":
    found = covered()
    for number, case in CASES.items():
        print(f"{number:3} {case}")  # noqa: T201 - a command prints.
        if number not in found:
            print(f"      awaits {AWAITING.get(number, 'a test')}")  # noqa: T201
        for test in found.get(number, ()):
            print(f"      {where(test):<15} {test}")  # noqa: T201
