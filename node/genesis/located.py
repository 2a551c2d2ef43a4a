"""Strict JSON that remembers on which line each value stands.

Stricter than RFC 8259 where leniency would hide a mistake: no duplicate keys, no fractions or
exponents, no NaN, nothing after the document, nesting and size bounded. The value comes back as
plain dicts, lists, strings, integers, booleans and None; the lines beside it, by path.
"""

import json
import re
from typing import Final, TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | bool | None"
Path: TypeAlias = tuple[str | int, ...]

DOCUMENT_SIZE_MAX: Final = 16 << 20
"""Characters in one document: a genesis of ten thousand accounts takes about 5 MB."""
DEPTH_MAX: Final = 32
INTEGER_DIGITS_MAX: Final = 20

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_STRINGS: Final = json.JSONDecoder(strict=True)
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class LocatedError(Exception):
    """Text that is not acceptable JSON: `line` counts from 1, `reason` says what was found."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Located:
    """A parsed document and the line of every value and key in it."""

    def __init__(self, value: JsonValue, lines: dict[Path, int]) -> None:
        self.value = value
        self._lines = lines

    def line(self, path: Path) -> int:
        """Return the line of the value at this path, or of the nearest that encloses it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def parse_located(text: str) -> Located:
    """Return the document and its lines.

    Raises:
        LocatedError: not strict JSON, too long or too deep.
    """
    if len(text) > DOCUMENT_SIZE_MAX:
        raise LocatedError(1, f"{len(text)} characters where {DOCUMENT_SIZE_MAX} are allowed")
    parser = _Parser(text)
    value = parser.value((), 0)
    parser.skip_space()
    if parser.place != len(text):
        raise parser.error("something follows the end of the document")
    return Located(value, parser.lines)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.lines: dict[Path, int] = {}
        self._line = 1
        self._counted = 0

    def value(self, path: Path, depth: int) -> JsonValue:
        self.skip_space()
        self.lines[path] = self._line_here()
        if depth > DEPTH_MAX:
            raise self.error(f"nested more than {DEPTH_MAX} deep")
        match self.text[self.place : self.place + 1]:
            case "{":
                return self._object(path, depth)
            case "[":
                return self._array(path, depth)
            case '"':
                return self._string()
            case "":
                raise self.error("the document ends where a value was expected")
            case _:
                return self._scalar()

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.place)
        assert match is not None  # the pattern accepts the empty string
        self.place = match.end()

    def error(self, reason: str) -> LocatedError:
        return LocatedError(self._line_here(), reason)

    def _object(self, path: Path, depth: int) -> JsonValue:
        result: dict[str, JsonValue] = {}
        self.place += 1
        if self._closes("}"):
            return result
        while True:
            self.skip_space()
            if self.text[self.place : self.place + 1] != '"':
                raise self.error("a key in double quotes was expected")
            key_place = self.place
            key = self._string()
            if key in result:
                self.place = key_place
                raise self.error(f"the key {key!r} stands here a second time")
            self._expect(":")
            result[key] = self.value((*path, key), depth + 1)
            if self._closes("}"):
                return result
            self._expect(",")

    def _array(self, path: Path, depth: int) -> JsonValue:
        result: list[JsonValue] = []
        self.place += 1
        if self._closes("]"):
            return result
        while True:
            result.append(self.value((*path, len(result)), depth + 1))
            if self._closes("]"):
                return result
            self._expect(",")

    def _string(self) -> str:
        try:
            value, end = _STRINGS.raw_decode(self.text, self.place)
        except json.JSONDecodeError as error:
            raise self.error(error.msg) from None
        assert isinstance(value, str)  # it begins with a quote
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.error("half of a surrogate pair is not a character")
        self.place = end
        return value

    def _scalar(self) -> JsonValue:
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.place):
                self.place += len(word)
                return value
        match = _INTEGER.match(self.text, self.place)
        if match is None:
            raise self.error(f"{self.text[self.place]!r} begins no JSON value")
        if match.group() == "-0" or len(match.group()) > INTEGER_DIGITS_MAX:
            raise self.error(f"{match.group()[:24]} is not an integer of at most 64 bits")
        if self.text[match.end() : match.end() + 1] in (".", "e", "E"):
            raise self.error("a fraction or an exponent; every number here is an integer")
        self.place = match.end()
        return int(match.group())

    def _closes(self, bracket: str) -> bool:
        self.skip_space()
        if self.text.startswith(bracket, self.place):
            self.place += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        self.skip_space()
        if not self.text.startswith(mark, self.place):
            found = self.text[self.place : self.place + 1] or "the end"
            raise self.error(f"{mark!r} was expected, {found!r} found")
        self.place += 1

    def _line_here(self) -> int:
        # Counted forwards from the last place asked for: linear over the whole document.
        if self.place < self._counted:
            self._line, self._counted = 1, 0
        self._line += self.text.count("\n", self._counted, self.place)
        self._counted = self.place
        return self._line
