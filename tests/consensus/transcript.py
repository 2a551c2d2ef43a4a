"""Scenarios as transcripts: a command, then everything visible.

A scenario file holds comments (`#`), commands (`> …`), and after each command what the engine asked
for, one effect a line, and where it stands then (`= …`). Blocks have names of one letter.

    > engine a of 4                 options: crash, kept=N, ahead=N; `-` is an observer
    > start 1 [of abcd]             StartHeight, of all validators or of these
    > proposal 1 A [valid-round 0 [shown by abc]] [by c]
    > prevote 0 A by bc             one vote of each; A may be nil; also: precommit
    > certificate 0 A by abc        a commit certificate
    > built 0 A
    > valid A [ignoring-clock]      also: invalid
    > elapse propose 0
    > sign                          the shell answers every open request for a signature
    > crash                         a new engine, the same height, the log replayed
    > resend
    > @2 prevote 0 A by b           any of these for another height than the engine's
"""

from collections.abc import Iterator
from typing import Final

from consensus import (
    BlockId,
    CertificateReceived,
    Effect,
    Engine,
    FaultModel,
    Input,
    InvariantViolation,
    Persist,
    SignProposal,
    SignVote,
    Step,
    ValidatorSet,
    VoteType,
)
from tests.consensus.builders import (
    block,
    built,
    certificate,
    elapsed,
    make_engine,
    make_validators,
    polka,
    proposal,
    receive,
    signed,
    start,
    validated,
    vote,
)

_NAMES: Final = {block(name)[:4].hex(): name for name in "ABCDEFGH"}


class Transcript:
    """Plays one scenario."""

    def __init__(self) -> None:
        self._options = ""
        self._engine: Engine = make_engine()
        self._validators: ValidatorSet = make_validators()
        self._log: list[Input] = []
        self._unsigned: list[SignProposal | SignVote] = []
        self._height = 1

    def play(self, text: str) -> Iterator[str]:
        """Yield the lines of the file as they should be."""
        for line in text.splitlines():
            if line.startswith("> "):
                yield line
                yield from (f"  {shown}" for shown in self._command(line[2:]))
            elif not line.startswith("  "):
                yield line

    def _command(self, line: str) -> Iterator[str]:
        words = line.split()
        self._height = self._engine.height
        if words[0].startswith("@"):
            self._height = int(words.pop(0)[1:])
        match words:
            case ["engine", *_]:
                self._options = line
                self._log, self._unsigned = [], []
                self._validators = make_validators(int(words[3]))
                self._engine = self._make()
                return
            case ["start", height, *names]:
                self._log, self._unsigned = [], []
                if names:
                    everybody = make_validators(26)
                    members = (v for v in everybody if v.id in names[-1])
                    self._validators = ValidatorSet(tuple(members))
                yield from self._step(start(int(height), self._validators))
            case ["sign"]:
                requests, self._unsigned = self._unsigned, []
                for request in requests:
                    yield from self._step(signed(request))
            case ["crash"]:
                began = start(self._engine.height, self._validators)
                self._engine, self._unsigned = self._make(), []
                self._engine.step(began)
                yield from self._show(self._engine.replay(self._log))
            case ["resend"]:
                yield from (rendered(str(message)) for message in self._engine.resend())
            case ["proposal", round_, name, *rest]:
                yield from self._proposal(int(round_), name, " ".join(rest))
            case [("prevote" | "precommit") as kind, round_, name, "by", names]:
                for author in names:
                    cast = vote(
                        VoteType[kind.upper()],
                        author,
                        block_named(name),
                        round_=int(round_),
                        height=self._height,
                    )
                    yield from self._step(receive(cast))
            case ["certificate", round_, name, "by", names]:
                made = certificate(block(name), names, round_=int(round_), height=self._height)
                yield from self._step(CertificateReceived(certificate=made))
            case ["built", round_, name]:
                yield from self._step(built(block(name), int(round_), self._height))
            case [("valid" | "invalid") as verdict, name, *rest]:
                yield from self._step(
                    validated(
                        block(name),
                        verdict == "valid",
                        height=self._height,
                        ignore_clock=rest == ["ignoring-clock"],
                    )
                )
            case ["elapse", step, round_]:
                yield from self._step(elapsed(Step[step.upper()], int(round_), self._height))
            case _:
                raise ValueError(f"no such command: {line}")
        yield f"= {self._where()}"

    def _make(self) -> Engine:
        _, name, _, _, *options = self._options.split()
        limits = dict(option.split("=") for option in options if "=" in option)
        return make_engine(
            None if name == "-" else name,
            model=FaultModel.CRASH if "crash" in options else FaultModel.BYZANTINE,
            rounds_kept_max=int(limits.get("kept", 16)),
            rounds_ahead_max=int(limits.get("ahead", 8)),
        )

    def _proposal(self, round_: int, name: str, rest: str) -> Iterator[str]:
        words = rest.split()
        valid_round = int(words[words.index("valid-round") + 1]) if "valid-round" in words else None
        shown = None
        if "shown" in words and valid_round is not None:
            names = words[words.index("shown") + 2]
            shown = polka(block(name), names, round_=valid_round, height=self._height)
        by = (
            words[-1]
            if len(words) > 1 and words[-2] == "by" and words[-3:-2] != ["shown"]
            else None
        )
        if by is None:
            turn = (self._height + round_) % len(self._validators)
            by = self._validators.validators[turn].id
        made = proposal(
            block(name),
            round_=round_,
            height=self._height,
            valid_round=valid_round,
            shown=shown,
            by=by,
        )
        yield from self._step(receive(made))

    def _step(self, input_: Input) -> Iterator[str]:
        try:
            effects = self._engine.step(input_)
        except InvariantViolation as stopped:
            yield rendered(f"STOPPED: {stopped}")
        else:
            yield from self._show(effects)

    def _show(self, effects: tuple[Effect, ...]) -> Iterator[str]:
        for effect in effects:
            if isinstance(effect, Persist):
                self._log += effect.entries
            elif isinstance(effect, SignProposal | SignVote):
                self._unsigned.append(effect)
            yield rendered(str(effect))

    def _where(self) -> str:
        engine = self._engine
        lock = _at(engine.locked_block_id, engine.locked_round)
        valid = _at(engine.valid_block_id, engine.valid_round)
        step = engine.round_step.name.lower()
        return f"{step} {engine.height}/{engine.round} locked {lock} valid {valid}"


def block_named(name: str) -> BlockId | None:
    """The block of a letter, or nil."""
    return None if name == "nil" else block(name)


def rendered(line: str) -> str:
    """The line with the names of blocks in place of their ids."""
    for digits, name in _NAMES.items():
        line = line.replace(digits * 8, name).replace(digits, name)
    return line


def _at(block_id: BlockId | None, round_: int | None) -> str:
    return "-" if block_id is None else f"{rendered(block_id[:4].hex())}@{round_}"
