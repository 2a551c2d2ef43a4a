"""What the parts of a genesis must be to each other: every contradiction found, with its place.

Form and range of single values are the annotations' business (`model`). What makes a first state of
the ledger is the ledger's own business (`genesis_faults`); here its sentences get their places.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from consensus.errors import InvalidValue
from consensus.quorum import faults_survived
from node.genesis.genesis import consensus_params, explain_quorum, ledger_of
from node.genesis.located import Path
from node.genesis.model import GenesisRecord
from node.keys import CertificateError
from node.keys.certificates import certificate_public_key, check_certificate
from node.keys.development import development_label
from node.ledger.founding import genesis_faults
from node.ledger.protocol import LATEST_VERSION


def faults_of(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    """Yield path and sentence of each fault; none if the genesis can be used."""
    yield from _protocol(record)
    yield from _consensus(record)
    yield from _certificates(record)
    yield from _development(record)
    yield from _ledger(record)


def _protocol(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    if record.protocol_version > LATEST_VERSION:
        yield (
            ("protocol_version",),
            f"version {record.protocol_version}; this software knows versions 1 to"
            f" {LATEST_VERSION}. Install a release of khazana that knows it",
        )


def _consensus(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    try:
        consensus_params(record)
    except InvalidValue as error:
        yield ("consensus",), str(error)
    count = len(record.validators)
    if faults_survived(record.fault_model, count) == 0 and not record.development:
        yield (
            ("fault_model",),
            f"{explain_quorum(record.fault_model, count)}. A network that survives no fault is"
            " accepted for development only: add validators, or choose the fault model crash",
        )


def _certificates(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    for index, validator in enumerate(record.validators):
        path: Path = ("validators", index, "tls_certificate")
        try:
            facts = check_certificate(validator.tls_certificate)
        except CertificateError as error:
            yield path, str(error)
            continue
        if facts.public_key == validator.public_key:
            yield path, "its key is the consensus key; each use has a key of its own"
        if facts.name != validator.name:
            yield path, f"it was made for '{facts.name}', this is '{validator.name}'"


def _development(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    if record.development:
        if not record.test_network:
            yield (
                ("test_network",),
                "a development network is a test network: its keys are known to everybody",
            )
        return
    for path, key in _all_keys(record):
        label = development_label(key)
        if label is not None:
            yield (
                path,
                f"the development key {label!r}, which everybody knows; make one with `khazana"
                " keys generate`, or set development to true on a network of no value",
            )


def _all_keys(record: GenesisRecord) -> Iterator[tuple[Path, bytes]]:
    for index, validator in enumerate(record.validators):
        yield ("validators", index, "public_key"), validator.public_key
        try:
            tls_key = certificate_public_key(validator.tls_certificate)
        except CertificateError:
            continue
        yield ("validators", index, "tls_certificate"), tls_key
    for index, account in enumerate(record.accounts):
        for place, (key, _) in enumerate(account.policy.signers):
            yield ("accounts", index, "policy", "signers", place), key


def _ledger(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    for sentence in genesis_faults(ledger_of(record)):
        yield _place(record, sentence), sentence


_NAMED: Final = re.compile(r"(participant|account of|validator|parameter) '([^']*)'")
_POWER: Final = re.compile(r"power to (\S+) for ([^:]+):")


def _place(record: GenesisRecord, sentence: str) -> Path:
    """Return where the entry stands that the ledger's sentence begins with."""
    power = _POWER.match(sentence)
    if power is not None:
        rows = [(row.operation, row.subject) for row in record.powers]
        return _last(rows, (power[1], power[2]), "powers")
    named = _NAMED.match(sentence)
    if named is None:
        return ("validators",)  # the only sentence without a name is about their number
    match named[1]:
        case "participant":
            return _last([item.id for item in record.participants], named[2], "participants")
        case "account of":
            return _last([item.owner for item in record.accounts], named[2], "accounts")
        case "validator":
            return _last([item.name for item in record.validators], named[2], "validators")
        case _:
            return _last([item.name for item in record.parameters], named[2], "parameters")


def _last(names: Sequence[object], name: object, section: str) -> Path:
    # Of two with one name the second is the mistake.
    places = [index for index, each in enumerate(names) if each == name]
    return (section, places[-1]) if places else (section,)
