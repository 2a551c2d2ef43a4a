"""Each invariant is broken once, and noticed."""

from collections.abc import Callable

import pytest

from node.codec import CodecError, Record, replace
from node.ledger.dates import Roll
from node.ledger.errors import InvariantViolation
from node.ledger.invariants import (
    _Rows,
    check_block,
    check_state,
    contradictions,
    decode_state,
)
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import (
    ACCOUNTS,
    APPOINTMENTS,
    ASSETS,
    CALENDARS,
    CONSENSUS_KEYS,
    DUE,
    HOLDINGS,
    HOLDS,
    IDENTIFIERS,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    PROPOSAL_COUNTS,
    PROPOSALS,
    PROTOCOL,
    PROTOCOL_KEY,
    VALIDATOR_SETS,
    VALIDATORS,
    AccountStatus,
    AppointmentRecord,
    DueKind,
    DueRecord,
    HoldingRecord,
    HoldRecord,
    IdentifierRecord,
    LicencePhase,
    LicenceRecord,
    OfficeRecord,
    ProposalCountRecord,
    ProposalRecord,
    ProtocolRecord,
    RulingKey,
    Upgrade,
    ValidatorSetRecord,
    appointment_key,
    due_key,
    height_key,
    hold_key,
    holding_key,
    identifier_key,
    licence_key,
    name_key,
)
from tests.ledger.ladders_calendars import RECORD as KARACHI_RECORD
from tests.ledger.world import BILL, CB, NOW_MS, PKR, World, address, make_market, public_key

APPOINTMENT = AppointmentRecord(
    kind=DueKind.HOLD_EXPIRES,
    target=b"",
    subject="HOLD",
    nominal=20_000,
    convention=Roll.FOLLOWING,
    business_days=0,
    minute=0,
    moved=20_000,
    day=20_000,
    due_ms=NOW_MS,
)
AMINA = holding_key(address("amina"), PKR)
BILAL = holding_key(address("bilal"), PKR)
HOLD_ID = bytes(32)
MARKET = make_market()


def break_by(
    table: Table[R], key: bytes, change: Callable[[R], R | None] | R
) -> Callable[[LedgerState], None]:
    """Return what changes the record at this key behind the rules' back."""

    def apply(state: LedgerState) -> None:
        if isinstance(change, Record):
            state.put(table, key, change)
            return
        record = state.get(table, key)
        assert record is not None
        changed = change(record)
        if changed is None:
            state.delete(table, key)
        else:
            state.put(table, key, changed)

    return apply


def hold(asset: str, amount: int, expires_ms: int | None = None) -> HoldRecord:
    return HoldRecord(
        asset=asset,
        amount=amount,
        reason="?",
        legal_reference="?",
        expires_ms=expires_ms,
        placed_by=CB,
    )


@pytest.mark.adversarial(60)
@pytest.mark.parametrize(
    ("breach", "message"),
    [
        (
            break_by(HOLDINGS, AMINA, HoldingRecord(available=499_999, held=0)),
            "the holdings of PKR and its supply differ by -1",
        ),
        (
            break_by(HOLDINGS, AMINA, lambda _: None),
            "the holdings of PKR and its supply differ by -500000",
        ),
        (
            break_by(HOLDINGS, AMINA, HoldingRecord(available=-1, held=500_001)),
            "is -1 available",
        ),
        (
            break_by(HOLDINGS, AMINA, HoldingRecord(available=500_001, held=-1)),
            "-1 held",
        ),
        (break_by(HOLDINGS, AMINA, HoldingRecord(available=0, held=0)), "is 0 available"),
        (
            break_by(HOLDINGS, AMINA, HoldingRecord(available=1 << 64, held=0)),
            "is 18446744073709551616 available",
        ),
        (
            break_by(ASSETS, name_key(PKR), lambda asset: replace(asset, supply=10**18 + 1)),
            "the supply of PKR is 1000000000000000001, its ceiling 1000000000000000000",
        ),
        (
            break_by(ASSETS, name_key(PKR), lambda asset: replace(asset, supply=-1)),
            "the supply of PKR is -1",
        ),
        (
            break_by(ASSETS, name_key(BILL), lambda asset: replace(asset, ceiling=1 << 64)),
            "its ceiling 18446744073709551616",
        ),
        (
            break_by(ASSETS, name_key(BILL), lambda asset: replace(asset, supply=0)),
            f"the holdings of {BILL} and its supply differ by 50000000",
        ),
    ],
)
def test_block_that_breaks_an_amount_is_noticed(
    breach: Callable[[LedgerState], None], message: str
) -> None:
    state = LedgerState(MARKET.records)
    breach(state)

    with pytest.raises(InvariantViolation, match=message):
        check_block(state.written())


