"""What the index finds in records, whatever their types: every act and event can be walked."""

from typing import get_args

import pytest

from node.codec import Record
from node.index.mentions import _accounts, _is_text, _of_record, accounts_of, texts_of
from node.index.projection import _OF_PARTICIPANTS, participants_of
from node.ledger.catalogue import ACTS
from node.ledger.events import (
    Approved,
    EnvelopesUnentered,
    Event,
    TaxStatusRules,
    TaxStatusSet,
)
from node.ledger.outcomes import Outcome
from node.ledger.proposals import ProposalRefused
from node.ledger.securities import TaxStatus

KINDS = [*(act.operation for act in ACTS), *get_args(Event)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_act_and_event_can_be_walked(kind: type[Record]) -> None:
    assert callable(_accounts(kind))
    assert callable(_of_record(kind, _is_text))


def test_details_of_a_refusal_are_text_and_numbers() -> None:
    """A chain on which a proposal was refused stopped the index: its details are of two types."""
    refused = ProposalRefused(
        proposal=bytes(32),
        operation=0,
        outcome=Outcome.HOLDING_INSUFFICIENT,
        details=(("asset", "PKR"), ("found", 7)),
    )

    assert accounts_of(refused) == ()
    assert texts_of(refused) == ("asset", "PKR", "found")


def test_every_event_about_a_participant_stands_in_its_past() -> None:
    """All that name one, but for what an office does for others, in a proposal or an auction."""
    naming = {kind for kind in get_args(Event) if "participant" in kind.__struct_fields__}

    assert naming - {*_OF_PARTICIPANTS} == {Approved, EnvelopesUnentered}


def test_change_of_a_taxpayer_is_in_its_past_when_it_is_told_and_when_it_rules() -> None:
    told = TaxStatusSet(
        participant="amina", status=TaxStatus.INACTIVE, from_day=20_000, source="ATL"
    )
    rules = TaxStatusRules(participant="amina", status=TaxStatus.INACTIVE, from_day=20_000)

    assert participants_of(told) == ("amina",)
    assert participants_of(rules) == ("amina",)
