"""Golden bytes: changing one is a change of protocol, and says so in the changelog.

`pytest tests/ledger/test_vectors.py --rewrite` writes the file anew.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from node.codec import decode, encode
from node.ledger.operations import Operation
from node.ledger.parameters import DEFAULTS, parameters_hash
from node.ledger.state import LedgerState
from node.ledger.transactions import TransactionBody, transaction_id
from node.ledger.transition import apply_block
from tests.ledger.ladder import Ladder
from tests.ledger.test_ladders import LADDERS
from tests.ledger.world import (
    GENESIS_HASH,
    World,
    address,
    identify,
    make_market,
    make_world,
    public_key,
    transfer,
)

VECTORS: Final = Path(__file__).parent / "vectors.json"
ROOT: Final = Path(__file__).parents[2]


def digest(world: World) -> str:
    """Return a hash of all records: what any commitment over them depends on."""
    return hashlib.sha256(encode(tuple(world.records.items()))).hexdigest()


def receipt_of(ladder: Ladder) -> str:
    """Return the encoded receipt of the ladder's operation on the market."""
    world = make_market()
    state = LedgerState(world.records)
    if ladder.prepare is not None:
        ladder.prepare(state)
    body = world.body(ladder.good, by=ladder.by)
    result = apply_block(state, world.context(), [(identify(body), body)])
    return encode(result.receipts[0]).hex()


def compute() -> dict[str, object]:
    body = TransactionBody(
        version=1,
        network=GENESIS_HASH[:8],
        valid_until_ms=1_790_000_000_000,
        salt=b"8 bytes.",
        signers=(public_key("amina"),),
        operations=(transfer("amina", "bilal", 12_345),),
        memo="خزانہ",
    )
    operations = {f"{ladder.act}/{index}": ladder for index, ladder in enumerate(LADDERS)}
    return {
        "address of amina": address("amina").hex(),
        "genesis hash": GENESIS_HASH.hex(),
        "transaction body": encode(body).hex(),
        "transaction id": transaction_id(GENESIS_HASH, encode(body)).hex(),
        "operations": {name: encode(ladder.good).hex() for name, ladder in operations.items()},
        "receipts": {name: receipt_of(ladder) for name, ladder in operations.items()},
        "default parameters": parameters_hash(DEFAULTS).hex(),
        "founded state": digest(make_world()),
        "market state": digest(make_market()),
    }


def test_bytes_are_those_of_the_golden_file(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--rewrite"):
        VECTORS.write_text(json.dumps(compute(), indent=1) + "\n")

    assert compute() == json.loads(VECTORS.read_text())


@pytest.mark.parametrize("ladder", LADDERS, ids=[ladder.act for ladder in LADDERS])
def test_operation_decodes_from_its_golden_bytes(ladder: Ladder) -> None:
    operations = json.loads(VECTORS.read_text())["operations"]

    index = LADDERS.index(ladder)
    golden = bytes.fromhex(operations[f"{ladder.act}/{index}"])
    assert decode(golden, Operation) == ladder.good  # type: ignore[arg-type]  # a union


@pytest.mark.adversarial(64)
@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_state_is_the_same_in_another_process(seed: str) -> None:
    """Whatever the seed of Python's own hashes, the locale and the time zone are."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
        "PYTHONPATH": str(ROOT),
    }
    script = (
        "from tests.ledger.test_vectors import digest, make_market; print(digest(make_market()))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    assert printed.strip() == json.loads(VECTORS.read_text())["market state"]
