"""From the description of a network to its genesis and the homes of its nodes."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from consensus.types import ValidatorId
from node.genesis import (
    FORMAT,
    BlocksSection,
    ConsensusSection,
    Genesis,
    GenesisAccount,
    GenesisParameter,
    GenesisParticipant,
    GenesisRecord,
    TransactionsSection,
    parse_genesis,
)
from node.genesis.reading import render_record
from node.keys import LocalSigner
from node.keys.certificates import create_tls_identity
from node.keys.development import development_signer
from node.ledger.catalogue import CATALOGUE
from node.ledger.policies import single_signer
from node.ledger.powers import default_powers
from node.ledger.tables import ValidatorRecord
from node.provision.description import Account, NetworkDescription, Observer, Validator
from node.provision.homes import PASSPHRASE_FILE, NewHome, NodeSettings

CONSENSUS_USE: Final = "consensus"
TLS_USE: Final = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """The keys of one node, as far as they are made or known here."""

    public_key: bytes | None
    """Of the key that votes; None for an observer."""
    tls_certificate: bytes
    tls_key_pem: bytes | None = field(default=None, repr=False)
    consensus_seed: bytes | None = field(default=None, repr=False)
    development_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundedNetwork:
    """A genesis with the keys that were made for it."""

    description: NetworkDescription
    genesis: Genesis
    keys: Mapping[str, NodeKeys]
    """By node."""

    def home(
        self,
        name: str,
        *,
        passphrase: str | None,
        passphrase_file: str | None,
        index: bool = False,
        development_network: str | None = None,
    ) -> NewHome:
        """Return what the home of this node holds.

        Args:
            passphrase: of the keystore. None makes one and keeps it beside the keystore, which is
                for networks that are not worth protecting.
            passphrase_file: where the node will find it.
            index: keep an index, where the default would be none.
            development_network: the folder of the network that its pages act on; None: none.

        Raises:
            KeyError: the node's keys are elsewhere: its home is its institution's business.
        """
        keys = self.keys[name]
        if keys.tls_key_pem is None:
            raise KeyError(name)
        node = next(n for n in _nodes(self.description) if n.name == name)
        observers = self.description.observers
        seed = keys.consensus_seed
        if seed is not None and passphrase is None:
            passphrase, passphrase_file = secrets.token_urlsafe(24), PASSPHRASE_FILE
        return NewHome(
            settings=NodeSettings(
                name=name,
                network_listen=node.listen,
                rpc_listen=node.rpc_listen,
                peers={v.name: v.place for v in self.description.validators if v.name != name},
                observers=tuple(o.name for o in observers if o.name != name),
                development_key=keys.development_key,
                passphrase_file=None if seed is None else passphrase_file,
                index=index,
                development_network=development_network,
            ),
            tls_key_pem=keys.tls_key_pem,
            tls_certificate=keys.tls_certificate,
            genesis=self.genesis.render().encode(),
            observer_certificates={
                o.name: self.keys[o.name].tls_certificate for o in observers if o.name != name
            },
            consensus_seed=seed,
            passphrase=passphrase,
            keep_passphrase=passphrase_file == PASSPHRASE_FILE,
        )


def found_network(
    description: NetworkDescription, *, folder: Path, now_ms: int, make_keys: bool
) -> FoundedNetwork:
    """Return the genesis that a description asks for.

    Args:
        folder: that relative paths in the description start at.
        now_ms: the time of the genesis when the description names none.
        make_keys: make new keys for nodes without any; otherwise they are a fault.

    Raises:
        GenesisError: the parts do not fit together; names every fault, by the line that it would
            have in the genesis.
        MissingKeys: nodes without keys where none may be made.
        OSError: a certificate cannot be read.
    """
    keys = {node.name: _keys(node, folder, make=make_keys) for node in _nodes(description)}
    missing = [name for name, found in keys.items() if found is None]
    if missing:
        raise MissingKeys(missing)
    complete = {name: found for name, found in keys.items() if found is not None}
    # Read like any other genesis: what is checked there is not checked again here.
    draft = json.dumps(render_record(_record(description, complete, now_ms)), indent=2)
    genesis = parse_genesis(draft, file=f"genesis of {description.name}")
    return FoundedNetwork(description=description, genesis=genesis, keys=complete)


class MissingKeys(Exception):
    """Nodes that a genesis cannot name, because their keys are not known.

    Attributes:
        names: of the nodes.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"no keys are given for {', '.join(names)}")
        self.names = tuple(names)


