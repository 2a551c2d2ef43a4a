"""A network of pure engines under a seeded scheduler.

`python -m tests.consensus.simulation --seed 7 --liars 1` prints one line an event.

Everything is a function of the options: a virtual clock, a heap of events, one random generator.
Each engine has a shell that executes effects in order and may die between any two of them; links
delay, lose, double, reorder and part; liars say whatever they can sign, and twins are honest twice
under one key. Checked at every event: agreement, validity, certificates, no double signature, the
state after a replay. Checked at the end: everybody honest has decided every height.
"""

import argparse
import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Final, TypeAlias

from consensus import (
    BlockBuilt,
    BlockId,
    BlockValidated,
    Broadcast,
    BuildBlock,
    CertificateReceived,
    ConsensusParams,
    Decide,
    Effect,
    Engine,
    FaultModel,
    Height,
    Input,
    InvariantViolation,
    Persist,
    Proposal,
    QuorumCertificate,
    ReportEvidence,
    Round,
    RoundState,
    ScheduleTimeout,
    SignedMessage,
    SignedProposal,
    SignedVote,
    SignProposal,
    SignVote,
    StartHeight,
    TimeoutElapsed,
    ValidateBlock,
    ValidatorId,
    Vote,
    VoteType,
    check_structure,
    votes_of,
)
from consensus.certificates import assemble
from consensus.quorum import quorum
from consensus.types import ROUND_MAX
from tests.consensus.builders import NETWORK, is_signed, make_validators, receive, sign, signed

PARAMS: Final = {
    "timeout_propose_ms": 300,
    "timeout_prevote_ms": 200,
    "timeout_precommit_ms": 200,
    "timeout_growth_ms": 100,
    "timeout_max_ms": 2_000,
    "rounds_kept_max": 6,
    "rounds_ahead_max": 3,
}
RESEND_MS: Final = 250

Reaches: TypeAlias = Callable[["Node", "Node", SignedMessage], bool]


class SafetyBroken(Exception):
    """Two honest nodes decided differently, or a node did what it must never do."""


class LivenessBroken(Exception):
    """The network is whole again, and not everybody has decided."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run depends on, besides nothing."""

    seed: int = 0
    n: int = 4
    model: FaultModel = FaultModel.BYZANTINE
    heights: int = 3
    liars: int = 0
    twins: int = 0
    silent: int = 0
    clocks_off: int = 0
    """How many honest nodes refuse every fresh block for its time."""
    drop_percent: int = 0
    double_percent: int = 0
    deaf_percent: int = 0
    """How likely a node never hears one kind of vote of one other node in a round; nor, if this
    can be at all, any certificate: the rounds must do it."""
    delay_max_ms: int = 80
    crash_permille: int = 0
    """How likely a node dies before an effect."""
    part_ms: int = 0
    """How often the network parts anew; 0: never."""
    heal_ms: int = 4_000
    """From then on nothing is lost and nobody crashes."""
    deadline_ms: int = 90_000


