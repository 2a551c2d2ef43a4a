"""The picture: lines of at most the width given, from what was seen. Pure.

Eighty columns are enough; where there are fewer, each row of a table is told in words, on as many
lines as it takes. What is not known is a dash; no colour says what a word does not say.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from node.cli.live import plain, sign_of_life
from node.cli.output import counted
from node.cli.top.polling import Look, Poll, Voter, Watched

NAME_WIDTH: Final = 23
"""Where the terminal has 80 columns."""
NAME_WIDTH_MAX: Final = 32
"""No name has more characters."""
COLUMNS: Final = 80
INDENT: Final = "  "
"""Before what of a line has no room in it."""
BARS: Final = "▁▂▃▄▅▆▇█"
GOOD: Final = "green"
BAD: Final = "bold red"


def picture(poll: Poll, width: int, *, every_s: float) -> list[Text]:
    """Return the lines of one picture."""
    furthest = poll.furthest
    names = min(NAME_WIDTH_MAX, NAME_WIDTH + width - COLUMNS) if width >= COLUMNS else None
    lines = [*_head(poll, furthest, width), Text()]
    lines += _nodes(poll, names)
    # Before the validators, of which there may be more than a terminal has lines.
    lines += [part for line in _amiss(poll) for part in _folded(line, width)]
    if furthest is not None and furthest.last is not None:
        lines += [Text(), *_validators(furthest.last, names)]
    lines += [Text(), sign_of_life(poll.now_ms, every_s)]
    return lines if names is not None else [part for line in lines for part in _folded(line, width)]


def _folded(line: Text, width: int) -> Iterator[Text]:
    """Yield a line as lines of at most this width, broken at spaces where there are any."""
    plain, cuts, begins, indent = line.plain, list[int](), 0, 0
    while len(plain) - begins > (room := max(1, width - indent)):
        space = plain.rfind(" ", begins + 1, begins + room + 1)
        begins = space + 1 if space > 0 else begins + room
        cuts.append(begins)
        indent = len(INDENT)
    for number, part in enumerate(line.divide(cuts)):
        part.rstrip()
        yield Text.assemble(INDENT, part) if number else part


def _head(poll: Poll, furthest: Watched | None, width: int) -> Iterator[Text]:
    there = [node for node in poll.nodes if node.last is not None]
    answering = f"{len(there)} of {len(poll.nodes)} nodes answer"
    if furthest is None or furthest.last is None:
        yield Text(f"no node answers yet; {answering}", style=BAD)
        return
    status, look = furthest.last.status, furthest.last
    networks = {node.last.status.genesis_hash for node in there if node.last is not None}
    yield Text.assemble(
        (plain(status.network_name), "bold"),
        f" {plain(status.genesis_hash)[:8]}: {status.quorum} of {status.validators} decide"
        f" ({plain(status.fault_model)}); ",
        (answering, "" if len(there) == len(poll.nodes) else BAD),
    )
    if len(networks) > 1:
        yield Text("THESE NODES BELONG TO DIFFERENT NETWORKS.", style=BAD)
    blocks, transactions = furthest.rate("blocks"), furthest.rate("transactions")
    applied = furthest.rate("applied")
    every = f"{1 / blocks:.2f} s" if blocks else "-"
    rate = "-" if transactions is None else f"{transactions:,.0f}"
    refused = (
        ""
        if applied is None or transactions is None or transactions - applied < 0.5
        else f", {transactions - applied:,.0f} of them refused"
    )
    yield Text.assemble(
        "height ",
        (f"{status.height:,}", "bold"),
        f"   a block every {every}   {rate} transactions/s{refused}",
    )
    disagreeing = _disagreeing(there)
    if disagreeing:
        yield Text(f"DIFFERENT STATES AT HEIGHT {disagreeing:,}: stop, and compare.", style=BAD)
    skipped = look.consensus.rounds_skipped
    bars = _bars(poll.rates, max(10, min(60, width - 34)))
    yield Text.assemble(
        (bars, GOOD), f" transactions/s, {counted(skipped, 'round')} skipped" if bars else ""
    )


def _disagreeing(nodes: Sequence[Watched]) -> int | None:
    """Return a height at which two nodes have different states, of those seen just now."""
    roots: dict[tuple[str, int], str] = {}
    for node in nodes:
        if node.last is not None:
            status = node.last.status
            place = (status.genesis_hash, status.height)
            if roots.setdefault(place, status.state_root) != status.state_root:
                return status.height
    return None


def _bars(rates: Sequence[float], most: int) -> str:
    shown = list(rates)[-most:]
    top = max(shown, default=0.0)
    if top <= 0:
        return BARS[0] * len(shown)
    return "".join(BARS[min(len(BARS) - 1, int(rate / top * len(BARS)))] for rate in shown)


def _nodes(poll: Poll, names: int | None) -> Iterator[Text]:
    """Yield a table of the nodes; with `names`, the width of their column, None: in words."""
    if names is not None:
        head = ("height", "lag", "age", "round, step", "peers", "pool", "ready")
        yield _row(_name("node", names), *head, style="bold")
    highest = max((n.last.status.height for n in poll.nodes if n.last is not None), default=0)
    for node in poll.nodes:
        look = node.last
        if look is None:
            since_s = poll.now_s - (node.silent_since_s or poll.now_s)
            reason = f"no answer for {since_s:.0f} s: {plain(node.error or 'not asked yet')}"
            name = f"{plain(node.name)}:" if names is None else f"{_name(node.name, names)} "
            yield Text(f"{name} {reason}", style=BAD)
            continue
        status, consensus = look.status, look.consensus
        age_s = look.block_age_s(poll.now_ms)
        there = sum(peer.connected for peer in status.peers)
        height, lag = f"{status.height:,}", f"{highest - status.height:,}"
        age = "-" if age_s is None else _age(age_s)
        step = f"{consensus.round} {plain(consensus.step)}" if consensus.deciding else "waiting"
        peers, pool = f"{there}/{len(status.peers)}", f"{status.mempool.transactions:,}"
        if names is None:
            step = f"round {step}" if consensus.deciding else step
            line = Text(
                f"{plain(status.node)}: height {height}, lag {lag}, age {age}, {step},"
                f" peers {peers}, pool {pool}, ready "
            )
        else:
            line = _row(_name(status.node, names), height, lag, age, step, peers, pool, "")
        line.append("yes" if status.ready else "NO", style=GOOD if status.ready else BAD)
        yield line


def _row(name: str, *cells: str, style: str = "") -> Text:
    height, lag, age, step, peers, pool, ready = cells
    return Text(
        f"{name} {height:>11} {lag:>4} {age:>5}  {step:<12} {peers:>5} {pool:>6} {ready}",
        style=style,
    )


def _age(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f}s"
    return f"{seconds / 60:.0f}m" if seconds < 6_000 else f"{seconds / 3_600:.0f}h"


def _name(name: str, width: int) -> str:
    name = plain(name)
    return (name if len(name) <= width else name[: width - 1] + "…").ljust(width)


def _validators(look: Look, names: int | None) -> Iterator[Text]:
    """Yield how each votes, and which this node is not connected to; `names` as for the nodes."""
    consensus, height = look.consensus, look.status.height
    away = {peer.name for peer in look.status.peers if not peer.connected}
    if names is not None:
        yield Text(
            f"{_name('validator', names)}  prevote  precommit  {'signed last':>11}  missed  turn",
            style="bold",
        )
    for voter in consensus.validators:
        absent = _is_absent(voter, height, len(consensus.validators))
        signed = "-" if voter.signed_last is None else f"{voter.signed_last:,}"
        prevote, precommit = _vote(voter.prevote), _vote(voter.precommit)
        turn = "proposes" if voter.name == consensus.proposer else ""
        if names is None:
            line = Text(f"{plain(voter.name)}: prevote {prevote}, precommit {precommit}, ")
            line.append(f"signed last {signed}", style=BAD if absent else "")
            line.append(f", missed {voter.proposals_missed:,}{', ' if turn else ''}{turn}")
        else:
            line = Text(f"{_name(voter.name, names)}  {prevote:<7}  {precommit:<9}  ")
            line.append(f"{signed:>11}", style=BAD if absent else "")
            line.append(f"  {voter.proposals_missed:>6,}  {turn}")
        if voter.name in away:
            line.append(", away" if turn or names is None else "away", style=BAD)
        yield line


def _is_absent(voter: Voter, height: int, validators: int) -> bool:
    """Say whether a validator is in no certificate of late, where others could be."""
    return height > 0 and (voter.signed_last is None or height - voter.signed_last > 5 * validators)


def _vote(vote: str | None) -> str:
    return "-" if vote is None else plain(vote)[:6]


def _amiss(poll: Poll) -> Iterator[Text]:
    for node in poll.nodes:
        if node.last is not None:
            for reason in node.last.status.not_ready:
                yield Text(f"{plain(node.name)}: {plain(reason)}", style=BAD)
            for warning in node.last.status.warnings:
                yield Text(f"{plain(node.name)} warns: {plain(warning)}", style=BAD)
