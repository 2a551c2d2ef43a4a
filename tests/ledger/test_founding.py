"""The first state: written whole, or every fault named at once."""

import pytest

from node.codec import replace
from node.ledger.errors import FoundingError
from node.ledger.founding import (
    FoundingAccount,
    FoundingParameter,
    FoundingParticipant,
    GenesisLedger,
    found,
    genesis_faults,
)
from node.ledger.parameters import parameters_of
from node.ledger.policies import AccountPolicy, single_signer
from node.ledger.powers import PowerRecord, PowerRow
from node.ledger.state import LedgerState, MemoryRecords
from node.ledger.tables import (
    IDENTIFIERS,
    OFFICES,
    PARTICIPANTS,
    IdentifierRecord,
    OfficeRecord,
    ParticipantKind,
    identifier_key,
    name_key,
)
from node.ledger.transition import validators_of
from tests.ledger.ladders_registry import LEI, SMALL_ORDER_KEY, WRONG_LEI
from tests.ledger.world import CB, COMMITMENT, FM, SALT, policy, reference_genesis

GENESIS = reference_genesis()


def test_first_state_is_what_the_genesis_says() -> None:
    with_extras = replace(
        GENESIS,
        participants=(*GENESIS.participants, participant("mint", lei=LEI)),
        parameters=(FoundingParameter(name="validators-min", value=4),),
    )
    records = MemoryRecords()
    state = LedgerState(records)

    found(state, with_extras)

    assert parameters_of(state).validators_min == 4
    assert [record.name for record in validators_of(state)] == sorted(
        validator.name for validator in GENESIS.validators
    )
    assert state.get(OFFICES, name_key(CB)) == OfficeRecord(participant=CB)
    assert state.get(IDENTIFIERS, identifier_key("lei", LEI)) == IdentifierRecord(holder="mint")
    mint = state.get(PARTICIPANTS, name_key("mint"))
    assert mint is not None
    assert (mint.registrar, mint.office) == ("mint", None)


def participant(
    name: str, *, lei: str | None = None, office: str | None = None, jurisdiction: str = "PK"
) -> FoundingParticipant:
    return FoundingParticipant(
        id=name,
        kind=ParticipantKind.INSTITUTION,
        jurisdiction=jurisdiction,
        lei=lei,
        file_commitment=COMMITMENT,
        office=office,
    )


def more_participants(*others: FoundingParticipant) -> GenesisLedger:
    return replace(GENESIS, participants=(*GENESIS.participants, *others))


def more_accounts(*others: FoundingAccount) -> GenesisLedger:
    return replace(GENESIS, accounts=(*GENESIS.accounts, *others))


def more_powers(operation: str, subject: str, power: PowerRecord) -> GenesisLedger:
    row = PowerRow(operation=operation, subject=subject, power=power)
    return replace(GENESIS, powers=(*GENESIS.powers, row))


def with_parameters(*parameters: tuple[str, int]) -> GenesisLedger:
    return replace(
        GENESIS,
        parameters=tuple(FoundingParameter(name=name, value=value) for name, value in parameters),
    )


FIRST = GENESIS.validators[0]
ACCOUNT = FoundingAccount(owner=CB, policy=policy("else"), salt=SALT)
PAIR = PowerRecord(offices=(CB, FM), required=2, licences=())


