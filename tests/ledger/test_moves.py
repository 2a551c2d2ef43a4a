"""What events move: each is known, and what is known of them is what holdings do."""

from collections import Counter
from typing import get_args

from node.index.moves import MOVES_NOTHING, MOVES_SOMETHING, moves_of
from node.ledger.events import Event, HolderPaid
from node.ledger.servicing import escrow_address


def test_every_event_is_known_to_move_something_or_nothing() -> None:
    events = set(get_args(Event))

    assert events == MOVES_SOMETHING | MOVES_NOTHING, (
        "an event is new: say in node/index/moves.py what it moves, or that it moves nothing. That"
        " the sum of all moves is what the state holds is checked by World.check"
    )
    assert not MOVES_SOMETHING & MOVES_NOTHING


def test_a_holder_is_paid_out_of_escrow_and_its_face_goes() -> None:
    holder = bytes(20)
    event = HolderPaid(
        asset="PIB", payment=3, holder=holder, cash="PKR", paid=70, withheld=5, redeemed=1_000
    )

    moved: Counter[tuple[str, bytes]] = Counter()
    for asset, account, amount in moves_of(event):
        moved[asset, account] += amount

    assert moved == {
        ("PKR", escrow_address("PIB")): -70,
        ("PKR", holder): 70,
        ("PIB", holder): -1_000,
    }
