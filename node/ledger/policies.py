"""Account policies: who must sign for what, and the address that a policy certifies.

A policy weighs signer keys and sets a threshold for each class of operation. An address is the hash
of its first policy, its owner and a salt: whoever opens an account cannot choose an address that
belongs to someone else, and an address can be known before the account is open.
"""

from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record, encode
from node.hashing import Domain, tagged_hash
from node.ledger.identifiers import ADDRESS_SIZE, PublicKey, is_public_key
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import PolicyFault

SIGNERS_MAX: Final = 16
WEIGHT_MAX: Final = 255
SALT_SIZE_MIN: Final = 8
SALT_SIZE_MAX: Final = 16

Weight = Annotated[int, msgspec.Meta(ge=1, le=WEIGHT_MAX)]
Threshold = Annotated[int, msgspec.Meta(ge=1, le=SIGNERS_MAX * WEIGHT_MAX)]
Salt = Annotated[bytes, msgspec.Meta(min_length=SALT_SIZE_MIN, max_length=SALT_SIZE_MAX)]


class AccountClass(IntEnum):
    """What kind of act an account lends its name to: the index of its threshold."""

    TRANSFER = 0
    OFFICE = 1
    ADMINISTER = 2


class AccountPolicy(Record):
    """Signers with weights, and the weight that each class of operation takes."""

    signers: Annotated[
        tuple[tuple[PublicKey, Weight], ...], msgspec.Meta(min_length=1, max_length=SIGNERS_MAX)
    ]
    """In ascending order of key, each key once."""
    thresholds: tuple[Threshold, Threshold, Threshold]
    """For TRANSFER, OFFICE and ADMINISTER; none above the sum of the weights."""


def single_signer(public_key: bytes) -> AccountPolicy:
    """Return the policy of an account that one key signs for alone."""
    return AccountPolicy(signers=((public_key, 1),), thresholds=(1, 1, 1))


def account_address(owner: str, policy: AccountPolicy, salt: bytes) -> bytes:
    """Return the 20-byte address of the account that this owner opens with this policy and salt."""
    preimage = encode((owner, policy, salt))
    return tagged_hash(Domain.ACCOUNT, preimage)[:ADDRESS_SIZE]


def check_policy(policy: AccountPolicy) -> None:
    """Refuse a policy that could never be met, or whose keys are not points.

    Raises:
        Reject: POLICY_NOT_VALID, KEY_NOT_VALID.
    """
    keys = [key for key, _ in policy.signers]
    weights = [weight for _, weight in policy.signers]
    if not 1 <= len(keys) <= SIGNERS_MAX:
        raise Reject(
            Outcome.POLICY_NOT_VALID, reason=PolicyFault.COUNT_OF_SIGNERS.of(found=len(keys))
        )
    if any(left >= right for left, right in pairwise(keys)):
        raise Reject(Outcome.POLICY_NOT_VALID, reason=PolicyFault.POLICY_OUT_OF_ORDER.of())
    if not all(1 <= weight <= WEIGHT_MAX for weight in weights):
        raise Reject(Outcome.POLICY_NOT_VALID, reason=PolicyFault.WEIGHT_OUT_OF_RANGE.of())
    if not all(1 <= threshold <= sum(weights) for threshold in policy.thresholds):
        raise Reject(Outcome.POLICY_NOT_VALID, reason=PolicyFault.THRESHOLD_OUT_OF_REACH.of())
    for key in keys:
        if not is_public_key(key):
            raise Reject(Outcome.KEY_NOT_VALID, key=key)
