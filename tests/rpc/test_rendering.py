"""Operations and events as JSON: derived from the ledger's types, for every act there is."""

import json
import types
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import Record, encode
from node.ledger.catalogue import ACTS, CATALOGUE
from node.ledger.events import Event, HoldersPaid
from node.ledger.operations import (
    DefineAsset,
    GrantLicence,
    Operation,
    PlaceHold,
    Propose,
    SetParameter,
    Transfer,
)
from node.ledger.outcomes import Outcome
from node.ledger.proposals import ProposalRefused
from node.ledger.tables import Activity, AssetIdentifiers, LicencePhase
from node.ledger.terms import BillTerms
from node.rpc.rendering import Renderer, render_day, render_time, snake

ALICE, BOB = b"\x01" * 20, b"\x02" * 20
OPERATIONS: tuple[type[Record], ...] = get_args(Operation)
EVENTS: tuple[type[Record], ...] = get_args(Event)


def make_renderer() -> Renderer:
    return Renderer(test=True, decimals_of={"PKR": 2}.get, decode_operations=CATALOGUE.decode)


def render(record: Record) -> dict[str, Any]:
    return dict(make_renderer().record(record))


def sample(hint: Any) -> Any:
    """Some value of a field's type."""
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    if get_origin(bare) in (Union, types.UnionType):
        return sample(get_args(bare)[0])
    if get_origin(bare) is tuple:
        return tuple(sample(item) for item in get_args(bare) if item is not Ellipsis)
    if issubclass(bare, Enum):
        return next(iter(bare))
    if issubclass(bare, bytes):
        return b"\x01" * next((meta.min_length or 1 for meta in metas), 1)
    if issubclass(bare, Record):
        hints = get_type_hints(bare, include_extras=True)
        return bare(**{name: sample(inner) for name, inner in hints.items()})
    return bare(7)


def text(address: bytes) -> str:
    return make_renderer().address(address)


def test_amount_is_a_decimal_string_of_the_asset_beside_it() -> None:
    assert render(Transfer(account=ALICE, to=BOB, asset="PKR", amount=12345)) == {
        "type": "transfer",
        "account": text(ALICE),
        "to": text(BOB),
        "asset": "PKR",
        "amount": "123.45",
    }


@pytest.mark.parametrize(("amount", "shown"), [(12345, 12345), (1 << 60, str(1 << 60)), (-5, -5)])
def test_amount_of_an_unknown_asset_is_in_minor_units(amount: int, shown: int | str) -> None:
    transfer = Transfer(account=ALICE, to=BOB, asset="NONE", amount=amount)

    assert render(transfer)["amount"] == shown


def test_definition_shows_its_amounts_by_its_own_decimals_and_its_terms_by_kind() -> None:
    shown = render(
        DefineAsset(
            account=ALICE,
            approvers=(BOB,),
            asset="MTB",
            name="Bill",
            issuer="finance-ministry",
            identifiers=AssetIdentifiers(isin="PK1234567890", currency="PKR", dti=None),
            terms=BillTerms(issue_day=18_515, maturity_day=18_599, face_currency="PKR"),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=500_000,
            ceiling=10**12,
            forced_transfer_allowed=True,
        )
    )

    assert shown["multiple"] == "5000.00"
    assert shown["ceiling"] == "10000000000.00"
    assert shown["decimals"] == 2
    assert shown["approvers"] == [text(BOB)]
    assert shown["terms"] == {
        "type": "bill",
        "issue_day": "2020-09-10",
        "maturity_day": "2020-12-03",
        "face_currency": "PKR",
    }
    assert shown["identifiers"] == {"isin": "PK1234567890", "currency": "PKR", "dti": None}
    assert shown["forced_transfer_allowed"] is True


def test_time_loses_its_unit_from_the_name() -> None:
    hold = PlaceHold(
        account=ALICE,
        approvers=(),
        holder=BOB,
        asset="PKR",
        amount=1,
        reason="r",
        legal_reference="l",
        expires_ms=1_600_000_000_125,
    )

    assert render(hold)["expires"] == "2020-09-13T12:26:40.125Z"
    assert render(msgspec.structs.replace(hold, expires_ms=None))["expires"] is None  # type: ignore[type-var]


@pytest.mark.parametrize("kind", [*OPERATIONS, *EVENTS])
def test_nothing_is_a_time_that_is_not_named_so(kind: type[Record]) -> None:
    """A count can have the range of a time: the holders that a payment went to have."""
    record = sample(kind)
    rendered = render(record)

    for name, hint in get_type_hints(kind, include_extras=True).items():
        if not name.endswith("_ms") and get_origin(hint) is Annotated and get_args(hint)[0] is int:
            assert not str(rendered[name]).endswith("Z"), name


