"""The tables of the assets desk."""

from typing import Final

from node.ledger.operations import ForcedTransfer, Redeem, ReleaseHold
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.state import LedgerState
from node.ledger.tables import (
    HOLDS,
    HOLDS_PER_ACCOUNT_MAX,
    IDENTIFIERS,
    POWERS,
    AssetIdentifiers,
    HoldRecord,
    IdentifierRecord,
    hold_key,
    identifier_key,
    power_key,
)
from node.ledger.terms import BillTerms
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.world import (
    BILL,
    CB,
    FM,
    ISIN,
    NOW_MS,
    PKR,
    PLAIN,
    TODAY,
    VAR,
    address,
    define_bill,
    issue_bill,
    place_hold,
    transfer,
    with_check_digit,
)

FREE_ISIN: Final = with_check_digit("PK000000001")
WRONG_ISIN: Final = FREE_ISIN[:-1] + str((int(FREE_ISIN[-1]) + 1) % 10)
LATE_BILL: Final = BillTerms(issue_day=TODAY, maturity_day=TODAY, face_currency="PKR")

TRANSFER: Final = Ladder(
    act="transfer",
    good=transfer("amina", "bilal", 500_000),
    by=("amina",),
    rows=(
        *acting_rows(),
        Row(
            why="the receiving account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"to": bytes(20)},
        ),
        Row(
            why="the receiving account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"to": address("closed")},
        ),
        Row(
            why="the receiver is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"to": address("suspended")},
        ),
        Row(
            why="no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "USD"},
        ),
        Row(why="amount 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": 0}),
        Row(why="negative", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": -1}),
        Row(
            why="to itself",
            outcome=Outcome.SELF_TRANSFER,
            change={"to": address("amina")},
        ),
        Row(
            why="one more than there is",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"amount": 500_001},
        ),
        Row(
            why="an asset of which there is nothing",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"asset": BILL},
        ),
        surplus_row("amina"),
    ),
)

HELD_TRANSFER: Final = Ladder(
    act="transfer",
    good=transfer("bilal", "amina", 60_000),
    by=("bilal",),
    rows=(
        Row(
            why="what is held counts as not there",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"amount": 60_001},
        ),
    ),
)

DEFINE_ASSET: Final = Ladder(
    act="define_asset",
    good=define_bill("MTB-6M-1", isin=FREE_ISIN),
    by=(CB, FM),
    rows=(
        *acting_rows(),
        Row(
            why="an approver's account does not exist",
            outcome=Outcome.ACCOUNT_UNKNOWN,
            change={"approvers": (bytes(20),)},
            alone=True,
        ),
        Row(
            why="an approver does not sign",
            outcome=Outcome.SIGNATURES_MISSING,
            change={"approvers": (address(CB),)},
            by=(FM,),
        ),
        Row(
            why="the issuer is not registered",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"issuer": "nobody"},
        ),
        Row(
            why="the issuer is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"issuer": "suspended"},
        ),
        Row(
            why="the ministry alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="the issuer does not stand behind it",
            outcome=Outcome.NOT_ISSUER,
            change={"issuer": "first-bank"},
        ),
        Row(why="no name", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"name": ""}),
        Row(why="a name with a bell", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"name": "MTB\a"}),
        Row(
            why="a code in small letters",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"asset": "mtb"},
        ),
        Row(
            why="a bill without an ISIN",
            outcome=Outcome.IDENTIFIER_MISSING,
            change={"identifiers": AssetIdentifiers(isin=None, currency="PKR", dti=None)},
        ),
        Row(
            why="an ISIN with a wrong check digit",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={"identifiers": AssetIdentifiers(isin=WRONG_ISIN, currency=None, dti=None)},
        ),
        Row(
            why="a token identifier that begins with 0",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={
                "identifiers": AssetIdentifiers(isin=FREE_ISIN, currency=None, dti="0H95J0R2X")
            },
        ),
        Row(
            why="a currency of two letters",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={"identifiers": AssetIdentifiers(isin=FREE_ISIN, currency="PK", dti=None)},
        ),
        Row(
            why="the face value in a currency of two letters",
            outcome=Outcome.IDENTIFIER_NOT_VALID,
            change={
                "terms": BillTerms(issue_day=TODAY, maturity_day=TODAY + 1, face_currency="PK"),
            },
        ),
        Row(
            why="matures on the day of issue",
            outcome=Outcome.TERMS_NOT_VALID,
            change={"terms": LATE_BILL},
        ),
        Row(why="ceiling 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"ceiling": 0}),
        Row(why="multiple 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"multiple": 0}),
        Row(
            why="another asset has the ISIN",
            outcome=Outcome.IDENTIFIER_TAKEN,
            change={"identifiers": AssetIdentifiers(isin=ISIN, currency=None, dti=None)},
        ),
        Row(
            why="another asset has the token identifier",
            outcome=Outcome.IDENTIFIER_TAKEN,
            change={
                "identifiers": AssetIdentifiers(isin=FREE_ISIN, currency=None, dti="4H95J0R2X")
            },
            prepare=putting(
                IDENTIFIERS,
                identifier_key("dti", "4H95J0R2X"),
                IdentifierRecord(holder="XBT"),
            ),
        ),
        Row(why="the code is taken", outcome=Outcome.ASSET_EXISTS, change={"asset": PKR}),
        Row(
            why="the ceiling is no multiple of the denomination",
            outcome=Outcome.NOT_A_MULTIPLE,
            change={"ceiling": 500_001},
        ),
        surplus_row(CB, FM),
    ),
)