class Node:
    """The shell of one engine: a log, a chain, and what it has signed."""

    def __init__(self, index: int, validator_id: str, *, honest: bool, network: "Network") -> None:
        self.index = index
        self.name = validator_id if honest else f"{validator_id}{index}"
        self.validator_id = ValidatorId(validator_id)
        self.honest = honest
        self.clock_off = False
        self.network = network
        self.up = True
        self.life = 0
        """Counts restarts: what was scheduled in an earlier life is void."""

        # On disk.
        self.log: list[Input] = []
        self.chain: list[tuple[BlockId, QuorumCertificate]] = []
        self.signed: dict[tuple[int, int, int], Proposal | Vote] = {}

        self.engine = self._make()
        self.persisted: RoundState | None = None
        """Where the engine stood when the log was last written."""

    def start(self) -> None:
        """Begin the height after the chain's."""
        self.log.clear()
        self.persisted = None
        self.execute(self.engine.step(self._start_height()))

    def step(self, input_: Input) -> None:
        """Give the engine an input and do what it asks."""
        if self.up:
            self.network.say(self, str(input_))
            self.execute(self.engine.step(input_))

    def execute(self, effects: tuple[Effect, ...]) -> None:
        """Do everything in order, unless death comes between."""
        for effect in effects:
            if self.network.kills(self):
                self.network.say(self, f"crashes before: {effect}")
                self.up = False
                self.life += 1
                self.network.later(self.network.random.randint(1, 800), self.restart)
                return
            self.network.say(self, f"    {effect}")
            self._do(effect)

    def restart(self) -> None:
        """Come back with what is on disk."""
        self.up = True
        self.network.say(self, "restarts")
        self.engine = self._make()
        self.engine.step(self._start_height())
        effects = self.engine.replay(self.log)
        if self.persisted is not None and self.engine.state != self.persisted:
            raise SafetyBroken(f"{self.name} stood at {self.persisted}, now {self.engine.state}")
        self.execute(effects)

    def resend(self) -> None:
        """Repeat ourselves to everybody, and help who is behind."""
        if not self.up:
            return
        for peer in self.network.others(self):
            for message in self.engine.resend():
                self.network.send(self, peer, message)
            height = peer.engine.height
            if 1 <= height <= len(self.chain):
                self.network.help(self, peer, self.chain[height - 1][1])

    def _do(self, effect: Effect) -> None:
        network, height = self.network, self.engine.height
        match effect:
            case Persist(entries=entries):
                self.log += entries
                self.persisted = self.engine.state
            case SignVote() | SignProposal():
                self._guard(effect.vote if isinstance(effect, SignVote) else effect.proposal)
                self._soon(3, signed(effect))
            case Broadcast(message=message):
                for peer in network.others(self):
                    network.send(self, peer, message)
            case ScheduleTimeout(timeout=timeout, duration_ms=duration_ms):
                self._at(duration_ms, TimeoutElapsed(timeout=timeout))
            case BuildBlock(round=round_):
                made = network.make_block(self, height, round_)
                self._soon(40, BlockBuilt(height=height, round=round_, block_id=made))
            case ValidateBlock(block_id=block_id, ignore_clock=ignore_clock):
                valid = block_id in network.valid_blocks
                valid = valid and (ignore_clock or not self.clock_off)
                answer = BlockValidated(
                    height=height, block_id=block_id, valid=valid, ignore_clock=ignore_clock
                )
                self._soon(60, answer)
            case Decide(block_id=block_id, certificate=certificate):
                network.check_decision(self, height, block_id, certificate)
                self.chain.append((block_id, certificate))
                self.log.clear()
                self.persisted = None
                if height < network.options.heights:
                    life = self.life
                    network.later(network.random.randint(0, 30), self._start_if, life)
            case ReportEvidence(equivocation=equivocation):
                network.check_evidence(equivocation.validator)

    def _start_if(self, life: int) -> None:
        if life == self.life:
            self.start()

    def _guard(self, message: Proposal | Vote) -> None:
        """Nobody honest contradicts himself, in this life or an earlier one."""
        if isinstance(message, Vote):
            key = (message.height, message.round, int(message.kind))
        else:
            key = (message.height, message.round, 0)
        known = self.signed.setdefault(key, message)
        if known != message:
            raise SafetyBroken(f"{self.name} signed {known} and is asked to sign {message}")

    def _soon(self, max_ms: int, input_: Input) -> None:
        self._at(self.network.random.randint(0, max_ms), input_)

    def _at(self, delay_ms: int, input_: Input) -> None:
        life = self.life

        def answer() -> None:
            if life == self.life:
                self.step(input_)

        self.network.later(delay_ms, answer)

    def _make(self) -> Engine:
        return Engine(self.validator_id, NETWORK, self.network.params)

    def _start_height(self) -> StartHeight:
        height = Height(len(self.chain) + 1)
        return StartHeight(height=height, validators=self.network.validators)


