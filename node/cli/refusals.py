"""What a command can end with beside a result: a permanent code, a sentence, what to do.

Every error of a room that reaches a person through the command line, or ends a node, has an entry
here; the exit codes have one each, for what a command itself finds. A test holds that no class of
error is forgotten, and that each name is one.

The classes are named and not imported: what was raised is there already, and a command that is
refused because a file is missing need not wait for every room of a node.
"""

import sys
from collections.abc import Mapping
from typing import Final

from node.cli.endings import URL_HINT, Entry, make_entry
from node.cli.exits import Exit

_KEYS_BACKUP: Final = "Bring the file back from the backup of the keys."
_DISK: Final = "`khazana doctor` looks at the disk; the node can be started again once it is well."

FAILURES: Final[Mapping[str, Entry]] = {
    # What is on the command line.
    "node.addresses.AddressError": make_entry(
        "address-invalid",
        Exit.USAGE,
        "This is no address of a Khazana network.",
        "Copy it anew: its last letters are a check. `tkhz1…` is for test networks, `khz1…` not.",
    ),
    "node.amounts.AmountError": make_entry(
        "amount-invalid",
        Exit.USAGE,
        "This is no amount of the asset.",
        "Digits and at most one point, with as many decimals as the asset has: `khazana query"
        " asset`.",
    ),
    "node.cli.tx.operations.OperationError": make_entry(
        "operation-invalid",
        Exit.USAGE,
        "The file holds something that is no operation.",
        "`khazana tx operations NAME` says how each field of an operation is written.",
    ),
    "node.client.errors.DraftError": make_entry(
        "draft-invalid",
        Exit.USAGE,
        "The transaction cannot be built or signed like this.",
        "`khazana tx show FILE` says what is in it and who is to sign.",
    ),
    # What a node answers, or does not.
    "node.client.errors.Unreachable": make_entry(
        "node-unreachable", Exit.UNREACHABLE, "No node answered at the addresses given.", URL_HINT
    ),
    "node.client.errors.BadAnswer": make_entry(
        "answer-unreadable",
        Exit.UNREACHABLE,
        "What answers there is no node of this interface.",
        URL_HINT,
    ),
    "node.client.errors.ClientError": make_entry(
        "client", Exit.UNREACHABLE, "The node could not be asked.", URL_HINT
    ),
    "node.client.errors.WrongNetwork": make_entry(
        "wrong-network",
        Exit.CONFIGURATION,
        "The node belongs to another network than the one meant.",
        "Compare the genesis hashes: `khazana genesis show`, `khazana status`.",
    ),
    "node.client.errors.Refused": make_entry(
        "transaction-refused",
        Exit.REFUSED,
        "The transaction is refused; its outcome says which rule it breaks.",
        "Do what the outcome says; nothing was changed. `khazana explain` has it by its name.",
    ),
    "node.client.errors.Expired": make_entry(
        "transaction-expired",
        Exit.REFUSED,
        "The transaction's time is over and no block holds it.",
        "Build it anew: this one can never be applied.",
    ),
    "node.client.errors.Forgotten": make_entry(
        "transaction-forgotten",
        Exit.TIMEOUT,
        "The transaction's time is over, and the node no longer keeps the blocks that may hold it.",
        "Ask a node that keeps all blocks: `khazana query transaction`.",
    ),
    "node.client.errors.Unproven": make_entry(
        "record-unproven",
        Exit.REFUSED,
        "The node does not prove what it tells: the proof of a record does not hold.",
        "Is it the genesis of this network, and every --amendment named? Otherwise ask another node"
        " with --url, and tell the operator of this one.",
    ),
    "node.client.errors.Stale": make_entry(
        "record-stale",
        Exit.REFUSED,
        "A record is proven as of an older block than was asked for: it may be another by now.",
        "Ask another node with --url, and look whether the network stands still: `khazana status`."
        " If it does, or what was is enough, `--max-age 0`.",
    ),
    "node.client.errors.NoResult": make_entry(
        "auction-no-result",
        Exit.REFUSED,
        "The auction has no result: it is not decided yet.",
        "`khazana auction show` says when it is decided.",
    ),
    "node.client.errors.NoBidAccepted": make_entry(
        "auction-rejected",
        Exit.REFUSED,
        "The auction is over without a result.",
        "No bid was accepted, and nothing is to come.",
    ),
    "node.client.errors.Changing": make_entry(
        "auction-changing",
        Exit.REFUSED,
        "The auction went on each time that it was read.",
        "Try again when it has settled; `khazana auction show` says when.",
    ),
    "node.client.errors.WaitTimeout": make_entry(
        "not-final-yet",
        Exit.TIMEOUT,
        "The transaction was not final in the time given.",
        "Ask again with `khazana query transaction`; submitting it again is harmless.",
    ),
    "node.client.errors.Limited": make_entry(
        "too-busy",
        Exit.UNREACHABLE,
        "The node has more to do than it takes.",
        "Come back after the time that it says, or ask another node.",
    ),
    "node.client.errors.Forbidden": make_entry(
        "not-allowed",
        Exit.REFUSED,
        "The node does not do that for this caller.",
        "Ask whoever runs the node for a key, and name its file: `khazana --api-key-file FILE"
        " ...`, or KHAZANA_API_KEY_FILE.",
    ),
    "node.client.errors.NotReady": make_entry(
        "node-not-ready",
        Exit.UNREACHABLE,
        "The node cannot serve that now.",
        "`khazana status` says why.",
    ),
    "node.client.errors.NoIndex": make_entry(
        "no-index",
        Exit.REFUSED,
        "The node keeps no index, from which that would be answered.",
        "Name a node that keeps one with --url.",
    ),
    "node.client.errors.NotFound": make_entry(
        "not-found",
        Exit.REFUSED,
        "There is no such thing on the ledger, as far as this node knows.",
        "If it is quite new, the node may be behind: `khazana status` says.",
    ),
    "node.client.errors.Pruned": make_entry(
        "pruned",
        Exit.REFUSED,
        "The node no longer keeps what is asked for.",
        "Name such a node with --url; `khazana status` says how far back each goes.",
    ),
    "node.client.errors.CallFailed": make_entry(
        "call-failed",
        Exit.REFUSED,
        "The node answered with an error of its interface; code 2 where a parameter was wrong.",
        "Correct what the message names.",
    ),
    # Files: configuration, genesis, keys, amendments, proofs.
    "node.config.faults.ConfigError": make_entry(
        "config-faulty",
        Exit.CONFIGURATION,
        "The configuration has faults, each with its line.",
        "Write what each line says; `khazana config check` looks again.",
    ),
    "node.genesis.loading.GenesisError": make_entry(
        "genesis-faulty",
        Exit.CONFIGURATION,
        "The genesis, or the description it is made of, has faults, each with its line.",
        "Get the genesis from another member, or mend the description; `khazana genesis check`"
        " looks again.",
    ),
    "node.ledger.errors.FoundingError": make_entry(
        "genesis-unfoundable",
        Exit.CONFIGURATION,
        "The genesis can be no first state of a ledger.",
        "`khazana genesis check` says what contradicts what; agree upon another with the members.",
    ),
    "node.codec.CodecError": make_entry(
        "encoding-invalid",
        Exit.CONFIGURATION,
        "The bytes are not in the one encoding that they must have.",
        "Get the file again from where it came from: it was cut or altered.",
    ),
    "node.access.apikeys.ApiKeysError": make_entry(
        "api-keys-faulty",
        Exit.CONFIGURATION,
        "The file of API keys cannot be used.",
        "Write what the message says; keys are made by the command, never by hand.",
    ),
    "node.network.errors.CertificateUnusable": make_entry(
        "certificate-unusable",
        Exit.CONFIGURATION,
        "A certificate cannot be used, or the key does not belong to it.",
        "`khazana doctor` looks at key and certificate; bring back both from the backup.",
    ),
    "node.keys.errors.CertificateError": make_entry(
        "certificate-invalid",
        Exit.CONFIGURATION,
        "The certificate is not one that a node has.",
        "`khazana keys tls` makes key and certificate; the others must learn the certificate.",
    ),
    "node.keys.errors.KeystoreMissing": make_entry(
        "keystore-missing",
        Exit.CONFIGURATION,
        "The keystore is not there, or this user may not read it.",
        "Look at the path and who owns it. " + _KEYS_BACKUP,
    ),
    "node.keys.errors.KeystoreExists": make_entry(
        "keystore-exists",
        Exit.CONFIGURATION,
        "There is a keystore at this place.",
        "A key is never overwritten: choose another place, or move it away.",
    ),
    "node.keys.errors.KeystoreDamaged": make_entry(
        "keystore-damaged",
        Exit.CONFIGURATION,
        "The keystore was altered, or is none.",
        _KEYS_BACKUP,
    ),
    "node.keys.errors.WrongPurpose": make_entry(
        "key-for-something-else",
        Exit.CONFIGURATION,
        "The key was made for another use.",
        "Keys that vote, sign for accounts and speak TLS are three: name the right file.",
    ),
    "node.keys.errors.WrongPassphrase": make_entry(
        "passphrase-wrong",
        Exit.CONFIGURATION,
        "The keystore is sound and this is not its passphrase.",
        "Check the file given with --passphrase-file: a space at its end counts.",
    ),
    "node.keys.errors.PassphraseError": make_entry(
        "passphrase-unreadable",
        Exit.CONFIGURATION,
        "The file that should hold the passphrase does not.",
        "One line of UTF-8, readable by the node's user.",
    ),
    "node.keys.errors.KeysError": make_entry(
        "keys", Exit.CONFIGURATION, "A key file cannot be used.", _KEYS_BACKUP
    ),
    "node.provision.homes.HomeExists": make_entry(
        "home-exists",
        Exit.CONFIGURATION,
        "There is something at the place of the new home.",
        "A home is never overwritten: choose another place, or move it away.",
    ),
    "node.provision.homes.HomeUnwritable": make_entry(
        "home-unwritable",
        Exit.CONFIGURATION,
        "A new home cannot be written at its place.",
        "Choose another place, or see that this one has room and belongs to you.",
    ),
    "node.provision.founding.MissingKeys": make_entry(
        "keys-missing",
        Exit.CONFIGURATION,
        "The description lacks keys of a member.",
        "Add public_key and tls_certificate as `khazana init` printed them there, or let --homes"
        " make keys here.",
    ),
    "node.provision.requests.RequestError": make_entry(
        "request-invalid",
        Exit.REFUSED,
        "The request of a validator proves nothing, or is for another network.",
        "Have it made anew where the key is: `khazana validator request`.",
    ),
    "node.proofs.verifying.ProofError": make_entry(
        "proof-fails",
        Exit.REFUSED,
        "The proof does not hold.",
        "Do not rely on it. Ask for the file again, where it came from.",
    ),
    "node.genesis.amendment.AmendmentError": make_entry(
        "amendment-refused",
        Exit.REFUSED,
        "The amendment of the validator set does not hold here, or cannot be used.",
        "Where the file cannot be read, look at its name, or have it sent again; of any other"
        " `khazana amendment check FILE` says what it decides and who signed. The runbook is in"
        " node/replica/RUNBOOKS.md.",
    ),
    "node.chain.errors.AmendmentMissing": make_entry(
        "amendment-missing",
        Exit.CONFIGURATION,
        "The network went on by an amendment that is not installed here.",
        "Get the file from another member, check it, and `khazana amendment install` it.",
    ),
    # The node itself: why it does not start, or has stopped.
    "node.storage.errors.StorageLocked": make_entry(
        "storage-locked",
        Exit.DAMAGED,
        "Another process has the database open.",
        "Is the node running? Stop it first, or let it do the work.",
    ),
    "node.storage.errors.StorageMissing": make_entry(
        "storage-missing",
        Exit.DAMAGED,
        "There is no database where one must be.",
        "Look at `data_dir` and at the volume; `khazana restore` brings one back.",
    ),
    "node.storage.errors.StorageDamaged": make_entry(
        "storage-damaged",
        Exit.DAMAGED,
        "Something that was written is missing or altered.",
        "`khazana check` says all that is wrong, `khazana repair` mends it.",
    ),
    "node.storage.errors.StorageFull": make_entry(
        "storage-full",
        Exit.DAMAGED,
        "The disk is full; nothing is half written.",
        "Make room, then start the node again.",
    ),
    "node.storage.errors.StorageReadOnly": make_entry(
        "storage-read-only",
        Exit.DAMAGED,
        "The disk takes no writes.",
        "After an error the kernel does this by itself: look at dmesg. " + _DISK,
    ),
    "node.storage.errors.StorageClosed": make_entry(
        "storage-closed",
        Exit.DAMAGED,
        "The database was closed while it was in use.",
        "Type the command again; nothing is wrong with the disk.",
    ),
    "node.storage.errors.StorageFailed": make_entry(
        "storage-failed", Exit.DAMAGED, "The disk failed in reading or writing.", _DISK
    ),
    "node.storage.errors.StorageError": make_entry(
        "storage", Exit.DAMAGED, "The database cannot be used.", _DISK
    ),
    "node.chain.errors.ForeignChain": make_entry(
        "chain-of-another",
        Exit.DAMAGED,
        "The database and genesis.json are of different networks; nothing was signed.",
        "Compare genesis.json with the other institutions (`khazana genesis show`): with the right"
        " one in its place the database is whole. Only where it is theirs, `khazana repair`.",
    ),
    "node.chain.errors.ChainDamaged": make_entry(
        "chain-damaged",
        Exit.DAMAGED,
        "What is stored contradicts itself; nothing was signed.",
        "`khazana check` says all that is wrong, `khazana repair` mends it.",
    ),
    "node.index.errors.IndexFailure": make_entry(
        "index-unusable",
        Exit.DAMAGED,
        "The derived index cannot be used.",
        "Nothing of the ledger is in it alone: it is made anew from the blocks.",
    ),
    "node.index.errors.RebuildNeeded": make_entry(
        "index-to-rebuild",
        Exit.DAMAGED,
        "The derived index cannot go on from what is in its database.",
        "Nothing of the ledger is in it alone: stop the node, `khazana index rebuild`, and start"
        " it.",
    ),
    "node.stream.errors.StreamFailure": make_entry(
        "stream-unusable",
        Exit.REFUSED,
        "The stream of events cannot be published to, or asked.",
        "No node waits for it. The sentence says what to change; what was missed follows then.",
    ),
    "node.stream.errors.StreamForeign": make_entry(
        "stream-foreign",
        Exit.REFUSED,
        "The stream of events, or what it takes, is another chain's.",
        "Set stream.name, and stream.prefix where both are at one account of the server, or delete"
        " the stream of a chain that is no more: `nats stream rm NAME`.",
    ),
    "node.snapshots.errors.InstallationError": make_entry(
        "snapshot-unusable",
        Exit.DAMAGED,
        "A snapshot was begun here and is not to be used.",
        "Move the data directory aside and start the node again.",
    ),
    "node.app.node.NodeHalted": make_entry(
        "node-halted",
        Exit.DAMAGED,
        "The node stopped itself: its state and the network's cannot both be right.",
        "Compare the state root with others'; `khazana repair --to-height N` computes it anew.",
    ),
    "node.replica.errors.LogMismatch": make_entry(
        "log-of-another",
        Exit.CONFIGURATION,
        "The consensus log is another validator's, or another network's.",
        "Put the right log back; never give one validator's log to another.",
    ),
    "node.replica.errors.LogRemembers": make_entry(
        "log-remembers",
        Exit.REFUSED,
        "The log knows what its key has signed, so nothing has to be asserted.",
        "Start the node as it is.",
    ),
    "node.sync.joining.JoinRefused": make_entry(
        "join-refused",
        Exit.CONFIGURATION,
        "No snapshot can be joined by, as it is configured.",
        "`khazana status --trust` on a node that you trust prints the two lines that are needed.",
    ),
    "node.chain.errors.UpgradeRequired": make_entry(
        "release-too-old",
        Exit.OUTDATED,
        "The network goes on by rules that this release does not know.",
        "Install a release that knows them and start the node again: nothing is lost.",
    ),
    # Development networks.
    "node.provision.local.NodeFailed": make_entry(
        "node-failed",
        Exit.UNREACHABLE,
        "A node of the development network ended, or was not ready in time.",
        "The last lines of its log are above; `khazana devnet logs NAME` has the rest.",
    ),
    "node.provision.local.PortsTaken": make_entry(
        "ports-taken",
        Exit.REFUSED,
        "Others hold ports of the development network that is to be started. Nothing was started.",
        "Stop them and try again. A network keeps the ports that it was made with: to get others,"
        " begin anew with `khazana devnet down --remove`, or beside it with `--dir`.",
    ),
    "node.provision.local.NoSuchNetwork": make_entry(
        "no-devnet",
        Exit.UNREACHABLE,
        "There is no development network in this folder.",
        "Start one with `khazana devnet up`.",
    ),
    "node.provision.processes.ProcessRunning": make_entry(
        "already-running", Exit.DAMAGED, "The node runs already.", "Stop it first."
    ),
}


def entry_of(error: Exception) -> Entry | None:
    """Return the entry of the nearest class of an error; None: it is a mistake of ours."""
    for kind in type(error).__mro__:
        found = FAILURES.get(name_of(kind))
        if found is not None:
            return found
    return None


def name_of(kind: type) -> str:
    """Return the name by which the table knows a class: where it is declared."""
    return f"{kind.__module__}.{kind.__qualname__}"


def known() -> tuple[type[Exception], ...]:
    """Return those classes of the table that are imported: no other can have been raised."""
    places = (name.rpartition(".") for name in FAILURES)
    classes = (getattr(sys.modules.get(module), name, None) for module, _, name in places)
    return tuple(kind for kind in classes if kind is not None)
