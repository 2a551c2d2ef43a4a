"""Signatures verified in a process of their own, beside the node's, where many wait.

Verifying is more than half of a node's work, and one thread of Python uses one processor. Threads
were measured and gain nothing: libsodium releases the interpreter for 50 us at a time, and a thread
that wants it back from a busy loop waits out a switch interval for each signature. A process has
its own interpreter. It is given jobs of a hundred signatures or more, by a pipe: 128 bytes a
signature there, one back.

The rule stays `node.keys.verify`, in both places. The process holds no key, no socket and no file,
and ends when its pipe does: it cannot outlive the node. Where it is missing, busy or dead, the node
verifies on its own loop, as it does whatever is too little to be worth the way.
"""

from node.signatures.helper import (
    AUTO_FROM_PROCESSORS,
    JOB_MIN,
    JOBS_MAX,
    Helper,
    HelperLost,
    Signatures,
    Verdicts,
    processors,
)
from node.signatures.jobs import Check

__all__ = [
    "AUTO_FROM_PROCESSORS",
    "JOBS_MAX",
    "JOB_MIN",
    "Check",
    "Helper",
    "HelperLost",
    "Signatures",
    "Verdicts",
    "processors",
]
