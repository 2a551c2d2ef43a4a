"""Finds the doors by inspection: every function of the code base in which bytes become a value.

A door is a function or method whose body calls one of the parsers, or the codec, or whose name says
that it decodes, parses or reads. `NOT_REACHED` are those that no outsider reaches, with why; every
other one is in a row of the table of targets.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("consensus", "node")

PARSERS: Final = frozenset(
    {
        "json.loads",
        "tomllib.loads",
        "msgspec.json.decode",
        "msgspec.msgpack.decode",
        "msgspec.convert",
        "msgpack.unpackb",
        "decode",
        "reader",
        "_DECODER.decode",
        "_decoder.decode",
        "decoder.decode",
        "_STRINGS.raw_decode",
        "x509.load_der_x509_certificate",
        "ssl.PEM_cert_to_DER_cert",
        "base64.b64decode",
    }
)
"""Calls in which bytes or text become a value."""

PREFIXES: Final = ("decode", "parse", "read_", "load")

_STORED: Final = "what this node itself stored, under LevelDB's checksums; damage is named as such"
_JOINED: Final = "reads a file by a door that is in a row, and judges what it says"
_ANSWER: Final = "a node's answer, by the client, whose doors are in rows, judged by its types"
_PAGE: Final = "the address of a page, judged by its method's types; tests/explorer/test_pages"

NOT_REACHED: Final[Mapping[str, str]] = {
    "node.app.loading.load_identity": _JOINED,
    "node.app.loading.load_signer": _JOINED,
    "node.app.loading.load_following_identity": _JOINED,
    "node.app.loading.load_following_signer": _JOINED,
    "node.app.node.Node.read_certificates": _JOINED,
    "node.rpc.tls.read_tls": _JOINED,
    "node.cli.signing.load_signers": _JOINED,
    "node.replica.journal.Journal.load": "the file and its entries are in rows of their own",
    "node.cli.upkeep.load_home": _JOINED,
    "node.explorer.cursors": _PAGE,
    "node.explorer.proving.Proving.proof": _PAGE,
    "node.control": "a socket that only the owner of the home opens; tests/control",
    "node.app.clients.load_keyring": _JOINED,
    "node.stream.credentials.parse_credentials": "the operator's own file, once, at the start",
    "node.cli.auction.cycles.read_calendar": _ANSWER,
    "node.cli.asking.read_all": _ANSWER,
    "node.cli.debt.read_debt": _ANSWER,
    "node.cli.top.polling": _ANSWER,
    "node.debt": _ANSWER,
    "node.cli.doctor.kernel.read_kernel_clock": "what the kernel says, by its own call",
    "node.cli.doctor.network.read_stored": _STORED,
    "node.docs.formats": "our own vectors, and what is printed of them",
    "node.docs.methods.methods": "the document of our own interface",
    "node.index": "what this node's own chain holds, or what it wrote into the index before",
    "node.ledger.commitment.branches.NodeSource.read_ahead": _STORED,
    "node.storage.nodes": _STORED,
    "node.chain.behind": _STORED,
    "node.chain.history": _STORED,
    "node.chain.opening": _STORED,
    "node.chain.records": _STORED,
    "node.ledger.courses.read_calls": _STORED,
    "node.ledger.invariants": _STORED,
    "node.ledger.state": _STORED,
    "node.rpc.places": _STORED,
    "node.snapshots.installation": _STORED,
    "node.storage.layout": _STORED,
    "node.upkeep.restoring": "blocks of a backup's frames, which verify as blocks of a peer do",
    "node.upkeep.checked_blocks": _STORED,
    "node.upkeep.checked_state": _STORED,
    "node.upkeep.checking": _STORED,
}
"""Doors in no row of the table, or modules of nothing but such doors, each with the reason."""


def is_reached(door: str) -> bool:
    """Whether a door has to be in a row of the table."""
    return not any(door == each or door.startswith(each + ".") for each in NOT_REACHED)


@cache
def doors() -> tuple[str, ...]:
    """Return every door as `module.function` or `module.Class.function`, in order of path."""
    return tuple(
        door
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for door in _doors_of(_module_of(path), ast.parse(path.read_text(encoding="utf-8")))
    )


def _module_of(path: Path) -> str:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return module.removesuffix(".__init__")


def _doors_of(place: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _doors_of(f"{place}.{node.name}", node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith(PREFIXES) or _calls(node) & PARSERS:
                yield f"{place}.{node.name}"
        else:
            yield from _doors_of(place, node)


def _calls(function: ast.AST) -> set[str]:
    return {
        ast.unparse(node.func)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
