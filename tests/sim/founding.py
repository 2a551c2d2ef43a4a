"""What a run begins with: its genesis, and the limits of its nodes."""

import functools
import random
from typing import Final

from consensus.types import FaultModel
from node.codec import replace
from node.genesis import Genesis, GenesisParticipant, genesis_of
from node.ledger.tables import ParticipantKind
from tests.chain.town import make_record, validator_record
from tests.sim.loop import EPOCH_MS

CLOCK_AHEAD_MAX_MS: Final = 3_000
WINDOW_MS: Final = 120_000
"""How long a transaction can be valid."""
PRUNED_WINDOW_MS: Final = 6_000
"""The same where some prune: a block stays for two windows, and days are short."""


@functools.lru_cache(maxsize=64)
def found(
    validators: int,
    *,
    transactions_max: int,
    gather_ms: int,
    heartbeat_ms: int,
    window_ms: int,
    version: int,
) -> Genesis:
    """Return the genesis of this many validators: the four institutions, then banks."""
    record = make_record(
        min(validators, 4),
        fault_model=FaultModel.BYZANTINE,
        window_ms=window_ms,
        protocol_version=version,
    )
    banks = [f"bank-{number}" for number in range(5, validators + 1)]
    changed = replace(
        record,
        time_ms=EPOCH_MS - 1_000,
        validators=(*record.validators, *(validator_record(name) for name in banks)),
        participants=(
            *record.participants,
            *(
                GenesisParticipant(
                    id=name,
                    kind=ParticipantKind.BANK,
                    jurisdiction="PK",
                    lei=None,
                    file_commitment=bytes(32),
                    office=None,
                )
                for name in banks
            ),
        ),
        consensus=replace(
            record.consensus,
            timeout_propose_ms=600,
            timeout_prevote_ms=300,
            timeout_precommit_ms=300,
            timeout_growth_ms=200,
            timeout_max_ms=4_000,
        ),
        blocks=replace(
            record.blocks,
            transactions_max=transactions_max,
            gather_ms=gather_ms,
            heartbeat_ms=heartbeat_ms,
            clock_ahead_max_ms=CLOCK_AHEAD_MAX_MS,
        ),
    )
    return genesis_of(changed)


def draw_limits(chance: random.Random) -> dict[str, dict[str, int]]:
    """Draw the limits of a node: most have the defaults, some a bound that is met all the time."""
    limits: dict[str, dict[str, int]] = {}
    for section, name, tight in (
        ("mempool", "transactions_max", (4, 40)),
        ("storage", "records_cache_bytes", (1_024,)),
        ("sync", "fetches_max", (1, 2)),
        ("sync", "range_blocks_max", (1, 3)),
        ("sync", "buffer_bytes_max", (1_024,)),
        ("sync", "fetch_timeout_ms", (500,)),
        ("replica", "queue_max", (1, 10)),
        ("replica", "resend_ms", (100, 3_000)),
        ("replica", "fetch_timeout_ms", (50, 2_000)),
        ("replica", "patience_ms", (0, 300)),
        ("network", "lane_bytes_max", (4_096,)),
        ("network", "frames_per_s_max", (200,)),
    ):
        if chance.random() < 0.15:
            limits.setdefault(section, {})[name] = chance.choice(tight)
    return limits
