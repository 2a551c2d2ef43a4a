"""What the acts of the registry desk do when they are applied."""

import pytest

from node.codec import replace
from node.ledger.events import (
    AccountClosed,
    AccountHeld,
    AccountOpened,
    AccountPolicySet,
    AccountReleased,
    LicenceGranted,
    LicenceRevoked,
    OfficeGranted,
    ParticipantRegistered,
    ParticipantStatusUpdated,
)
from node.ledger.operations import CloseAccount, SetAccountPolicy
from node.ledger.outcomes import Outcome
from node.ledger.tables import (
    ACCOUNTS,
    IDENTIFIERS,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    AccountHold,
    AccountRecord,
    AccountStatus,
    Activity,
    IdentifierRecord,
    LicencePhase,
    LicenceRecord,
    OfficeRecord,
    ParticipantKind,
    ParticipantRecord,
    ParticipantStatus,
    identifier_key,
    licence_key,
    name_key,
)
from tests.ledger.ladders_governance import SET_PARAMETER
from tests.ledger.ladders_registry import (
    GRANT_LICENCE,
    GRANT_OFFICE,
    LEI,
    REGISTER_PARTICIPANT,
    RELEASE_ACCOUNT,
    REVOKE_LICENCE,
)
from tests.ledger.world import (
    CB,
    CC,
    COMMITMENT,
    FM,
    NOW_MS,
    VAR,
    World,
    address,
    hold_account,
    make_market,
    make_world,
    open_for,
    policy,
    register,
    suspend,
    transfer,
)


@pytest.fixture
def market() -> World:
    return make_market()


def test_registered_participant_is_known_by_its_registrar_and_identifier(market: World) -> None:
    events = market.do(REGISTER_PARTICIPANT.good, by=(VAR,))

    assert events == (
        ParticipantRegistered(participant="broker", kind=ParticipantKind.COMPANY, registrar=VAR),
    )
    assert market.get(PARTICIPANTS, name_key("broker")) == ParticipantRecord(
        kind=ParticipantKind.COMPANY,
        jurisdiction="PK",
        lei=LEI,
        file_commitment=COMMITMENT,
        registrar=VAR,
        office=None,
        status=ParticipantStatus.ACTIVE,
    )
    assert market.get(IDENTIFIERS, identifier_key("lei", LEI)) == IdentifierRecord(holder="broker")


def test_licensed_exchange_opens_accounts_for_its_clients(market: World) -> None:
    events = market.do(open_for("unbanked", by="exchange"), by=("exchange",))

    opened = AccountOpened(account=address("unbanked"), owner="unbanked", opened_by="exchange")
    assert events == (opened,)
    assert market.get(ACCOUNTS, address("unbanked")) == AccountRecord(
        owner="unbanked",
        policy=policy("unbanked"),
        opened_by="exchange",
        status=AccountStatus.OPEN,
        hold=None,
    )
    licence = market.get(LICENCES, licence_key("exchange", "exchange"))
    assert licence is not None
    assert licence.accounts_opened == 6


def test_regulator_opens_accounts_without_a_licence_and_without_a_limit(market: World) -> None:
    market.do(open_for("unbanked"), by=(VAR,))

    licence = market.get(LICENCES, licence_key("exchange", "exchange"))
    assert licence is not None
    assert licence.accounts_opened == 5


