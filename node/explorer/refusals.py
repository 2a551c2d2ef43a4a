"""Why a page is not shown: what was found, and what was expected."""

from collections.abc import Mapping


class PageRefusal(Exception):
    """A request that no page answers.

    Attributes:
        status: of HTTP.
        found: what was asked with; None where that says nothing.
        expected: the key of a text of the catalogues, or None.
        values: what that text names.
        missing: the key of a text that says what is not there, or why not now, or None.
        reason: a sentence of the interface's own.
        headers: what else the answer carries.
    """

    def __init__(
        self,
        status: int,
        *,
        found: str | None = None,
        expected: str | None = None,
        values: Mapping[str, object] | None = None,
        missing: str | None = None,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}: {found!r}, {expected}, {reason}")
        self.status = status
        self.found = found
        self.expected = expected
        self.values = dict(values or {})
        self.missing = missing
        self.reason = reason
        self.headers = dict(headers or {})
