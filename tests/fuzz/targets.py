"""The table of targets: every decoder that a peer, a client or a file reaches.

`doors` says through which functions of the code base a target goes; `test_doors` finds those that
are in no row.
"""

from typing import Final

from tests.fuzz.clients import CLIENTS
from tests.fuzz.files import FILES
from tests.fuzz.harness import Target
from tests.fuzz.peers import PEERS

TARGETS: Final[tuple[Target, ...]] = (*PEERS, *CLIENTS, *FILES)
BY_NAME: Final = {target.name: target for target in TARGETS}