def test_exchange_opens_a_thousand_accounts_in_the_phase_that_allows_them() -> None:
    world = make_world()
    world.do(
        register("exchange", ParticipantKind.COMPANY),
        open_for("exchange"),
        replace(
            GRANT_LICENCE.good,
            activity=Activity.EXCHANGE,
            phase=LicencePhase.NO_OBJECTION,
            expires_ms=None,
        ),
        by=(VAR,),
    )
    limit = replace(SET_PARAMETER.good, parameter="accounts-max-no-objection", value=1_000)
    world.do(limit, by=(CB, FM, CC))
    for first in range(0, 1_000, 50):
        clients = [f"client-{number}" for number in range(first, first + 50)]
        world.do(
            *(register(client, by="exchange") for client in clients),
            *(open_for(client, by="exchange") for client in clients),
            by=("exchange",),
        )

    one_more = (register("one-more", by="exchange"), open_for("one-more", by="exchange"))
    refused = world.submit(*one_more, by=("exchange",))
    assert (refused.outcome, refused.operation) == (Outcome.PHASE_LIMIT_REACHED, 1)
    promotion = replace(
        GRANT_LICENCE.good,
        activity=Activity.EXCHANGE,
        phase=LicencePhase.PROVISIONAL,
        expires_ms=None,
    )
    world.do(promotion, *one_more, by=(VAR, "exchange"))
    world.check()


@pytest.mark.parametrize(
    ("phase", "name"),
    [
        (LicencePhase.NO_OBJECTION, "accounts-max-no-objection"),
        (LicencePhase.PROVISIONAL, "accounts-max-provisional"),
        (LicencePhase.FULL, "accounts-max-full"),
    ],
)
def test_each_phase_has_its_own_limit(market: World, phase: LicencePhase, name: str) -> None:
    limit = replace(SET_PARAMETER.good, parameter=name, value=0)
    grant = replace(GRANT_LICENCE.good, activity=Activity.EXCHANGE, phase=phase)
    market.do(limit, grant, by=(CB, FM, CC, VAR))

    receipt = market.submit(open_for("unbanked", by="exchange"), by=("exchange",))

    assert receipt.outcome is Outcome.PHASE_LIMIT_REACHED


def test_licence_granted_anew_goes_on_counting(market: World) -> None:
    revoked = market.do(REVOKE_LICENCE.good, by=(VAR,))
    assert revoked == (
        LicenceRevoked(
            participant="exchange", activity=Activity.EXCHANGE, legal_reference="VAR 3/2026"
        ),
    )
    again = replace(GRANT_LICENCE.good, activity=Activity.EXCHANGE, expires_ms=NOW_MS + 1)

    granted = market.do(again, by=(VAR,))

    assert granted == (
        LicenceGranted(
            participant="exchange",
            activity=Activity.EXCHANGE,
            phase=LicencePhase.FULL,
            expires_ms=NOW_MS + 1,
            granted_by=VAR,
        ),
    )
    assert market.get(LICENCES, licence_key("exchange", "exchange")) == LicenceRecord(
        phase=LicencePhase.FULL, revoked=False, expires_ms=NOW_MS + 1, accounts_opened=5
    )
    client = register("dawood", by="exchange")
    market.time_ms = NOW_MS + 1
    assert market.submit(client, by=("exchange",)).outcome is Outcome.LICENCE_INACTIVE
    market.time_ms = NOW_MS
    market.do(client, by=("exchange",))


def test_any_active_licence_of_the_row_is_enough(market: World) -> None:
    """Custody comes first in the row, but was revoked; the exchange licence counts."""
    custody = GRANT_LICENCE.good
    revoke = replace(REVOKE_LICENCE.good, activity=Activity.CUSTODY)

    market.do(custody, revoke, by=(VAR,))

    market.do(register("dawood", by="exchange"), by=("exchange",))


def test_suspended_participant_acts_again_when_it_is_lifted(market: World) -> None:
    lift = replace(suspend("suspended"), status=ParticipantStatus.ACTIVE)

    events = market.do(lift, by=(VAR,))

    assert events == (
        ParticipantStatusUpdated(
            participant="suspended",
            status=ParticipantStatus.ACTIVE,
            legal_reference="FIA 18/2026",
        ),
    )
    market.do(transfer("suspended", "amina", 1), by=("suspended",))


