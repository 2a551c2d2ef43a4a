"""From the genesis to a snapshot, over every change of validators: whose certificate counts when.

Each handover is a header under a certificate of those who ruled before it; it names who rules from
then on. What this cannot see is a change that was left out and undone again: the sets come to the
same in the end. The state knows the heights of all changes, so `check_complete` is asked once the
state is there: evidence of every height must be judged as the others judge it.
"""

from collections.abc import Mapping

from consensus.errors import InvalidValue
from consensus.types import ValidatorId
from consensus.validators import Validator, ValidatorSet
from node.blocks import (
    CertificateError,
    CertificateRecord,
    Header,
    ValidatorKey,
    block_id,
    certificate_of_record,
    validators_hash,
    verify_certificate,
)
from node.blocks.certificates import Verify
from node.codec import CodecError
from node.genesis import AmendmentError, Genesis, missing_sentence
from node.proofs import Handover
from node.snapshots.errors import BadPart, TrailIncomplete
from node.snapshots.parts import PointRecord


class Trail:
    """The verified changes of validators, ascending, as far as they have come."""

    def __init__(self, genesis: Genesis, verify: Verify) -> None:
        self._genesis = genesis
        self._verify = verify
        self._sets: list[tuple[int, ValidatorSet, bytes]] = [
            (1, genesis.validators, _hash(genesis.validators))
        ]
        self.handovers: list[Handover] = []
        """Those taken, ascending."""

    @property
    def height(self) -> int:
        """Of the last block that changed the validators; 0 before the first."""
        return self.handovers[-1].header.height if self.handovers else 0

    def hash_at(self, height: int) -> bytes:
        """Return the hash of the set that rules this height."""
        return _hash(self._at(height))

    def is_amended(self, height: int) -> bool:
        """Whether an amendment put in the set that rules from exactly this height."""
        return self._genesis.amendment_at(height) is not None

    def extend(self, handover: Handover) -> None:
        """Take the next change.

        Raises:
            BadPart: it was not decided by those who ruled, or names others than it brings.
        """
        header = handover.header
        name = f"handover at height {header.height}"
        if header.height <= self.height:
            raise BadPart(name, f"not above height {self.height}")
        self._check_decided(name, header, handover.certificate)
        found = validators_hash(handover.validators)
        if found != header.next_validators_hash:
            raise BadPart(
                name, f"validators {found.hex()}, expected {header.next_validators_hash.hex()}"
            )
        self._sets.append((header.height + 1, _set(name, handover.validators), found))
        self.handovers.append(handover)

    def check_point(self, point: PointRecord) -> None:
        """Check that the snapshot's block was decided by those to whom the trail leads.

        Raises:
            BadPart: it was not, or the trail goes beyond it.
        """
        name = f"snapshot of height {point.header.height}"
        if self.height >= point.header.height:
            raise BadPart(name, f"the trail goes on to height {self.height}")
        self._check_decided(name, point.header, point.certificate)

    def check_complete(self, point: PointRecord, sets: Mapping[int, bytes]) -> None:
        """Check that no change up to the snapshot was left out.

        Args:
            sets: hash of each set by the height from which it rules, as the state has them.

        Raises:
            TrailIncomplete: the state knows other changes.
        """
        known = {height: digest for height, _, digest in self._sets}
        last = point.header.height + 1
        if last in sets and sets[last] == point.header.next_validators_hash:
            known[last] = sets[last]
        if known != dict(sets):
            raise TrailIncomplete(
                "trail",
                f"sets from heights {sorted(known)}, the state has them from {sorted(sets)}",
            )

    def _at(self, height: int) -> ValidatorSet:
        start, decided = next(
            (start, decided) for start, decided, _ in reversed(self._sets) if start <= height
        )
        return self._genesis.ruling(decided, start - 1, height)

    def _check_decided(self, name: str, header: Header, certificate: CertificateRecord) -> None:
        try:
            validators = self._at(header.height)
        except AmendmentError as error:
            raise BadPart(name, str(error)) from None
        digest = _hash(validators)
        elsewhere = self._genesis.why_elsewhere(header)
        if elsewhere is not None:
            raise BadPart(name, elsewhere)
        if header.network != self._genesis.network:
            raise BadPart(name, f"of network {header.network.hex()}")
        if header.validators_hash != digest:
            raise BadPart(
                name,
                f"decided by {header.validators_hash.hex()}, expected {digest.hex()}; if the"
                " institutions have amended the set of validators,"
                f" {missing_sentence(header.height, header.parent)}",
            )
        try:
            verify_certificate(
                certificate_of_record(certificate),
                validators,
                self._genesis.fault_model,
                self._genesis.domain(header.height),
                self._verify,
                height=header.height,
                block_id=block_id(header),
            )
        except (CertificateError, CodecError, InvalidValue) as error:
            raise BadPart(name, str(error)) from None


def _hash(validators: ValidatorSet) -> bytes:
    return validators_hash(
        ValidatorKey(name=each.id, public_key=each.public_key) for each in validators
    )


def _set(name: str, validators: tuple[ValidatorKey, ...]) -> ValidatorSet:
    try:
        return ValidatorSet(
            tuple(
                Validator(id=ValidatorId(each.name), public_key=each.public_key)
                for each in validators
            )
        )
    except InvalidValue as error:
        raise BadPart(name, str(error)) from None
