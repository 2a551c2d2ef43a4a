"""The tables of the registry desk."""

from typing import Final

from node.ledger.operations import (
    CloseAccount,
    GrantLicence,
    GrantOffice,
    IdentifyPerson,
    OpenAccount,
    RegisterParticipant,
    ReleaseAccount,
    RevokeLicence,
    SetAccountPolicy,
)
from node.ledger.outcomes import Outcome
from node.ledger.policies import AccountPolicy
from node.ledger.tables import (
    IDENTIFIERS,
    LICENCES,
    PARAMETERS,
    Activity,
    IdentifierRecord,
    LicencePhase,
    LicenceRecord,
    ParameterRecord,
    ParticipantKind,
    ParticipantStatus,
    identifier_key,
    licence_key,
    name_key,
)
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.world import (
    CB,
    CC,
    COMMITMENT,
    FM,
    NOW_MS,
    SALT,
    VAR,
    address,
    hold_account,
    policy,
    public_key,
    suspend,
    token_of,
)

LEI: Final = "2138001CY61HDFJ5ZA27"
WRONG_LEI: Final = "2138001CY71HDFJ5ZA27"
JOINT: Final = (address(FM), address(CC))
"""Approvers that make a decision of the central bank a joint one."""
SMALL_ORDER_KEY: Final = (1).to_bytes(32, "little")

REGISTER_PARTICIPANT: Final = Ladder(
    act="register_participant",
    good=RegisterParticipant(
        account=address(VAR),
        approvers=(),
        participant="broker",
        kind=ParticipantKind.COMPANY,
        jurisdiction="PK",
        lei=LEI,
        file_commitment=COMMITMENT,
    ),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="the ministry registers a company",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(FM)},
            by=(FM,),
        ),
        Row(
            why="the regulator registers a bank",
            outcome=Outcome.OFFICES_MISSING,
            change={"kind": ParticipantKind.BANK},
        ),
        Row(
            why="the regulator alone registers an institution",
            outcome=Outcome.OFFICES_MISSING,
            change={"kind": ParticipantKind.INSTITUTION},
        ),
        Row(
            why="a name in capitals",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"participant": "Broker"},
        ),
        Row(
            why="a country of three letters",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={"jurisdiction": "PAK"},
        ),
        Row(
            why="a LEI with wrong check digits",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={"lei": WRONG_LEI},
        ),
        Row(
            why="the name is taken",
            outcome=Outcome.PARTICIPANT_EXISTS,
            change={"participant": "exchange"},
        ),
        Row(
            why="another has the LEI",
            outcome=Outcome.IDENTIFIER_TAKEN,
            prepare=putting(
                IDENTIFIERS, identifier_key("lei", LEI), IdentifierRecord(holder="exchange")
            ),
        ),
        surplus_row(VAR),
    ),
)

REGISTER_PERSON: Final = Ladder(
    act="register_participant",
    good=RegisterParticipant(
        account=address("exchange"),
        approvers=(),
        participant="dawood",
        kind=ParticipantKind.PERSON,
        jurisdiction="PK",
        lei=None,
        file_commitment=COMMITMENT,
    ),
    by=("exchange",),
    rows=(
        Row(
            why="somebody without a licence",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address("first-bank")},
            by=("first-bank",),
        ),
        Row(
            why="the licence was revoked",
            outcome=Outcome.LICENCE_INACTIVE,
            prepare=putting(
                LICENCES,
                licence_key("exchange", "exchange"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=True, expires_ms=None, accounts_opened=5
                ),
            ),
        ),
        Row(
            why="the licence has run out",
            outcome=Outcome.LICENCE_INACTIVE,
            prepare=putting(
                LICENCES,
                licence_key("exchange", "exchange"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=False, expires_ms=NOW_MS, accounts_opened=5
                ),
            ),
        ),
        Row(why="with a LEI", outcome=Outcome.LEI_OF_PERSON, change={"lei": LEI}),
        surplus_row("exchange"),
    ),
)

IDENTIFY: Final = Ladder(
    act="identify_person",
    good=IdentifyPerson(
        account=address("exchange"), approvers=(), participant="unbanked", token=token_of("u")
    ),
    by=("exchange",),
    rows=(
        *acting_rows(),
        Row(
            why="not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"participant": "nobody"},
            alone=True,
        ),
        Row(
            why="by the ministry",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(FM)},
            by=(FM,),
            alone=True,
        ),
        Row(
            why="its registrar alone says something else of somebody",
            outcome=Outcome.OFFICES_MISSING,
            change={"participant": "amina"},
            alone=True,
        ),
        Row(
            why="its registrar alone takes a token away",
            outcome=Outcome.OFFICES_MISSING,
            change={"participant": "amina", "token": None},
            alone=True,
        ),
        Row(
            why="the licence was revoked",
            outcome=Outcome.LICENCE_INACTIVE,
            prepare=putting(
                LICENCES,
                licence_key("exchange", "exchange"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=True, expires_ms=None, accounts_opened=5
                ),
            ),
        ),
        Row(
            why="another has registered it",
            outcome=Outcome.NOT_REGISTRAR,
            change={"participant": "first-bank"},
        ),
        surplus_row("exchange"),
    ),
)

