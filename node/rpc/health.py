"""Whether this node can serve: what `/readyz` and the status say.

Judged by what this node sees itself: its own commits, its own links, its own clock. Cheap enough to
be asked every second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from consensus.quorum import quorum
from node.chain import describe_versions
from node.network.roster import Role
from node.rpc.errors import JsonValue
from node.rpc.services import RpcServices
from node.sync import UNSERVED_ADVICE, unserved_height

LAG_MAX: Final = 2
"""Blocks by which a ready node may be behind the highest peer."""
SILENCE_HEARTBEATS_MAX: Final = 4
"""Heartbeats without a block after which the network is taken to have stopped."""
SILENCE_MIN_MS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of being ready."""

    name: str
    passed: bool
    found: str
    """One sentence with the figures."""

    @override
    def __str__(self) -> str:
        return f"[{'+' if self.passed else '-'}] {self.name}: {self.found}"


class Health:
    """Watches one node. Make it when the node starts: progress is counted from there."""

    def __init__(self, services: RpcServices) -> None:
        self._services = services
        self._progress_at = services.clock.monotonic()
        services.chain.listeners.append(self._committed)

    def _committed(self, _committed: object) -> None:
        self._progress_at = self._services.clock.monotonic()

    def checks(self) -> tuple[Check, ...]:
        """Return every condition with what was found."""
        return tuple(self._checks())

    def summary(self) -> dict[str, JsonValue]:
        """Return the same as one object."""
        checks = self.checks()
        head = self._services.chain.head
        return {
            "live": True,
            "ready": all(check.passed for check in checks),
            "height": head.height,
            "block_id": head.block_id.hex(),
            "checks": [
                {"name": check.name, "passed": check.passed, "found": check.found}
                for check in checks
            ],
        }

    def _checks(self) -> Iterator[Check]:
        services = self._services
        members = services.peers.status()
        genesis = services.genesis
        names = {validator.id for validator in services.chain.validators.validators}
        connected = {member.name for member in members if member.connected}
        if services.node_name in names:
            found = len(names & (connected | {services.node_name}))
            needed = quorum(genesis.fault_model, len(names))
            yield Check(
                name="quorum",
                passed=found >= needed,
                found=f"{found} of {len(names)} validators in reach, {needed} decide",
            )
            silent = services.why_silent()
            yield Check(
                name="signing", passed=silent is None, found=silent or "it votes at the next height"
            )
        else:
            # An observer follows whom it is connected to; it need not reach those who decide.
            yield Check(
                name="peers", passed=bool(connected), found=f"{len(connected)} peers connected"
            )
        height = services.chain.head.height
        highest = max(
            (member.height for member in members if member.role is Role.VALIDATOR), default=0
        )
        unserved = unserved_height(
            height,
            {member.name: member.height for member in members if member.connected},
            {member.name: member.earliest for member in members},
        )
        missing = services.missing()
        # Not by what is missing: a peer that speaks of it may lie, and proves nothing. Where it is
        # true, this node falls behind and commits nothing any more, which is not to be mistaken.
        yield Check(
            name="caught up",
            passed=highest - height <= LAG_MAX,
            found=f"at height {height}, the highest peer at {highest}"
            + ("" if missing is None else f"; {missing}")
            + ("" if unserved is None else f"; no peer keeps block {unserved}: {UNSERVED_ADVICE}"),
        )
        # Passed also when the software is too old: until the upgrade this node serves.
        yield Check(name="protocol", passed=True, found=describe_versions(services.chain))
        silence_ms = int((services.clock.monotonic() - self._progress_at) * 1000)
        allowed_ms = max(SILENCE_MIN_MS, SILENCE_HEARTBEATS_MAX * genesis.blocks.heartbeat_ms)
        yield Check(
            name="progress",
            passed=silence_ms <= allowed_ms,
            found=f"last block {silence_ms / 1000:.1f} s ago, at most {allowed_ms / 1000:g}",
        )
