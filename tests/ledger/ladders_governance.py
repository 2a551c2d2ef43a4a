"""The tables of the governance desk."""

from collections.abc import Callable
from typing import Final

from node.codec import encode
from node.ledger.docket import enter
from node.ledger.operations import (
    AddValidator,
    Approve,
    CancelUpgrade,
    Operation,
    Propose,
    RemoveValidator,
    RotateValidatorKey,
    ScheduleUpgrade,
    SetParameter,
    SetPowers,
    Withdraw,
)
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.protocol import LATEST_VERSION, UPGRADE_AHEAD_MAX
from node.ledger.state import LedgerState
from node.ledger.tables import (
    PARAMETERS,
    PROTOCOL,
    PROTOCOL_KEY,
    VALIDATORS,
    VALIDATORS_MAX,
    ParameterRecord,
    ProposalRecord,
    ProtocolRecord,
    Upgrade,
    ValidatorRecord,
    name_key,
)
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.ladders_registry import JOINT, SMALL_ORDER_KEY
from tests.ledger.world import (
    BILL,
    CB,
    CC,
    FM,
    NOW_MS,
    VAR,
    address,
    issue_bill,
    public_key,
    transfer,
)

ALL: Final = (CB, FM, CC)
PROPOSAL_ID: Final = bytes([9]) * 32
DAY_MS: Final = 86_400_000


def encoded(*operations: Operation) -> bytes:
    return encode(operations)


def proposed_issue(proposer: str = FM) -> bytes:
    """Return the operations of a proposal to issue a bill."""
    issue = issue_bill(500_000)
    return encoded(
        type(issue)(
            account=address(proposer),
            approvers=(),
            asset=BILL,
            amount=issue.amount,
            to=issue.to,
        )
    )


def open_proposal(state: LedgerState) -> None:
    """Let the ministry have a proposal open."""
    proposal = ProposalRecord(
        proposer=address(FM),
        operations=proposed_issue(),
        approvals=(address(FM),),
        expires_ms=NOW_MS + DAY_MS,
    )
    enter(state, PROPOSAL_ID, proposal)


PROPOSE: Final = Ladder(
    act="propose",
    good=Propose(account=address(FM), operations=proposed_issue(), expires_ms=NOW_MS + 30 * DAY_MS),
    by=(FM,),
    rows=(
        *acting_rows(),
        Row(
            why="somebody without an office",
            outcome=Outcome.OFFICE_NOT_HELD,
            change={"account": address("first-bank")},
            by=("first-bank",),
        ),
        Row(
            why="expires now",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS},
        ),
        Row(
            why="expires too late",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS + 30 * DAY_MS + 1},
        ),
        Row(
            why="no operations",
            outcome=Outcome.PROPOSAL_NOT_READABLE,
            change={"operations": encode(())},
        ),
        Row(
            why="half an operation",
            outcome=Outcome.PROPOSAL_NOT_READABLE,
            change={"operations": proposed_issue()[:-1]},
        ),
        Row(
            why="a transfer",
            outcome=Outcome.OPERATION_NOT_PROPOSABLE,
            change={"operations": encoded(transfer(FM, CB, 1))},
        ),
        Row(
            why="a proposal in a proposal",
            outcome=Outcome.OPERATION_NOT_PROPOSABLE,
            change={"operations": encoded(Approve(account=address(FM), proposal=PROPOSAL_ID))},
        ),
        Row(
            why="approvers in the proposal",
            outcome=Outcome.APPROVERS_IN_PROPOSAL,
            change={"operations": encoded(issue_bill(500_000))},
        ),
        Row(
            why="another account acts in the proposal",
            outcome=Outcome.APPROVERS_IN_PROPOSAL,
            change={"operations": proposed_issue(CB)},
        ),
        Row(
            why="as many are open as may be",
            outcome=Outcome.PROPOSALS_FULL,
            prepare=lambda state: _fill(state, 1),
        ),
        Row(
            why="a quarter of the places are the proposer's",
            outcome=Outcome.PROPOSALS_FULL_FOR_PARTICIPANT,
            prepare=lambda state: _fill(state, 7),
        ),
        surplus_row(FM),
    ),
)


def _fill(state: LedgerState, open_max: int) -> None:
    open_proposal(state)
    state.put(PARAMETERS, name_key("proposals-open-max"), ParameterRecord(value=open_max))


APPROVE: Final = Ladder(
    act="approve",
    good=Approve(account=address(CC), proposal=PROPOSAL_ID),
    by=(CC,),
    rows=(
        *acting_rows(),
        Row(
            why="somebody without an office",
            outcome=Outcome.OFFICE_NOT_HELD,
            change={"account": address("first-bank")},
            by=("first-bank",),
        ),
        Row(
            why="no such proposal",
            outcome=Outcome.PROPOSAL_UNKNOWN,
            change={"proposal": bytes(32)},
        ),
        Row(
            why="its proposer again",
            outcome=Outcome.ALREADY_APPROVED,
            change={"account": address(FM)},
            by=(FM,),
        ),
        surplus_row(CC),
    ),
    prepare=open_proposal,
)