IDENTIFY_BY_OFFICE: Final = Ladder(
    act="identify_person",
    good=IdentifyPerson(
        account=address(VAR), approvers=(), participant="unbanked", token=token_of("u")
    ),
    by=(VAR,),
    rows=(
        Row(
            why="a bank",
            outcome=Outcome.PARTICIPANT_NOT_A_PERSON,
            change={"participant": "first-bank"},
        ),
        Row(
            why="no token of somebody who has none",
            outcome=Outcome.IDENTITY_UNCHANGED,
            change={"token": None},
        ),
        Row(
            why="a second registration of one person",
            outcome=Outcome.PERSON_KNOWN_ALREADY,
            change={"token": token_of("amina")},
        ),
        surplus_row(VAR),
    ),
)

CORRECT_IDENTITY: Final = Ladder(
    act="identify_person",
    good=IdentifyPerson(
        account=address(VAR), approvers=(address(CB),), participant="amina", token=token_of("u")
    ),
    by=(VAR, CB),
    rows=(
        Row(
            why="the regulator alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(VAR,),
            alone=True,
        ),
        Row(
            why="the token that it has",
            outcome=Outcome.IDENTITY_UNCHANGED,
            change={"token": token_of("amina")},
        ),
        Row(
            why="the token of another",
            outcome=Outcome.PERSON_KNOWN_ALREADY,
            change={"token": token_of("bilal")},
        ),
        surplus_row(VAR, CB),
    ),
)

UPDATE_STATUS: Final = Ladder(
    act="update_participant_status",
    good=suspend("amina"),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"participant": "nobody"},
        ),
        Row(
            why="by the ministry",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(FM)},
            by=(FM,),
        ),
        Row(
            why="the regulator alone silences the central bank",
            outcome=Outcome.OFFICES_MISSING,
            change={"participant": CB},
            alone=True,
        ),
        Row(why="no reason", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"reason": ""}),
        Row(
            why="no legal reference",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"legal_reference": ""},
        ),
        Row(
            why="active already",
            outcome=Outcome.STATUS_UNCHANGED,
            change={"status": ParticipantStatus.ACTIVE},
        ),
        surplus_row(VAR),
    ),
)

GRANT_OFFICE: Final = Ladder(
    act="grant_office",
    good=GrantOffice(
        account=address(CB), approvers=JOINT, participant="first-bank", office="auditor"
    ),
    by=(CB, FM, CC),
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
            why="an office with a blank",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"office": "the auditor"},
        ),
        Row(
            why="it holds an office",
            outcome=Outcome.OFFICE_ALREADY_HELD,
            change={"participant": VAR},
        ),
        surplus_row(CB, FM, CC),
    ),
)

GRANT_LICENCE: Final = Ladder(
    act="grant_licence",
    good=GrantLicence(
        account=address(VAR),
        approvers=(),
        participant="exchange",
        activity=Activity.CUSTODY,
        phase=LicencePhase.FULL,
        expires_ms=NOW_MS + 1,
    ),
    by=(VAR,),
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
            why="by the central bank",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(CB)},
            by=(CB,),
        ),
        Row(
            why="runs out now",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS},
        ),
        Row(
            why="runs out in two hundred years",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS + 200 * 366 * 86_400_000},
        ),
        Row(
            why="has just this licence",
            outcome=Outcome.LICENCE_UNCHANGED,
            change={
                "activity": Activity.EXCHANGE,
                "phase": LicencePhase.NO_OBJECTION,
                "expires_ms": None,
            },
        ),
        surplus_row(VAR),
    ),
)

REVOKE_LICENCE: Final = Ladder(
    act="revoke_licence",
    good=RevokeLicence(
        account=address(VAR),
        approvers=(),
        participant="exchange",
        activity=Activity.EXCHANGE,
        reason="Breach",
        legal_reference="VAR 3/2026",
    ),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"participant": "nobody"},
        ),
        Row(
            why="by the licensee",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address("exchange")},
            by=("exchange",),
        ),
        Row(why="no reason", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"reason": ""}),
        Row(
            why="no legal reference",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"legal_reference": ""},
        ),
        Row(
            why="no such licence",
            outcome=Outcome.LICENCE_UNKNOWN,
            change={"activity": Activity.CUSTODY},
        ),
        Row(
            why="revoked already",
            outcome=Outcome.LICENCE_UNKNOWN,
            prepare=putting(
                LICENCES,
                licence_key("exchange", "exchange"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=True, expires_ms=None, accounts_opened=5
                ),
            ),
        ),
        surplus_row(VAR),
    ),
)


