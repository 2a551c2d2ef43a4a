"""Plans of auctions: versions of a list, which promise nothing and bind nobody."""

from node.codec import replace
from node.ledger.auctions.plans import PLANNED_MAX, PlanRecord
from node.ledger.events import PlanPublished
from node.ledger.operations import PublishPlan
from node.ledger.outcomes import Outcome
from node.ledger.tables import PLANS, name_key
from tests.ledger.ladders_plans import LATER, PLAN, PLANNED
from tests.ledger.world import FM, NOW_MS, TODAY, World, address, make_market


def publish(version: int, *auctions: object, plan: str = PLAN) -> PublishPlan:
    return PublishPlan(
        account=address(FM),
        approvers=(),
        plan=plan,
        version=version,
        auctions=auctions,  # type: ignore[arg-type]
    )


def ruling(world: World) -> PlanRecord | None:
    return world.get(PLANS, name_key(PLAN))


def test_plan_is_published_changed_and_withdrawn_version_by_version() -> None:
    world = make_market()

    first = world.do(publish(0, PLANNED, LATER), by=(FM,))
    moon = replace(LATER, day=LATER.day + 1, settlement_day=LATER.day + 2, provisional=True)
    world.do(publish(1, PLANNED, moon), by=(FM,))

    assert first == (PlanPublished(plan=PLAN, version=1, auctions=2),)
    assert ruling(world) == PlanRecord(version=2, published_ms=NOW_MS, auctions=(PLANNED, moon))
    stale = world.submit(publish(1, PLANNED), by=(FM,))
    assert stale.outcome is Outcome.PLAN_VERSION_PASSED
    world.do(publish(2), by=(FM,))
    assert ruling(world) == PlanRecord(version=3, published_ms=NOW_MS, auctions=())
    world.check()


def test_auctions_of_the_past_stay_in_a_plan_that_goes_on() -> None:
    world = make_market()
    world.do(publish(0, PLANNED, LATER), by=(FM,))
    world.pass_days(10)

    world.do(publish(1, PLANNED, LATER), by=(FM,))
    world.pass_days(20)
    over = world.submit(publish(2, PLANNED, LATER), by=(FM,))

    assert over.outcome is Outcome.PLAN_NOT_VALID
    assert "its last day" in str(dict(over.details)["reason"])


def test_plan_holds_so_many_auctions_and_no_more() -> None:
    world = make_market()
    several = [
        replace(PLANNED, day=TODAY + day, settlement_day=TODAY + day) for day in range(PLANNED_MAX)
    ]

    world.do(publish(0, *several), by=(FM,))

    record = ruling(world)
    assert record is not None
    assert len(record.auctions) == PLANNED_MAX
