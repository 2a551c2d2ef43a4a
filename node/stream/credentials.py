"""What NATS gives a user to sign in with: a seed, or a file `.creds` with a token and a seed. Pure.

An nkey is an Ed25519 key as base32 text: what it is of in one or two bytes, 32 bytes, and a
checksum (CRC-16 as in XMODEM, least byte first). A server sends a number that it has just drawn,
and is sent its signature; the seed never leaves the node.

Source: NATS architecture decision 14 and nats-io/nkeys.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from node.keys import LocalSigner
from node.stream.errors import StreamUnusable

CREDENTIALS_SIZE_MAX: Final = 16_384
"""Bytes of a file; one with a token has some 1,000."""

_SEED: Final = 18 << 3
_USER: Final = 20 << 3
_SEED_BYTES: Final = 32
_NKEY_BYTES: Final = 2 + _SEED_BYTES + 2
_BLOCK: Final = re.compile(
    r"^-{3,}BEGIN (?P<what>[A-Z ]{1,40})-{3,}\s+(?P<inner>[A-Za-z0-9._-]+)\s+"
    r"-{3,}END (?P=what)-{3,}",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who a node is at the server."""

    public_key: str
    """As the server writes it: `U...`."""
    signer: LocalSigner = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """The JWT by which an account vouches for the key; None: the server knows the key itself."""

    def sign(self, nonce: str) -> bytes:
        """Return the signature of what the server has drawn, as base64."""
        return base64.b64encode(self.signer.sign(nonce.encode()))


def parse_credentials(text: str) -> Credentials:
    """Return what a file of credentials holds: one of nsc (`.creds`), or the seed of a user alone.

    Raises:
        StreamUnusable: it is neither; says what was found, and never shows it.
    """
    if "BEGIN" not in text:
        return _credentials(text.strip(), token=None)
    found = {each["what"]: each["inner"] for each in _BLOCK.finditer(text)}
    token, seed = found.get("NATS USER JWT"), found.get("USER NKEY SEED")
    if token is None or seed is None:
        named = ", ".join(sorted(found)) or "none that is whole"
        raise StreamUnusable(
            f"blocks of credentials: {named}; NATS USER JWT and USER NKEY SEED are expected, as"
            " `nsc generate creds` writes them"
        )
    return _credentials(seed, token=token)


def _credentials(seed: str, *, token: str | None) -> Credentials:
    signer = LocalSigner(_seed(seed))
    public = bytes([_USER]) + signer.public_key
    checked = public + binascii.crc_hqx(public, 0).to_bytes(2, "little")
    return Credentials(
        public_key=base64.b32encode(checked).decode().rstrip("="), signer=signer, token=token
    )


def _seed(text: str) -> bytes:
    expected = "the seed of a user is expected: 58 characters that begin with SU"
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise StreamUnusable(f"{len(text)} characters that are no base32; {expected}") from None
    if len(data) != _NKEY_BYTES:
        raise StreamUnusable(f"{len(text)} characters; {expected}")
    body, checksum = data[:-2], data[-2:]
    if binascii.crc_hqx(body, 0).to_bytes(2, "little") != checksum:
        raise StreamUnusable(f"a seed whose checksum is wrong: was it copied whole? {expected}")
    if (body[0] & 0xF8, (body[0] & 0x07) << 5 | body[1] >> 3) != (_SEED, _USER):
        raise StreamUnusable(f"a seed that begins with {text[:2]}; {expected}")
    return body[2:]