WITHDRAW: Final = Ladder(
    act="withdraw",
    good=Withdraw(account=address(FM), proposal=PROPOSAL_ID),
    by=(FM,),
    rows=(
        *acting_rows(),
        Row(
            why="no such proposal",
            outcome=Outcome.PROPOSAL_UNKNOWN,
            change={"proposal": bytes(32)},
        ),
        Row(
            why="somebody else's",
            outcome=Outcome.NOT_PROPOSER,
            change={"account": address(CB)},
            by=(CB,),
        ),
        surplus_row(FM),
    ),
    prepare=open_proposal,
)

SET_PARAMETER: Final = Ladder(
    act="set_parameter",
    good=SetParameter(
        account=address(CB), approvers=JOINT, parameter="utc-offset-minutes", value=-720
    ),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="no such parameter",
            outcome=Outcome.PARAMETER_UNKNOWN,
            change={"parameter": "interest"},
        ),
        Row(
            why="one too low",
            outcome=Outcome.PARAMETER_OUT_OF_RANGE,
            change={"value": -721},
        ),
        Row(
            why="one too high",
            outcome=Outcome.PARAMETER_OUT_OF_RANGE,
            change={"value": 841},
        ),
        surplus_row(*ALL),
    ),
)


def power(*offices: str, required: int, licences: tuple[str, ...] = ()) -> PowerRecord:
    return PowerRecord(offices=offices, required=required, licences=licences)


SET_POWERS: Final = Ladder(
    act="set_powers",
    good=SetPowers(
        account=address(CB),
        approvers=JOINT,
        operation="issue",
        subject="bill",
        power=power(CB, CC, FM, required=2),
    ),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="a subject in capitals",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"subject": "BILL"},
        ),
        Row(
            why="an operation that the matrix does not govern",
            outcome=Outcome.OPERATION_UNKNOWN,
            change={"operation": "transfer"},
        ),
        Row(
            why="offices out of order",
            outcome=Outcome.POWER_NOT_VALID,
            change={"power": power(FM, CB, required=2)},
        ),
        Row(
            why="more required than listed",
            outcome=Outcome.POWER_NOT_VALID,
            change={"power": power(CB, FM, required=3)},
        ),
        Row(
            why="none required",
            outcome=Outcome.POWER_NOT_VALID,
            change={"power": power(CB, FM, required=0)},
        ),
        Row(
            why="some required and none listed",
            outcome=Outcome.POWER_NOT_VALID,
            change={"power": power(required=1, licences=("exchange",))},
        ),
        Row(
            why="an office that is not a name",
            outcome=Outcome.POWER_NOT_VALID,
            change={"power": power("The Mint", CB, required=2)},
        ),
        Row(
            why="one institution issues securities",
            outcome=Outcome.POWER_TOO_WEAK,
            change={"power": power(CB, FM, required=1)},
        ),
        Row(
            why="a licensee issues securities",
            outcome=Outcome.POWER_TOO_WEAK,
            change={"power": power(CB, FM, required=2, licences=("exchange",))},
        ),
        Row(
            why="nobody issues securities any more",
            outcome=Outcome.POWER_TOO_WEAK,
            change={"power": power(required=0)},
        ),
        Row(
            why="an office that nobody holds",
            outcome=Outcome.OFFICE_VACANT,
            change={"power": power(CB, FM, "mint", required=2)},
        ),
        surplus_row(*ALL),
    ),
)


def _many_validators(state: LedgerState) -> None:
    for number in range(VALIDATORS_MAX - 4):
        name = f"validator-{number}"
        record = ValidatorRecord(
            name=name,
            participant=name,
            public_key=number.to_bytes(32, "big"),
            tls_certificate=name.encode(),
        )
        state.put(VALIDATORS, name_key(name), record)


ADD_VALIDATOR: Final = Ladder(
    act="add_validator",
    good=AddValidator(
        account=address(CB),
        approvers=JOINT,
        name="bank-node",
        participant="first-bank",
        public_key=public_key("bank-node/consensus"),
        tls_certificate=b"certificate of first-bank",
    ),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"participant": "nobody"},
        ),
        Row(
            why="suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"participant": "suspended"},
        ),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="a name with a point",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"name": "bank.node"},
        ),
        Row(
            why="a key of small order",
            outcome=Outcome.KEY_NOT_VALID,
            change={"public_key": SMALL_ORDER_KEY},
        ),
        Row(
            why="a key that is no point",
            outcome=Outcome.KEY_NOT_VALID,
            change={"public_key": (2).to_bytes(32, "little")},
        ),
        Row(why="the name is taken", outcome=Outcome.VALIDATOR_EXISTS, change={"name": CB}),
        Row(
            why="a second validator of one participant",
            outcome=Outcome.VALIDATOR_EXISTS,
            change={"participant": CB},
        ),
        Row(
            why="the certificate of another",
            outcome=Outcome.VALIDATOR_EXISTS,
            change={"tls_certificate": b"certificate of central-bank"},
        ),
        Row(
            why="the key of another",
            outcome=Outcome.KEY_ALREADY_USED,
            change={"public_key": public_key(f"{CB}/consensus")},
        ),
        Row(
            why="as many as can be",
            outcome=Outcome.VALIDATORS_TOO_MANY,
            prepare=_many_validators,
        ),
        surplus_row(*ALL),
    ),
)

