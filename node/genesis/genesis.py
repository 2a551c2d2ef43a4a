"""The genesis as the rest of the node uses it: checked, in canonical order, with its hash.

With it goes what the institutions have decided since outside the chain: the amendments of the
validator set that this node was given. Everything that follows a chain from its genesis asks here
what an amendment changes: who rules, what signatures cover, which parent a block names.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes

from consensus.params import ConsensusParams
from consensus.quorum import faults_survived, quorum
from consensus.types import FaultModel, ValidatorId
from consensus.validators import Validator, ValidatorSet
from node.blocks import Header, block_id
from node.codec import encode, encode_twice, replace
from node.genesis.amendment import Amendment, AmendmentError, AmendmentFault
from node.genesis.model import BlocksSection, GenesisRecord, TransactionsSection
from node.genesis.reading import render_record
from node.hashing import Domain, tagged_hash
from node.ledger.founding import GenesisLedger
from node.ledger.transactions import NETWORK_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What a network was founded from. Made by `genesis_of`, `load_genesis` or `parse_genesis`."""

    record: GenesisRecord
    """In canonical order: what is hashed."""
    hash: bytes
    """32 bytes; every signature covers it."""
    params: ConsensusParams
    validators: ValidatorSet
    """Those who decide the first height."""
    amendments: tuple[Amendment, ...] = ()
    """Those this node was given, ascending; see `amended`."""

    def amended(self, amendments: Sequence[Amendment], *, is_draft: bool = False) -> "Genesis":
        """Return the genesis with these amendments, all that this node was given.

        Args:
            is_draft: all need not have signed: it is to be seen whether they fit, no more.

        Raises:
            AmendmentError: one is of another network, not signed by all, or out of order.
        """
        height = 0
        for serial, each in enumerate(amendments, start=1):
            if not is_draft:
                each.check_signed()
            if each.body.genesis_hash != self.hash:
                raise AmendmentError(
                    AmendmentFault.WRONG_NETWORK,
                    f"it is of the network with genesis {each.body.genesis_hash.hex()}, this is"
                    f" {self.hash.hex()}",
                )
            if each.serial != serial:
                raise AmendmentError(
                    AmendmentFault.WRONG_SERIAL,
                    f"it is amendment {each.serial}, expected {serial}: all before it are needed",
                )
            if each.height <= height:
                raise AmendmentError(
                    AmendmentFault.WRONG_HEIGHT,
                    f"amendment {serial} stands on height {each.height}, expected one above"
                    f" {height}: a block has to be decided between two amendments",
                )
            height = each.height
        return with_changes(self, amendments=tuple(amendments))

    def amendment_at(self, height: int) -> Amendment | None:
        """Return the amendment whose set rules from exactly this height."""
        return next((each for each in self.amendments if each.rules_from == height), None)

    def amendments_between(self, after: int, height: int) -> tuple[Amendment, ...]:
        """Return those whose set begins to rule above one height, and at or below another."""
        return tuple(each for each in self.amendments if after < each.rules_from <= height)

    def ruling(self, decided: ValidatorSet, after: int, height: int) -> ValidatorSet:
        """Return who rules a height, where the last block to hand over did so to these.

        Args:
            after: the height of that block; 0: these are the founders.

        Raises:
            AmendmentError: an amendment between the two does not follow on that set.
        """
        for amendment in self.amendments_between(after, height):
            amendment.check_follows(decided)
            decided = amendment.validator_set
        return decided

    def domain(self, height: int) -> bytes:
        """Return the 32 bytes that every signature of consensus on a height covers.

        The genesis hash; after an amendment its id. So votes of the former set, the survivors' own
        among them, are no votes of the new one.
        """
        over = self.amendments_between(0, height)
        return over[-1].id if over else self.hash

    def parent_of(self, height: int, before: bytes) -> bytes:
        """Return the parent that the block of a height names, where `before` is the block before.

        After an amendment that is the amendment, which names the block before in its turn.
        """
        amendment = self.amendment_at(height)
        return before if amendment is None else amendment.id

    def before(self, header: Header) -> bytes:
        """Return the id of the block before this one, whose place has been checked."""
        amendment = self.amendment_at(header.height)
        return header.parent if amendment is None else amendment.body.block_id

    def why_elsewhere(self, header: Header) -> str | None:
        """Return why this block is on no chain with these amendments; None: they let it be."""
        for each in self.amendments:
            found = block_id(header) if header.height == each.height else None
            if found not in (None, each.body.block_id):
                return (
                    f"block {header.height} is {found.hex()}, amendment {each.serial} stands on"
                    f" {each.body.block_id.hex()}"
                )
            if header.height == each.rules_from and header.parent != each.id:
                return (
                    f"block {header.height} stands on {header.parent.hex()}, expected amendment"
                    f" {each.serial}, {each.id.hex()}"
                )
        return None

    @property
    def network(self) -> bytes:
        """The 8 bytes by which transactions and headers name the network."""
        return self.hash[:NETWORK_SIZE]

    @property
    def name(self) -> str:
        """The network's name, for people."""
        return self.record.name

    @property
    def test_network(self) -> bool:
        """Whether addresses begin with `tkhz`."""
        return self.record.test_network

    @property
    def development(self) -> bool:
        """Whether keys that everybody knows are accepted."""
        return self.record.development

    @property
    def time_ms(self) -> int:
        """The first block is later than this."""
        return self.record.time_ms

    @property
    def fault_model(self) -> FaultModel:
        """What the faulty may do, and so what a quorum is."""
        return self.record.fault_model

    @property
    def blocks(self) -> BlocksSection:
        """Limits and cadence of blocks."""
        return self.record.blocks

    @property
    def transactions(self) -> TransactionsSection:
        """How long transactions may wait."""
        return self.record.transactions

    @property
    def ledger(self) -> GenesisLedger:
        """The first state of the ledger, for `node.ledger.founding.found`."""
        return ledger_of(self.record)

    def render(self) -> str:
        """Return the text of the genesis file: JSON, keys and lists in canonical order."""
        return json.dumps(render_record(self.record), indent=2, ensure_ascii=False) + "\n"


