"""What the index finds in records, whatever their types: every act and event can be walked."""

from typing import get_args

import pytest

from node.codec import Record
from node.index.mentions import _accounts, _is_text, _of_record, accounts_of, texts_of
from node.ledger.catalogue import ACTS
from node.ledger.events import Event
from node.ledger.outcomes import Outcome
from node.ledger.proposals import ProposalRefused

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
