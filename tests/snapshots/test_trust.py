"""The operator's trusted point: what it carries, and what it does not."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from node.blocks import Header, block_id
from node.codec import replace
from node.keys import verify
from node.snapshots import PointRecord, Trail, TrustedPoint, TrustFault, TrustRefused, check_trust
from tests.chain.town import Town
from tests.snapshots.test_trail import changed_town, way_of

HOUR_MS = 3_600_000


@dataclass(kw_only=True)
class Case:
    """What `check_trust` is asked; made good, then changed by a row of the table."""

    town: Town
    trusted: TrustedPoint
    header: Header
    trail: Trail
    point: PointRecord
    now_ms: int

    def trust(self, height: int) -> None:
        block = self.town.chain.block(height)
        assert block is not None
        self.header = block.header
        self.now_ms = block.header.time_ms
        self.trusted = TrustedPoint(
            height=height, block_id=block_id(block.header), period_ms=HOUR_MS
        )

    def lose_trail(self) -> None:
        self.trail = Trail(self.town.genesis, verify)

    def fork(self) -> None:
        """Let the snapshot's block be another than the trusted one of its height."""
        self.trust(5)
        self.point = replace(self.point, header=replace(self.point.header, round=7))


async def good() -> Case:
    town = await changed_town()
    point, handovers = way_of(town)
    trail = Trail(town.genesis, verify)
    for each in handovers:
        trail.extend(each)
    block = town.chain.block(2)
    assert block is not None
    return Case(
        town=town,
        trusted=TrustedPoint(height=2, block_id=block_id(block.header), period_ms=HOUR_MS),
        header=block.header,
        trail=trail,
        point=point,
        now_ms=block.header.time_ms + HOUR_MS,
    )


def check(case: Case) -> None:
    check_trust(case.trusted, case.header, case.trail, case.point, case.now_ms)


@pytest.mark.adversarial(54)
@pytest.mark.parametrize("height", [1, 2, 3, 4, 5])
async def test_way_through_the_trusted_block_is_accepted(height: int) -> None:
    case = await good()
    case.trust(height)

    check(case)


ROWS: list[tuple[str, Callable[[Case], None], TrustFault, str]] = [
    (
        "one millisecond older than the period",
        lambda case: setattr(case, "now_ms", case.now_ms + 1),
        TrustFault.TOO_OLD,
        "1 hours old, at most 1 are trusted: take a newer one with `khazana status --trust`",
    ),
    (
        "another block of this height",
        lambda case: setattr(case, "header", replace(case.header, round=9)),
        TrustFault.ANOTHER_BLOCK,
        "block 2 is",
    ),
    (
        "a block of another height",
        lambda case: setattr(case, "trusted", replace_point(case.trusted, height=3)),
        TrustFault.ANOTHER_BLOCK,
        "the trusted block 3 is",
    ),
    (
        "a snapshot below it",
        lambda case: setattr(
            case, "point", replace(case.point, header=replace(case.point.header, height=1))
        ),
        TrustFault.ABOVE,
        "the snapshot of height 1 is below the trusted height 2",
    ),
    (
        "a way past it by other validators",
        lambda case: case.lose_trail(),
        TrustFault.NOT_ON_THE_WAY,
        "other validators at height 2",
    ),
    (
        "a snapshot of the same height and another block",
        lambda case: case.fork(),
        TrustFault.NOT_ON_THE_WAY,
        "the snapshot's block 5 is",
    ),
]


def replace_point(point: TrustedPoint, *, height: int) -> TrustedPoint:
    return TrustedPoint(height=height, block_id=point.block_id, period_ms=point.period_ms)


@pytest.mark.adversarial(54, 55)
@pytest.mark.parametrize(
    ("change", "fault", "sentence"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
async def test_trusted_point_does_not_carry(
    change: Callable[[Case], None], fault: TrustFault, sentence: str
) -> None:
    case = await good()
    change(case)

    with pytest.raises(TrustRefused, match=sentence) as caught:
        check(case)

    assert caught.value.fault is fault


@pytest.mark.adversarial(54)
async def test_trusted_change_of_validators_is_followed_by_those_it_names() -> None:
    """At height 1 a set is trusted that the next block no longer has."""
    case = await good()
    case.trust(1)
    case.lose_trail()

    with pytest.raises(TrustRefused, match="other validators at height 2"):
        check(case)
