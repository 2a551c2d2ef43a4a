"""What a node has to do with others: its database, its peers, its genesis, its version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from node.cli.doctor.findings import Finding, Verdict, failed, graded, ok, unknown, warning

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.control import Outlook, PeerOutlook
    from node.ledger.tables import ValidatorRecord
    from node.storage import KeyValueStore

READING_MAX_S: Final = 10.0
"""A person waits. Some 900 MB of records, at 95 MB a second."""
_AFTER_ALL: Final = b"\xff" * 64
_LOOK_EVERY: Final = 1_024  # records, between two looks at the clock
OTHER_NETWORK = "it is on network"
"""In a peer's reason: `node.network` says so when the genesis is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database of a stopped node says."""

    finding: Finding
    height: int
    validators: "Sequence[ValidatorRecord]"


def read_stored(home: "Home", *, reading_max_s: float = READING_MAX_S) -> Stored:
    """Open the database of a stopped node as the node would, read it, and close it again.

    Opening reads the end of the chain only. To read every record costs no more than its check sum,
    and finds what a disk has altered in the middle, where a node would meet it some day.
    """
    from node.app.beginning import known_validators
    from node.chain import AmendmentMissing, Chain, ChainDamaged, UpgradeRequired
    from node.chain.opening import is_empty
    from node.genesis import AmendmentError
    from node.storage import StorageError, StorageMissing, open_leveldb

    check = "database"
    expected = "one that opens, of this network, whose last block, certificate and state agree"
    founders = known_validators(home.genesis)
    empty = _none(home, expected)
    if not home.chain.is_dir():
        return Stored(finding=empty, height=0, validators=founders)
    try:
        store = open_leveldb(home.chain, create=False)
    except StorageMissing:
        return Stored(finding=empty, height=0, validators=founders)
    except StorageError as error:
        return Stored(finding=_closed(error), height=0, validators=founders)
    try:
        if is_empty(store):
            return Stored(finding=empty, height=0, validators=founders)
        chain = Chain.open(store, home.genesis)
        head = chain.head
        finding = ok(
            check,
            f"at height {head.height}, state root {head.state_root.hex()[:16]};"
            f" {_read_records(store, reading_max_s)}",
            expected,
        )
        return Stored(finding=finding, height=head.height, validators=chain.validator_records)
    except (ChainDamaged, StorageError) as error:
        return Stored(finding=_closed(error), height=0, validators=founders)
    except UpgradeRequired as error:
        finding = failed(check, str(error), expected, "Install the release that knows it.")
        return Stored(finding=finding, height=0, validators=founders)
    except (AmendmentError, AmendmentMissing) as error:
        finding = failed(
            check,
            str(error),
            expected,
            "`khazana amendment install` with the file that the others have; ask them for it.",
        )
        return Stored(finding=finding, height=0, validators=founders)
    finally:
        store.close()


def _read_records(store: "KeyValueStore", max_s: float) -> str:
    """Read every record, for so long at most, and say how far that went.

    Raises:
        StorageError: one cannot be read, or its check sum does not hold.
    """
    from node.clock import SystemClock

    clock = SystemClock()
    end_s = clock.monotonic() + max_s
    count = size = 0
    for key, value in store.scan(b"", _AFTER_ALL):
        if count % _LOOK_EVERY == 0 and clock.monotonic() >= end_s:
            return (
                f"its end and {count:,} records ({size / 1e6:,.0f} MB) were read in {max_s:g} s,"
                " `khazana check` reads all of it"
            )
        count += 1
        size += len(key) + len(value)
    return f"all of its {count:,} records can be read, `khazana check` says whether they are right"


def _none(home: "Home", expected: str) -> Finding:
    """Say whether a home without a chain is new, or has lost it."""
    from node.storage import StorageLocked
    from node.upkeep import Faults
    from node.upkeep.checked_log import check_log

    fresh = ok("database", "none yet: the node makes it when it starts", expected)
    try:
        seen = check_log(
            home.log,
            Faults(),
            name=home.config.name,
            public_key=None,
            network=home.genesis.hash,
        )
    except StorageLocked:
        return fresh
    if seen is None or seen.height <= 1:  # what a home is born with is of height 1
        return fresh
    return warning(
        "database",
        f"none, and this node has voted at height {seen.height:,} already: so says {home.log}",
        expected,
        f"Was {home.chain} moved, or is a disk not mounted? Bring it back while the node is"
        " stopped. If it is lost, start the node: it copies the chain from the others first.",
    )


def _closed(error: Exception) -> Finding:
    """Say why the database does not open: what is not damaged is not to be repaired."""
    from node.chain import ChainDamaged, ForeignChain
    from node.storage import StorageDamaged

    if isinstance(error, ForeignChain):
        advice = (
            "Put the genesis.json of the others in its place: `khazana genesis show` prints its"
            " hash. Only where it is theirs already, `khazana repair`."
        )
    elif isinstance(error, (ChainDamaged, StorageDamaged)):
        advice = (
            "`khazana check` says everything that is wrong with it, `khazana repair` mends it; keep"
            " the folder until then."
        )
    else:
        advice = "Do what it says, then look again: nothing says that the database is damaged."
    return failed(
        "database",
        str(error),
        "one that opens, of this network, whose last block, certificate and state agree",
        advice,
    )


