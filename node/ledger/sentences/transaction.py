"""The transaction as a whole: its envelope, its signers, its place in a block."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "APPLIED": "Applied.",
    "TOO_LARGE": (
        "The transaction has {found} bytes; at most {expected} are accepted. Split its operations"
        " over several transactions."
    ),
    "MALFORMED": (
        "These bytes are not a transaction: {reason}. Every value has one encoding; build the"
        " transaction with a current client."
    ),
    "WRONG_VERSION": (
        "The transaction has version {found}; this network understands version {expected}. Use a"
        " client of this network's release."
    ),
    "WRONG_NETWORK": (
        "The transaction is for network {found}, this is network {expected}. A signature counts on"
        " one network only; sign it again for this one."
    ),
    "EXPIRED": (
        "The transaction was valid until {found} ms; block time is {expected} ms. It was not"
        " applied and never will be; sign a new one."
    ),
    "TOO_FAR_AHEAD": (
        "The transaction is valid until {found} ms, later than {expected} ms, the furthest this"
        " network accepts now. Choose an earlier end."
    ),
    "WRONG_SIGNATURE_COUNT": (
        "The transaction names {expected} signers and carries {found} signatures. Each signer signs"
        " once, in the order of the signers."
    ),
    "BAD_SIGNATURE": (
        "The signature of {signer} does not fit this transaction. Sign the transaction's id with"
        " the key that the transaction names."
    ),
    "DUPLICATE": (
        "This transaction is already in block {height}, and what became of it there is final. An id"
        " is used once; ask for its receipt."
    ),
    "DEVELOPMENT_KEY": (
        "The key of {signer} is a development key ({label}); everybody has it, and this network is"
        " no development network. Make a key with `khazana keys generate`."
    ),
    "OPERATION_NOT_IN_FORCE": (
        "The operation {operation} exists from version {expected} of the protocol on; version"
        " {found} rules. Send it again once the network has been upgraded."
    ),
    "SIGNATURE_NOT_NEEDED": (
        "The signer {signer} stands in the policy of no account that acts in this transaction."
        " Remove it, or name the account it signs for."
    ),
    "BLOCK_CROWDED": (
        "The block has no room for this: it is work of {found} units of 10 microseconds, and"
        " {expected} are left of what all such work may take in a block. Submit it again in some"
        " seconds; operations of one transaction that are too much together, each by itself."
    ),
}