class Liar:
    """A validator that signs whatever may hurt, and sends it to whomever it likes."""

    def __init__(self, validator_id: str, network: "Network") -> None:
        self.validator_id = ValidatorId(validator_id)
        self.network = network

    def act(self) -> None:
        """Do one bad thing."""
        chance = self.network.random
        victim = chance.choice(self.network.nodes)
        if victim.engine.height == 0:
            return
        state = victim.engine.state
        said: SignedMessage
        if chance.random() < 0.15 and self.network.said:
            said = chance.choice(self.network.said)
        elif chance.random() < 0.3:
            said = self._vote(state)
        elif chance.random() < 0.5:
            said = self._proposal(state)
        else:
            self._propose_to_both_sides(state)
            return
        for node in self.network.nodes:
            if node is victim or chance.random() < 0.4:
                self.network.send(None, node, said)

    def support(self) -> None:
        """Vote for what each node sees proposed, so that quorums come of too few."""
        for node in self.network.nodes:
            if node.engine.height == 0:
                continue
            state = node.engine.state
            seen = self.network.proposed.get((state.height, state.round), {})
            for kind in VoteType:
                vote = Vote(
                    kind=kind,
                    height=state.height,
                    round=state.round,
                    block_id=seen.get(node.index),
                    validator=self.validator_id,
                )
                self.network.send(None, node, SignedVote(vote=vote, signature=sign(vote)))

    def _propose_to_both_sides(self, state: RoundState) -> None:
        network = self.network
        if network.validators.proposer(state.height, state.round).id != self.validator_id:
            return
        blocks = [network.make_block(None, state.height, state.round) for _ in range(2)]
        for node in network.nodes:
            said = self._signed(state.height, state.round, blocks[node.index % 2], None, None)
            network.send(None, node, said)

    def _vote(self, state: RoundState) -> SignedVote:
        chance = self.network.random
        round_ = min(max(0, state.round + chance.randint(-2, 2)), ROUND_MAX)
        if chance.random() < 0.05:
            round_ = chance.choice([ROUND_MAX, 1_000_000, round_ // 2 + 50])
        vote = Vote(
            kind=chance.choice(list(VoteType)),
            height=Height(state.height + (chance.random() < 0.1)),
            round=Round(round_),
            block_id=chance.choice([None, *self.network.blocks_of(state.height)]),
            validator=self.validator_id,
        )
        return SignedVote(vote=vote, signature=sign(vote))

    def _proposal(self, state: RoundState) -> SignedProposal:
        network, chance = self.network, self.network.random
        blocks = network.blocks_of(state.height)
        mine = [
            Round(r)
            for r in range(max(0, state.round - len(network.validators)), state.round + 1)
            if network.validators.proposer(state.height, Round(r)).id == self.validator_id
        ]
        round_ = chance.choice(mine or [state.round])
        polkas = [p for p in network.polkas(state.height) if p.round < round_]
        if polkas and chance.random() < 0.7:
            shown = chance.choice(polkas)
            block_id, valid_round = shown.block_id, shown.round
            kept = shown if chance.random() < 0.7 else None
            return self._signed(state.height, round_, block_id, valid_round, kept)
        fresh = network.make_block(None, state.height, round_, valid=chance.random() < 0.6)
        return self._signed(state.height, round_, chance.choice([fresh, *blocks]), None, None)

    def _signed(
        self,
        height: Height,
        round_: Round,
        block_id: BlockId,
        valid_round: Round | None,
        shown: QuorumCertificate | None,
    ) -> SignedProposal:
        made = Proposal(
            height=height,
            round=round_,
            block_id=block_id,
            valid_round=valid_round,
            proposer=self.validator_id,
        )
        return SignedProposal(proposal=made, signature=sign(made), polka=shown)


@dataclass
class Network:
    """The whole: nodes, liars, links, the clock, and the checks."""

    options: Options
    reaches: Reaches | None = None
    """Which messages get through, besides chance; None: all but those across a part."""
    listener: Callable[[str], None] | None = None

    now_ms: int = 0
    nodes: list[Node] = field(default_factory=list)
    said: list[SignedMessage] = field(default_factory=list)
    proposed: dict[tuple[int, int], dict[int, BlockId]] = field(default_factory=dict)
    """By height and round: what was proposed to each node first, lost or not."""
    valid_blocks: set[BlockId] = field(default_factory=set)
    evidence: Counter[str] = field(default_factory=Counter)
    decided: dict[int, tuple[BlockId, str]] = field(default_factory=dict)
    events: int = 0

    def __post_init__(self) -> None:
        options = self.options
        self.random = random.Random(options.seed)
        self.params = ConsensusParams(fault_model=options.model, **PARAMS)
        self.validators = make_validators(options.n)
        self._heap: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._blocks: dict[int, list[BlockId]] = {}
        self._prevotes: dict[tuple[int, int, BlockId], dict[str, SignedVote]] = {}
        self._side: dict[int, int] = {}
        self._ears: dict[tuple[int, str, int, int, int], bool] = {}
        names = [validator.id for validator in self.validators]
        self.random.shuffle(names)
        liars = [Liar(names.pop(), self) for _ in range(options.liars)]
        for _ in range(options.silent):
            names.pop()
        for _ in range(options.twins):
            twin = names.pop()
            self._add(twin, honest=False)
            self._add(twin, honest=False)
        for name in names:
            self._add(name, honest=True)
        self.faulty = {liar.validator_id for liar in liars}
        self.faulty |= {node.validator_id for node in self.nodes if not node.honest}
        for node in [node for node in self.nodes if node.honest][: options.clocks_off]:
            node.clock_off = True
        for node in self.nodes:
            self.later(self.random.randint(0, 200), node.start)
            self._every(RESEND_MS, node.resend)
        for liar in liars:
            self._every(60, liar.act)
            self._every(150, liar.support)
        if options.part_ms:
            self._every(options.part_ms, self._part)

    def _add(self, name: str, *, honest: bool) -> None:
        self.nodes.append(Node(len(self.nodes), name, honest=honest, network=self))

    @property
    def honest(self) -> list[Node]:
        """The nodes that must agree."""
        return [node for node in self.nodes if node.honest]

    def run(self) -> "Network":
        """Run until everybody honest has decided every height. Raises what is broken."""
        while self._heap:
            self.now_ms, _, action, arguments = heapq.heappop(self._heap)
            self.events += 1
            action(*arguments)
            if all(len(node.chain) == self.options.heights for node in self.honest):
                return self
            if self.now_ms > self.options.deadline_ms:
                break
        stand = {node.name: str(node.engine.state) for node in self.nodes}
        raise LivenessBroken(f"at {self.now_ms} ms: {stand}")

    # Links.

    def others(self, node: Node) -> list[Node]:
        """Everybody but the node itself; its twin is another."""
        return [other for other in self.nodes if other is not node]

    def send(self, sender: Node | None, to: Node, message: SignedMessage) -> None:
        """Let a message go its way; liars reach everybody."""
        self.said.append(message)
        if isinstance(message, SignedProposal):
            made = message.proposal
            seen = self.proposed.setdefault((made.height, made.round), {})
            seen.setdefault(to.index, made.block_id)
        else:
            vote = message.vote
            if vote.kind is VoteType.PREVOTE and vote.block_id is not None:
                key = (vote.height, vote.round, vote.block_id)
                self._prevotes.setdefault(key, {})[vote.validator] = message
        if sender is not None and not self._connects(sender, to, message):
            return
        copies = 1 + (not self.healed and self.random.randrange(100) < self.options.double_percent)
        for _ in range(copies):
            delay_ms = self.random.randint(1, self.options.delay_max_ms)
            self.later(delay_ms, to.step, receive(message))

    def help(self, sender: Node, to: Node, certificate: QuorumCertificate) -> None:
        """Send a commit certificate to a node that is behind; it goes the way of a precommit."""
        if self.options.deaf_percent and not self.healed:
            return
        if self._connects(sender, to, votes_of(certificate)[0]):
            self.later(20, to.step, CertificateReceived(certificate=certificate))

    def _connects(self, sender: Node, to: Node, message: SignedMessage) -> bool:
        if not self.healed and self.random.randrange(100) < self.options.drop_percent:
            return False
        if self._side.get(sender.index) != self._side.get(to.index):
            return False
        if self.reaches is not None and not self.reaches(sender, to, message):
            return False
        return not (isinstance(message, SignedVote) and self._deaf(to, message.vote))

    def _deaf(self, to: Node, vote: Vote) -> bool:
        if self.healed or not self.options.deaf_percent:
            return False
        key = (to.index, vote.validator, vote.height, vote.round, int(vote.kind))
        if key not in self._ears:
            self._ears[key] = self.random.randrange(100) < self.options.deaf_percent
        return self._ears[key]

    @property
    def healed(self) -> bool:
        """From now on the network is whole."""
        return self.now_ms >= self.options.heal_ms

    def kills(self, node: Node) -> bool:
        """Say whether the node dies now."""
        if self.healed or not node.honest:
            return False
        return self.random.randrange(1000) < self.options.crash_permille

    def _part(self) -> None:
        whole = self.healed or self.random.random() < 0.3
        self._side = {node.index: 0 if whole else self.random.randint(0, 1) for node in self.nodes}

    # The clock.

    def later(self, delay_ms: int, action: Callable[..., None], *arguments: object) -> None:
        """Do something after a while."""
        self._number = getattr(self, "_number", 0) + 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._number, action, arguments))

    def _every(self, ms: int, action: Callable[[], None]) -> None:
        def again() -> None:
            action()
            self.later(self.random.randint(ms // 2, ms), again)

        self.later(self.random.randint(0, ms), again)

    # Blocks.

    def make_block(
        self, node: Node | None, height: Height, round_: Round, *, valid: bool = True
    ) -> BlockId:
        """Return a block that was never there before."""
        blocks = self._blocks.setdefault(height, [])
        content = f"{node and node.index} {height} {round_} {len(blocks)} {valid}"
        block_id = BlockId(hashlib.sha256(content.encode()).digest())
        blocks.append(block_id)
        if valid:
            self.valid_blocks.add(block_id)
        return block_id

    def blocks_of(self, height: int) -> list[BlockId]:
        """Return what was built at the height."""
        return self._blocks.get(height, [])

    def polkas(self, height: int) -> list[QuorumCertificate]:
        """Return the quorums of prevotes that somebody who hears everything has seen."""
        enough = quorum(self.options.model, self.options.n)
        return [
            assemble(votes.values())
            for (at, _, _), votes in self._prevotes.items()
            if at == height and len(votes) >= enough
        ]

    # Checks.

    def check_decision(
        self, node: Node, height: int, block_id: BlockId, certificate: QuorumCertificate
    ) -> None:
        """Agreement, validity, and a certificate that convinces anybody."""
        if not node.honest:
            return
        first, by = self.decided.setdefault(height, (block_id, node.name))
        if first != block_id:
            raise SafetyBroken(f"height {height}: {by} decided {first!r}, {node.name} {block_id!r}")
        if block_id not in self.valid_blocks:
            raise SafetyBroken(f"height {height}: {node.name} decided an invalid block")
        proven = (
            check_structure(certificate, self.validators, self.options.model) is None
            and certificate.block_id == block_id
            and certificate.kind is VoteType.PRECOMMIT
            and all(is_signed(vote) for vote in votes_of(certificate))
        )
        if not proven:
            raise SafetyBroken(f"height {height}: {node.name} decided by {certificate}")

    def check_evidence(self, validator_id: ValidatorId) -> None:
        """Nobody honest is ever accused."""
        self.evidence[validator_id] += 1
        if validator_id not in self.faulty:
            raise SafetyBroken(f"{validator_id} is honest and was accused")

    def say(self, node: Node, line: str) -> None:
        """Tell the listener what happens."""
        if self.listener is not None:
            self.listener(f"{self.now_ms:6} {node.name:3} {line}")


def forks(options: Options, reaches: Reaches | None = None) -> bool:
    """Say whether a run ends with two decisions, seen by us or by a node itself."""
    try:
        Network(options, reaches).run()
    except (SafetyBroken, InvariantViolation):
        return True
    except LivenessBroken:
        return False
    return False


def main() -> None:
    """Run one seed and print one line an event."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for option in fields(Options):
        default = option.default
        kind = FaultModel if option.name == "model" else int
        parser.add_argument(f"--{option.name.replace('_', '-')}", type=kind, default=default)
    Network(Options(**vars(parser.parse_args())), listener=print).run()


if __name__ == "__main__":
    main()