def peer_findings(home: "Home", peers: "Sequence[PeerOutlook]", software: str) -> Iterator[Finding]:
    """Say of each configured peer whether it answers, on our network, with our release."""
    for peer in peers:
        check = f"peer.{peer.name}"
        expected = f"connected, on genesis {home.genesis.hash.hex()[:16]}, {software}"
        if peer.connected and peer.software != software:
            yield warning(
                check,
                f"connected, at height {peer.height}, {peer.software or 'of unknown release'}",
                expected,
                "Harmless during an upgrade; when it is over, all nodes have one release.",
            )
        elif peer.connected:
            yield ok(check, f"connected, at height {peer.height}, {peer.software}", expected)
        elif not peer.address and not peer.reason:
            # Listed as an observer: it calls, or it does not.
            yield unknown(check, "not connected; this node does not dial it", expected)
        else:
            yield _unreachable(check, expected, peer)


def _unreachable(check: str, expected: str, peer: "PeerOutlook") -> Finding:
    found = peer.reason or f"no answer of {peer.address} yet"
    if OTHER_NETWORK in found:
        return failed(
            check,
            found,
            expected,
            "One of you has another genesis.json: compare the genesis_hash that `khazana genesis"
            " show genesis.json` prints with the other institutions. Files of other bytes may hold"
            " the same genesis.",
        )
    advice = (
        f"Does {peer.address or 'its address'} lead there (`nc -vz`), is it running, does a fire"
        " wall let TCP through? It refuses us if it does not have our certificate: compare with"
        " its operator."
    )
    if peer.banned_s > 0:
        advice = f"It broke the protocol and is kept out for {peer.banned_s:.0f} s more; " + advice
    return failed(check, found, expected, advice)


def quorum_finding(home: "Home", names: Sequence[str], peers: "Sequence[PeerOutlook]") -> Finding:
    """Say whether enough validators are in reach to decide."""
    from consensus.quorum import quorum

    there = {peer.name for peer in peers if peer.connected} | {home.config.name}
    found = len(there & set(names))
    needed = quorum(home.genesis.fault_model, len(names))
    unnamed = ", ".join(sorted(set(names) - there - home.config.network.peers.keys()))
    advice = (
        f"No block is made without them. Nothing says where {unnamed} can be dialled: write"
        ' NAME = "HOST:PORT" for each under [network.peers] in node.toml, and restart.'
        if unnamed
        else "No block is made without them. Mend the links above, the nearest first."
    )
    return graded(
        "quorum",
        Verdict.OK if found >= needed else Verdict.FAILED,
        f"{found} of {len(names)} validators in reach",
        f"at least {needed}: so many decide",
        advice,
    )


def version_findings(outlook: "Outlook | None", installed: str) -> Iterator[Finding]:
    """Say whether the release that runs is the one installed, and ready for what is scheduled."""
    if outlook is None:
        yield ok("version.software", f"{installed}, stopped", "the release of the others")
        return
    yield graded(
        "version.software",
        Verdict.OK if outlook.software == installed else Verdict.WARNING,
        f"{outlook.software} runs, {installed} is installed",
        "one and the same",
        "Restart the node, so that it runs what is installed.",
    )
    known = ", ".join(str(each) for each in outlook.protocol_versions_known)
    expected = "known to this release"
    if outlook.upgrade_version is None:
        yield ok(
            "version.protocol",
            f"{outlook.protocol_version} rules, nothing is scheduled; known: {known}",
            expected,
        )
        return
    ready = outlook.upgrade_version in outlook.protocol_versions_known
    yield graded(
        "version.protocol",
        Verdict.OK if ready else Verdict.FAILED,
        f"{outlook.protocol_version} rules, {outlook.upgrade_version} from height"
        f" {outlook.upgrade_height} on; this is {outlook.height}; known: {known}",
        expected,
        "Install a release that knows it before that height: this node stops there.",
    )


def genesis_finding(home: "Home", outlook: "Outlook | None") -> Finding:
    """Say whether the genesis in the home is the one that the node runs by."""
    hash_ = home.genesis.hash.hex()
    expected = "the same at every member: compare it with the other institutions"
    if outlook is None or outlook.genesis_hash == hash_:
        return ok("genesis", f"{home.genesis.name}, {hash_}", expected)
    return failed(
        "genesis",
        f"the running node is on {outlook.genesis_hash}, {home.config.genesis} is {hash_}",
        expected,
        "Somebody has replaced the file since the node started. Bring the former one back: the"
        " node will not start with this one.",
    )


def ready_finding(outlook: "Outlook") -> Finding:
    """Say whether a running node serves and takes part: what all that stands above comes to."""
    expected = "a quorum in reach, caught up, blocks as often as the network makes them"
    if outlook.lacks is None:
        return unknown("ready", "the release that runs does not tell", expected)
    return graded(
        "ready",
        Verdict.FAILED if outlook.lacks else Verdict.OK,
        "\n".join(outlook.lacks) or f"it takes part, at height {outlook.height}",
        expected,
        "Mend what is amiss above first: a validator whose clock is wrong counts as missing."
        " `khazana top` with the addresses of all of them says who proposes, who votes and in which"
        " round.",
    )


def voting_finding(outlook: "Outlook", name: str) -> Finding | None:
    """Say whether a running validator signs; None for an observer."""
    if name not in {each.name for each in outlook.validators}:
        return None
    return graded(
        "voting",
        Verdict.OK if outlook.why_silent is None else Verdict.FAILED,
        outlook.why_silent or "it votes at the next height",
        "it votes",
        "The sentence says what it waits for; the runbooks are in node/replica/RUNBOOKS.md.",
    )
