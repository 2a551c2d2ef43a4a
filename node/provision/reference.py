"""The reference network as a description in code: for networks made on the spot.

The four institutions, each with an account; whoever else is asked for. Where keys come from is the
caller's choice: development keys, or new ones.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from consensus.types import FaultModel
from node.ledger.powers import REFERENCE_OFFICES
from node.ledger.protocol import LATEST_VERSION
from node.ledger.tables import ParticipantKind
from node.provision.description import (
    Account,
    Blocks,
    Consensus,
    NetworkDescription,
    Observer,
    Participant,
    Validator,
)

INSTITUTIONS: Final = REFERENCE_OFFICES
"""The four, in the order in which people name them."""


def reference_network(
    name: str,
    *,
    ports: Mapping[str, tuple[int, int]],
    validators: Sequence[str] = INSTITUTIONS,
    fault_model: FaultModel = FaultModel.BYZANTINE,
    development: bool,
    participants: Sequence[Participant] = (),
    accounts: Sequence[Account] = (),
    blocks: Blocks | None = None,
    consensus: Consensus | None = None,
    parameters: Mapping[str, int] | None = None,
    protocol_version: int = LATEST_VERSION,
) -> NetworkDescription:
    """Return the description of a network on this machine.

    Args:
        ports: of every node, for peers and for clients; a node that is no validator observes.
        validators: the institutions that vote and hold offices.
        development: let the nodes, and the institutions' accounts, have development keys. Otherwise
            the nodes get new keys with their homes, and `accounts` has to name the institutions'.
        participants: besides the institutions.
        accounts: besides the institutions' own with development keys.
    """
    institutions = tuple(
        Participant(id=office, kind=ParticipantKind.INSTITUTION, office=office)
        for office in validators
    )
    own = tuple(
        Account(owner=office, development_key=f"{office}/account")
        for office in (validators if development else ())
    )

    def listen(node: str) -> str:
        return f"127.0.0.1:{ports[node][0]}"

    def rpc_listen(node: str) -> str:
        return f"127.0.0.1:{ports[node][1]}"

    return NetworkDescription(
        name=name,
        test_network=True,
        development=development,
        fault_model=fault_model,
        protocol_version=protocol_version,
        participants=(*institutions, *participants),
        accounts=(*own, *accounts),
        validators=tuple(
            Validator(
                name=node,
                participant=node,
                dial=listen(node),
                listen=listen(node),
                rpc_listen=rpc_listen(node),
                development_key=node if development else None,
            )
            for node in validators
        ),
        observers=tuple(
            Observer(
                name=node,
                listen=listen(node),
                rpc_listen=rpc_listen(node),
                development_key=node if development else None,
            )
            for node in ports
            if node not in validators
        ),
        blocks=blocks or Blocks(),
        consensus=consensus or Consensus(),
        parameters=parameters or {},
    )
