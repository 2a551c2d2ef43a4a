"""The 574th auction of 3-month treasury bills, settled: the ledger's acts as the market uses them.

State Bank of Pakistan, 9 September 2020, settlement 10 September, maturity 3 December, 84 days. The
first nine bids of the published sheet: face in millions of rupees, price per Rs 100 of face.
"""

from typing import Final

from node.codec import replace
from node.ledger.operations import Operation
from node.ledger.outcomes import Outcome
from node.ledger.tables import ASSETS, AssetIdentifiers, ParticipantKind, name_key
from node.ledger.terms import BillTerms
from tests.ledger.world import (
    CB,
    FM,
    VAR,
    World,
    address,
    define_bill,
    define_cash,
    issue_cash,
    make_world,
    open_for,
    register,
    transfer,
    with_check_digit,
)

MTB: Final = "MTB-3M-2020-12-03"
ISSUE_DAY: Final = 18_515  # 10 September 2020
PAISE: Final = 100
BIDS: Final = (
    # face in Rs million, price in units of 0.0001 per Rs 100, realised in Rs thousand as printed
    (100, 983_879, 98_388),
    (500, 983_857, 491_929),
    (500, 983_847, 491_924),
    (1_000, 983_837, 983_837),
    (500, 983_827, 491_914),
    (500, 983_817, 491_909),
    (25_000, 983_815, 24_595_375),
    (300, 983_815, 295_145),
    (250, 983_735, 245_934),
)
CUMULATIVE_REALISED: Final = 28_186_352
"""In Rs thousand, as printed in the last line."""


def consideration(face_paise: int, price: int) -> int:
    """Return face x price / 100, which these bids give without a remainder."""
    paise, remainder = divmod(face_paise * price, 100 * 10_000)
    assert remainder == 0
    return paise


def as_printed(paise: int) -> int:
    """Return thousands of rupees, rounded half up."""
    return (paise + 50_000) // 100_000


def dealer(number: int) -> str:
    return f"dealer-{number}"


def settle() -> World:
    """Define, issue and sell; nine dealers, one bid each."""
    world = make_world()
    face = sum(bid[0] for bid in BIDS) * 1_000_000 * PAISE
    bill = replace(
        define_bill(MTB),
        identifiers=AssetIdentifiers(
            isin=with_check_digit("PK0310320BL"), currency="PKR", dti=None
        ),
        terms=BillTerms(issue_day=ISSUE_DAY, maturity_day=ISSUE_DAY + 84, face_currency="PKR"),
        ceiling=face,
    )
    world.do(bill, define_cash("PKR"), by=(CB, FM))
    opening: list[Operation] = []
    for number in range(len(BIDS)):
        opening += [
            register(dealer(number), ParticipantKind.BANK, by=CB),
            open_for(dealer(number), by=CB),
        ]
    world.do(*opening, by=(CB,))
    issue = replace(
        # The ministry issues; the central bank stands behind it.
        issue_cash(face, to=FM, asset=MTB),
        account=address(FM),
        approvers=(address(CB),),
    )
    world.do(issue, by=(CB, FM))
    for number, (millions, price, _) in enumerate(BIDS):
        bill_amount = millions * 1_000_000 * PAISE
        cash = consideration(bill_amount, price)
        world.do(issue_cash(cash, to=dealer(number)), by=(CB,))
        world.do(
            transfer(FM, dealer(number), bill_amount, MTB),
            transfer(dealer(number), FM, cash),
            by=(FM, dealer(number)),
        )
    world.check()
    return world


def test_realised_values_are_those_of_the_sheet() -> None:
    world = settle()

    proceeds = [consideration(millions * 1_000_000 * PAISE, price) for millions, price, _ in BIDS]
    assert [as_printed(cash) for cash in proceeds] == [printed for _, _, printed in BIDS]
    assert world.holding(FM) == (sum(proceeds), 0)
    # The sheet adds up what it rounded per bid to three decimals of a million.
    assert abs(as_printed(sum(proceeds)) - CUMULATIVE_REALISED) <= 1
    assert world.holding(FM, MTB) == (0, 0)
    bill = world.get(ASSETS, name_key(MTB))
    assert bill is not None
    assert bill.supply == bill.ceiling == 28_650 * 1_000_000 * PAISE


def test_dealer_sells_fractions_to_a_retail_holder() -> None:
    world = settle()
    world.do(register("amina"), open_for("amina"), by=(VAR,))
    world.do(issue_cash(1_000_000, to="amina"), by=(CB,))

    world.do(
        transfer(dealer(0), "amina", 123_456, MTB),
        transfer("amina", dealer(0), 121_466),
        by=("amina", dealer(0)),
    )

    assert world.holding("amina", MTB) == (123_456, 0)
    world.check()


def test_ministry_alone_issues_nothing() -> None:
    world = settle()
    alone = replace(issue_cash(500_000, to=FM, asset=MTB), account=address(FM))

    assert world.submit(alone, by=(FM,)).outcome is Outcome.OFFICES_MISSING