@pytest.mark.parametrize(
    ("genesis", "fault"),
    [
        (
            more_participants(participant("The Mint")),
            "participant 'The Mint': the id is not a name",
        ),
        (more_participants(participant("mint"), participant("mint")), "'mint': listed twice"),
        (
            more_participants(participant("mint", jurisdiction="PAK")),
            "participant 'mint': 'PAK' is not an ISO 3166-1 alpha-2 code",
        ),
        (
            more_participants(participant("mint", lei=WRONG_LEI)),
            f"participant 'mint': '{WRONG_LEI}' is not a LEI with valid check digits",
        ),
        (
            more_participants(participant("mint", lei=LEI), participant("post", lei=LEI)),
            f"participant 'post': the LEI {LEI} already belongs to another",
        ),
        (
            more_participants(participant("mint", office="The Mint")),
            "participant 'mint': the office 'The Mint' is not a name",
        ),
        (
            more_participants(participant("mint", office=CB)),
            f"participant 'mint': the office {CB} is already held by another",
        ),
        (
            more_participants(participant("mint", office="mint")),
            "participant 'mint': holds an office and has no account to act with",
        ),
        (
            more_accounts(replace(ACCOUNT, owner="nobody")),
            "account of 'nobody': no such participant",
        ),
        (
            more_accounts(
                replace(
                    ACCOUNT,
                    policy=AccountPolicy(signers=ACCOUNT.policy.signers, thresholds=(1, 1, 2)),
                )
            ),
            f"account of '{CB}': The account policy cannot work: a threshold cannot be reached",
        ),
        (
            more_accounts(replace(ACCOUNT, policy=single_signer(SMALL_ORDER_KEY))),
            "is not a usable Ed25519 public key",
        ),
        (
            more_accounts(ACCOUNT, ACCOUNT),
            f"account of '{CB}': a second account with the same policy and salt",
        ),
        (replace(GENESIS, validators=()), "0 validators: there must be 1 to 100"),
        (
            replace(GENESIS, validators=(replace(FIRST, name="node.1"),)),
            "validator 'node.1': not a name",
        ),
        (
            replace(GENESIS, validators=(replace(FIRST, participant="nobody"),)),
            f"validator '{FIRST.name}': no participant 'nobody'",
        ),
        (
            replace(GENESIS, validators=(replace(FIRST, public_key=SMALL_ORDER_KEY),)),
            f"validator '{FIRST.name}': {SMALL_ORDER_KEY.hex()} is not a usable",
        ),
        (
            replace(GENESIS, validators=(FIRST, FIRST)),
            f"validator '{FIRST.name}': another validator has the same tls_certificate",
        ),
        (
            more_powers("transfer", "*", PAIR),
            "power to transfer for *: no such operation under the powers matrix",
        ),
        (
            more_powers("issue", "Bond", PAIR),
            "power to issue for Bond: the subject is neither a name nor '*'",
        ),
        (more_powers("issue", "bill", PAIR), "power to issue for bill: listed twice"),
        (
            more_powers("issue", "bond", replace(PAIR, required=3)),
            "power to issue for bond: it requires 3 of 2 offices",
        ),
        (
            more_powers("issue", "bond", replace(PAIR, required=1)),
            "power to issue for bond: lets 1 decide, at least 2 offices must",
        ),
        (
            more_powers("issue", "bond", replace(PAIR, offices=(CB, "mint"))),
            "power to issue for bond: nobody holds the office mint",
        ),
        (
            with_parameters(("validators-min", 1), ("validators-min", 2)),
            "parameter 'validators-min': listed twice",
        ),
        (with_parameters(("interest", 1)), "parameter 'interest': no such parameter"),
        (
            with_parameters(("validators-min", 0)),
            "parameter 'validators-min': 0 is not in 1 to 100",
        ),
    ],
)
def test_fault_of_a_genesis_is_named(genesis: GenesisLedger, fault: str) -> None:
    faults = genesis_faults(genesis)

    assert any(fault in sentence for sentence in faults), faults
    state = LedgerState(MemoryRecords())
    with pytest.raises(FoundingError) as refused:
        found(state, genesis)
    assert refused.value.faults == faults
    assert state.changes() == {}


def test_all_faults_are_named_at_once() -> None:
    faulty = replace(
        with_parameters(("interest", 1)),
        participants=(*GENESIS.participants, participant("The Mint")),
        validators=(),
    )

    assert len(genesis_faults(faulty)) == 3
