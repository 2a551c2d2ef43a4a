"""Transactions in the making: built, signed offline, passed from hand to hand, complete.

    draft = transaction(network, valid_until_ms=...).transfer(...).sign(alice)

A joint act names the keys of all its signers before the first of them signs, because what they sign
covers who signs. The draft then travels as a file; each signs a copy, and the copies combine. No
node is needed for any of it.

A draft never changes: signing returns another one. Signatures are verified when they come in, so
that a spoilt file is refused by the hand that receives it and not by the network later.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from node.client.errors import DraftError, WrongNetwork
from node.client.network import ClientNetwork
from node.codec import CodecError, encode
from node.keys import Signer, verify
from node.ledger.catalogue import ACTS
from node.ledger.operations import OPERATIONS_MAX, Operation, Transfer
from node.ledger.outcomes import Reject
from node.ledger.policies import SIGNERS_MAX
from node.ledger.transactions import (
    TRANSACTION_SIZE_MAX,
    TRANSACTION_VERSION,
    SignedTransaction,
    TransactionBody,
    decode_body,
    decode_signed,
    network_of,
    transaction_id,
)
from node.telling import tell_reject

FORMAT: Final = "khz-transaction/1"
SALT_SIZE: Final = 16
FILE_SIZE_MAX: Final = 1 << 20

_OPERATION_OF: Final = {act.name: act.operation for act in ACTS}


def transaction(
    network: ClientNetwork,
    *,
    valid_until_ms: int,
    memo: str = "",
    signers: Sequence[bytes] = (),
    salt: bytes | None = None,
) -> "TransactionBuilder":
    """Begin a transaction.

    Args:
        valid_until_ms: the last block time, in milliseconds since 1970-01-01 UTC, at which it may
            be applied; not further ahead than the network's window.
        signers: public keys of all who will sign, where others than the one at hand do.
        salt: 8 to 16 bytes that make equal transactions different; random by default.
    """
    return TransactionBuilder(
        network,
        valid_until_ms=valid_until_ms,
        memo=memo,
        signers=signers,
        salt=secrets.token_bytes(SALT_SIZE) if salt is None else salt,
    )


class TransactionBuilder:
    """Collects operations, in the order in which they will be applied: all of them or none."""

    def __init__(
        self,
        network: ClientNetwork,
        *,
        valid_until_ms: int,
        memo: str,
        signers: Sequence[bytes],
        salt: bytes,
    ) -> None:
        """Use `transaction`."""
        self._network = network
        self._valid_until_ms = valid_until_ms
        self._memo = memo
        self._signers = set(signers)
        self._salt = salt
        self._operations: list[Operation] = []

    def add(self, *operations: Operation) -> Self:
        """Append operations."""
        self._operations += operations
        return self

    def act(self, name: str, **fields: Any) -> Self:
        """Append the operation of the act with this name, as in the powers matrix.

        Raises:
            DraftError: there is no such act, or these are not its fields.
        """
        kind = _OPERATION_OF.get(name)
        if kind is None:
            raise DraftError(f"there is no act {name!r}; known are {', '.join(_OPERATION_OF)}")
        try:
            operation: Any = kind(**fields)
        except TypeError as error:
            raise DraftError(f"{name}: {error}") from None
        return self.add(operation)

    def transfer(self, *, account: bytes | str, to: bytes | str, asset: str, amount: int) -> Self:
        """Append a transfer of `amount` minor units.

        Two of them, one each way, are delivery against payment.

        Args:
            account: whose holding it is, as an address of 20 bytes or its text.
            to: who gets it, likewise.

        Raises:
            AddressError: a text is no address of this network.
        """
        transfer = Transfer(
            account=self._address(account), to=self._address(to), asset=asset, amount=amount
        )
        return self.add(transfer)

    def signed_by(self, *public_keys: bytes) -> Self:
        """Name keys that will sign, here or elsewhere."""
        self._signers |= set(public_keys)
        return self

    def draft(self) -> "Draft":
        """Return the draft, with no signature yet.

        Raises:
            DraftError: it is not a transaction: no operations or signers, too many, or a field that
                no transaction has.
        """
        if not 1 <= len(self._operations) <= OPERATIONS_MAX:
            raise DraftError(
                f"{len(self._operations)} operations; a transaction has 1 to {OPERATIONS_MAX}"
            )
        if not 1 <= len(self._signers) <= SIGNERS_MAX:
            raise DraftError(
                f"{len(self._signers)} signers; a transaction has 1 to {SIGNERS_MAX}. Name them"
                " with signed_by, or sign"
            )
        body = TransactionBody(
            version=TRANSACTION_VERSION,
            network=network_of(self._network.genesis_hash),
            valid_until_ms=self._valid_until_ms,
            salt=self._salt,
            signers=tuple(sorted(self._signers)),
            operations=tuple(self._operations),
            memo=self._memo,
        )
        try:
            encoded_body = encode(body)
        except CodecError as error:
            raise DraftError(f"this is not a transaction: {error.reason}") from None
        _check_size(encoded_body)
        return _draft_of(self._network, encoded_body)

    def sign(self, *signers: Signer) -> "Draft":
        """Return the draft signed by these, who are named as its signers by it.

        Raises:
            DraftError: as `draft`.
        """
        self.signed_by(*(signer.public_key for signer in signers))
        return self.draft().sign(*signers)

    def _address(self, address: bytes | str) -> bytes:
        return self._network.parse_address(address) if isinstance(address, str) else address


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A transaction with the signatures that it has so far."""

    network: ClientNetwork
    id: bytes
    """32 bytes: what every signer signs, and how the network knows the transaction."""
    body: TransactionBody
    encoded_body: bytes
    signatures: Mapping[bytes, bytes]
    """By public key; each verified."""

    @property
    def missing(self) -> tuple[bytes, ...]:
        """The public keys whose signature is still needed, ascending."""
        return tuple(key for key in self.body.signers if key not in self.signatures)

    def sign(self, *signers: Signer) -> "Draft":
        """Return the draft with the signatures of these.

        Raises:
            DraftError: the transaction does not name one of them.
        """
        given = dict(self.signatures)
        for signer in signers:
            if signer.public_key not in self.body.signers:
                raise DraftError(
                    f"the transaction does not name {signer.public_key.hex()} as a signer; what is"
                    " signed covers who signs, so build it anew with all signers"
                )
            given[signer.public_key] = _checked(self.id, signer.public_key, signer.sign(self.id))
        return replace(self, signatures=given)

    def combine(self, *others: "Draft") -> "Draft":
        """Return the draft with the signatures of all these copies.

        Raises:
            DraftError: one of them is another transaction.
        """
        given = dict(self.signatures)
        for other in others:
            if other.id != self.id:
                raise DraftError(
                    f"the copies are of different transactions: {self.id.hex()} and"
                    f" {other.id.hex()}"
                )
            given |= other.signatures
        return replace(self, signatures=given)

    def raw(self) -> bytes:
        """Return the bytes that are submitted.

        Raises:
            DraftError: a signature is missing, or they are too many bytes.
        """
        if self.missing:
            keys = ", ".join(key.hex() for key in self.missing)
            raise DraftError(f"the transaction still needs the signatures of {keys}")
        raw = encode(
            SignedTransaction(
                body=self.encoded_body,
                signatures=tuple(self.signatures[key] for key in self.body.signers),
            )
        )
        _check_size(raw)
        return raw

    def render(self) -> str:
        """Return the text of a transaction file."""
        return (
            json.dumps(
                {
                    "format": FORMAT,
                    "genesis_hash": self.network.genesis_hash.hex(),
                    "id": self.id.hex(),
                    "body": self.encoded_body.hex(),
                    "signatures": {
                        key.hex(): signature.hex()
                        for key, signature in sorted(self.signatures.items())
                    },
                },
                indent=2,
            )
            + "\n"
        )

    def save(self, path: Path) -> None:
        """Write the transaction file."""
        path.write_text(self.render(), encoding="utf-8")

    @classmethod
    def parse(cls, text: str, network: ClientNetwork) -> "Draft":
        """Return the draft in the text of a transaction file.

        Raises:
            DraftError: it is no such file, or a signature in it is not good.
            WrongNetwork: it is for another network.
        """
        try:
            fields = json.loads(text)
            if fields["format"] != FORMAT:
                raise DraftError(f"format {fields['format']!r}; this client reads {FORMAT}")
            genesis_hash = str(fields["genesis_hash"])
            if genesis_hash != network.genesis_hash.hex():
                raise WrongNetwork(expected=network.genesis_hash.hex(), found=genesis_hash)
            draft = _draft_of(network, bytes.fromhex(fields["body"]))
            given = {
                bytes.fromhex(key): bytes.fromhex(signature)
                for key, signature in fields["signatures"].items()
            }
            claimed = bytes.fromhex(fields["id"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DraftError(f"this is not a transaction file: {error}") from None
        if claimed != draft.id:
            raise DraftError(
                f"the file names the transaction {claimed.hex()}, its body is {draft.id.hex()}"
            )
        for key, signature in given.items():
            if key not in draft.body.signers:
                raise DraftError(f"it carries a signature of {key.hex()}, who is no signer of it")
            _checked(draft.id, key, signature)
        return replace(draft, signatures=given)

    @classmethod
    def load(cls, path: Path, network: ClientNetwork) -> "Draft":
        """Return the draft in a transaction file.

        Raises:
            OSError: the file cannot be read.
            DraftError, WrongNetwork: as `parse`.
        """
        with path.open(encoding="utf-8") as file:
            text = file.read(FILE_SIZE_MAX + 1)
        if len(text) > FILE_SIZE_MAX:
            raise DraftError(f"the file is larger than {FILE_SIZE_MAX} characters")
        return cls.parse(text, network)

    @classmethod
    def of_raw(cls, raw: bytes, network: ClientNetwork) -> "Draft":
        """Return the draft of a signed transaction's bytes. Its signatures are not verified.

        Raises:
            DraftError: they are not a signed transaction.
        """
        try:
            signed, body = decode_signed(raw)
        except Reject as reject:
            raise DraftError(tell_reject(reject)) from None
        return cls(
            network=network,
            id=transaction_id(network.genesis_hash, signed.body),
            body=body,
            encoded_body=signed.body,
            signatures=dict(zip(body.signers, signed.signatures, strict=True)),
        )


def _draft_of(network: ClientNetwork, encoded_body: bytes) -> Draft:
    try:
        body = decode_body(encoded_body)
    except Reject as reject:
        raise DraftError(tell_reject(reject)) from None
    if body.network != network_of(network.genesis_hash):
        raise WrongNetwork(
            expected=network_of(network.genesis_hash).hex(), found=body.network.hex()
        )
    return Draft(
        network=network,
        id=transaction_id(network.genesis_hash, encoded_body),
        body=body,
        encoded_body=encoded_body,
        signatures={},
    )


def _check_size(data: bytes) -> None:
    if len(data) > TRANSACTION_SIZE_MAX:
        raise DraftError(
            f"{len(data)} bytes; a transaction has at most {TRANSACTION_SIZE_MAX}. Split its"
            " operations over several"
        )


def _checked(identifier: bytes, public_key: bytes, signature: bytes) -> bytes:
    if not verify(public_key, identifier, signature):
        raise DraftError(f"the signature of {public_key.hex()} does not fit this transaction")
    return signature
