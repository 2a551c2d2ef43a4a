"""The public list of inputs that a ledger refuses: each that concerns us, as a concrete input.

The list names its cases by number; `REFUSED` has what we do about each, `ELSEWHERE` why a case is
no input of this room: another room's, a feature that is still to come, or a thing that cannot be
said here at all.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from node.codec import CodecError, encode, replace
from node.ledger.operations import CloseAccount, Operation, ReleaseHold
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    TRANSACTION_SIZE_MAX,
    SignedTransaction,
    TransactionBody,
    TransactionError,
    check_envelope,
    decode_body,
    decode_signed,
    decode_transaction,
    network_of,
    transaction_id,
)
from tests.ledger.ladders_assets import FORCED_TRANSFER, REDEEM
from tests.ledger.test_assets import redeem_bill
from tests.ledger.world import (
    BILL,
    CB,
    FM,
    GENESIS_HASH,
    NOW_MS,
    PLAIN,
    VAR,
    World,
    address,
    define_cash,
    hold_account,
    issue_bill,
    issue_cash,
    make_market,
    place_hold,
    transfer,
)

DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "ledger_refusals"

Check = Callable[[World], None]
PAYMENT: Final = transfer("amina", "bilal", 1)


def refuses(outcome: Outcome, *operations: Operation, by: tuple[str, ...]) -> Check:
    """Return the check that these operations are refused so."""

    def check(world: World) -> None:
        assert world.submit(*operations, by=by).outcome is outcome

    return check


def malformed(operation: Operation) -> Check:
    """Return the check that no transaction with this operation decodes."""

    def check(world: World) -> None:
        body = replace(world_body(world), operations=(operation,))
        with pytest.raises(TransactionError) as refused:
            decode_body(encode(body))
        assert refused.value.outcome is Outcome.MALFORMED

    return check


def envelope(outcome: Outcome, **changes: object) -> Check:
    """Return the check that a body with these fields is refused by its envelope."""

    def check(world: World) -> None:
        body = replace(world_body(world), **changes)
        with pytest.raises(TransactionError) as refused:
            check_envelope(body, network=network_of(GENESIS_HASH), now_ms=NOW_MS, window_ms=600_000)
        assert refused.value.outcome is outcome

    return check


def world_body(world: World) -> TransactionBody:
    return world.body(PAYMENT, by=("amina",))


def raw(body: TransactionBody, signatures: int = 1) -> bytes:
    return encode(SignedTransaction(body=encode(body), signatures=(bytes(64),) * signatures))


def other_id(**changes: object) -> Check:
    """Return the check that what is different has another id: there is nothing to contradict."""

    def check(world: World) -> None:
        body = world_body(world)
        ids = {
            transaction_id(GENESIS_HASH, encode(one)) for one in (body, replace(body, **changes))
        }
        assert len(ids) == 2

    return check


def amount_beyond_64_bits(world: World) -> None:
    with pytest.raises(CodecError):
        encode(replace(world_body(world), operations=(replace(PAYMENT, amount=1 << 64),)))


def supply_beyond_the_ceiling(world: World) -> None:
    """No holding can overflow: none is larger than a supply, and no supply above its ceiling."""
    receipt = world.submit(issue_cash(10**18), by=(CB,))
    assert receipt.outcome is Outcome.CEILING_EXCEEDED


def release_twice(world: World) -> None:
    placed = world.do(place_hold("amina", 1), by=(VAR,))[0]
    release = ReleaseHold(
        account=address(VAR),
        approvers=(),
        holder=address("amina"),
        hold=placed.hold,  # type: ignore[union-attr]  # it was placed
    )
    world.do(release, by=(VAR,))
    assert world.submit(release, by=(VAR,)).outcome is Outcome.HOLD_UNKNOWN


def one_leg_fails(world: World) -> None:
    legs = (transfer("amina", "bilal", 1), transfer("bilal", "amina", 60_002))
    receipt = world.submit(*legs, by=("amina", "bilal"))
    assert (receipt.outcome, receipt.operation) == (Outcome.HOLDING_INSUFFICIENT, 1)
    assert world.holding("bilal") == (60_000, 40_000)


def too_many_signatures(world: World) -> None:
    with pytest.raises(TransactionError) as refused:
        decode_signed(raw(world_body(world), signatures=2))
    assert refused.value.outcome is Outcome.WRONG_SIGNATURE_COUNT
    refuses(Outcome.SIGNATURE_NOT_NEEDED, PAYMENT, by=("amina", "bilal"))(world)


def bytes_refused(outcome: Outcome, change: Callable[[bytes], bytes]) -> Check:
    def check(world: World) -> None:
        with pytest.raises(TransactionError) as refused:
            decode_transaction(change(raw(world_body(world))))
        assert refused.value.outcome is outcome

    return check


def too_many_operations(world: World) -> None:
    body = replace(world_body(world), operations=(PAYMENT,) * 101)
    with pytest.raises(TransactionError) as refused:
        decode_body(encode(body))
    assert refused.value.outcome is Outcome.MALFORMED


def definition_out_of_bounds(world: World) -> None:
    good = define_cash("NEW")
    for change in ({"decimals": 9}, {"decimals": -1}, {"asset": ""}, {"name": "x" * 141}):
        malformed(replace(good, **change))(world)


REFUSED: Final[dict[int, Check]] = {
    4: other_id(operations=(transfer("bilal", "amina", 1),)),
    6: other_id(operations=(transfer("amina", "bilal", 1, BILL),)),
    8: other_id(valid_until_ms=NOW_MS),
    10: other_id(memo="another"),
    12: malformed(replace(define_cash("NEW"), forced_transfer_allowed=2)),
    16: refuses(Outcome.OTHER_ACCOUNT_UNKNOWN, replace(PAYMENT, to=bytes(20)), by=("amina",)),
    18: refuses(Outcome.ACCOUNT_UNKNOWN, transfer("ghost", "amina", 1), by=("ghost",)),
    20: refuses(Outcome.HOLDING_INSUFFICIENT, transfer("amina", "bilal", 1, BILL), by=("amina",)),
    22: malformed(replace(PAYMENT, asset="")),
    24: refuses(Outcome.ACCOUNT_CLOSED, transfer("closed", "amina", 1), by=("closed",)),
    26: refuses(Outcome.AMOUNT_OUT_OF_RANGE, transfer("amina", "bilal", 0), by=("amina",)),
    28: malformed(replace(PAYMENT, amount=0.1)),
    30: amount_beyond_64_bits,
    32: refuses(Outcome.HOLDING_INSUFFICIENT, transfer("amina", "bilal", 500_001), by=("amina",)),
    34: supply_beyond_the_ceiling,
    36: refuses(Outcome.HOLDING_INSUFFICIENT, transfer("bilal", "amina", 60_001), by=("bilal",)),
    42: refuses(
        Outcome.HOLD_UNKNOWN,
        ReleaseHold(account=address(VAR), approvers=(), holder=address("amina"), hold=bytes(32)),
        by=(VAR,),
    ),
    50: release_twice,
    54: one_leg_fails,
    56: too_many_operations,
    60: envelope(Outcome.EXPIRED, valid_until_ms=NOW_MS - 1),
    64: refuses(Outcome.ACCOUNT_UNKNOWN, transfer("ghost", "amina", 1), by=("amina",)),
    66: envelope(Outcome.WRONG_NETWORK, network=bytes(8)),
    68: too_many_signatures,
    74: bytes_refused(Outcome.MALFORMED, lambda data: b"\x93" + data[1:] + b"\x00"),
    76: bytes_refused(Outcome.MALFORMED, lambda data: data[:-1]),
    78: bytes_refused(Outcome.TOO_LARGE, lambda data: data.ljust(TRANSACTION_SIZE_MAX + 1)),
    80: refuses(
        Outcome.OFFICES_MISSING,
        replace(hold_account("amina"), account=address("bilal")),
        by=("bilal",),
    ),
    82: refuses(Outcome.ACCOUNT_ON_HOLD, transfer("held", "amina", 1), by=("held",)),
    84: refuses(
        Outcome.OTHER_PARTICIPANT_SUSPENDED,
        transfer("amina", "suspended", 1),
        by=("amina",),
    ),
    86: refuses(
        Outcome.FORCED_TRANSFER_NOT_ALLOWED,
        replace(FORCED_TRANSFER.good, asset=PLAIN, source=address("amina")),
        by=(CB, VAR),
    ),
    88: refuses(
        Outcome.ASSET_EXISTS, define_cash(PLAIN, forced_transfer_allowed=True), by=(CB, FM)
    ),
    90: refuses(Outcome.HOLDING_INSUFFICIENT, replace(REDEEM.good, amount=100_000_000), by=(CB,)),
    92: refuses(Outcome.ACCOUNT_NOT_EMPTY, CloseAccount(account=address("amina")), by=("amina",)),
    94: definition_out_of_bounds,
    104: refuses(Outcome.NOT_DUE, redeem_bill(500_000), by=(CB, FM)),
    106: refuses(
        Outcome.SIGNATURES_MISSING,
        transfer("first-bank", "amina", 1, BILL),
        transfer("bilal", "first-bank", 1),
        by=("first-bank", "amina"),
    ),
}


_WHOLE: Final = "a hold is released whole and by its id alone: there is nothing to contradict"
_AUCTIONS: Final = "auctions are a desk to come"
_RESERVES: Final = "reserves are a desk to come"

ELSEWHERE: Final[dict[int, str]] = {
    0: "an id is the hash of what it names; nobody chooses it",
    2: "ids already applied are looked up by the chain, which answers DUPLICATE",
    14: "no two flags exclude each other",
    38: _WHOLE,
    40: _WHOLE,
    44: _WHOLE,
    46: _WHOLE,
    48: _WHOLE,
    52: "only what can expire has an end to name",
    58: "nothing is imported; block time is checked by the chain",
    62: "there are no sequence numbers; a repeated id is answered by the chain",
    70: "signatures are verified, strictly, before the ledger sees a transaction",
    72: "there are no fees",
    96: _AUCTIONS,
    98: _AUCTIONS,
    100: _AUCTIONS,
    102: "coupons come with the bond",
    108: _RESERVES,
    110: _RESERVES,
    112: _RESERVES,
    114: _RESERVES,
    116: _RESERVES,
    118: "identity data of the travel rule never reaches the ledger",
    120: "identity data of the travel rule never reaches the ledger",
}


@pytest.mark.parametrize("case", REFUSED, ids=[f"case {case}" for case in REFUSED])
def test_input_is_refused(case: int) -> None:
    REFUSED[case](make_market())


@pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder of outside test vectors is not beside this checkout"
)
def test_every_published_case_is_refused_or_belongs_elsewhere() -> None:
    published = {row["case"] for row in json.loads((DATA / "refusals.json").read_text())}

    assert published == REFUSED.keys() | ELSEWHERE.keys()
    assert not REFUSED.keys() & ELSEWHERE.keys()


def test_issue_of_half_a_denomination_is_refused() -> None:
    """Not in the published list: the rule of the State Bank's own bills."""
    refuses(Outcome.NOT_A_MULTIPLE, issue_bill(250_000), by=(CB, FM))(make_market())
