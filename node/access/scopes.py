"""What may be asked of a node, by kind, and which kinds a listener answers without a key."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Scope(StrEnum):
    """One kind of request."""

    READ = "read"
    """What is on the ledger: calls, subscriptions, the pages for people."""
    SUBMIT = "submit"
    """Handing in transactions. Each carries its signatures all the same."""
    OPERATE = "operate"
    """How the node itself is: its metrics."""


class Role(StrEnum):
    """What a listener answers to whoever reaches it. A key adds its own scopes."""

    CLOSED = "closed"
    """Nothing but whether the node lives, is ready, and how far it is."""
    PUBLIC = "public"
    PARTICIPANT = "participant"
    OPERATOR = "operator"


SCOPES_OF: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.CLOSED: frozenset(),
        Role.PUBLIC: frozenset({Scope.READ}),
        Role.PARTICIPANT: frozenset({Scope.READ, Scope.SUBMIT}),
        Role.OPERATOR: frozenset(Scope),
    }
)
