"""Why bytes are no transaction: what the codec found, by a phrase instead of a library's wording.

The codec says it in words of msgspec, which may be others in its next release. What is not known
here reads as a phrase that says no more; nothing hangs on it, since no receipt carries it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from node.codec import CodecError
from node.ledger.phrases import EncodingFault, Reason

_ROOT: Final = "$"
"""How a place is written that is the whole value."""
_SHAPES: Final[Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], Reason]]]] = (
    (
        re.compile("another spelling of the same value"),
        lambda _: EncodingFault.OTHER_SPELLING.of(),
    ),
    (re.compile("Input data was truncated"), lambda _: EncodingFault.CUT_OFF.of()),
    (
        re.compile(r"MessagePack data is malformed: trailing characters \(byte ([0-9]+)\)"),
        lambda found: EncodingFault.GOES_ON.of(place=int(found[1])),
    ),
    (
        re.compile(r"MessagePack data is malformed: invalid opcode .* \(byte ([0-9]+)\)"),
        lambda found: EncodingFault.NO_MESSAGEPACK.of(place=int(found[1])),
    ),
    (
        re.compile(r"Expected ([\w` <>=-]+), got ([\w`]+)(?: - at `(\$[\[\]0-9.]*)`)?"),
        lambda found: EncodingFault.OTHER_TYPE.of(
            expected=_plain(found[1]), found=_plain(found[2]), place=found[3] or _ROOT
        ),
    ),
    (
        re.compile(r"Expected ([\w` <>=-]+?)(?: - at `(\$[\[\]0-9.]*)`)?"),
        lambda found: EncodingFault.OUT_OF_BOUNDS.of(
            expected=_plain(found[1]), place=found[2] or _ROOT
        ),
    ),
    (
        re.compile(r"Invalid value ([0-9]+)(?: - at `(\$[\[\]0-9.]*)`)?"),
        lambda found: EncodingFault.NO_SUCH_TAG.of(found=int(found[1]), place=found[2] or _ROOT),
    ),
)


def why_unread(error: CodecError) -> Reason:
    """Return why bytes are no transaction."""
    for shape, say in _SHAPES:
        found = shape.fullmatch(error.reason)
        if found is not None:
            return say(found)
    return EncodingFault.NOT_READABLE.of()


def _plain(text: str) -> str:
    return text.replace("`", "")
