"""What is wrong with a file of settings: each thing with its place, and all of them at once."""

from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a file, and where."""

    file: str
    line: int | None
    """Counted from 1; None where the fault has no place, as in the environment."""
    key: str
    """Dotted path of the setting, as one would look for it in the file."""
    message: str
    """What was found, what was expected, and what to do where that is known."""

    @override
    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(Exception):
    """A configuration that cannot be used.

    Attributes:
        faults: all of them, in the order of the file.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