def test_block_that_changes_nothing_is_in_order() -> None:
    check_block(LedgerState(MARKET.records).written())


@pytest.mark.parametrize(
    ("breach", "message"),
    [
        (
            break_by(HOLDINGS, AMINA, HoldingRecord(available=499_999, held=0)),
            "the supply of PKR is 100000000, its holdings 99999999",
        ),
        (
            break_by(ASSETS, name_key(PKR), lambda _: None),
            "there are holdings of PKR, which is not defined",
        ),
        (
            break_by(HOLDS, hold_key(address("amina"), HOLD_ID), hold(PKR, 0)),
            "is of 0",
        ),
        (
            break_by(HOLDS, hold_key(address("amina"), HOLD_ID), hold(PKR, 1)),
            "has 0 held, its holds are 1",
        ),
        (
            break_by(HOLDINGS, BILAL, HoldingRecord(available=59_999, held=40_001)),
            "has 40001 held, its holds are 40000",
        ),
        (
            break_by(HOLDS, hold_key(address(CB), HOLD_ID), hold("USD", 1)),
            "which is no holding",
        ),
        (
            break_by(ACCOUNTS, address("amina"), lambda account: replace(account, owner="x")),
            "belongs to x, who is not registered",
        ),
        (break_by(ACCOUNTS, address("amina"), lambda _: None), "is in no open account"),
        (
            break_by(
                ACCOUNTS,
                address("amina"),
                lambda account: replace(account, status=AccountStatus.CLOSED),
            ),
            "is in no open account",
        ),
        (
            break_by(ASSETS, name_key(PKR), lambda asset: replace(asset, issuer="x")),
            "asset PKR is of x, who is not registered",
        ),
        (
            break_by(
                LICENCES,
                licence_key("x", "custody"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=False, expires_ms=None, accounts_opened=0
                ),
            ),
            "licence x/custody is of nobody registered",
        ),
        (
            break_by(OFFICES, name_key("mint"), OfficeRecord(participant="amina")),
            "the offices and those who hold them do not agree",
        ),
        (
            break_by(PARTICIPANTS, name_key(CB), lambda record: replace(record, office=None)),
            "the offices and those who hold them do not agree",
        ),
        (
            break_by(PARTICIPANTS, name_key("amina"), lambda record: replace(record, lei="X")),
            "the identifiers and those who have them do not agree",
        ),
        (
            break_by(IDENTIFIERS, identifier_key("dti", "X"), IdentifierRecord(holder=PKR)),
            "the identifiers and those who have them do not agree",
        ),
        (
            break_by(
                DUE,
                due_key(NOW_MS, HOLD_ID),
                DueRecord(kind=DueKind.HOLD_EXPIRES, target=b"x"),
            ),
            "what expires and the queue do not agree",
        ),
        (
            break_by(
                PROPOSALS,
                HOLD_ID,
                ProposalRecord(
                    proposer=address(CB), operations=b"", approvals=(), expires_ms=NOW_MS
                ),
            ),
            "what expires and the queue do not agree",
        ),
        (
            break_by(PROPOSAL_COUNTS, name_key(CB), ProposalCountRecord(open=1)),
            "the open proposals and their counts do not agree",
        ),
        (
            break_by(VALIDATORS, name_key(CB), lambda record: replace(record, public_key=HOLD_ID)),
            f"the key of validator {CB} is not noted as its own",
        ),
        (
            break_by(
                CONSENSUS_KEYS,
                public_key(f"{CB}/consensus"),
                lambda record: replace(record, validator="x"),
            ),
            f"the key of validator {CB} is not noted as its own",
        ),
        (
            break_by(
                PROTOCOL,
                PROTOCOL_KEY,
                ProtocolRecord(version=2, upgrade=Upgrade(version=4, height=9)),
            ),
            "version 2 rules, an upgrade leads to 4",
        ),
        (
            break_by(CALENDARS, b"karachi", replace(KARACHI_RECORD, moving_since_ms=NOW_MS)),
            "what expires and the queue do not agree",
        ),
        (
            break_by(APPOINTMENTS, appointment_key("karachi", HOLD_ID), APPOINTMENT),
            "what expires and the queue do not agree",
        ),
        (
            lambda state: (
                state.put(APPOINTMENTS, appointment_key("lahore", HOLD_ID), APPOINTMENT),
                state.put(
                    DUE,
                    due_key(NOW_MS, HOLD_ID),
                    DueRecord(kind=DueKind.APPOINTMENT, target=appointment_key("lahore", HOLD_ID)),
                ),
            ),
            "an appointment is by calendar lahore, which is not defined",
        ),
        (
            break_by(
                CALENDARS,
                b"karachi",
                replace(
                    KARACHI_RECORD,
                    calendar=replace(
                        KARACHI_RECORD.calendar, holidays=KARACHI_RECORD.calendar.holidays[::-1]
                    ),
                ),
            ),
            "calendar karachi is not in order: day",
        ),
    ],
)
def test_state_that_contradicts_itself_is_noticed(
    breach: Callable[[LedgerState], None], message: str
) -> None:
    world = broken(breach)

    with pytest.raises(InvariantViolation, match=message):
        world.check()


