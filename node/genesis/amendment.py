"""An amendment of the validator set: the document, who has to sign it, and what makes it good.

Where so many voting keys are lost that the rest are no quorum, nothing can be decided any more, a
change of the set neither. Then the institutions decide together, outside the chain, who rules after
the last block. What they decided is this document. Like the genesis it is a fact that a node is
given by its operator and by nobody else; no peer can bring it.

It stands in the chain between two blocks: it names the last block of the former set by its height
and id, and the next block names the amendment's id as its parent. That id is also what every
signature of consensus covers from there on, in the place of the genesis' hash: no vote that a key
of the former set has given, or will give, is a vote of the new one.

Who signs: every survivor, that is every validator of the former set that has part in the decision,
and every validator of the new set, which proves by it that it holds its key. A document may be
passed on with some signatures only; it is installed with all of them.

The bytes are canonical, so that one decision has one id. What the ledger demands of the new set
(keys never used before, participants that are there) is checked beside a state
(`node.ledger.amending`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from consensus.errors import InvalidValue
from consensus.types import ValidatorId
from consensus.validators import Validator, ValidatorSet
from node.blocks import ValidatorKey, validators_hash
from node.blocks.certificates import Verify
from node.blocks.merkle import Hash
from node.blocks.records import HeightNumber, KeyBytes, SignatureBytes
from node.codec import CodecError, Record, decode, encode
from node.hashing import Domain, tagged_hash
from node.keys import Signer
from node.keys import verify as verify_signature
from node.ledger.tables import TEXT_MAX, VALIDATORS_MAX, RulingKey, ValidatorRecord

AMENDMENT_FORMAT: Final = "khz-amendment/1"
AMENDMENTS_MAX: Final = 255
"""Of one network."""
FILE_SIZE_MAX: Final = 512 << 10
"""A hundred validators with certificates of the largest size, all keys and signatures: 260 KiB."""

_TAG: Final = b"khazana/amendment/1"
"""Leads the signed bytes: no message of consensus, and no proof of possession, begins with it."""


class AmendmentFault(StrEnum):
    """Why an amendment is not to be followed."""

    UNREADABLE = "unreadable"
    NOT_ORDERED = "not-ordered"
    """Validators, survivors or signatures: each once, ascending by name or key."""
    SHARED = "shared"
    """Two validators of the new set have a key, certificate or participant together."""
    UNKNOWN_SIGNER = "unknown-signer"
    BAD_SIGNATURE = "bad-signature"
    NOT_SIGNED = "not-signed"
    """By everybody who has to."""
    WRONG_NETWORK = "wrong-network"
    WRONG_SERIAL = "wrong-serial"
    WRONG_HEIGHT = "wrong-height"
    """Not above the amendment before, or below what this node has committed."""
    WRONG_BLOCK = "wrong-block"
    NO_SURVIVOR = "no-survivor"
    """Who signs as a validator of the former set was none."""
    NOTHING_CHANGED = "nothing-changed"
    NOT_BORNE = "not-borne"
    """The ledger cannot have this set."""
    INSTALLED = "installed"
    DECIDED = "decided"
    """Blocks stand on it: it is part of the chain."""


class AmendmentError(Exception):
    """An amendment that cannot be used.

    Attributes:
        fault: what is wrong with it.
        detail: what was found, what was expected, what to do.
    """

    def __init__(self, fault: AmendmentFault, detail: str) -> None:
        super().__init__(f"amendment refused ({fault}): {detail}")
        self.fault = fault
        self.detail = detail


class AmendmentBody(Record):
    """What was decided: what is hashed and signed."""

    format: Literal["khz-amendment/1"]
    genesis_hash: Hash
    serial: Annotated[int, msgspec.Meta(ge=1, le=AMENDMENTS_MAX)]
    """1 for the first amendment of the network, one more for each after it."""
    height: HeightNumber
    """Of the last block that the former set decided."""
    block_id: Hash
    """Of that block."""
    survivors: Annotated[
        tuple[RulingKey, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    """The validators of the former set that sign; ascending by name."""
    validators: Annotated[
        tuple[ValidatorRecord, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    """The whole set that rules from the next height on; ascending by name."""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
    """For whoever reads the ledger later: who decided this together, when, and why."""


class KeySignature(Record):
    """One signature under the amendment."""

    public_key: KeyBytes
    signature: SignatureBytes


class AmendmentFile(Record):
    """The document as it is passed on."""

    body: AmendmentBody
    signatures: Annotated[tuple[KeySignature, ...], msgspec.Meta(max_length=2 * VALIDATORS_MAX)]
    """Ascending by key; as many as were given so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """An amendment whose parts fit together. Made by `amendment_of` or `decode_amendment`."""

    body: AmendmentBody
    id: bytes
    """32 bytes: the parent of the next block, and what its validators' signatures cover."""
    signatures: tuple[KeySignature, ...]
    """Verified; ascending by key."""
    ruling_keys: tuple[RulingKey, ...]
    """Names and keys of the new set."""
    validator_set: ValidatorSet
    """The same as consensus knows it."""
    validators_hash: bytes
    """How the next header names them."""

    @property
    def serial(self) -> int:
        """1 for the first of the network."""
        return self.body.serial

    @property
    def height(self) -> int:
        """Of the last block of the former set."""
        return self.body.height

    @property
    def rules_from(self) -> int:
        """The first height of the new set."""
        return self.body.height + 1

    @property
    def validators(self) -> tuple[ValidatorRecord, ...]:
        """The new set, as the ledger holds it."""
        return self.body.validators

    @property
    def missing(self) -> tuple[str, ...]:
        """Who has still to sign, by name and key; ascending."""
        given = {each.public_key for each in self.signatures}
        return tuple(
            f"{name} with key {key.hex()}"
            for key, name in sorted(_signers(self.body).items(), key=lambda item: item[1])
            if key not in given
        )

    def has_to_sign(self, public_key: bytes) -> bool:
        """Whether the amendment needs the signature of this key."""
        return public_key in _signers(self.body)

    def check_signed(self) -> None:
        """Check that everybody has signed.

        Raises:
            AmendmentError: somebody has not.
        """
        if self.missing:
            raise AmendmentError(
                AmendmentFault.NOT_SIGNED,
                f"the signatures of {', '.join(self.missing)} are missing; each of them runs"
                " `khazana amendment sign`",
            )

    def check_follows(self, former: ValidatorSet) -> None:
        """Check that survivors of this set sign it, and that it puts another in its place.

        Args:
            former: the set that would rule the next height without the amendment.

        Raises:
            AmendmentError: they do not, or it does not.
        """
        for each in self.body.survivors:
            name = ValidatorId(each.name)
            if name not in former or former[name].public_key != each.public_key:
                raise AmendmentError(
                    AmendmentFault.NO_SURVIVOR,
                    f"{name} with key {each.public_key.hex()} is no validator after height"
                    f" {self.height}",
                )
        if former == self.validator_set:
            raise AmendmentError(
                AmendmentFault.NOTHING_CHANGED,
                f"the same names and keys rule after height {self.height} without it",
            )


