"""One institution's keys, used by somebody who tries everything: what they cannot come to.

The attacker submits every operation of the catalogue, directly and as a proposal, about everybody,
from every account it has or gains, again and again until nothing new is gained. Much of it applies:
each office has business of its own. What no institution may do alone is compared before and after.
"""

from collections.abc import Iterator

import pytest

from node.codec import encode, replace
from node.ledger.catalogue import ACTS, GOVERNED_NAMES
from node.ledger.events import Event, Proposed
from node.ledger.invariants import decode_state
from node.ledger.operations import (
    Approve,
    CloseAccount,
    GrantLicence,
    GrantOffice,
    HoldAccount,
    OpenAccount,
    Operation,
    Propose,
    SetAccountPolicy,
    SetPowers,
    UpdateParticipantStatus,
    Withdraw,
)
from node.ledger.policies import account_address
from node.ledger.powers import ANY, OFFICE_HOLDER, REFERENCE_OFFICES, PowerRecord
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    CONSENSUS_KEYS,
    OFFICES,
    PARAMETERS,
    PARTICIPANTS,
    POWERS,
    PROPOSALS,
    PROTOCOL,
    VALIDATORS,
    Activity,
    LicencePhase,
    ParticipantKind,
    ParticipantStatus,
)
from node.ledger.terms import AssetKind, kind_of
from tests.ledger.ladders_governance import SET_PARAMETER
from tests.ledger.ladders_registry import GRANT_OFFICE, JOINT
from tests.ledger.test_ladders import LADDERS
from tests.ledger.world import (
    CB,
    CC,
    DAY_MS,
    FM,
    NOW_MS,
    VAR,
    World,
    address,
    make_market,
    policy,
    register,
)

PUPPETS = tuple(f"puppet-{kind.value}" for kind in ParticipantKind)
SALT = b"attacker"
ROUNDS = 2
"""What is gained in the first round is used in the second."""


def reference() -> World:
    return make_market()


def with_a_bank_in_office() -> World:
    """The bank, for which the central bank opens accounts, decides with it over bills."""
    world = make_market()
    world.do(
        replace(GRANT_OFFICE.good, participant="first-bank", office="auditor"), by=(CB, FM, CC)
    )
    row = PowerRecord(offices=("auditor", CB), required=2, licences=())
    for operation in ("issue", "define_asset", "redeem"):
        world.do(
            SetPowers(
                account=address(CB),
                approvers=JOINT,
                operation=operation,
                subject="bill",
                power=row,
            ),
            by=(CB, FM, CC),
        )
    return world


def with_open_proposals() -> World:
    """Each institution has a joint decision open, which the others have not approved."""
    world = make_market()
    for office in REFERENCE_OFFICES:
        operation = replace(SET_PARAMETER.good, account=address(office), approvers=())
        world.do(propose(operation, address(office)), by=(office,))
    return world


def propose(operation: Operation, account: bytes) -> Propose:
    """Return the proposal of this operation by the account that acts in it."""
    operations = encode((replace(operation, account=account, approvers=()),))
    return Propose(account=account, operations=operations, expires_ms=NOW_MS + DAY_MS)


def decided_jointly(world: World, attacker: str) -> dict[bytes, object]:
    """Return all that nobody may change alone: rules, validators, offices, securities, the others'.

    Accounts of institutions count with their policies, and none may be added or put on hold.
    """
    found: dict[bytes, object] = {}
    records = decode_state(world.records.items())
    holders = {
        key.decode()
        for table, key, record in records
        if table is PARTICIPANTS and getattr(record, "office", None) is not None
    }
    for table, key, record in records:
        match table:
            case _ if table in (POWERS, PARAMETERS, PROTOCOL, OFFICES, VALIDATORS, CONSENSUS_KEYS):
                kept: object = record
            case _ if table is PARTICIPANTS and key.decode() in holders:
                kept = record
            case _ if table is ASSETS and kind_of(record.terms) is not AssetKind.CASH:  # type: ignore[attr-defined]
                kept = record
            case _ if table is ACCOUNTS and record.owner in holders - {attacker}:  # type: ignore[attr-defined]
                kept = record
            case _:
                continue
        found[table.prefix + key] = kept
    return found


