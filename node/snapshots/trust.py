"""Whether the operator's trusted point carries a snapshot: pure, one function.

A trail from the genesis is signed by keys of the past. Whoever has got hold of enough old keys can
sign another past with them, and nobody could tell the two apart. So whoever joins by a snapshot
first asks somebody for the id of one recent block, not over this network, and only a way that leads
through that block counts. The older the point, the more time there was to collect keys: beyond the
trust period it carries nothing.
"""

from dataclasses import dataclass

from node.blocks import Header, block_id
from node.snapshots.errors import TrustFault, TrustRefused
from node.snapshots.parts import PointRecord
from node.snapshots.trail import Trail

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedPoint:
    """What the operator vouches for."""

    height: int
    block_id: bytes
    period_ms: int
    """How old the block may be."""


def check_trust(
    trusted: TrustedPoint, header: Header, trail: Trail, point: PointRecord, now_ms: int
) -> None:
    """Check that the verified way from the genesis to the snapshot leads through the point.

    Args:
        header: what somebody says to be the trusted block's.
        trail: verified, up to the snapshot.
        now_ms: this node's clock.

    Raises:
        TrustRefused: it does not, or the point is too old.
    """
    found = block_id(header)
    if header.height != trusted.height or found != trusted.block_id:
        raise TrustRefused(
            TrustFault.ANOTHER_BLOCK,
            f"block {header.height} is {found.hex()}, the trusted block {trusted.height} is"
            f" {trusted.block_id.hex()}",
        )
    age_ms = now_ms - header.time_ms
    if age_ms > trusted.period_ms:
        raise TrustRefused(
            TrustFault.TOO_OLD,
            f"the trusted block {trusted.height} is {age_ms // HOUR_MS} hours old, at most"
            f" {trusted.period_ms // HOUR_MS} are trusted: take a newer one with"
            " `khazana status --trust` from a node that you trust",
        )
    if point.header.height < trusted.height:
        raise TrustRefused(
            TrustFault.ABOVE,
            f"the snapshot of height {point.header.height} is below the trusted height"
            f" {trusted.height}: wait for a newer one",
        )
    if point.header.height == trusted.height and block_id(point.header) != found:
        raise TrustRefused(
            TrustFault.NOT_ON_THE_WAY,
            f"the snapshot's block {trusted.height} is {block_id(point.header).hex()}, the trusted"
            f" one {found.hex()}",
        )
    ways = [(trusted.height, header.validators_hash)]
    if point.header.height > trusted.height and not trail.is_amended(trusted.height + 1):
        ways.append((trusted.height + 1, header.next_validators_hash))
    for height, named in ways:
        led = trail.hash_at(height)
        if led != named:
            raise TrustRefused(
                TrustFault.NOT_ON_THE_WAY,
                f"the trail leads to other validators at height {height}, {led.hex()}, than the"
                f" trusted block names, {named.hex()}",
            )
