"""The one spelling of a proof file."""

import json

from node.genesis.reading import render_record
from node.proofs.model import ProofRecord


def render_proof(record: ProofRecord) -> str:
    """Return the text of the proof file, ending with a newline."""
    return json.dumps(render_record(record), indent=2, ensure_ascii=False) + "\n"
