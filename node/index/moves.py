"""What an event moved: by how much which account's holding of which asset grew or shrank.

The one place that knows which events move amounts, and the only thing the index knows of single
acts. Every event of the ledger stands either here or in `MOVES_NOTHING`; a test holds that, and
another that the sum of all moves is what the state holds.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar, cast

from node.codec import Record
from node.ledger import events
from node.ledger.servicing import escrow_address

Move: TypeAlias = tuple[str, bytes, int]
"""Asset, account, and by how much its total changed: available and held together."""

_EventT = TypeVar("_EventT", bound=Record)
_MovesOf: TypeAlias = Callable[[Record], tuple[Move, ...]]


def moves_of(event: Record) -> tuple[Move, ...]:
    """Return what the event moved, in no particular order; nothing twice for one holding."""
    found = moves_in(type(event))
    return () if found is None else found(event)


def moves_in(kind: type[Record]) -> Callable[[Record], tuple[Move, ...]] | None:
    """Return `moves_of` of events of this type; None: they move nothing."""
    return _MOVES.get(kind)


def _issued(event: events.Issued) -> tuple[Move, ...]:
    return ((event.asset, event.to, event.amount),)


def _redeemed(event: events.Redeemed) -> tuple[Move, ...]:
    return ((event.asset, event.holder, -event.amount),)


def _transferred(event: events.Transferred) -> tuple[Move, ...]:
    asset, amount = event.asset, event.amount
    return ((asset, event.account, -amount), (asset, event.to, amount))


def _forcibly_transferred(event: events.ForciblyTransferred) -> tuple[Move, ...]:
    asset, amount = event.asset, event.amount
    return ((asset, event.source, -amount), (asset, event.to, amount))


def _payment_funded(event: events.PaymentFunded) -> tuple[Move, ...]:
    escrow = escrow_address(event.asset)
    return ((event.cash, event.payer, -event.amount), (event.cash, escrow, event.amount))


def _holder_paid(event: events.HolderPaid) -> tuple[Move, ...]:
    escrow = escrow_address(event.asset)
    return (
        (event.cash, escrow, -event.paid),
        (event.cash, event.holder, event.paid),
        (event.asset, event.holder, -event.redeemed),
    )


def _withholding_collected(event: events.WithholdingCollected) -> tuple[Move, ...]:
    escrow = escrow_address(event.asset)
    return ((event.cash, escrow, -event.amount), (event.cash, event.collector, event.amount))


def _payment_settled(event: events.PaymentSettled) -> tuple[Move, ...]:
    escrow, residue = escrow_address(event.asset), event.residue
    return ((event.cash, escrow, -residue), (event.cash, event.residue_account, residue))


def _allotment_settled(event: events.AllotmentSettled) -> tuple[Move, ...]:
    paid = event.consideration
    delivered = (event.asset, event.account, event.face)
    if event.cash_account == event.proceeds:
        return (delivered,)
    return (
        delivered,
        (event.cash, event.cash_account, -paid),
        (event.cash, event.proceeds, paid),
    )


def _face_bought_back(event: events.FaceBoughtBack) -> tuple[Move, ...]:
    paid = event.consideration
    taken = (event.asset, event.account, -event.face)
    if event.cash_account == event.payer:
        return (taken,)
    return (taken, (event.cash, event.payer, -paid), (event.cash, event.cash_account, paid))


def _face_switched(event: events.FaceSwitched) -> tuple[Move, ...]:
    switched = (
        (event.asset, event.account, -event.face),
        (event.destination, event.account, event.issued),
    )
    if event.cash_account == event.payer:
        return switched
    return (
        *switched,
        (event.cash, event.payer, -event.paid),
        (event.cash, event.cash_account, event.paid),
    )


def _security_stripped(event: events.SecurityStripped) -> tuple[Move, ...]:
    account = event.account
    return (
        (event.asset, account, -event.face),
        (event.principal, account, event.face),
        *((each.asset, account, each.amount) for each in event.coupons),
    )


def _security_reconstituted(event: events.SecurityReconstituted) -> tuple[Move, ...]:
    account = event.account
    return (
        (event.asset, account, event.face),
        (event.principal, account, -event.face),
        *((each.asset, account, -each.amount) for each in event.coupons),
    )


def _by(
    kind: type[_EventT], moves: Callable[[_EventT], tuple[Move, ...]]
) -> tuple[type[Record], _MovesOf]:
    return kind, cast("_MovesOf", moves)


_MOVES: Final[dict[type[Record], _MovesOf]] = dict(
    (
        _by(events.Issued, _issued),
        _by(events.Redeemed, _redeemed),
        _by(events.Transferred, _transferred),
        _by(events.ForciblyTransferred, _forcibly_transferred),
        _by(events.PaymentFunded, _payment_funded),
        _by(events.HolderPaid, _holder_paid),
        _by(events.WithholdingCollected, _withholding_collected),
        _by(events.PaymentSettled, _payment_settled),
        _by(events.AllotmentSettled, _allotment_settled),
        _by(events.FaceBoughtBack, _face_bought_back),
        _by(events.FaceSwitched, _face_switched),
        _by(events.SecurityStripped, _security_stripped),
        _by(events.SecurityReconstituted, _security_reconstituted),
    )
)

MOVES_SOMETHING: Final = frozenset(_MOVES)

MOVES_NOTHING: Final[frozenset[type[Record]]] = frozenset(
    (
        events.AccountClosed,
        events.AccountHeld,
        events.AccountOpened,
        events.AccountPolicySet,
        events.AccountReleased,
        events.AllotmentFailed,
        events.AppointmentMoved,
        events.Approved,
        events.AssetDefined,
        events.AuctionAnnounced,
        events.AuctionClosed,
        events.AuctionDecided,
        events.AuctionOpened,
        events.PlanPublished,
        events.AuctionRejected,
        events.AuctionSettled,  # its allotments have moved
        events.FaceReallotted,  # and what is behind one moved with it
        events.BidCommitted,
        events.BidEntered,
        events.BidMandateGiven,
        events.BidMandateRevoked,
        events.BidPlaced,
        events.BidRevealed,
        events.BidWithdrawn,
        events.BidsVoided,
        events.BookCompleted,
        events.CalendarAmended,
        events.CalendarDefined,
        events.EnvelopeLodged,
        events.EnvelopeReturned,
        events.EnvelopesUnentered,
        events.FundingChecked,
        events.HoldExpired,  # available again: the total is as it was
        events.HoldPlaced,
        events.HoldRedeemed,  # its holder's payment has moved
        events.HoldReleased,
        events.HoldersPaid,  # the sum of its holders' payments
        events.LicenceGranted,
        events.LicenceRevoked,
        events.MarginDecided,
        events.OfficeGranted,
        events.ParameterSet,
        events.ParticipantRegistered,
        events.ParticipantStatusUpdated,
        events.PaymentUnfunded,
        events.PersonIdentified,
        events.PowersSet,
        events.ProposalApplied,
        events.ProposalExpired,
        events.ProposalRefused,
        events.Proposed,
        events.ProtocolUpgraded,
        events.RateAwaited,
        events.RateDecided,
        events.RateFixed,
        events.RecordTaken,
        events.RecordWaits,
        events.SecurityCalled,  # its holders are paid like any others
        events.StripsDefined,
        events.TaxStatusRules,
        events.TaxStatusSet,
        events.UpgradeCancelled,
        events.UpgradeScheduled,
        events.ValidatorAdded,
        events.ValidatorKeyRotated,
        events.ValidatorRemoved,
        events.ValidatorsAmended,
        events.Withdrawn,
        events.WithholdingSet,
    )
)
"""Events that leave the total of every holding as it was."""
