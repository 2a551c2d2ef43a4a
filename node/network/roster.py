"""Who may speak to us: the validators of the ledger and the observers of the configuration.

A member is known by the exact bytes of its certificate and by nothing else: no name, address or
authority in the certificate is believed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a member may send: validators everything, observers no votes."""

    VALIDATOR = "validator"
    OBSERVER = "observer"


class PinnedRecord(Protocol):
    """A name with the certificate that proves it: the ledger's validator record has this shape."""

    @property
    def name(self) -> str:
        """1 to 32 of [a-z0-9-]."""
        ...

    @property
    def tls_certificate(self) -> bytes:
        """DER."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """An observer as the configuration names it."""

    name: str
    tls_certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One remote node that may get past the TLS handshake."""

    name: str
    role: Role
    certificate: bytes
    """DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All members but ourselves, by name and by certificate."""

    by_name: Mapping[str, Member]
    by_certificate: Mapping[bytes, Member]
    refused: tuple[str, ...]
    """Names left out because the name or the certificate was already taken; may be empty."""

    @staticmethod
    def of(
        validators: Iterable[PinnedRecord], observers: Iterable[PinnedRecord], *, own_name: str
    ) -> "Roster":
        """Return the roster in which a name and a certificate each occur once, validators first.

        One certificate under two names would let one node speak as two validators.
        """
        by_name: dict[str, Member] = {}
        by_certificate: dict[bytes, Member] = {}
        refused: list[str] = []
        roles = ((Role.VALIDATOR, validators), (Role.OBSERVER, observers))
        for role, records in roles:
            for record in records:
                if record.name == own_name:
                    continue
                if record.name in by_name or record.tls_certificate in by_certificate:
                    refused.append(record.name)
                    continue
                member = Member(name=record.name, role=role, certificate=record.tls_certificate)
                by_name[member.name] = member
                by_certificate[member.certificate] = member
        return Roster(by_name=by_name, by_certificate=by_certificate, refused=tuple(refused))
