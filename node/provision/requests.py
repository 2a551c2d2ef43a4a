"""What a validator shows the others so that they let it vote, or let it change its keys.

    {
      "format": "khazana-validator-request/1",
      "network": "<64 hex digits>",       the genesis' hash
      "name": "bank",                     of the validator
      "participant": "bank",              who runs it
      "public_key": "<64>",               the key that will vote
      "tls_certificate": "<hex>",         DER
      "proof": "<128>"                    signature by that key over all of the above
    }

The proof says that whoever asks holds the key: nobody can have another's key voted in, or one that
nobody holds, which would cost a vote. It is signed under a domain of its own (`Domain.POSSESSION`)
and is no message of consensus, whatever key it is made with.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import msgspec

from node.codec import encode
from node.hashing import Domain, tagged_hash
from node.keys import CertificateError, Signer, verify
from node.keys.certificates import check_certificate

FORMAT: Final = "khazana-validator-request/1"
FILE_SIZE_MAX: Final = 16 << 10  # a certificate of the largest size, in hexadecimal, and the rest

_Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
_Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class RequestError(Exception):
    """A file is no request, or its proof does not hold.

    Attributes:
        place: the file.
        reason: what was found and what was expected.
    """

    def __init__(self, place: Path, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["khazana-validator-request/1"]
    network: _Hash
    name: _Name
    participant: _Name
    public_key: _Hash
    tls_certificate: Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{2}){1,2048}\Z")]
    proof: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{128}\Z")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorRequest:
    """One validator's keys, for the others to vote on."""

    network: bytes
    """Hash of the genesis."""
    name: str
    participant: str
    public_key: bytes
    tls_certificate: bytes
    """DER."""
    proof: bytes

    @classmethod
    def made_by(
        cls,
        signer: Signer,
        *,
        network: bytes,
        name: str,
        participant: str,
        tls_certificate: bytes,
    ) -> Self:
        """Return the request of whoever holds this key."""
        return cls(
            network=network,
            name=name,
            participant=participant,
            public_key=signer.public_key,
            tls_certificate=tls_certificate,
            proof=signer.sign(
                _possession(network, name, participant, signer.public_key, tls_certificate)
            ),
        )

    def render(self) -> str:
        """Return the text of the file."""
        value = {
            "format": FORMAT,
            "network": self.network.hex(),
            "name": self.name,
            "participant": self.participant,
            "public_key": self.public_key.hex(),
            "tls_certificate": self.tls_certificate.hex(),
            "proof": self.proof.hex(),
        }
        return json.dumps(value, indent=2) + "\n"


def read_request(path: Path) -> ValidatorRequest:
    """Return the request in a file, its certificate and its proof checked.

    Raises:
        RequestError: it is none, or nobody proves to hold its key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        raise RequestError(path, error.strerror or str(error)) from None
    if len(data) > FILE_SIZE_MAX:
        raise RequestError(path, f"more than {FILE_SIZE_MAX} bytes: this is no request")
    try:
        found = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(path, f"no request of a validator: {error}") from None
    request = ValidatorRequest(
        network=bytes.fromhex(found.network),
        name=found.name,
        participant=found.participant,
        public_key=bytes.fromhex(found.public_key),
        tls_certificate=bytes.fromhex(found.tls_certificate),
        proof=bytes.fromhex(found.proof),
    )
    try:
        facts = check_certificate(request.tls_certificate)
    except CertificateError as error:
        raise RequestError(path, f"its certificate: {error}") from None
    if facts.name != request.name:
        raise RequestError(
            path, f"its certificate is for {facts.name}, the request for {request.name}"
        )
    signed = _possession(
        request.network,
        request.name,
        request.participant,
        request.public_key,
        request.tls_certificate,
    )
    if not verify(request.public_key, signed, request.proof):
        raise RequestError(
            path,
            "its proof does not hold: it was altered, or made without the key; ask for it again",
        )
    return request


def _possession(
    network: bytes, name: str, participant: str, public_key: bytes, certificate: bytes
) -> bytes:
    content = encode((network, name, participant, public_key, certificate))
    return b"khazana/possession/1" + tagged_hash(Domain.POSSESSION, content)
