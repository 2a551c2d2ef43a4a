"""What lies in the home: who can read the secrets, whether keys and certificate belong together."""

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.cli.doctor.findings import Finding, Verdict, failed, graded, ok, warning

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.config import NodeConfig
    from node.control import ValidatorOutlook

EXPIRY_WARNING_DAYS: Final = 30
REVOCATIONS_WARNING_DAYS: Final = 1
"""They are written anew each week or so."""
OWNED: Final = (
    "Nothing is lost: chown the file to the user that runs the node, and look again as that user."
)
ENDLESS: Final = 9999
"""The year that stands for no end (RFC 5280, section 4.1.2.5)."""


def permission_findings(config: "NodeConfig") -> Iterator[Finding]:
    """Say who can read what only the node is to read, and who can write its data."""
    validator = config.validator
    secrets = [(config.tls.key, Verdict.FAILED)]
    if validator is not None and validator.keystore is not None:
        # Encrypted: another can copy it and try passphrases.
        secrets.append((validator.keystore, Verdict.WARNING))
    if validator is not None and validator.passphrase_file is not None:
        # A secret that a container engine mounts has the mode it has on the host.
        secrets.append((validator.passphrase_file, Verdict.WARNING))
    for path, grade in secrets:
        yield _secret(path, grade)
    if config.data_dir.is_dir():
        found = config.data_dir.stat()
        exposed = stat.S_IMODE(found.st_mode) & 0o022
        yield graded(
            "permissions.data",
            Verdict.FAILED if exposed else Verdict.OK,
            f"{config.data_dir} has mode {stat.S_IMODE(found.st_mode):04o}",
            "nobody else can write there",
            f"chmod go-w {config.data_dir}",
        )


def _secret(path: Path, grade: Verdict, *, check: str = "") -> Finding:
    check, expected = check or f"permissions.{path.name}", "mode 0600, the node's own"
    try:
        found = path.stat()
    except OSError as error:
        return failed(
            check,
            f"{path}: {error.strerror}",
            expected,
            "Put the file where node.toml says, or change node.toml; run the doctor as the node's"
            " user.",
        )
    mode = stat.S_IMODE(found.st_mode)
    said = f"{path} has mode {mode:04o}"
    if not _is_readable(path):
        return failed(
            check,
            f"{said} and belongs to user {found.st_uid}: user {os.geteuid()} cannot read it",
            expected,
            OWNED,
        )
    if mode & 0o077:
        return graded(check, grade, f"{said}: others can read it", expected, f"chmod 600 {path}")
    if found.st_uid not in (os.geteuid(), 0):
        return warning(
            check,
            f"{said} and belongs to user {found.st_uid}, this is user {os.geteuid()}",
            expected,
            f"chown it to the node's user, or run the doctor as user {found.st_uid}.",
        )
    return ok(check, said, expected)


def _is_readable(path: Path) -> bool:
    try:
        path.open("rb").close()
    except PermissionError:
        return False
    except OSError:
        return True  # What else it is, others say.
    return True


def certificate_findings(
    config: "NodeConfig", validators: "Sequence[ValidatorOutlook]", now_ms: int
) -> Iterator[Finding]:
    """Say whether key and certificate belong together, still hold, and are those of the ledger."""
    from node.app.loading import load_following_identity, load_identity
    from node.config import ConfigError
    from node.keys.certificates import check_certificate
    from node.network import CertificateUnusable
    from node.network.tls import make_contexts

    expected = "a key and the certificate made of it, signed by itself, named like the node"
    again = "`khazana keys tls` makes a pair; the others must learn the certificate."
    try:
        identity = load_identity(config)
        make_contexts(identity, ())
        facts = check_certificate(identity.certificate)
    except (ConfigError, CertificateUnusable) as error:
        # Nothing is to be made anew of a file that is there and belongs to somebody else.
        is_ours = _is_readable(config.tls.key) and _is_readable(config.tls.certificate)
        advice = f"Bring back both from the backup, or {again}" if is_ours else OWNED
        yield failed("certificate", str(error), expected, advice)
        return
    yield graded(
        "certificate",
        Verdict.OK if facts.name == config.name else Verdict.WARNING,
        f"of {facts.name}, key and certificate belong together",
        expected,
        f"This node is called {config.name}: is it another node's certificate?",
    )
    yield _in_force(
        "certificate.time",
        facts.not_before,
        facts.not_after,
        now_ms,
        "Is the clock right? If so, `khazana validator prepare` and `rotate` bring in another.",
    )
    record = next((each for each in validators if each.name == config.name), None)
    if record is None:
        return
    following = load_following_identity(config)
    fits = record.tls_certificate == identity.certificate.hex()
    follows = following is not None and record.tls_certificate == following.certificate.hex()
    yield graded(
        "certificate.ledger",
        Verdict.OK if fits else Verdict.WARNING if follows else Verdict.FAILED,
        "the ledger has it"
        if fits
        else "the ledger has the one that was prepared to follow"
        if follows
        else f"the ledger has another under the name {config.name}",
        "the one that the ledger has, which peers pin",
        "`khazana validator settle` puts it in its place."
        if follows
        else "Bring back the former files; or have the ledger learn this one:"
        " `khazana validator rotate`.",
    )


