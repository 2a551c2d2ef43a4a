"""One person is one bidder, whoever registered it and under which names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import replace
from node.ledger.errors import InvariantViolation
from node.ledger.events import AccountOpened, BidPlaced, BidsVoided, PersonIdentified
from node.ledger.identities import identity_of
from node.ledger.operations import GrantLicence, IdentifyPerson, OpenAccount, PlaceBid
from node.ledger.outcomes import Outcome
from node.ledger.policies import account_address
from node.ledger.state import LedgerState
from node.ledger.tables import (
    BIDS,
    IDENTITIES,
    Activity,
    IdentityRecord,
    LicencePhase,
    ParticipantKind,
    bid_key,
    name_key,
)
from tests.ledger.auctions.market import make_auction, placed
from tests.ledger.ladders_auctions import AUCTION, STEP
from tests.ledger.world import (
    BILL,
    CB,
    VAR,
    World,
    address,
    identified,
    make_market,
    open_for,
    policy,
    register,
    token_of,
)

RIVAL = "rival-exchange"
SECOND_SALT = b"at rival"


def make_rivals() -> World:
    """An auction that is open, and a second exchange with a licence, which has registered Zara."""
    world = make_auction()
    world.do(
        register(RIVAL, ParticipantKind.COMPANY),
        open_for(RIVAL),
        GrantLicence(
            account=address(VAR),
            approvers=(),
            participant=RIVAL,
            activity=Activity.EXCHANGE,
            phase=LicencePhase.FULL,
            expires_ms=None,
        ),
        by=(VAR,),
    )
    world.do(register("zara", by=RIVAL), open_for("zara", by=RIVAL), by=(RIVAL,))
    return world


def at_rival(owner: str, *approvers: str) -> OpenAccount:
    """An account of a participant with the second exchange."""
    return OpenAccount(
        account=address(RIVAL),
        approvers=tuple(address(each) for each in approvers),
        owner=owner,
        policy=policy(owner),
        salt=SECOND_SALT,
    )


def test_second_registration_of_one_person_neither_bids_nor_is_identified() -> None:
    """Amina is with one exchange, and goes to another as Zara."""
    world = make_rivals()
    world.do(placed("amina", 1), by=("amina",))

    unknown = world.submit(placed("zara", 1, cash="amina"), by=("zara", "amina"))
    told = world.submit(identified("zara", by=RIVAL, token="amina"), by=(RIVAL,))

    assert unknown.outcome is Outcome.BIDDER_NOT_IDENTIFIED
    assert told.outcome is Outcome.PERSON_KNOWN_ALREADY
    assert told.details == (("participant", "amina"),)
    world.check()


def test_bids_through_two_exchanges_are_both_void_where_the_person_is_one() -> None:
    """What the refusal says to do: the second exchange opens an account of the same participant."""
    world = make_rivals()
    first = world.submit(at_rival("amina"), by=(RIVAL,))
    [opened] = world.do(at_rival("amina", "amina"), by=(RIVAL, "amina"))
    second = account_address("amina", policy("amina"), SECOND_SALT)
    world.do(placed("amina", 1), by=("amina",))

    [event] = world.do(
        PlaceBid(
            account=second, cash_account=address("amina"), auction=AUCTION, asset=BILL, face=STEP
        ),
        by=("amina",),
    )

    assert first.outcome is Outcome.NOT_REGISTRAR
    assert opened == AccountOpened(account=second, owner="amina", opened_by=RIVAL)
    assert event == BidsVoided(auction=AUCTION, number=1, bidder="amina")
    record = world.get(BIDS, bid_key(AUCTION, 1))
    assert record is not None
    assert record.void
    world.check()


def test_nobody_else_agrees_to_an_account_with_another_exchange() -> None:
    world = make_rivals()

    receipt = world.submit(at_rival("amina", "bilal"), by=(RIVAL, "bilal"))

    assert receipt.outcome is Outcome.NOT_REGISTRAR


def test_two_offices_take_a_token_away_and_it_is_its_persons_again() -> None:
    """An exchange has stated Zara's token of Bilal, by mistake or so that she could not bid."""
    world = make_rivals()
    corrected = IdentifyPerson(
        account=address(VAR), approvers=(address(CB),), participant="bilal", token=token_of("zara")
    )
    world.do(corrected, by=(VAR, CB))
    taken = world.submit(identified("zara", by=RIVAL), by=(RIVAL,))

    [event] = world.do(replace(corrected, token=None), by=(VAR, CB))
    world.do(identified("zara", by=RIVAL), by=(RIVAL,))

    assert taken.outcome is Outcome.PERSON_KNOWN_ALREADY
    assert event == PersonIdentified(
        participant="bilal", identified_by=VAR, identified=False, corrected=True
    )
    assert world.get(IDENTITIES, name_key("zara")) == IdentityRecord(
        token=token_of("zara"), identified_by=RIVAL
    )
    bids = [
        world.submit(placed(who, 1, cash="amina"), by=(who, "amina")) for who in ("zara", "bilal")
    ]
    assert [bid.outcome for bid in bids] == [Outcome.APPLIED, Outcome.BIDDER_NOT_IDENTIFIED]
    assert isinstance(bids[0].events[0], BidPlaced)
    world.check()