def test_holders_that_were_paid_are_a_number() -> None:
    paid = HoldersPaid(asset="PKR", payment=1, holders=6, paid=100, withheld=15, redeemed=0)

    assert render(paid)["holders"] == 6
    assert render(paid)["paid"] == "1.00"


def test_enumerations_are_words() -> None:
    shown = render(
        GrantLicence(
            account=ALICE,
            approvers=(),
            participant="x",
            activity=Activity.EXCHANGE,
            phase=LicencePhase.NO_OBJECTION,
            expires_ms=None,
        )
    )

    assert (shown["activity"], shown["phase"]) == ("exchange", "no_objection")


def test_operations_of_a_proposal_are_shown_as_operations() -> None:
    inner = SetParameter(account=ALICE, approvers=(), parameter="validators-min", value=3)
    good = Propose(account=ALICE, operations=encode((inner,)), expires_ms=1)
    bad = Propose(account=ALICE, operations=b"\xc1", expires_ms=1)

    assert render(good)["operations"] == [render(inner)]
    assert render(inner)["value"] == 3
    assert render(bad)["operations"] == "c1"


def test_refusal_inside_an_event_is_shown_with_its_details() -> None:
    event = ProposalRefused(
        proposal=bytes(32),
        operation=1,
        outcome=Outcome.HOLDING_INSUFFICIENT,
        details=(("account", ALICE.hex()), ("found", 3), ("asset", "PKR")),
    )

    assert render(event) == {
        "type": "proposal_refused",
        "proposal": "00" * 32,
        "operation": 1,
        "outcome": "HOLDING_INSUFFICIENT",
        "details": {"account": text(ALICE), "found": 3, "asset": "PKR"},
    }


@pytest.mark.parametrize("act", ACTS, ids=lambda act: str(act.name))
def test_type_of_an_operation_is_the_name_of_its_act(act: Any) -> None:
    assert snake(act.operation.__name__) == act.name


@pytest.mark.parametrize("kind", [*OPERATIONS, *EVENTS], ids=lambda kind: str(kind.__name__))
def test_every_operation_and_event_renders_without_a_line_of_its_own(kind: type[Record]) -> None:
    record = sample(kind)

    shown = render(record)

    assert json.loads(msgspec.json.encode(shown)) == shown
    assert shown.keys() - {"type"} == {name.removesuffix("_ms") for name in get_type_hints(kind)}
    assert not [value for value in shown.values() if isinstance(value, float)]


AMOUNTS = {
    "accrued",
    "amount",
    "ceiling",
    "competitive",
    "consideration",
    "destination_accrued",
    "destination_supply",
    "due",
    "face",
    "failed",
    "found",
    "interest_due",
    "issued",
    "multiple",
    "noncompetitive",
    "paid",
    "principal_due",
    "redeemed",
    "reallotted",
    "residue",
    "settled",
    "stripped",
    "supply",
    "target",
    "withheld",
    "worth",
}


@pytest.mark.parametrize("kind", [*OPERATIONS, *EVENTS], ids=lambda kind: str(kind.__name__))
def test_bare_integer_of_a_record_with_an_asset_is_an_amount(kind: type[Record]) -> None:
    """What has another unit says so by an annotated range, or it would be shown as an amount."""
    hints = get_type_hints(kind, include_extras=True)
    if "asset" not in hints:
        return

    bare = {name for name, hint in hints.items() if hint is int}

    assert bare <= AMOUNTS, "name a new amount here, or give the field's type a range"


@given(st.integers(0, 253_402_300_799_999))
def test_time_reads_back_as_the_same(time_ms: int) -> None:
    shown = render_time(time_ms)

    moment = datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert round(moment.timestamp() * 1000) == time_ms
    assert len(shown) == 24


def test_time_beyond_the_calendar_is_a_number() -> None:
    assert render_time((1 << 53) - 1) == "9007199254740991 ms"


def test_days_are_dates() -> None:
    assert render_day(0) == "1970-01-01"
    assert render_day(2_932_896) == "9999-12-31"


def test_mentions_are_the_addresses_and_assets_within() -> None:
    accounts: set[str] = set()
    assets: set[str] = set()

    make_renderer().mention(
        Transfer(account=ALICE, to=BOB, asset="PKR", amount=1), accounts, assets
    )

    assert accounts == {text(ALICE), text(BOB)}
    assert assets == {"PKR"}
