"""The powers matrix: which offices together may do what to which kind of thing.

A row is found by operation and subject; a row for the subject `*` stands for every subject that has
none of its own, except `office-holder`. The subject is the kind of asset, participant or licence
concerned, or `office-holder` where a participant that holds an office is concerned. A row asks for
`required` of its offices, each held by a different participant; or instead, where it lists
activities, for one participant with an active licence for one of them.

No institution alone can issue a security, change a validator or rewrite a rule: `offices_min` is
the floor that no row, not even one set by joint decision, may undercut.
"""

from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.identifiers import Name, is_name
from node.ledger.phrases import PowerFault, Reason

OFFICES_MAX: Final = 16

ANY: Final = "*"
OFFICE_HOLDER: Final = "office-holder"
"""The subject of what is done to a participant that holds an office."""

IDENTIFIED_PERSON: Final = "identified-person"
"""The subject of what changes who a person is known to be."""

CENTRAL_BANK: Final = "central-bank"
FINANCE_MINISTRY: Final = "finance-ministry"
CRYPTO_COUNCIL: Final = "crypto-council"
VIRTUAL_ASSET_REGULATOR: Final = "virtual-asset-regulator"
REFERENCE_OFFICES: Final = (CENTRAL_BANK, FINANCE_MINISTRY, CRYPTO_COUNCIL, VIRTUAL_ASSET_REGULATOR)
"""Those of the reference network. A genesis or a grant may create others."""

OfficeList = Annotated[tuple[Name, ...], msgspec.Meta(max_length=OFFICES_MAX)]


class PowerRecord(Record):
    """What a row of the matrix asks for."""

    offices: OfficeList
    """In ascending order, each once."""
    required: Annotated[int, msgspec.Meta(ge=0, le=OFFICES_MAX)]
    """How many of the offices; 0 only where there are none."""
    licences: OfficeList
    """Activities: an active licence for one of them is enough. In ascending order, each once."""


class PowerRow(Record):
    """A row of the matrix, as a genesis lists it."""

    operation: Name
    subject: Name
    power: PowerRecord


_JOINT_OPERATIONS: Final = frozenset(
    {
        "add_validator",
        "cancel_upgrade",
        "fix_rate",
        "forced_transfer",
        "grant_office",
        "remove_validator",
        "rotate_validator_key",
        "schedule_upgrade",
        "set_parameter",
        "set_powers",
        "set_withholding",
    }
)
"""Never in one hand, whatever the subject."""
_SECURITY_OPERATIONS: Final = frozenset(
    {
        "announce_auction",
        "call_security",
        "define_asset",
        "define_strips",
        "enter_bid",
        "issue",
        "redeem",
    }
)
"""Never in one hand unless the subject is cash."""


def offices_min(operation: str, subject: str) -> int:
    """Return how many offices any row for this operation and subject must ask for, at least."""
    if operation in _JOINT_OPERATIONS or subject in (OFFICE_HOLDER, IDENTIFIED_PERSON):
        return 2
    if operation in _SECURITY_OPERATIONS and subject != "cash":
        return 2
    return 1


def offices_decisive(power: PowerRecord) -> int:
    """Return how many different participants it takes, at least, to meet this row; 0: nobody can.

    A licensee needs no other.
    """
    return 1 if power.licences else power.required


def fault_of(power: PowerRecord) -> Reason | None:
    """Return what keeps a row from ever being met or from having one spelling, or None."""
    for names in (power.offices, power.licences):
        if any(left >= right for left, right in pairwise(names)):
            return PowerFault.POWER_OUT_OF_ORDER.of()
        if not all(is_name(name) for name in names):
            return PowerFault.POWER_WITHOUT_NAME.of()
    if power.offices and not 1 <= power.required <= len(power.offices):
        return PowerFault.MORE_REQUIRED_THAN_LISTED.of(
            required=power.required, listed=len(power.offices)
        )
    if not power.offices and power.required:
        return PowerFault.REQUIRED_OF_NONE.of(required=power.required)
    return None