def amendment_of(
    body: AmendmentBody,
    signatures: Sequence[KeySignature] = (),
    *,
    verify: Verify = verify_signature,
) -> Amendment:
    """Return the amendment of these parts; all may not have signed yet.

    Raises:
        AmendmentError: they do not fit together.
    """
    _check_ascending("validators", [each.name for each in body.validators])
    _check_ascending("survivors", [each.name for each in body.survivors])
    _check_ascending("signatures", [each.public_key for each in signatures])
    for field in ("participant", "public_key", "tls_certificate"):
        values = [getattr(each, field) for each in body.validators]
        for before, after in zip(sorted(values), sorted(values)[1:], strict=False):
            if before == after:
                names = [v.name for v in body.validators if getattr(v, field) == before]
                raise AmendmentError(
                    AmendmentFault.SHARED, f"{' and '.join(names)} have one {field}"
                )
    try:
        _set(body.survivors)
        validator_set = _set(body.validators)
    except InvalidValue as error:
        raise AmendmentError(AmendmentFault.UNREADABLE, str(error)) from None
    content = encode(body)
    id_ = tagged_hash(Domain.AMENDMENT, content)
    signers = _signers(body)
    for each in signatures:
        if each.public_key not in signers:
            raise AmendmentError(
                AmendmentFault.UNKNOWN_SIGNER,
                f"the key {each.public_key.hex()} is neither a survivor's nor a new validator's",
            )
        if not verify(each.public_key, signed_bytes(id_), each.signature):
            raise AmendmentError(
                AmendmentFault.BAD_SIGNATURE,
                f"that of {signers[each.public_key]} does not hold: the file was altered after it",
            )
    return Amendment(
        body=body,
        id=id_,
        signatures=tuple(signatures),
        ruling_keys=tuple(
            RulingKey(name=each.name, public_key=each.public_key) for each in body.validators
        ),
        validator_set=validator_set,
        validators_hash=validators_hash(
            ValidatorKey(name=each.name, public_key=each.public_key) for each in body.validators
        ),
    )


