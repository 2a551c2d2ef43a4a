"""An operator, an account and a user of NATS, made as `nsc` makes them, for a real server."""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from node.keys import LocalSigner

SEED: Final = 18 << 3
OPERATOR: Final = 14 << 3
ACCOUNT: Final = 0
USER: Final = 20 << 3
UNLIMITED: Final = -1
CREDS: Final = """\
-----BEGIN NATS USER JWT-----
{token}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------

*************************************************************
"""


@dataclass(frozen=True, kw_only=True)
class Nkey:
    """A key of one kind."""

    kind: int
    signer: LocalSigner = field(default_factory=LocalSigner.generate)

    @property
    def public(self) -> str:
        return _text(bytes([self.kind]) + self.signer.public_key)

    @property
    def seed(self) -> str:
        prefix = bytes([SEED | self.kind >> 5, (self.kind & 31) << 3])
        return _text(prefix + self.signer.seed)

    def vouch(self, subject: "Nkey", kind: str, **more: Any) -> str:
        """Return a token in which this key says that the other is its account, or user."""
        claims = {
            "jti": secrets.token_hex(16),
            "iat": 1_700_000_000,
            "iss": self.public,
            "sub": subject.public,
            "name": kind,
            "nats": {**more, "type": kind, "version": 2},
        }
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        said = ".".join(_url(json.dumps(part).encode()) for part in (head, claims))
        return f"{said}.{_url(self.signer.sign(said.encode()))}"


@dataclass(frozen=True, kw_only=True)
class Realm:
    """A server's operator, with one account that may keep streams, and the server's own."""

    operator: Nkey = field(default_factory=lambda: Nkey(kind=OPERATOR))
    account: Nkey = field(default_factory=lambda: Nkey(kind=ACCOUNT))
    system: Nkey = field(default_factory=lambda: Nkey(kind=ACCOUNT))

    @property
    def options(self) -> str:
        """What the server's configuration says."""
        limits = dict.fromkeys(
            (
                *("subs", "data", "payload", "imports", "exports", "conn", "leaf"),
                *("mem_storage", "disk_storage", "streams", "consumer"),
            ),
            UNLIMITED,
        )
        kept = {**limits, "wildcards": True}
        own = {**kept, **dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), 0)}
        accounts = ", ".join(
            f'{each.public}: "{self.operator.vouch(each, "account", limits=given)}"'
            for each, given in ((self.account, kept), (self.system, own))
        )
        return (
            f'operator: "{self.operator.vouch(self.operator, "operator")}"\n'
            f"system_account: {self.system.public}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {accounts} }}\n"
        )

    def creds(self, user: Nkey) -> str:
        """Return the file `.creds` of a user of the account."""
        limits = dict.fromkeys(("subs", "data", "payload"), UNLIMITED)
        token = self.account.vouch(user, "user", pub={}, sub={}, **limits)
        return CREDS.format(token=token, seed=user.seed)


def _text(body: bytes) -> str:
    checked = body + binascii.crc_hqx(body, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
