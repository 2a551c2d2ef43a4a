"""What the machine gives a node: time, room on the disk, a disk that keeps its word, ports."""

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.cli.doctor.findings import Finding, Verdict, failed, graded, ok, unknown, warning
from node.cli.doctor.kernel import KernelClock

if TYPE_CHECKING:
    from node.config import Endpoint, NodeConfig
    from node.control import Outlook

ERROR_BOUND_MS: Final = 500.0
"""Of the kernel's own estimate. Validators refuse what is seconds ahead, so that is far enough."""
DRIFT_PPM: Final = 200.0
"""Ordinary crystals stay below 100."""
DRIFT_MS_PER_HOUR: Final = 250.0
FREE_WARNING_BYTES: Final = 2 << 30
FREE_FAILED_BYTES: Final = 200 << 20
"""LevelDB writes whole tables anew while it compacts."""
SYNCS: Final = 24
SYNC_BYTES: Final = 4_096
SYNC_WARNING_MS: Final = 10.0
"""Of the median. A height waits for some four of them, one after the other."""
SYNC_FAILED_MS: Final = 100.0
MOUNTS: Final = Path("/proc/self/mounts")
FORGETS: Final = ("ramfs", "tmpfs")
REMOTE: Final = ("9p", "ceph", "cifs", "fuse", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3")


def clock_findings(kernel: KernelClock | None, outlook: "Outlook | None") -> Iterator[Finding]:
    """Say whether the clock is kept right, and how it compares with the other validators'."""
    expected = f"kept right by NTP, within {ERROR_BOUND_MS:.0f} ms"
    advice = "Run chrony or systemd-timesyncd on the host; `chronyc tracking` or `timedatectl` say"
    if kernel is None:
        yield unknown("clock.ntp", "this system does not tell the state of its clock", expected)
    elif not kernel.synchronised:
        yield warning(
            "clock.ntp",
            "the kernel says that nothing keeps its clock right",
            expected,
            advice + " how it is.",
        )
    else:
        wild = kernel.error_bound_ms > ERROR_BOUND_MS or abs(kernel.frequency_ppm) > DRIFT_PPM
        yield graded(
            "clock.ntp",
            Verdict.WARNING if wild else Verdict.OK,
            f"kept right, wrong by {kernel.error_bound_ms:.0f} ms at most; it runs"
            f" {abs(kernel.frequency_ppm):.1f} ppm {_pace(kernel.frequency_ppm)} by itself",
            f"{expected}, below {DRIFT_PPM:.0f} ppm",
            advice + " which server it follows.",
        )
    if outlook is not None:
        yield _among_peers(outlook)


def _pace(frequency_ppm: float) -> str:
    # The kernel corrects what the crystal does.
    return "slow" if frequency_ppm > 0 else "fast"


def _among_peers(outlook: "Outlook") -> Finding:
    ahead_ms, behind_ms = outlook.clock_ahead_max_ms, outlook.clock_behind_max_ms
    expected = f"the others' within {ahead_ms / 2:.0f} ms of it"
    known = [peer for peer in outlook.peers if peer.clock_ahead_ms is not None]
    if not known:
        return unknown(
            "clock.peers",
            "no proposal of another validator has come yet; observers hear none",
            expected,
        )
    words = []
    verdict = Verdict.OK
    for peer in known:
        assert peer.clock_ahead_ms is not None
        drift = peer.clock_drift_ms_per_hour
        moving = "" if drift is None else f" and {drift:+.0f} ms an hour"
        words.append(f"{peer.name} {peer.clock_ahead_ms:+d} ms{moving}")
        # Ahead by so much its proposals are refused here; behind by so much ours are there.
        if peer.clock_ahead_ms > ahead_ms or -peer.clock_ahead_ms > min(ahead_ms, behind_ms):
            verdict = Verdict.FAILED
        elif verdict is Verdict.OK and (
            abs(peer.clock_ahead_ms) > ahead_ms / 2
            or (drift is not None and abs(drift) > DRIFT_MS_PER_HOUR)
        ):
            verdict = Verdict.WARNING
    return graded(
        "clock.peers",
        verdict,
        ", ".join(words),
        expected,
        "If all of them are off to one side, it is this node's clock: set it right by NTP. If one"
        f" is, tell its operator. A proposal further ahead than {ahead_ms} ms is refused.",
    )


def disk_findings(data_dir: Path) -> Iterator[Finding]:
    """Say whether there is room, and whether what is written stays."""
    place = _nearest(data_dir)
    usage, system = shutil.disk_usage(place), os.statvfs(place)
    free = usage.free
    grade = Verdict.OK
    if free < FREE_WARNING_BYTES:
        grade = Verdict.FAILED if free < FREE_FAILED_BYTES else Verdict.WARNING
    if system.f_files and system.f_favail < 1_000:
        grade = Verdict.FAILED
    yield graded(
        "disk.space",
        grade,
        f"{_size(free)} of {_size(usage.total)} free at {place}, {system.f_favail:,} files more",
        f"at least {_size(FREE_WARNING_BYTES)} free",
        "Make room or give the volume more; `storage.keep_blocks` in node.toml lets a node forget"
        " old blocks.",
    )
    kind = filesystem_of(place)
    expected = "a local file system that survives a power cut, writable"
    if system.f_flag & os.ST_RDONLY:
        yield failed(
            "disk.filesystem",
            f"{place} is mounted read-only",
            expected,
            "Mount it for writing; after an error the kernel does this by itself: look at dmesg.",
        )
    elif kind is None:
        yield unknown("disk.filesystem", "this system does not tell", expected)
    elif kind in FORGETS:
        yield warning(
            "disk.filesystem",
            f"{kind}: in memory, gone with the machine's power",
            expected,
            "Put data_dir on a disk. A validator that forgets what it signed is silent until it"
            " has heard the others.",
        )
    elif kind in REMOTE:
        yield warning(
            "disk.filesystem",
            f"{kind}: on another machine or behind a program",
            expected,
            "Put data_dir on a local disk: locks and syncs are not always kept over a network.",
        )
    else:
        yield ok("disk.filesystem", kind, expected)
    yield _sync_finding(place)


def _sync_finding(place: Path) -> Finding:
    expected = f"a median below {SYNC_WARNING_MS:.0f} ms"
    try:
        times_ms = sorted(measure_syncs(place))
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return failed(
            "disk.sync",
            f"nothing can be written to {place}: {error.strerror}",
            expected,
            "Make room: until then the node cannot start."
            if is_full
            else "Let the node's user own its home; run the doctor as that user.",
        )
    median = times_ms[len(times_ms) // 2]
    grade = Verdict.OK
    if median > SYNC_WARNING_MS:
        grade = Verdict.FAILED if median > SYNC_FAILED_MS else Verdict.WARNING
    return graded(
        "disk.sync",
        grade,
        f"{SYNC_BYTES} bytes to the disk in {median:.1f} ms (median of {len(times_ms)}),"
        f" {times_ms[-1]:.1f} ms at most",
        expected,
        "A vote is on disk before it leaves, so every height waits for this. Use a faster disk, or"
        " one that nothing else writes to.",
    )


def measure_syncs(folder: Path) -> Iterator[float]:
    """Yield how many milliseconds each of some small synced writes takes.

    Raises:
        OSError: nothing can be written there.
    """
    from node.clock import SystemClock

    clock = SystemClock()
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            started_s = clock.monotonic()
            os.write(file.fileno(), bytes(SYNC_BYTES))
            os.fdatasync(file.fileno())
            yield (clock.monotonic() - started_s) * 1000


def filesystem_of(path: Path) -> str | None:
    """Return the kind of the file system that a path is on; None where nothing tells it."""
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return None
    resolved, best = path.resolve(), (-1, "")
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = Path(words[1].replace("\\040", " "))
        # Of two at one place the later one covers the other.
        if resolved.is_relative_to(point) and len(point.parts) >= best[0]:
            best = (len(point.parts), words[2])
    return best[1] or None


def ports_of(config: "NodeConfig") -> dict[str, tuple[str, "Endpoint"]]:
    """Return setting and place of everything that a node listens on, by the name of its check."""
    from node.config import listeners_of

    return {"port.network": ("network.listen", config.network.listen)} | {
        f"port.{key[-1]}": (f"{'.'.join(key)}.listen", listener.listen)
        for key, listener in listeners_of(config.rpc)
    }


def port_findings(
    config: "NodeConfig", *, running: bool, answers: Mapping[str, bool]
) -> Iterator[Finding]:
    """Say whether the node's ports are its own.

    Args:
        answers: whether somebody took a connection, by the name of the check; of a running node.
    """
    for check, (setting, place) in ports_of(config).items():
        if place.port == 0:
            yield unknown(check, f"{place}: any free port", "one that others can know")
        elif running:
            answered = answers[check]
            yield graded(
                check,
                Verdict.OK if answered else Verdict.FAILED,
                f"{place} {'answers' if answered else 'does not answer'}",
                "the node answers there",
                f"The node may be starting still: look at its log. Was {setting} changed since?",
            )
        else:
            yield _free(check, setting, place)


def _free(check: str, setting: str, place: "Endpoint") -> Finding:
    from node.provision.ports import holder_of_port

    try:
        family, _, _, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        holder = holder_of_port(place.port) if error.errno == errno.EADDRINUSE else None
        return failed(
            check,
            f"{place} cannot be listened on: {error.strerror or error}"
            f"{'' if holder is None else f', by {holder}'}",
            "free, as the node is stopped",
            f"Stop what uses it (`ss -ltnp`), or change {setting} in node.toml.",
        )
    return ok(check, f"{place} is free", "free, as the node is stopped")


def _nearest(path: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())


def _size(count: int) -> str:
    if count < 1 << 30:
        return f"{count / (1 << 20):.1f} MiB"
    return f"{count / (1 << 30):.1f} GiB"
