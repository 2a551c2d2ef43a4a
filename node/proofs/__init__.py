"""Proofs for people who run no node: what one record of the ledger was, and that it was decided.

A proof file holds a record, its branches in the state commitment, the header that carries the root,
the commit certificate, and the handovers that lead from the genesis' validators to those who
signed. `verify_proof_file` needs the genesis and nothing else.
"""

from node.proofs.model import FORMAT, Entry, Handover, ProofRecord
from node.proofs.rendering import render_proof
from node.proofs.sentences import Proven, render_time, statement_of
from node.proofs.verifying import (
    ProofError,
    ProofFault,
    Verified,
    read_entries,
    table_of,
    verify_proof_file,
)

__all__ = [
    "FORMAT",
    "Entry",
    "Handover",
    "ProofError",
    "ProofFault",
    "ProofRecord",
    "Proven",
    "Verified",
    "read_entries",
    "render_proof",
    "render_time",
    "statement_of",
    "table_of",
    "verify_proof_file",
]