def account_key(account: Account) -> bytes:
    """Return the public key that signs for an account of a description."""
    if account.public_key is not None:
        return bytes.fromhex(account.public_key)
    assert account.development_key is not None
    return development_signer(account.development_key).public_key


def _nodes(description: NetworkDescription) -> tuple[Validator | Observer, ...]:
    return (*description.validators, *description.observers)


def _keys(node: Validator | Observer, folder: Path, *, make: bool) -> NodeKeys | None:
    votes = isinstance(node, Validator)
    if node.development_key is not None:
        label = node.development_key
        tls_seed = development_signer(f"{label}/{TLS_USE}").seed
        pem, certificate = create_tls_identity(node.name, seed=tls_seed)
        consensus = development_signer(f"{label}/{CONSENSUS_USE}").public_key
        return NodeKeys(
            public_key=consensus if votes else None,
            tls_certificate=certificate,
            tls_key_pem=pem,
            development_key=label if votes else None,
        )
    if node.tls_certificate is not None:
        public = node.public_key if isinstance(node, Validator) else None
        return NodeKeys(
            public_key=None if public is None else bytes.fromhex(public),
            tls_certificate=(folder / node.tls_certificate).read_bytes(),
        )
    if not make:
        return None
    pem, certificate = create_tls_identity(node.name)
    signer = LocalSigner.generate() if votes else None
    return NodeKeys(
        public_key=None if signer is None else signer.public_key,
        tls_certificate=certificate,
        tls_key_pem=pem,
        consensus_seed=None if signer is None else signer.seed,
    )


def _record(
    description: NetworkDescription, keys: Mapping[str, NodeKeys], now_ms: int
) -> GenesisRecord:
    time = description.time
    offices = tuple(p.office for p in description.participants if p.office is not None)
    return GenesisRecord(
        format=FORMAT,
        name=description.name,
        test_network=description.test_network,
        development=description.development,
        time_ms=now_ms if time is None else int(time.timestamp() * 1000),
        fault_model=description.fault_model,
        protocol_version=description.protocol_version,
        consensus=ConsensusSection(**description.consensus.model_dump()),
        blocks=BlocksSection(**description.blocks.model_dump()),
        transactions=TransactionsSection(**description.transactions.model_dump()),
        validators=tuple(
            ValidatorRecord(
                name=ValidatorId(node.name),
                participant=node.participant,
                public_key=keys[node.name].public_key or b"",
                tls_certificate=keys[node.name].tls_certificate,
            )
            for node in description.validators
        ),
        participants=tuple(
            GenesisParticipant(
                id=participant.id,
                kind=participant.kind,
                jurisdiction=participant.jurisdiction,
                lei=participant.lei,
                file_commitment=(
                    hashlib.sha256(participant.id.encode()).digest()
                    if participant.file_commitment is None
                    else bytes.fromhex(participant.file_commitment)
                ),
                office=participant.office,
            )
            for participant in description.participants
        ),
        accounts=tuple(
            GenesisAccount(
                owner=account.owner,
                policy=single_signer(account_key(account)),
                salt=bytes.fromhex(account.salt),
            )
            for account in description.accounts
        ),
        powers=tuple(
            row
            for row in default_powers(offices)
            if CATALOGUE.is_governed(row.operation, description.protocol_version)
        ),
        parameters=tuple(
            GenesisParameter(name=name, value=value)
            for name, value in sorted(description.parameters.items())
        ),
    )
