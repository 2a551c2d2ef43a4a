"""What the parts of a genesis must be to each other: every contradiction found, with its place.

Form and range of single values are the annotations' business (`model`). What makes a first state of
the ledger is the ledger's own: `found` is tried on an empty one.
"""

from collections.abc import Iterator

from consensus.errors import InvalidValue
from consensus.quorum import faults_survived
from node.genesis.genesis import consensus_params, explain_quorum
from node.genesis.located import Path
from node.genesis.model import GenesisRecord
from node.keys import CertificateError, is_valid_public_key
from node.keys.certificates import certificate_public_key
from node.keys.development import development_label
from node.ledger.tables import ValidatorRecord


def faults_of(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    """Yield path and sentence of each fault; none if the genesis can be used."""
    yield from _consensus(record)
    yield from _validators(record)
    yield from _development(record)


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


def _validators(record: GenesisRecord) -> Iterator[tuple[Path, str]]:
    for field, what in (
        ("name", "name"),
        ("participant", "participant"),
        ("public_key", "consensus key"),
        ("tls_certificate", "TLS certificate"),
    ):
        first: dict[str | bytes, int] = {}
        for index, validator in enumerate(record.validators):
            value: str | bytes = getattr(validator, field)
            if value in first:
                yield (
                    ("validators", index, field),
                    f"the same {what} as validator {first[value]}; each has its own",
                )
            first.setdefault(value, index)
    for index, validator in enumerate(record.validators):
        yield from _keys(index, validator)


def _keys(index: int, validator: ValidatorRecord) -> Iterator[tuple[Path, str]]:
    if not is_valid_public_key(validator.public_key):
        yield (
            ("validators", index, "public_key"),
            "no Ed25519 public key that can be used; take it as `khazana keys show` prints it",
        )
    try:
        tls_key = certificate_public_key(validator.tls_certificate)
    except CertificateError as error:
        yield ("validators", index, "tls_certificate"), str(error)
    else:
        if tls_key == validator.public_key:
            yield (
                ("validators", index, "tls_certificate"),
                "its key is the consensus key; each use has a key of its own",
            )


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