def genesis_of(record: GenesisRecord) -> Genesis:
    """Return the genesis of a record whose parts fit together; see `genesis.checks.faults_of`.

    Raises:
        InvalidValue: the consensus section or the validators are impossible.
    """
    record = canonical(record)
    return Genesis(
        record=record,
        hash=tagged_hash(Domain.GENESIS, encode_twice(record)),
        params=consensus_params(record),
        validators=ValidatorSet(
            tuple(
                Validator(id=ValidatorId(validator.name), public_key=validator.public_key)
                for validator in record.validators
            )
        ),
    )


def canonical(record: GenesisRecord) -> GenesisRecord:
    """Return the record with its lists in order: how a file orders them carries no meaning."""
    return replace(
        record,
        validators=tuple(sorted(record.validators, key=lambda item: item.name)),
        participants=tuple(sorted(record.participants, key=lambda item: item.id)),
        accounts=tuple(sorted(record.accounts, key=encode)),
        powers=tuple(sorted(record.powers, key=lambda item: (item.operation, item.subject))),
        parameters=tuple(sorted(record.parameters, key=lambda item: item.name)),
    )


def ledger_of(record: GenesisRecord) -> GenesisLedger:
    """Return the part of the record that is the ledger's."""
    return GenesisLedger(
        participants=record.participants,
        accounts=record.accounts,
        validators=record.validators,
        powers=record.powers,
        parameters=record.parameters,
        protocol_version=record.protocol_version,
    )


def consensus_params(record: GenesisRecord) -> ConsensusParams:
    """Return the parameters of agreement.

    Raises:
        InvalidValue: a maximum lies below a base.
    """
    section = record.consensus
    return ConsensusParams(
        fault_model=record.fault_model,
        timeout_propose_ms=section.timeout_propose_ms,
        timeout_prevote_ms=section.timeout_prevote_ms,
        timeout_precommit_ms=section.timeout_precommit_ms,
        timeout_growth_ms=section.timeout_growth_ms,
        timeout_max_ms=section.timeout_max_ms,
        rounds_kept_max=section.rounds_kept_max,
        rounds_ahead_max=section.rounds_ahead_max,
        early_messages_max=section.early_messages_max,
    )


def explain_quorum(model: FaultModel, count: int) -> str:
    """Return what a network of this many validators survives, as a sentence for its operators."""
    survived = faults_survived(model, count)
    meaning = {
        FaultModel.BYZANTINE: "whatever they do",
        FaultModel.CRASH: "if they stop; one that signs twice is proven guilty, not survived",
    }[model]
    validators = "validator" if count == 1 else "validators"
    return (
        f"{count} {validators}, fault model {model}: any {quorum(model, count)} decide;"
        f" {survived} may be faulty, {meaning}"
    )