def test_all_that_is_wrong_is_named_also_after_an_amount_out_of_range() -> None:
    def breach(state: LedgerState) -> None:
        break_by(HOLDINGS, AMINA, HoldingRecord(available=-1, held=0))(state)
        break_by(ACCOUNTS, address("bilal"), lambda account: replace(account, owner="x"))(state)
        break_by(OFFICES, name_key("mint"), OfficeRecord(participant="amina"))(state)
        proposal = ProposalRecord(proposer=bytes(20), operations=b"", approvals=(), expires_ms=1)
        state.put(PROPOSALS, HOLD_ID, proposal)

    found = list(contradictions(_Rows(decode_state(broken(breach).records.items()))))

    assert len(found) == 5
    assert "is -1 available" in found[0]
    assert "belongs to x" in found[1]
    assert "offices" in found[2]
    assert "queue" in found[3]
    assert "counts" in found[4]


def broken(breach: Callable[[LedgerState], None]) -> World:
    world = MARKET.copy()
    state = LedgerState(world.records)
    breach(state)
    world.records.write(state.changes())
    return world


def test_hold_with_an_end_must_stand_in_the_queue() -> None:
    def breach(state: LedgerState) -> None:
        [(key, record)] = world.records.scan(HOLDS, b"", 9)
        state.put(HOLDS, key, replace(record, expires_ms=NOW_MS + 1))

    world = MARKET
    with pytest.raises(InvariantViolation, match="the queue"):
        broken(breach).check()


def test_state_without_validators_is_noticed() -> None:
    def breach(state: LedgerState) -> None:
        for key, _ in state.scan(VALIDATORS, b"", 9):
            state.delete(VALIDATORS, key)

    with pytest.raises(InvariantViolation, match="no validator rules"):
        broken(breach).check()


def test_set_that_is_not_the_ruling_one_is_noticed() -> None:
    stranger = RulingKey(name="stranger", public_key=bytes(32))

    def breach(state: LedgerState) -> None:
        state.put(VALIDATOR_SETS, height_key(9), ValidatorSetRecord(validators=(stranger,)))

    with pytest.raises(InvariantViolation, match="newest validator set"):
        broken(breach).check()


def test_record_of_no_table_or_another_form_is_no_state() -> None:
    with pytest.raises(KeyError):
        decode_state([(b"?x", b"\x01")])
    with pytest.raises(CodecError):
        decode_state([(b"Hx", b"\x01")])
    with pytest.raises(InvariantViolation):
        check_state([])
