"""What is checked when all have stopped: the disks, against each other and by themselves."""

from collections.abc import Sequence

from node.codec import CodecError
from node.genesis import Genesis
from node.index.projection import Projector, Rows
from node.index.source import Moment, moment
from node.ledger import commitment
from node.ledger.errors import InvariantViolation
from node.ledger.invariants import check_state, decode_state
from node.storage import layout
from node.storage.nodes import StoredNodes
from node.storage.store import MemoryStore
from tests.sim.checker import Violation
from tests.sim.machines import Machine


def compare(honest: Sequence[Machine], *, decided: bytes, genesis: Genesis) -> None:
    """Compare what is on the disks, and check it whole.

    Args:
        decided: the state root that was decided last.
    """
    states: dict[str, list[tuple[bytes, bytes]]] = {}
    for machine in honest:
        values = machine.disk.raw_values
        state = _state_of(values)
        states[machine.name] = state
        root = commitment.state_root(StoredNodes(values))
        anew = commitment.update(StoredNodes(MemoryStore()), dict(state)).root
        if not root == anew == decided:
            raise Violation(
                "end",
                f"{machine.name}: the stored root is {root.hex()}, of its records"
                f" {anew.hex()}, decided {decided.hex()}",
            )
    first, *others = states.items()
    for name, state in others:
        if state != first[1]:
            raise Violation("end", f"the states of {first[0]} and {name} differ")
    try:
        check_state(decode_state(first[1]))
    except (InvariantViolation, CodecError, KeyError) as error:
        raise Violation("end", f"the ledger at {first[0]}: {error}") from error
    for machine in honest:
        with moment(machine.disk.raw_values, genesis) as now:
            if now.earliest == 1 and not machine.disk.is_rotten:
                _check_told(machine.name, now, genesis)
                break


def _check_told(name: str, now: Moment, genesis: Genesis) -> None:
    """Check that the events of all blocks tell what everybody holds: what an index is made of."""
    rows, projector = Rows(first=1), Projector(genesis.hash)
    for height in range(1, now.head + 1):
        projector.add(rows, now.given(height))
    told = {key: total for key, total in rows.moves.items() if total}
    if told != dict(now.holdings()):
        raise Violation("end", f"{name}: the events of its blocks do not tell what it holds")


def _state_of(values: MemoryStore) -> list[tuple[bytes, bytes]]:
    start = layout.state_key(b"")
    stop = start[:-1] + bytes([start[-1] + 1])
    return [(full[len(start) :], value) for full, value in values.scan(start, stop)]
