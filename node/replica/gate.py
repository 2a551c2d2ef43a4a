"""Which messages of peers reach the engine: those that are well formed, new, and truly signed.

Checks are ordered by cost, so that a flood costs little: is it of this height, from a member of the
set, not known already; only then the signature, some 40 us. Every field used later is inside the
signed bytes. What is refused names its reason, from a closed list, and is held against the peer
that delivered it; a duplicate is nobody's fault, since votes are passed on and repeated.

The gate belongs to one height at a time and knows the set that rules it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from consensus.certificates import check_structure, votes_of
from consensus.errors import InvalidValue
from consensus.messages import (
    Proposal,
    QuorumCertificate,
    SignedProposal,
    SignedVote,
    Vote,
    sign_bytes,
)
from consensus.types import BlockId, FaultModel, Height, Round, Signature, ValidatorId, VoteType
from consensus.validators import ValidatorSet
from node.blocks import CertificateError, decode_certificate, verify_certificate
from node.codec import CodecError
from node.metrics import Metrics
from node.network import CertificateMessage, ProposalMessage, VoteMessage

KNOWN_MAX: Final = 32_768
"""Places remembered of one height. When it is reached all are forgotten: duplicates then cost a
verification again, which is the worst that can come of it."""
PER_PLACE_MAX: Final = 2  # two that differ are evidence; a third adds nothing

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) -> whether it holds: `node.keys.verify`."""

_Place: TypeAlias = tuple[str, int, int]
"""Author, 0 for a proposal or else the vote's type, round."""


class Fault(StrEnum):
    """Why a message was refused. The values are metric labels."""

    UNKNOWN_VALIDATOR = "unknown-validator"
    OUT_OF_RANGE = "out-of-range"
    BAD_SIGNATURE = "bad-signature"
    WRONG_PROPOSER = "wrong-proposer"
    BAD_CERTIFICATE = "bad-certificate"
    BAD_BLOCK = "bad-block"
    UNASKED = "unasked"
    BAD_TRANSACTION = "bad-transaction"


class BadMessage(Exception):
    """A peer delivered what an honest one never would.

    Attributes:
        fault: the rule that was broken.
        detail: what was found.
    """

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