ISSUE: Final = Ladder(
    act="issue",
    good=issue_bill(500_000 * 9_900),
    by=(CB, FM),
    rows=(
        *acting_rows(),
        Row(
            why="the receiving account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"to": bytes(20)},
        ),
        Row(
            why="the receiving account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"to": address("closed")},
        ),
        Row(
            why="the receiver is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"to": address("suspended")},
        ),
        Row(why="no such asset", outcome=Outcome.ASSET_UNKNOWN, change={"asset": "USD"}),
        Row(
            why="the matrix has no row",
            outcome=Outcome.POWER_NOT_GRANTED,
            prepare=lambda state: state.delete(POWERS, power_key("issue", "bill")),
            alone=True,
        ),
        Row(
            why="the ministry alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="the issuer does not stand behind it",
            outcome=Outcome.NOT_ISSUER,
            change={"account": address(CB), "approvers": (address(VAR),)},
            by=(CB, VAR),
            prepare=putting(
                POWERS,
                power_key("issue", "bill"),
                PowerRecord(offices=(CB, FM, VAR), required=2, licences=()),
            ),
            alone=True,
        ),
        Row(why="amount 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": 0}),
        Row(
            why="not a multiple of Rs 5,000",
            outcome=Outcome.NOT_A_MULTIPLE,
            change={"amount": 500_000 * 9_901 + 1},
        ),
        Row(
            why="one denomination above the ceiling",
            outcome=Outcome.CEILING_EXCEEDED,
            change={"amount": 500_000 * 9_901},
        ),
        surplus_row(CB, FM),
    ),
)

REDEEM: Final = Ladder(
    act="redeem",
    good=Redeem(account=address(CB), approvers=(), asset=PKR, amount=1_000_000, holder=address(CB)),
    by=(CB,),
    rows=(
        *acting_rows(),
        Row(
            why="the holder's account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"holder": bytes(20)},
        ),
        Row(why="no such asset", outcome=Outcome.ASSET_UNKNOWN, change={"asset": "USD"}),
        Row(
            why="the central bank redeems a bill alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"asset": BILL},
        ),
        Row(
            why="what somebody else holds",
            outcome=Outcome.NOT_ISSUER,
            change={"holder": address("amina")},
        ),
        Row(why="amount 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": 0}),
        Row(
            why="more than came back",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"amount": 100_000_000},
        ),
        surplus_row(CB),
    ),
)

REDEEM_BILL: Final = Ladder(
    act="redeem",
    good=Redeem(account=address(CB), approvers=(), asset=PKR, amount=1_000_000, holder=address(CB)),
    by=(CB,),
    rows=(
        Row(
            why="a bill before it matures",
            outcome=Outcome.NOT_DUE,
            change={
                "asset": BILL,
                "account": address(FM),
                "approvers": (address(CB),),
                "holder": address(FM),
            },
            by=(CB, FM),
        ),
    ),
)


def fill_holds(state: LedgerState) -> None:
    """Let the account have all the holds that it may, of another asset."""
    hold = HoldRecord(
        asset=BILL,
        amount=1,
        reason="Inquiry",
        legal_reference="FIA 19/2026",
        expires_ms=None,
        placed_by=VAR,
    )
    for number in range(HOLDS_PER_ACCOUNT_MAX):
        state.put(HOLDS, hold_key(address("amina"), number.to_bytes(32, "big")), hold)


