"""What the page that verifies proofs is given: the genesis, and where things stand in records.

The script knows the algorithms; the order of fields comes from the types themselves, so that it
cannot come to differ from them.
"""

from collections.abc import Sequence
from typing import Final, get_type_hints

import msgspec

from node.blocks import Header
from node.codec import Record, encode
from node.explorer.contents import VerifyContent
from node.explorer.refusals import PageRefusal
from node.genesis import GenesisRecord
from node.ledger.protocol import SUPPORTED
from node.ledger.tables import TABLES, AssetRecord, ValidatorRecord
from node.proofs.model import ProofRecord
from node.rpc import params, results
from node.rpc.errors import InvalidParams
from node.rpc.pages import Door
from node.rpc.results import at_head

REASONS: Final = (
    "unreadable",
    "not-canonical",
    "wrong-network",
    "unknown-version",
    "wrong-validators",
    "not-decided",
    "not-in-state",
    "wrong-statement",
    "no-holding",
    "wrong-genesis",
    "no-genesis",
    "no-crypto",
)
"""Why the script refuses a file, or cannot judge it; each is the end of a text's key."""


class Proving:
    """Proofs of one node's chain, and the genesis for a browser to verify them with."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._genesis = door.services.genesis
        self._encoded: bytes | None = None

    def content(self) -> VerifyContent:
        """Return what the page says."""
        return VerifyContent(
            **at_head(self._door.services.chain.head),
            genesis_hash=self._genesis.hash.hex(),
            layout=msgspec.json.encode(_layout()).decode(),
            reasons=list(REASONS),
        )

    def genesis(self) -> bytes:
        """Return the bytes whose hash is the genesis hash."""
        if self._encoded is None:
            self._encoded = encode(self._genesis.record)
        return self._encoded

    async def proof(self, argument: str) -> bytes:
        """Return the proof file of a holding, named by an address, a slash and an asset's code.

        Raises:
            NotReady: there is no block yet, or blocks follow each other too fast.
            PageRefusal: that is no account and asset.
        """
        address, _, asset = argument.partition("/")
        try:
            wanted = msgspec.convert(
                {"kind": "holding", "address": address, "name": asset}, params.ProveParams
            )
            found: results.ProofResult = await self._door.ask(self._door.ledger.prove, wanted)
        except (InvalidParams, msgspec.ValidationError):
            raise PageRefusal(400, found=argument, expected="expected-holding") from None
        return found.file.encode()


def _layout() -> dict[str, object]:
    hints = get_type_hints(Header)
    return {
        "proof": _names(ProofRecord),
        "header": [(name, hints[name].__name__) for name in _names(Header)],
        "tables": {table.name: table.prefix.hex() for table in TABLES},
        "versions": sorted(SUPPORTED),
        "genesis": _places(GenesisRecord, ("name", "test_network", "fault_model", "validators")),
        "validator": _places(ValidatorRecord, ("name", "public_key")),
        "asset": _places(AssetRecord, ("name", "decimals")),
    }


def _names(kind: type[Record]) -> Sequence[str]:
    names: Sequence[str] = kind.__struct_fields__  # type: ignore[attr-defined]  # of msgspec
    return names


def _places(kind: type[Record], wanted: Sequence[str]) -> dict[str, int]:
    names = list(_names(kind))
    return {name: names.index(name) for name in wanted}