def test_token_that_was_taken_away_is_not_stated_again_by_who_stated_it() -> None:
    """The exchange has stated Zara's token of Bilal, so that she could not bid."""
    world = make_rivals()
    world.do(register("held-2", by="exchange"), by=("exchange",))
    by_offices = IdentifyPerson(
        account=address(VAR), approvers=(address(CB),), participant="bilal", token=None
    )
    world.do(by_offices, by=(VAR, CB))
    world.do(identified("bilal", token="zara"), by=("exchange",))
    world.do(by_offices, by=(VAR, CB))

    again = world.submit(identified("bilal", token="zara"), by=("exchange",))
    of_another = world.submit(identified("held-2", token="zara"), by=("exchange",))
    by_one_office = world.submit(
        IdentifyPerson(
            account=address(VAR), approvers=(), participant="bilal", token=token_of("zara")
        ),
        by=(VAR,),
    )

    refused = (again.outcome, of_another.outcome, by_one_office.outcome)
    assert refused == (Outcome.OFFICES_MISSING,) * 3
    world.do(identified("zara", by=RIVAL), identified("bilal", token="b"), by=(RIVAL, "exchange"))
    world.do(replace(by_offices, participant="zara"), by=(VAR, CB))
    both = replace(by_offices, participant="held-2", token=token_of("zara"))
    world.do(both, by=(VAR, CB))
    world.check()


def test_before_the_debt_desk_licensees_open_accounts_of_their_own_clients_alone() -> None:
    market = make_market(version=2)
    licence = GrantLicence(
        account=address(VAR),
        approvers=(),
        participant=RIVAL,
        activity=Activity.EXCHANGE,
        phase=LicencePhase.FULL,
        expires_ms=None,
    )
    market.do(register(RIVAL, ParticipantKind.COMPANY), open_for(RIVAL), licence, by=(VAR,))

    receipt = market.submit(at_rival("amina", "amina"), by=(RIVAL, "amina"))

    assert receipt.outcome is Outcome.NOT_REGISTRAR


def test_invariants_find_two_participants_of_one_person() -> None:
    world = make_market()
    state = LedgerState(world.records)
    record = identity_of(state, "amina")
    assert record is not None
    state.put(IDENTITIES, name_key("unbanked"), record)
    world.records.write(state.changes())

    with pytest.raises(InvariantViolation, match="identifiers"):
        world.check()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("amina", "bilal", "unbanked", "held")),
            st.sampled_from(("x", "y", "z", None)),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_no_order_of_acts_gives_two_participants_one_token(
    acts: list[tuple[str, str | None, bool]],
) -> None:
    world = MARKET.copy()
    for participant, human, joint in acts:
        operation = IdentifyPerson(
            account=address(VAR),
            approvers=(address(CB),) if joint else (),
            participant=participant,
            token=None if human is None else token_of(human),
        )
        world.submit(operation, by=(VAR, CB) if joint else (VAR,))
        world.check()
    names = ("amina", "bilal", "unbanked", "held")
    found = [identity_of(LedgerState(world.records), name) for name in names]
    tokens = [each.token for each in found if each is not None]
    assert len(tokens) == len(set(tokens))


MARKET = make_market()
