"""What a node, running or stopped, knows of itself and of the others."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.cli.doctor.findings import Finding, unknown
from node.cli.doctor.machine import ports_of
from node.cli.doctor.network import read_stored, voting_finding

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.config import Endpoint
    from node.control import Outlook, PeerOutlook, ValidatorOutlook

CONNECT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the checks of keys, peers and versions are held against."""

    running: bool
    software: str
    """What is installed here."""
    outlook: "Outlook | None"
    """What the running node told."""
    validators: "Sequence[ValidatorOutlook]"
    """By the ledger; of a node without a database, by the genesis."""
    peers: "Sequence[PeerOutlook] | None"
    """None: they could not be asked for."""
    answers: Mapping[str, bool]
    """Whether the ports take connections, by the name of the check; of a running node."""
    findings: tuple[Finding, ...]


async def look(home: "Home", timeout_s: float) -> Seen:
    """Ask the running node, or look into the database of the stopped one and call its peers."""
    if home.is_running():
        return await _look_at_running(home)
    return await _look_at_stopped(home, timeout_s)


async def _look_at_running(home: "Home") -> Seen:
    from node.app import software
    from node.control import ControlError, ask_for_outlook

    config = home.config
    answers = {
        check: await _takes(place)
        for check, (_, place) in ports_of(config).items()
        if place.port != 0
    }
    outlook, findings = None, []
    try:
        outlook = await ask_for_outlook(home.control)
    except ControlError as error:
        findings.append(
            unknown(
                "node",
                f"a process has the database open and does not answer: {error}",
                "the running node answers at its control socket",
                "It may be starting, or be an offline command at work: `khazana check` and others."
                " Ask again in a minute; its log says more.",
            )
        )
    else:
        voting = voting_finding(outlook, config.name)
        findings += [] if voting is None else [voting]
    return Seen(
        running=True,
        software=software(),
        outlook=outlook,
        validators=() if outlook is None else outlook.validators,
        peers=None if outlook is None else outlook.peers,
        answers=answers,
        findings=tuple(findings),
    )


async def _look_at_stopped(home: "Home", timeout_s: float) -> Seen:
    from node.app import software
    from node.app.outlook import call_peers, validator_outlook
    from node.config import ConfigError
    from node.network import CertificateUnusable

    stored = read_stored(home)
    peers: Sequence[PeerOutlook] | None = None
    # What cannot be used, the check of the certificate says.
    with suppress(ConfigError, CertificateUnusable):
        peers = await call_peers(
            home.config,
            home.genesis,
            stored.validators,
            software=software(),
            timeout_s=timeout_s,
        )
    return Seen(
        running=False,
        software=software(),
        outlook=None,
        validators=[validator_outlook(record) for record in stored.validators],
        peers=peers,
        answers={},
        findings=(stored.finding,),
    )


async def _takes(place: "Endpoint") -> bool:
    """Say whether somebody takes a connection at the place that a node listens on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, place.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
