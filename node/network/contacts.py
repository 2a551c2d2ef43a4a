"""What is remembered of one member beyond its links, and how an operator sees it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from node.log import Logger, Sparing
from node.network.conduct import Conduct
from node.network.messages import Lane
from node.network.peer import Counts, Peer
from node.network.roster import Member, Role
from node.network.settings import NetworkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who is connected and how high it says it stands: all that is asked at every message."""

    name: str
    role: Role
    height: int
    earliest: int
    """The first height that it says it can serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """What an operator or a metric wants to know of one member; a copy, safe to keep."""

    name: str
    role: Role
    connected: bool
    dialled: bool
    """Whether this side opened the present link."""
    address: str
    """Remote end of the present link, else the configured address, else empty."""
    height: int
    """The highest height it has told of on the present link; 0 without one."""
    earliest: int
    """The first height that it can serve, by its latest word; 0 without a link."""
    software: str
    waiting: tuple[int, ...]
    """Frames that wait to be sent, by lane."""
    dropped: tuple[int, ...]
    """Frames that full lanes dropped on the present link, by lane."""
    sent: Mapping[str, int]
    received: Mapping[str, int]
    """Frames by kind of message, over all links since the member joined."""
    throttled: int
    """Frames that had to wait for the member's budget."""
    ignored: int
    """Votes and proposals of an observer."""
    penalty: float
    banned_s: float
    """For how long it is still kept out."""
    links: int
    """Links that have come about since the member joined."""
    dials_failed: int
    """Failed dials since the last link."""
    last_drop: str
    """Why there is no link, or why the last one ended; empty if nothing ever went wrong."""


class Contact:
    """All that outlives a link to one member; dropped when the member leaves the roster."""

    def __init__(
        self, member: Member, address: str | None, settings: NetworkSettings, log: Logger
    ) -> None:
        self.member = member
        self.address = address
        """Where we dial it, or None."""
        self.conduct = Conduct(settings)
        self.counts = Counts()
        self.peer: Peer | None = None
        self.vacant = asyncio.Event()
        """Set while there is no peer."""
        self.vacant.set()
        self.dialling: asyncio.Task[None] | None = None
        self.links_open = 0
        """Also those that have not said Hello."""
        self.links = 0
        self.dials_failed = 0
        self.last_drop = ""
        self.instances: tuple[int | None, int | None] = (None, None)
        """Of the last link's process, and of the one before it where that was another."""
        self.doubled = Sparing(log, at_once=1, every_s=60.0)
        """Lines on two processes with its keys."""
        self.refusals = Sparing(log)
        """Lines on why no link came about: a member has part in what they say."""

    def takes_turns(self, instance: int) -> bool:
        """Note the process of a new link; say whether it was there before the last one.

        A process that is started anew is another one, so two live at once then.
        """
        last, before = self.instances
        if instance != last:
            self.instances = instance, last
        return instance == before and instance != last

    def standing(self) -> Standing | None:
        """Return where the peer says it stands; None without one."""
        if self.peer is None:
            return None
        return Standing(
            name=self.member.name,
            role=self.member.role,
            height=self.peer.height,
            earliest=self.peer.earliest,
        )

    def view(self, now_s: float) -> PeerView:
        """Return what can be seen of it now."""
        peer = self.peer
        nothing = tuple(0 for _ in Lane)
        return PeerView(
            name=self.member.name,
            role=self.member.role,
            connected=peer is not None,
            dialled=peer is not None and peer.dialled,
            address=peer.link.address if peer is not None else self.address or "",
            height=peer.height if peer is not None else 0,
            earliest=peer.earliest if peer is not None else 0,
            software=peer.hello.software if peer is not None else "",
            waiting=tuple(map(peer.lanes.waiting, Lane)) if peer is not None else nothing,
            dropped=tuple(peer.lanes.dropped) if peer is not None else nothing,
            sent=dict(self.counts.sent),
            received=dict(self.counts.received),
            throttled=self.counts.throttled,
            ignored=self.counts.ignored,
            penalty=self.conduct.penalty(now_s),
            banned_s=self.conduct.ban_left_s(now_s),
            links=self.links,
            dials_failed=self.dials_failed,
            last_drop=self.last_drop,
        )