def listener_findings(config: "NodeConfig", now_ms: int) -> Iterator[Finding]:
    """Say of each listener with TLS whether its certificates hold, and for how long."""
    from node.app.clients import tls_files
    from node.config import listeners_of
    from node.keys import CertificateError
    from node.keys.certificates import read_chain
    from node.rpc.tls import ListenerTlsError, read_tls

    for key, listener in listeners_of(config.rpc):
        files = tls_files(listener)
        if files is None:
            continue
        check = f"tls.{key[-1]}"
        expected = "a certificate with its key, and each that follows has signed the one before"
        advice = "Have the authority sign a certificate for this key, and write it with those"
        try:
            tls = read_tls(files)
            chain = read_chain(files.certificate.read_bytes())
        except (ListenerTlsError, CertificateError, OSError) as error:
            yield failed(check, str(error), expected, f"{advice} between into the file.")
            continue
        broken = [link.subject for link in chain if not link.signed_by_next]
        yield graded(
            check,
            Verdict.FAILED if broken else Verdict.OK,
            f"{broken[0]} is not signed by the one that follows"
            if broken
            else f"{chain[0].subject}, a chain of {len(chain)}; the key belongs to it",
            expected,
            f"{advice} between after it, in their order.",
        )
        yield _in_force(
            f"{check}.time",
            max(link.not_before for link in chain),
            min(link.not_after for link in chain),
            now_ms,
            f"Is the clock right? If so, {advice[0].lower()}{advice[1:]} between into the file;"
            " a running node reads it by itself.",
        )
        if "client_authority" in tls.not_after:
            yield _in_force(
                f"{check}.authority",
                None,
                tls.not_after["client_authority"],
                now_ms,
                "Make the authority of the clients anew, have it sign theirs, and put its"
                " certificate into the file; a running node reads it by itself.",
            )
        if "client_revocations" in tls.not_after:
            yield _in_force(
                f"{check}.revocations",
                None,
                tls.not_after["client_revocations"],
                now_ms,
                "Have the authority write its list of revoked certificates anew: after that date"
                " everybody is turned away.",
                days=REVOCATIONS_WARNING_DAYS,
            )
        yield _secret(files.key, Verdict.FAILED, check=f"permissions.{key[-1]}")


def _in_force(
    check: str,
    not_before: datetime | None,
    not_after: datetime,
    now_ms: int,
    advice: str,
    *,
    days: int = EXPIRY_WARNING_DAYS,
) -> Finding:
    now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    grade = Verdict.OK
    if (not_after - now).days < days:
        grade = Verdict.FAILED if not_after <= now else Verdict.WARNING
    if not_before is not None and now < not_before:
        grade = Verdict.FAILED
    return graded(
        check,
        grade,
        "it has no end"
        if not_after.year == ENDLESS
        else f"to {not_after:%Y-%m-%d}"
        if not_before is None
        else f"from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}",
        f"in force, and for {days} days more" if days > 1 else "in force, and for a day more",
        advice,
    )


def voting_findings(home: "Home", validators: "Sequence[ValidatorOutlook]") -> Iterator[Finding]:
    """Say whether the voting key opens, and whether the ledger has it."""
    from node.app.loading import load_following_signer, load_signer
    from node.config import ConfigError
    from node.keys import KeysError

    config = home.config
    record = next((each for each in validators if each.name == config.name), None)
    expected = "a key that opens with its passphrase, the one that the ledger has"
    try:
        signer = load_signer(config, home.genesis)
        following = load_following_signer(config, home.genesis)
    except (ConfigError, KeysError) as error:
        yield failed(
            "voting key",
            str(error),
            expected,
            "Bring back keystore and passphrase from the backup. Lost for good: the others vote"
            " another in, `khazana validator`.",
        )
        return
    if signer is None:
        if record is not None:
            yield warning(
                "voting key",
                f"none, and the ledger has {config.name} as a validator",
                expected,
                "If this is that validator, add [validator] to node.toml; if not, give the node"
                " another name.",
            )
        return
    public_key = signer.public_key.hex()
    if record is None:
        yield ok("voting key", f"{public_key}; {config.name} is no validator at present", expected)
        return
    follows = following is not None and following.public_key.hex() == record.public_key
    fits = public_key == record.public_key
    yield graded(
        "voting key",
        Verdict.OK if fits else Verdict.WARNING if follows else Verdict.FAILED,
        public_key
        if fits
        else f"the ledger has the key prepared to follow, {record.public_key}"
        if follows
        else f"{public_key}, the ledger has {record.public_key}",
        expected,
        "`khazana validator settle` puts it in its place."
        if follows
        else "Nothing is signed with it. Bring back the key that the ledger has, or have it"
        " changed there: `khazana validator rotate`.",
    )