REMOVE_VALIDATOR: Final = Ladder(
    act="remove_validator",
    good=RemoveValidator(account=address(CB), approvers=JOINT, name=CC),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="no such validator",
            outcome=Outcome.VALIDATOR_UNKNOWN,
            change={"name": "nobody"},
        ),
        Row(
            why="fewer would remain than must",
            outcome=Outcome.VALIDATORS_TOO_FEW,
            prepare=putting(PARAMETERS, name_key("validators-min"), ParameterRecord(value=4)),
        ),
        surplus_row(*ALL),
    ),
)

ROTATE_VALIDATOR_KEY: Final = Ladder(
    act="rotate_validator_key",
    good=RotateValidatorKey(
        account=address(CB),
        approvers=JOINT,
        name=VAR,
        public_key=public_key("regulator/consensus/2"),
        tls_certificate=b"certificate of virtual-asset-regulator",
    ),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="a key of small order",
            outcome=Outcome.KEY_NOT_VALID,
            change={"public_key": SMALL_ORDER_KEY},
        ),
        Row(
            why="no such validator",
            outcome=Outcome.VALIDATOR_UNKNOWN,
            change={"name": "nobody"},
        ),
        Row(
            why="the certificate of another",
            outcome=Outcome.VALIDATOR_EXISTS,
            change={"tls_certificate": b"certificate of central-bank"},
        ),
        Row(
            why="the key it has",
            outcome=Outcome.KEY_ALREADY_USED,
            change={"public_key": public_key(f"{VAR}/consensus")},
        ),
        surplus_row(*ALL),
    ),
)

NEXT: Final = LATEST_VERSION + 1
HEIGHT: Final = 5
"""Of the market's next block."""


def scheduled(version: int = NEXT) -> Callable[[LedgerState], None]:
    """Return the preparation that has an upgrade scheduled."""
    record = ProtocolRecord(
        version=LATEST_VERSION, upgrade=Upgrade(version=version, height=HEIGHT + 10)
    )
    return putting(PROTOCOL, PROTOCOL_KEY, record)


SCHEDULE_UPGRADE: Final = Ladder(
    act="schedule_upgrade",
    good=ScheduleUpgrade(
        account=address(CB), approvers=JOINT, version=NEXT, height=HEIGHT + UPGRADE_AHEAD_MAX
    ),
    by=ALL,
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="one is scheduled",
            outcome=Outcome.UPGRADE_ALREADY_SCHEDULED,
            prepare=scheduled(),
        ),
        Row(
            why="the version that rules",
            outcome=Outcome.VERSION_NOT_NEXT,
            change={"version": LATEST_VERSION},
        ),
        Row(
            why="the version after the next",
            outcome=Outcome.VERSION_NOT_NEXT,
            change={"version": NEXT + 1},
        ),
        Row(
            why="this block",
            outcome=Outcome.UPGRADE_HEIGHT_NOT_ACCEPTED,
            change={"height": HEIGHT},
        ),
        Row(
            why="one too far ahead",
            outcome=Outcome.UPGRADE_HEIGHT_NOT_ACCEPTED,
            change={"height": HEIGHT + UPGRADE_AHEAD_MAX + 1},
        ),
        surplus_row(*ALL),
    ),
)

CANCEL_UPGRADE: Final = Ladder(
    act="cancel_upgrade",
    good=CancelUpgrade(account=address(CB), approvers=JOINT, version=NEXT),
    by=ALL,
    prepare=scheduled(),
    rows=(
        *acting_rows(),
        Row(
            why="two of three",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": JOINT[:1]},
            by=(CB, FM),
        ),
        Row(
            why="none is scheduled",
            outcome=Outcome.UPGRADE_NOT_SCHEDULED,
            prepare=putting(
                PROTOCOL, PROTOCOL_KEY, ProtocolRecord(version=LATEST_VERSION, upgrade=None)
            ),
        ),
        Row(
            why="another is scheduled",
            outcome=Outcome.UPGRADE_NOT_SCHEDULED,
            change={"version": NEXT + 1},
        ),
        surplus_row(*ALL),
    ),
)

LADDERS: Final = (
    PROPOSE,
    APPROVE,
    WITHDRAW,
    SET_PARAMETER,
    SET_POWERS,
    ADD_VALIDATOR,
    REMOVE_VALIDATOR,
    ROTATE_VALIDATOR_KEY,
    SCHEDULE_UPGRADE,
    CANCEL_UPGRADE,
)
