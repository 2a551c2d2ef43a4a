"""What a campaign must have met of the debt desk: its bad input, and each step of a payment.

A load that draws something is not yet one in which it happens: what is never met was drawn in vain.
"""

from collections.abc import Iterable, Mapping
from typing import Final

BAD_INPUT: Final[Mapping[str, tuple[str, ...]]] = {
    "a bid that is late": ("AUCTION_STEP_TOO_LATE",),
    "a bid that is early": ("AUCTION_STEP_TOO_EARLY",),
    "a bid that nobody opens": ("unrevealed",),
    "a bid opened as something else": ("SEALED_BID_DIFFERS",),
    "a bid off the quantum": ("PRICE_OFF_QUANTUM",),
    "a bid off the multiple": ("FACE_NOT_A_MULTIPLE",),
    "a bid over the limit": ("BIDDER_LIMIT_EXCEEDED",),
    "a bid by the wrong class": ("BIDDER_NOT_ACCEPTED",),
    "two bids without a price by one person": ("BidsVoided",),
    "a bid by a person of whom nobody has said who it is": ("BIDDER_NOT_IDENTIFIED",),
    "a person registered a second time": ("PERSON_KNOWN_ALREADY",),
    "an allotment that is not paid for": ("AllotmentFailed",),
    "terms that contradict each other": ("TERMS_NOT_VALID", "AUCTION_TERMS_NOT_VALID"),
    "a schedule that cannot be": ("SCHEDULE_NOT_VALID",),
    "a correction of a day that is over": ("CALENDAR_DAY_PAST",),
    "a correction of a day that was paid before": ("CALENDAR_DAY_USED",),
    "a fixing without a source": ("FIXING_WITHOUT_SOURCE",),
    "a coupon larger than the agent's cash": ("PaymentUnfunded",),
    "less than a unit of face": ("FACE_NOT_IN_UNITS",),
    "more than is free of holds": ("HOLDING_INSUFFICIENT",),
}
"""By what it is called: outcomes and events, each of which it leads to."""
LIFE: Final = (
    "RateAwaited",
    "RateFixed",
    "RecordTaken",
    "RecordWaits",
    "FundingChecked",
    "PaymentFunded",
    "HolderPaid",
    "WithholdingCollected",
    "PaymentSettled",
    "HoldRedeemed",
    "SecurityCalled",
    "AppointmentMoved",
    "SecurityStripped",
    "SecurityReconstituted",
    "repaid in part",
    "stepped up",
    "called in part",
)
"""Events of securities that pay, and what of them an event's name alone does not say."""


def never_met(met: Iterable[str]) -> list[str]:
    """Return what is missing among the names of outcomes and events."""
    found = set(met)
    missing = [what for what, names in BAD_INPUT.items() if not found.issuperset(names)]
    return missing + [event for event in LIFE if event not in found]
