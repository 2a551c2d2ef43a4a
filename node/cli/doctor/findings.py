"""What a check of the doctor says: a verdict, what was found, what was expected, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and should not stay so."""
    FAILED = "failed"
    """The node does not work with it, or only for a while."""
    UNKNOWN = "unknown"
    """It could not be looked at; `found` says why. Not a fault by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """A permanent name: scripts look for it."""
    verdict: Verdict
    found: str
    expected: str
    advice: str = ""
    """What to do; never empty where something is to be done."""

    def __post_init__(self) -> None:
        """Hold that nobody is left without advice."""
        assert self.advice or self.verdict in (Verdict.OK, Verdict.UNKNOWN)


def ok(check: str, found: str, expected: str) -> Finding:
    """Return that it is as it should be."""
    return Finding(check=check, verdict=Verdict.OK, found=found, expected=expected)


def warning(check: str, found: str, expected: str, advice: str) -> Finding:
    """Return that it works and should not stay so."""
    return Finding(
        check=check, verdict=Verdict.WARNING, found=found, expected=expected, advice=advice
    )


def failed(check: str, found: str, expected: str, advice: str) -> Finding:
    """Return that the node does not work with it."""
    return Finding(
        check=check, verdict=Verdict.FAILED, found=found, expected=expected, advice=advice
    )


def unknown(check: str, found: str, expected: str, advice: str = "") -> Finding:
    """Return that it could not be looked at."""
    return Finding(
        check=check, verdict=Verdict.UNKNOWN, found=found, expected=expected, advice=advice
    )


def graded(check: str, grade: Verdict, found: str, expected: str, advice: str) -> Finding:
    """Return a finding whose advice counts only where it is not well."""
    return Finding(
        check=check,
        verdict=grade,
        found=found,
        expected=expected,
        advice="" if grade is Verdict.OK else advice,
    )


def worst(findings: Sequence[Finding]) -> Verdict:
    """Return the gravest verdict; what is unknown is no fault."""
    found = {finding.verdict for finding in findings}
    for verdict in (Verdict.FAILED, Verdict.WARNING):
        if verdict in found:
            return verdict
    return Verdict.OK