PLACE_HOLD: Final = Ladder(
    act="place_hold",
    good=place_hold("amina", 500_000, expires_ms=NOW_MS + 1),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="the holder's account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"holder": bytes(20)},
        ),
        Row(
            why="the holder's account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"holder": address("closed")},
        ),
        Row(why="no such asset", outcome=Outcome.ASSET_UNKNOWN, change={"asset": "USD"}),
        Row(
            why="by the ministry",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(FM)},
            by=(FM,),
        ),
        Row(
            why="the regulator alone holds what the central bank has",
            outcome=Outcome.OFFICES_MISSING,
            change={"holder": address(CB)},
            alone=True,
        ),
        Row(why="no reason", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"reason": ""}),
        Row(
            why="a reference of two lines",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"legal_reference": "FIA\n19"},
        ),
        Row(why="amount 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": 0}),
        Row(
            why="expires now",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS},
        ),
        Row(
            why="expires in eleven years",
            outcome=Outcome.TIME_NOT_ACCEPTED,
            change={"expires_ms": NOW_MS + 11 * 366 * 86_400_000},
        ),
        Row(
            why="one more than is available",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"amount": 500_001},
        ),
        Row(
            why="as many holds on the account as there may be",
            outcome=Outcome.HOLDS_FULL,
            prepare=fill_holds,
        ),
        surplus_row(VAR),
    ),
)

HOLD_ID: Final = bytes([7]) * 32

RELEASE_HOLD: Final = Ladder(
    act="release_hold",
    good=ReleaseHold(account=address(VAR), approvers=(), holder=address("bilal"), hold=HOLD_ID),
    by=(VAR,),
    rows=(
        *acting_rows(),
        Row(
            why="the holder's account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"holder": bytes(20)},
        ),
        Row(
            why="by the holder",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address("bilal")},
            by=("bilal",),
        ),
        Row(
            why="no such hold",
            outcome=Outcome.HOLD_UNKNOWN,
            change={"hold": bytes(32)},
        ),
        Row(
            why="the hold of another account",
            outcome=Outcome.HOLD_UNKNOWN,
            change={"holder": address("amina")},
        ),
        surplus_row(VAR),
    ),
    prepare=putting(
        HOLDS,
        hold_key(address("bilal"), HOLD_ID),
        HoldRecord(
            asset=PKR,
            amount=40_000,
            reason="Inquiry",
            legal_reference="FIA 19/2026",
            expires_ms=None,
            placed_by=VAR,
        ),
    ),
)

FORCED_TRANSFER: Final = Ladder(
    act="forced_transfer",
    good=ForcedTransfer(
        account=address(VAR),
        approvers=(address(CB),),
        source=address("held"),
        to=address("bilal"),
        asset=PKR,
        amount=1_000,
        reason="Judgment",
        legal_reference="LHC 4/2026",
    ),
    by=(CB, VAR),
    rows=(
        *acting_rows(),
        Row(
            why="the source does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"source": bytes(20)},
        ),
        Row(
            why="the receiving account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"to": address("closed")},
        ),
        Row(
            why="the receiver is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"to": address("suspended")},
        ),
        Row(why="no such asset", outcome=Outcome.ASSET_UNKNOWN, change={"asset": "USD"}),
        Row(
            why="the regulator alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(VAR,),
        ),
        Row(why="no reason", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"reason": ""}),
        Row(
            why="no legal reference",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"legal_reference": ""},
        ),
        Row(why="amount 0", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"amount": 0}),
        Row(
            why="to itself",
            outcome=Outcome.SELF_TRANSFER,
            change={"to": address("held")},
        ),
        Row(
            why="an asset defined without it",
            outcome=Outcome.FORCED_TRANSFER_NOT_ALLOWED,
            change={"asset": PLAIN},
        ),
        Row(
            why="one more than there is",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"amount": 1_001},
        ),
        surplus_row(CB, VAR),
    ),
)

LADDERS: Final = (
    DEFINE_ASSET,
    ISSUE,
    TRANSFER,
    HELD_TRANSFER,
    PLACE_HOLD,
    RELEASE_HOLD,
    FORCED_TRANSFER,
    REDEEM,
    REDEEM_BILL,
)
