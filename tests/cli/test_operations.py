"""Operations in JSON: the inverse of how the interface shows them, or a refusal with a place."""

from typing import Any

import pytest

from node.addresses import parse_address, render_address
from node.cli.tx.operations import OperationError, OperationReader
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.governance.propose import Propose
from node.ledger.acts.governance.set_powers import SetPowers
from node.ledger.acts.registry.grant_licence import GrantLicence
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.catalogue import CATALOGUE
from node.ledger.operations import Operation
from node.ledger.policies import single_signer
from node.ledger.powers import PowerRecord
from node.ledger.tables import Activity, AssetIdentifiers, LicencePhase, ParticipantKind
from node.ledger.terms import BillTerms, CashTerms
from node.rpc.rendering import Renderer

ALICE, BOB = bytes(range(20)), bytes(range(1, 21))
KEY = bytes(range(32))
DECIMALS = {"PKR": 2, "GOLD": 8}


def identifiers(**named: str) -> AssetIdentifiers:
    return AssetIdentifiers(
        isin=named.get("isin"), currency=named.get("currency"), dti=named.get("dti")
    )


def definition(terms: CashTerms | BillTerms) -> DefineAsset:
    return DefineAsset(
        account=ALICE,
        approvers=(BOB,),
        asset="NEW",
        name="A new asset",
        issuer="finance-ministry",
        identifiers=identifiers(isin="PKTB0574M033"),
        terms=terms,
        term_sheet_hash=KEY,
        decimals=3,
        multiple=5_000_000,
        ceiling=10**12,
        forced_transfer_allowed=True,
    )


OPERATIONS: list[Operation] = [
    Transfer(account=ALICE, to=BOB, asset="PKR", amount=10_050),
    Transfer(account=ALICE, to=BOB, asset="GOLD", amount=1),
    definition(CashTerms()),
    definition(BillTerms(issue_day=18_515, maturity_day=18_599, face_currency="PKR")),
    PlaceHold(
        account=ALICE,
        approvers=(),
        holder=BOB,
        asset="PKR",
        amount=7,
        reason="court order",
        legal_reference="1/2026",
        expires_ms=1_800_000_000_123,
    ),
    OpenAccount(account=ALICE, approvers=(), owner="bob", policy=single_signer(KEY), salt=bytes(8)),
    RegisterParticipant(
        account=ALICE,
        approvers=(BOB,),
        participant="bob",
        kind=ParticipantKind.PERSON,
        jurisdiction="PK",
        lei=None,
        file_commitment=KEY,
    ),
    GrantLicence(
        account=ALICE,
        approvers=(),
        participant="exchange",
        activity=Activity.EXCHANGE,
        phase=LicencePhase.FULL,
        expires_ms=None,
    ),
    SetPowers(
        account=ALICE,
        approvers=(BOB,),
        operation="issue",
        subject="bill",
        power=PowerRecord(offices=("central-bank", "finance-ministry"), required=2, licences=()),
    ),
]


def reader() -> OperationReader:
    return OperationReader(
        parse_address=lambda text: parse_address(text, test=True), decimals_of=DECIMALS.get
    )


def render(operation: Operation) -> dict[str, Any]:
    renderer = Renderer(test=True, decimals_of=DECIMALS.get, decode_operations=CATALOGUE.decode)
    return renderer.record(operation)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: type(o).__name__)
def test_what_the_interface_shows_reads_back_as_the_same_operation(operation: Operation) -> None:
    assert reader().read(render(operation)) == operation


def test_proposal_holds_the_operations_written_inside_it() -> None:
    inner = OPERATIONS[:2]
    text = {
        "type": "propose",
        "account": render_address(ALICE, test=True),
        "operations": [render(operation) for operation in inner],
        "expires": "2026-12-01T00:00:00Z",
    }

    found = reader().read(text)

    assert isinstance(found, Propose)
    assert CATALOGUE.decode(found.operations) == tuple(inner)
    assert found.expires_ms == 1_796_083_200_000


def test_absent_fields_and_approvers_may_be_left_out() -> None:
    written = render(OPERATIONS[6])
    del written["lei"], written["approvers"]

    found = reader().read(written)

    assert isinstance(found, RegisterParticipant)
    assert found.lei is None
    assert found.approvers == ()


TRANSFER = render(OPERATIONS[0])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"type": "fly"}, "type"),
        ({"amount": 100}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"to": "tkhz1nonsense"}, "to"),
        ({"to": render_address(BOB, test=False)}, "to"),
        ({"colour": "green"}, "colour"),
        ({"asset": 7}, "asset"),
    ],
    ids=str,
)
def test_mistake_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(OperationError) as refusal:
        reader().read(TRANSFER | change)

    assert refusal.value.place == place


def test_missing_field_is_refused_with_its_place() -> None:
    written = {key: value for key, value in TRANSFER.items() if key != "to"}

    with pytest.raises(OperationError, match="to: missing"):
        reader().read(written)


@pytest.mark.parametrize("value", [None, [], "transfer", 5, {}])
def test_what_is_no_object_with_a_type_is_refused(value: object) -> None:
    with pytest.raises(OperationError):
        reader().read(value)