def default_powers(offices: tuple[str, ...] = REFERENCE_OFFICES) -> tuple[PowerRow, ...]:
    """Return the matrix of a network with these offices, in order of operation and subject.

    Joint decisions take all offices but one, so that a lost key or an institution out of action
    does not stop governance: three of four, two of three. The offices must include central bank,
    finance ministry and regulator.
    """
    joint = _row(offices, len(offices) - 1)
    monetary = _row((CENTRAL_BANK,), 1)
    fiscal = _row((CENTRAL_BANK, FINANCE_MINISTRY), 2)
    ministerial = _row((FINANCE_MINISTRY,), 1)
    auctioneers = _row((CENTRAL_BANK, FINANCE_MINISTRY), 1)
    supervisor = _row((VIRTUAL_ASSET_REGULATOR,), 1)
    either = _row((CENTRAL_BANK, VIRTUAL_ASSET_REGULATOR), 1)
    retail = _row((VIRTUAL_ASSET_REGULATOR,), 1, licences=("custody", "exchange"))
    of_participants = {
        "bank": monetary,
        "company": supervisor,
        "institution": joint,
        "person": retail,
    }
    # Whoever opens an account of an office holder could sign in its name.
    of_owners = {**of_participants, OFFICE_HOLDER: joint}
    of_supervised = {ANY: either, OFFICE_HOLDER: joint}
    matrix = {
        "add_validator": {ANY: joint},
        "amend_calendar": {ANY: monetary},
        "announce_auction": {"bill": fiscal, "bond": fiscal, "sukuk": fiscal},
        "call_security": {"bond": fiscal, "sukuk": fiscal},
        "cancel_upgrade": {ANY: joint},
        "decide_auction": {"bill": ministerial, "bond": ministerial, "sukuk": ministerial},
        "define_asset": {"bill": fiscal, "bond": fiscal, "cash": fiscal, "sukuk": fiscal},
        "define_calendar": {ANY: monetary},
        "define_strips": {"bond": fiscal},
        "enter_bid": {"bill": fiscal, "bond": fiscal, "sukuk": fiscal},
        "fix_rate": {"bond": fiscal, "sukuk": fiscal},
        "forced_transfer": {ANY: _row((CENTRAL_BANK, VIRTUAL_ASSET_REGULATOR), 2)},
        "grant_licence": {ANY: supervisor},
        "grant_office": {ANY: joint},
        "hold_account": of_supervised,
        "identify_person": {
            IDENTIFIED_PERSON: _row((CENTRAL_BANK, VIRTUAL_ASSET_REGULATOR), 2),
            "person": retail,
        },
        "issue": {"bill": fiscal, "bond": fiscal, "cash": monetary, "sukuk": fiscal},
        "lodge_envelope": {"bill": auctioneers, "bond": auctioneers, "sukuk": auctioneers},
        "open_account": of_owners,
        "place_hold": of_supervised,
        "publish_plan": {ANY: ministerial},
        "redeem": {"bill": fiscal, "cash": monetary},
        "register_participant": of_participants,
        "release_account": of_supervised,
        "release_hold": of_supervised,
        "remove_validator": {ANY: joint},
        "return_envelope": {"bill": auctioneers, "bond": auctioneers, "sukuk": auctioneers},
        "revoke_licence": {ANY: supervisor},
        "rotate_validator_key": {ANY: joint},
        "schedule_upgrade": {ANY: joint},
        "set_parameter": {ANY: joint},
        "set_powers": {ANY: joint},
        "set_tax_status": {ANY: ministerial},
        "set_withholding": {ANY: fiscal},
        "update_participant_status": of_supervised,
    }
    return tuple(
        PowerRow(operation=operation, subject=subject, power=power)
        for operation, rows in sorted(matrix.items())
        for subject, power in sorted(rows.items())
    )


def _row(offices: tuple[str, ...], required: int, *, licences: tuple[str, ...] = ()) -> PowerRecord:
    return PowerRecord(
        offices=tuple(sorted(offices)), required=required, licences=tuple(sorted(licences))
    )
