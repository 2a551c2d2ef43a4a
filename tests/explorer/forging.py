"""Proof files that prove nothing, made of one that does."""

import json
from typing import Any


def spelled(file: Any) -> str:
    return json.dumps(file, indent=2, ensure_ascii=False) + "\n"


def forgeries(proof: str) -> dict[str, str]:
    """Files that differ in one thing, each by a name."""
    found = {}

    def forge(name: str, *path: str | int, to: Any) -> None:
        file = json.loads(proof)
        place = file
        for step in path[:-1]:
            place = place[step]
        old = place[path[-1]]
        place[path[-1]] = to(old) if callable(to) else to
        assert place[path[-1]] != old, name
        found[name] = spelled(file)

    def flip(text: str) -> str:
        return text[:-1] + ("0" if text[-1] != "0" else "1")

    forge("amount", "entries", 0, "value", to=flip)
    forge("absence", "entries", 0, "value", to=None)
    forge("holder", "entries", 0, "key", to=flip)
    forge("asset", "entries", 1, "value", to=flip)
    forge("branch", "entries", 0, "proof", "branches", 0, to=flip)
    forge("branches", "entries", 0, "proof", "branches", to=lambda old: old[:-1])
    forge("statement", "statement", to=lambda old: old.replace("holds", "owns"))
    forge("root", "header", "state_root", to=flip)
    forge("height", "header", "height", to=lambda old: old + 1)
    forge("time", "header", "time_ms", to=lambda old: old + 1)
    forge("signature", "certificate", "signatures", 0, "signature", to=flip)
    forge("signer", "certificate", "signatures", 0, "validator", to="somebody-else")
    forge("no signatures", "certificate", "signatures", to=[])
    forge("round", "certificate", "round", to=lambda old: old + 1)
    forge("round beyond its bytes", "certificate", "round", to=lambda old: old + (1 << 32))
    forge("one signer twice", "certificate", "signatures", to=lambda old: [*old, old[-1]])
    forge("table", "entries", 1, "table", to=["assets"])
    forge("table of objects", "entries", 1, "table", to="constructor")
    forge("network", "genesis_hash", to=flip)
    forge("format", "format", to="khz-proof/2")
    forge("type", "header", "height", to="12")
    height = f'"height": {json.loads(proof)["header"]["height"]}'
    found["fraction"] = proof.replace(height, height + ".0", 1)
    found["spaces"] = proof.replace(": ", ":  ", 1)
    found["twice"] = proof.replace('  "format"', '  "format": "khz-proof/1",\n  "format"', 1)
    found["text"] = "A holds everything"
    found["empty"] = ""
    return found