def attempts(world: World, account: bytes) -> Iterator[Operation]:
    """Yield everything that might bring something nearer, acted by this account."""
    people = (*REFERENCE_OFFICES, "first-bank", "exchange", "amina", *PUPPETS)
    yield from (ladder.good for ladder in LADDERS)
    for kind, puppet in zip(ParticipantKind, PUPPETS, strict=True):
        yield register(puppet, kind)
    for person in people:
        for office in (*REFERENCE_OFFICES, "auditor", "new-office"):
            yield GrantOffice(account=account, approvers=(), participant=person, office=office)
        for activity in Activity:
            yield GrantLicence(
                account=account,
                approvers=(),
                participant=person,
                activity=activity,
                phase=LicencePhase.FULL,
                expires_ms=None,
            )
        # The last one stands: who is suspended is of no use to the attacker.
        for status in (ParticipantStatus.SUSPENDED, ParticipantStatus.ACTIVE):
            yield UpdateParticipantStatus(
                account=account,
                approvers=(),
                participant=person,
                status=status,
                reason="Attack",
                legal_reference="None",
            )
    for office in REFERENCE_OFFICES:
        yield HoldAccount(
            account=account,
            approvers=(),
            target=address(office),
            reason="Attack",
            legal_reference="None",
        )
        if address(office) != account:
            yield SetAccountPolicy(account=address(office), policy=policy("attacker"))
    alone = PowerRecord(offices=(CB,), required=1, licences=())
    for name in sorted(GOVERNED_NAMES):
        for subject in (ANY, OFFICE_HOLDER, "bill"):
            yield SetPowers(
                account=account, approvers=(), operation=name, subject=subject, power=alone
            )
    for key, _ in world.records.scan(PROPOSALS, b"", 100):
        yield Approve(account=account, proposal=key)
        yield Withdraw(account=account, proposal=key)


def variants(operation: Operation, account: bytes, mine: list[bytes]) -> Iterator[Operation]:
    """Yield the operation as this account can bring it: alone, with all others, as a proposal."""
    if isinstance(operation, CloseAccount | SetAccountPolicy):
        yield operation  # Of the victim's account; done to its own they would only disarm it.
        return
    operation = replace(operation, account=account)
    if not hasattr(operation, "approvers"):
        yield operation
        return
    yield replace(operation, approvers=())
    others = tuple(other for other in mine if other != account)[:8]
    yield replace(operation, approvers=others)
    yield propose(operation, account)


def attempt(world: World, operation: Operation, attacker: str) -> tuple[Event, ...]:
    """Return the events of the operation under the attacker's key; none where it is refused."""
    return world.block(world.body(operation, by=(attacker,))).receipts[0].events


def push(world: World, proposed: Event, account: bytes, mine: list[bytes], attacker: str) -> None:
    """Approve what has just been proposed from every account, and make room for the next."""
    assert isinstance(proposed, Proposed)
    for other in mine:
        attempt(world, Approve(account=other, proposal=proposed.proposal), attacker)
    attempt(world, Withdraw(account=account, proposal=proposed.proposal), attacker)


@pytest.mark.parametrize("attacker", REFERENCE_OFFICES)
@pytest.mark.parametrize("world_of", [reference, with_a_bank_in_office, with_open_proposals])
def test_one_institution_alone_comes_to_nothing_that_takes_two(world_of, attacker) -> None:  # type: ignore[no-untyped-def]
    world: World = world_of()
    before = decided_jointly(world, attacker)
    mine = [address(attacker)]
    applied = set[str]()

    for _ in range(ROUNDS):
        for account in tuple(mine):
            for operation in tuple(attempts(world, account)):
                for variant in variants(operation, account, mine):
                    events = attempt(world, variant, attacker)
                    if events:
                        applied.add(type(variant).__name__)
                    if isinstance(variant, Propose) and len(events) == 1:
                        push(world, events[0], account, mine, attacker)
            for owner in (*REFERENCE_OFFICES, "first-bank", "exchange", "amina", *PUPPETS):
                own = OpenAccount(
                    account=account, approvers=(), owner=owner, policy=policy(attacker), salt=SALT
                )
                if attempt(world, own, attacker):
                    mine.append(account_address(owner, policy(attacker), SALT))
        assert decided_jointly(world, attacker) == before

    world.check()
    assert "Propose" in applied
    # Those who may open accounts have gained some, of others, to act with: so the test bites.
    assert (len(mine) > 1) == (attacker in (CB, VAR))


def test_every_act_is_tried() -> None:
    world = make_market()
    tried = {type(operation) for operation in attempts(world, address(CB))}

    assert tried | {Propose, Approve, Withdraw} == {act.operation for act in ACTS}