def _policy_rows() -> tuple[Row, ...]:
    """Return what can be wrong with a policy."""
    first, second = sorted((public_key("amina"), public_key("bilal")))

    def row(
        why: str,
        *signers: tuple[bytes, int],
        thresholds: tuple[int, int, int] = (1, 1, 1),
        outcome: Outcome = Outcome.POLICY_NOT_VALID,
    ) -> Row:
        spoilt = AccountPolicy(signers=signers, thresholds=thresholds)
        # What no decoded transaction can hold is left to the tests of the policies.
        return Row(why=why, outcome=outcome, change={"policy": spoilt})

    return (
        row("signers out of order", (second, 1), (first, 1)),
        row("a signer twice", (first, 1), (first, 1)),
        row("a threshold out of reach", (first, 1), (second, 1), thresholds=(1, 1, 3)),
        row("a key of small order", (SMALL_ORDER_KEY, 1), outcome=Outcome.KEY_NOT_VALID),
    )


OPEN_ACCOUNT: Final = Ladder(
    act="open_account",
    good=OpenAccount(
        account=address("exchange"),
        approvers=(),
        owner="unbanked",
        policy=policy("unbanked"),
        salt=SALT,
    ),
    by=("exchange",),
    rows=(
        *acting_rows(),
        Row(
            why="the owner is not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"owner": "nobody"},
        ),
        Row(
            why="the owner is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"owner": "suspended"},
        ),
        Row(
            why="by somebody without licence or office",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address("amina")},
            by=("amina",),
        ),
        Row(
            why="the licence has run out",
            outcome=Outcome.LICENCE_INACTIVE,
            change={"account": address("exchange")},
            by=("exchange",),
            prepare=putting(
                LICENCES,
                licence_key("exchange", "exchange"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=False, expires_ms=NOW_MS, accounts_opened=5
                ),
            ),
        ),
        Row(
            why="for a client of somebody else",
            outcome=Outcome.NOT_REGISTRAR,
            change={"account": address("first-bank")},
            by=("first-bank",),
            prepare=putting(
                LICENCES,
                licence_key("first-bank", "custody"),
                LicenceRecord(
                    phase=LicencePhase.FULL, revoked=False, expires_ms=None, accounts_opened=0
                ),
            ),
        ),
        *_policy_rows(),
        Row(
            why="the phase allows no more",
            outcome=Outcome.PHASE_LIMIT_REACHED,
            prepare=putting(
                PARAMETERS, name_key("accounts-max-no-objection"), ParameterRecord(value=5)
            ),
        ),
        Row(
            why="the account exists",
            outcome=Outcome.ACCOUNT_EXISTS,
            change={"owner": "amina", "policy": policy("amina")},
        ),
        surplus_row("exchange"),
    ),
)

SET_ACCOUNT_POLICY: Final = Ladder(
    act="set_account_policy",
    good=SetAccountPolicy(account=address("amina"), policy=policy("amina/new")),
    by=("amina",),
    rows=(*acting_rows(), *_policy_rows(), surplus_row("amina")),
)

HOLD_ACCOUNT: Final = Ladder(
    act="hold_account",
    good=hold_account("amina"),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="no such account",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"target": bytes(20)},
        ),
        Row(
            why="the account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"target": address("closed")},
        ),
        Row(
            why="by the ministry",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(FM)},
            by=(FM,),
        ),
        Row(
            why="the regulator alone stops the central bank",
            outcome=Outcome.OFFICES_MISSING,
            change={"target": address(CB)},
            alone=True,
        ),
        Row(why="no reason", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"reason": ""}),
        Row(
            why="no legal reference",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"legal_reference": ""},
        ),
        Row(
            why="on hold already",
            outcome=Outcome.ACCOUNT_ALREADY_ON_HOLD,
            change={"target": address("held")},
        ),
        surplus_row(VAR),
    ),
)

RELEASE_ACCOUNT: Final = Ladder(
    act="release_account",
    good=ReleaseAccount(account=address(VAR), approvers=(), target=address("held")),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="no such account",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"target": bytes(20)},
        ),
        Row(
            why="by somebody else",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address("amina")},
            by=("amina",),
        ),
        Row(
            why="not on hold",
            outcome=Outcome.ACCOUNT_NOT_ON_HOLD,
            change={"target": address("amina")},
        ),
        surplus_row(VAR),
    ),
)

CLOSE_ACCOUNT: Final = Ladder(
    act="close_account",
    good=CloseAccount(account=address("exchange")),
    by=("exchange",),
    rows=(
        *acting_rows(),
        Row(
            why="something is left in it",
            outcome=Outcome.ACCOUNT_NOT_EMPTY,
            change={"account": address("amina")},
            by=("amina",),
        ),
        surplus_row("exchange"),
    ),
)

LADDERS: Final = (
    REGISTER_PARTICIPANT,
    REGISTER_PERSON,
    UPDATE_STATUS,
    GRANT_OFFICE,
    GRANT_LICENCE,
    REVOKE_LICENCE,
    OPEN_ACCOUNT,
    SET_ACCOUNT_POLICY,
    HOLD_ACCOUNT,
    RELEASE_ACCOUNT,
    CLOSE_ACCOUNT,
)

OF_PERSONS: Final = (IDENTIFY, IDENTIFY_BY_OFFICE, CORRECT_IDENTITY)
"""A list of their own: the golden bytes are numbered in order."""
