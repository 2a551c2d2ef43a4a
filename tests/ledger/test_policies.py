"""Account policies and the addresses they certify."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import (
    AccountPolicy,
    account_address,
    check_policy,
    single_signer,
)
from tests.ledger.world import SALT, public_key

A, B, C = sorted(public_key(label) for label in ("a", "b", "c"))


def test_policy_of_several_signers_is_accepted() -> None:
    check_policy(AccountPolicy(signers=((A, 1), (B, 2), (C, 255)), thresholds=(1, 2, 258)))


@pytest.mark.parametrize(
    ("why", "signers", "thresholds"),
    [
        ("nobody", (), (1, 1, 1)),
        (
            "seventeen",
            tuple((number.to_bytes(32, "big"), 1) for number in range(17)),
            (1, 1, 1),
        ),
        ("descending", ((B, 1), (A, 1)), (1, 1, 1)),
        ("one twice", ((A, 1), (A, 1)), (1, 1, 1)),
        ("weight 0", ((A, 0), (B, 1)), (1, 1, 1)),
        ("weight 256", ((A, 256),), (1, 1, 1)),
        ("threshold 0", ((A, 1),), (0, 1, 1)),
        ("transfer out of reach", ((A, 1),), (2, 1, 1)),
        ("office out of reach", ((A, 1),), (1, 2, 1)),
        ("administering out of reach", ((A, 1),), (1, 1, 2)),
    ],
)
def test_policy_that_cannot_work_is_refused(
    why: str,
    signers: tuple[tuple[bytes, int], ...],
    thresholds: tuple[int, int, int],
) -> None:
    with pytest.raises(Reject) as refused:
        check_policy(AccountPolicy(signers=signers, thresholds=thresholds))

    assert refused.value.outcome is Outcome.POLICY_NOT_VALID, why


@given(st.text(max_size=8), st.binary(min_size=8, max_size=16))
def test_address_depends_on_owner_policy_and_salt(owner: str, salt: bytes) -> None:
    one = account_address("amina", single_signer(A), SALT)
    other = account_address(owner, single_signer(A), salt)

    assert len(one) == 20
    assert (one == other) == (owner == "amina" and salt == SALT)
    assert one != account_address("amina", single_signer(B), SALT)


def test_address_is_pinned() -> None:
    address = account_address("amina", single_signer(bytes(range(32))), bytes(8))

    assert address.hex() == "b86d3ef5a15a276b16d02f0db62e6569fb6bf5bb"