def test_office_passes_to_another_participant(market: World) -> None:
    first = market.do(GRANT_OFFICE.good, by=(CB, FM, CC))
    assert first == (OfficeGranted(office="auditor", participant="first-bank", previous=None),)

    second = market.do(replace(GRANT_OFFICE.good, participant="exchange"), by=(CB, FM, CC))

    assert second == (
        OfficeGranted(office="auditor", participant="exchange", previous="first-bank"),
    )
    assert market.get(OFFICES, name_key("auditor")) == OfficeRecord(participant="exchange")
    before = market.get(PARTICIPANTS, name_key("first-bank"))
    after = market.get(PARTICIPANTS, name_key("exchange"))
    assert before is not None
    assert after is not None
    assert (before.office, after.office) == (None, "auditor")
    market.check()


def test_office_acts_through_its_new_holder_only(market: World) -> None:
    handover = replace(GRANT_OFFICE.good, participant="exchange", office=VAR)
    market.do(handover, by=(CB, FM, CC))

    assert market.submit(hold_account("amina"), by=(VAR,)).outcome is Outcome.OFFICES_MISSING
    by_the_new_one = replace(hold_account("amina"), account=address("exchange"))
    market.do(by_the_new_one, by=("exchange",))


def test_no_single_office_opens_accounts_for_who_holds_another(market: World) -> None:
    """Whoever opens an account chooses its keys: with one of another's, it would hold two offices.

    The bank is the central bank's to open accounts for, until it holds an office.
    """
    in_its_name = replace(open_for("first-bank", by=CB), policy=policy(CB))
    before = market.copy()
    market.do(GRANT_OFFICE.good, by=(CB, FM, CC))

    assert before.submit(in_its_name, by=(CB,)).outcome is Outcome.APPLIED
    assert market.submit(in_its_name, by=(CB,)).outcome is Outcome.OFFICES_MISSING
    jointly = replace(in_its_name, approvers=(address(FM), address(CC)))
    market.do(jointly, by=(CB, FM, CC))


def test_account_is_held_and_released(market: World) -> None:
    held = market.do(hold_account("amina"), by=(VAR,))

    assert held == (
        AccountHeld(account=address("amina"), placed_by=VAR, legal_reference="FIA 17/2026"),
    )
    record = market.get(ACCOUNTS, address("amina"))
    assert record is not None
    assert record.hold == AccountHold(
        reason="Inquiry", legal_reference="FIA 17/2026", placed_by=VAR
    )
    release = replace(RELEASE_ACCOUNT.good, account=address(CB), target=address("amina"))
    assert market.do(release, by=(CB,)) == (
        AccountReleased(account=address("amina"), released_by=CB),
    )
    market.do(transfer("amina", "bilal", 1), by=("amina",))


def test_policy_is_replaced_and_the_address_stays(market: World) -> None:
    renewal = SetAccountPolicy(account=address("amina"), policy=policy("amina/new"))

    assert market.do(renewal, by=("amina",)) == (AccountPolicySet(account=address("amina")),)

    payment = transfer("amina", "bilal", 1)
    assert market.submit(payment, by=("amina",)).outcome is Outcome.SIGNATURES_MISSING
    market.do(payment, by=("amina/new",))


def test_empty_account_closes_for_good(market: World) -> None:
    closing = CloseAccount(account=address("amina"))
    assert market.submit(closing, by=("amina",)).outcome is Outcome.ACCOUNT_NOT_EMPTY

    events = market.do(
        transfer("amina", "bilal", 500_000),
        replace(transfer("amina", "bilal", 1_000), asset="PLAIN"),
        closing,
        by=("amina",),
    )

    assert events[-1] == AccountClosed(account=address("amina"))
    assert market.submit(closing, by=("amina",)).outcome is Outcome.ACCOUNT_CLOSED
    reopened = market.submit(open_for("amina", by="exchange"), by=("exchange",))
    assert reopened.outcome is Outcome.ACCOUNT_EXISTS
    market.check()