def signed_bytes(amendment_id: bytes) -> bytes:
    """Return what is signed under an amendment."""
    return _TAG + amendment_id


def signed_by(amendment: Amendment, signer: Signer) -> Amendment:
    """Return the amendment with the signature of this key as well.

    Raises:
        AmendmentError: it does not need this one.
    """
    key = signer.public_key
    if not amendment.has_to_sign(key):
        raise AmendmentError(
            AmendmentFault.UNKNOWN_SIGNER,
            f"the key {key.hex()} is neither a survivor's nor a new validator's",
        )
    given = {each.public_key: each for each in amendment.signatures}
    given[key] = KeySignature(public_key=key, signature=signer.sign(signed_bytes(amendment.id)))
    return amendment_of(amendment.body, [given[each] for each in sorted(given)])


def encode_amendment(amendment: Amendment) -> bytes:
    """Return the bytes of the file."""
    return encode(AmendmentFile(body=amendment.body, signatures=amendment.signatures))


def decode_amendment(data: bytes, *, verify: Verify = verify_signature) -> Amendment:
    """Return the amendment of a file's bytes, every signature in it verified.

    Raises:
        AmendmentError: they are none, or something in it does not hold.
    """
    try:
        file = decode(data, AmendmentFile, size_max=FILE_SIZE_MAX)
    except CodecError as error:
        raise AmendmentError(AmendmentFault.UNREADABLE, str(error)) from None
    return amendment_of(file.body, file.signatures, verify=verify)


def missing_sentence(height: int, parent: bytes) -> str:
    """Return what is said where a block does not stand on the one before, for want of an amendment.

    Nothing proves that what such a block names as its parent is an amendment: only the institutions
    can say so.
    """
    return (
        f"block {height} stands on amendment {parent.hex()}, which is not known here. No peer can"
        " bring it: get its file from the institutions, compare this id with them, and give it to a"
        " node by `khazana amendment install`, to `khazana verify` by --amendment"
    )


def _signers(body: AmendmentBody) -> dict[bytes, str]:
    """Return who has to sign, by key: a survivor that stays with its key signs once."""
    return {each.public_key: each.name for each in body.survivors} | {
        each.public_key: each.name for each in body.validators
    }


def _check_ascending(name: str, values: Sequence[str] | Sequence[bytes]) -> None:
    if list(values) != sorted(set(values)):  # type: ignore[type-var]  # all of one type
        raise AmendmentError(
            AmendmentFault.NOT_ORDERED, f"its {name} are not ascending, each of them once"
        )


def _set(records: Iterable[RulingKey | ValidatorRecord]) -> ValidatorSet:
    return ValidatorSet(
        tuple(Validator(id=ValidatorId(each.name), public_key=each.public_key) for each in records)
    )