class Gate:
    """The checks of one height after the other."""

    def __init__(
        self,
        *,
        domain: Callable[[int], bytes],
        model: FaultModel,
        verify: Verify,
        metrics: Metrics,
    ) -> None:
        """Begin closed: `open_height` comes first.

        Args:
            domain: the 32 bytes that every signature on a height covers, `Genesis.domain`.
        """
        self._domain = domain
        self._model = model
        self._verify = verify
        self._verified = metrics.signatures_verified.labels(of="consensus")
        self._height = Height(0)
        self._validators: ValidatorSet | None = None
        self._known: dict[_Place, list[tuple[object, bytes]]] = {}

    @property
    def height(self) -> Height:
        """The height whose messages are checked."""
        return self._height

    def open_height(self, height: Height, validators: ValidatorSet) -> None:
        """Forget the height before, and check messages of this one from now on."""
        self._height = height
        self._validators = validators
        self._known.clear()

    def admit_vote(self, message: VoteMessage) -> SignedVote | None:
        """Return the vote, its signature verified; None if it is known already.

        Raises:
            BadMessage: it is nobody's vote.
        """
        validators = self._ruling(message.height)
        place = (message.validator, message.vote_type, message.round)
        if self._is_known(place, message.block_id):
            return None
        if message.validator not in validators:
            raise BadMessage(Fault.UNKNOWN_VALIDATOR, f"a vote of {message.validator}")
        try:
            vote = Vote(
                kind=VoteType(message.vote_type),
                height=Height(message.height),
                round=Round(message.round),
                block_id=None if message.block_id is None else BlockId(message.block_id),
                validator=ValidatorId(message.validator),
            )
            signed = SignedVote(vote=vote, signature=Signature(message.signature))
        except InvalidValue as error:
            raise BadMessage(Fault.OUT_OF_RANGE, str(error)) from None
        self._check_signature(validators, vote.validator, vote, signed.signature)
        self._remember(place, message.block_id, signed.signature)
        return signed

    def expects_proposal(self, message: ProposalMessage) -> bool:
        """Return whether a proposal is new; nothing in it has been verified by that.

        Raises:
            BadMessage: it is not the turn of its proposer.
        """
        validators = self._ruling(message.height)
        expected = validators.proposer(Height(message.height), Round(message.round)).id
        if message.proposer != expected:
            raise BadMessage(
                Fault.WRONG_PROPOSER,
                f"{message.proposer} in round {message.round}: it is the turn of {expected}",
            )
        place = (message.proposer, 0, message.round)
        return not self._is_known(place, (message.block_id, message.valid_round))

    def admit_proposal(self, message: ProposalMessage) -> SignedProposal:
        """Return the proposal, its signature and its certificate verified.

        The caller has seen that it is expected, and that its block is the one it names: whoever
        passes on a proposal with another block must not make the true one a duplicate.

        Raises:
            BadMessage: nobody signed it, or its certificate proves nothing.
        """
        validators = self._ruling(message.height)
        try:
            proposal = Proposal(
                height=Height(message.height),
                round=Round(message.round),
                block_id=BlockId(message.block_id),
                valid_round=None if message.valid_round is None else Round(message.valid_round),
                proposer=ValidatorId(message.proposer),
            )
            polka = None if message.polka is None else decode_certificate(message.polka)
            signed = SignedProposal(
                proposal=proposal, signature=Signature(message.signature), polka=polka
            )
        except InvalidValue as error:
            raise BadMessage(Fault.OUT_OF_RANGE, str(error)) from None
        except CodecError as error:
            raise BadMessage(Fault.BAD_CERTIFICATE, str(error)) from None
        self._check_signature(validators, proposal.proposer, proposal, signed.signature)
        if polka is not None:
            self._check_votes(polka, validators)
        place = (message.proposer, 0, message.round)
        self._remember(place, (message.block_id, message.valid_round), signed.signature)
        return signed

    def admit_certificate(self, message: CertificateMessage) -> QuorumCertificate:
        """Return the commit certificate, every signature in it verified.

        Raises:
            BadMessage: it proves nothing.
        """
        validators = self._ruling(message.height)
        try:
            certificate = decode_certificate(message.certificate)
            self._verified.inc(len(certificate.signatures))
            verify_certificate(
                certificate,
                validators,
                self._model,
                self._domain(message.height),
                self._verify,
                height=message.height,
                block_id=message.block_id,
            )
        except (CodecError, CertificateError, InvalidValue) as error:
            raise BadMessage(Fault.BAD_CERTIFICATE, str(error)) from None
        return certificate

    # Private.

    def _ruling(self, height: int) -> ValidatorSet:
        assert height == self._height
        assert self._validators is not None
        return self._validators

    def _is_known(self, place: _Place, what: object) -> bool:
        known = self._known.get(place, ())
        return len(known) >= PER_PLACE_MAX or any(what == other for other, _ in known)

    def _remember(self, place: _Place, what: object, signature: bytes) -> None:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known.setdefault(place, []).append((what, signature))

    def _check_signature(
        self,
        validators: ValidatorSet,
        author: ValidatorId,
        message: Vote | Proposal,
        signature: Signature,
    ) -> None:
        self._verified.inc()
        data = sign_bytes(message, self._domain(message.height))
        if not self._verify(validators[author].public_key, data, signature):
            raise BadMessage(Fault.BAD_SIGNATURE, str(message))

    def _check_votes(self, certificate: QuorumCertificate, validators: ValidatorSet) -> None:
        fault = check_structure(certificate, validators, self._model)
        if fault is not None:
            raise BadMessage(Fault.BAD_CERTIFICATE, f"{certificate}: {fault.value}")
        for signed in votes_of(certificate):
            place = (signed.vote.validator, int(signed.vote.kind), signed.vote.round)
            if (signed.vote.block_id, signed.signature) in self._known.get(place, ()):
                continue  # These very bytes were verified when they came by themselves.
            try:
                self._check_signature(
                    validators, signed.vote.validator, signed.vote, signed.signature
                )
            except BadMessage as error:
                raise BadMessage(Fault.BAD_CERTIFICATE, error.detail) from None
