"""What a run depends on, besides the code; and what came of it."""

from dataclasses import dataclass, field

from tests.sim.checker import Violation
from tests.sim.clients import Counts
from tests.sim.loop import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run depends on, besides the code."""

    seed: int = 0
    validators: int = 4
    observers: int = 0
    minutes: float = 2.0
    faults: tuple[str, ...] | None = None
    """Some of `KINDS`; None lets the seed choose."""
    liars: int | None = None
    """Validators that lie; None lets the seed choose, within what the network survives."""
    twins: int = 0
    """Validators whose key runs on two machines at once, besides the liars."""
    lies: tuple[str, ...] | None = None
    """Some of `LIES`; None lets the seed choose."""
    steady: bool = False
    """Liars tell the same half the same story at every height."""
    order: Order | None = None
    fault_pause_s: float | None = None
    """Between two faults, on average; None lets the seed choose."""
    skip: tuple[int, ...] = ()
    """Numbers of faults that are drawn and do not happen."""
    client_pause_s: float | None = None
    keep_blocks: int = 0
    """So many blocks keep those that prune, half of the machines; 0: nobody prunes."""
    version: int = 1
    """Of the protocol, from the first block on. The clients schedule the next ones."""
    auctions: bool = False
    """Clients want little else than auctions, so that many go from beginning to end."""
    bad: bool = False
    """Much of what clients want of auctions, and of securities where days pass, is bad."""
    day_s: float = 0.0
    """Virtual seconds until all clocks leap a day ahead, again and again; 0: never."""
    paid_per_block: int = 0
    """Holders of securities, so that a payment takes several blocks; 0: as many as ever."""

    @property
    def command(self) -> str:
        """What replays this run."""
        parts = [f"python -m tests.sim --seed {self.seed} --validators {self.validators}"]
        parts.append(f"--observers {self.observers} --minutes {self.minutes:g}")
        if self.faults is not None:
            parts.append(f"--faults {','.join(self.faults) or 'none'}")
        if self.liars is not None:
            parts.append(f"--liars {self.liars}")
        if self.twins:
            parts.append(f"--twins {self.twins}")
        if self.lies is not None:
            parts.append(f"--lies {','.join(self.lies)}")
        if self.steady:
            parts.append("--steady")
        if self.order is not None:
            parts.append(f"--order {self.order}")
        if self.fault_pause_s is not None:
            parts.append(f"--fault-pause {self.fault_pause_s:g}")
        if self.client_pause_s is not None:
            parts.append(f"--client-pause {self.client_pause_s:g}")
        if self.keep_blocks:
            parts.append(f"--keep-blocks {self.keep_blocks}")
        if self.auctions:
            parts.append("--auctions")
        if self.bad:
            parts.append("--bad")
        if self.day_s:
            parts.append(f"--day {self.day_s:g}")
        if self.paid_per_block:
            parts.append(f"--paid-per-block {self.paid_per_block}")
        if self.version != 1:
            parts.append(f"--version {self.version}")
        if self.skip:
            parts.append(f"--skip {','.join(map(str, self.skip))}")
        return " ".join(parts)


@dataclass(kw_only=True)
class Result:
    """What came of a run."""

    options: Options
    violation: Violation | None
    digest: str
    lines: list[str]
    virtual_s: float
    heights: int
    faults: dict[str, int]
    liars: int
    faults_drawn: int
    """Those left out among them."""
    clients: Counts
    acknowledged: int
    signatures: int
    steps: int
    starts: int = 0
    lies: dict[str, int] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    """Of transactions in blocks."""
    events: dict[str, int] = field(default_factory=dict)
    """Of transactions and of what came due, by name."""
    auctions: dict[str, int] = field(default_factory=dict)
    """That have delivered something, by form."""
