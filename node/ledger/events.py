"""Every event, by name: what receipts and blocks report, and what readers subscribe to."""

from typing import TypeAlias

from node.ledger.acts.assets.define_asset import AssetDefined
from node.ledger.acts.assets.forced_transfer import ForciblyTransferred
from node.ledger.acts.assets.issue import Issued
from node.ledger.acts.assets.place_hold import HoldPlaced
from node.ledger.acts.assets.redeem import Redeemed
from node.ledger.acts.assets.release_hold import HoldReleased
from node.ledger.acts.assets.transfer import Transferred
from node.ledger.acts.auctions.announce_auction import AuctionAnnounced
from node.ledger.acts.auctions.commit_bid import BidCommitted
from node.ledger.acts.auctions.decide_auction import AuctionDecided, MarginDecided, RateDecided
from node.ledger.acts.auctions.enter_bid import BidEntered
from node.ledger.acts.auctions.give_bid_mandate import BidMandateGiven
from node.ledger.acts.auctions.lodge_envelope import EnvelopeLodged
from node.ledger.acts.auctions.place_bid import BidPlaced
from node.ledger.acts.auctions.publish_plan import PlanPublished
from node.ledger.acts.auctions.return_envelope import EnvelopeReturned
from node.ledger.acts.auctions.reveal_bid import BidRevealed
from node.ledger.acts.auctions.revoke_bid_mandate import BidMandateRevoked
from node.ledger.acts.auctions.withdraw_bid import BidWithdrawn
from node.ledger.acts.calendars.amend_calendar import CalendarAmended
from node.ledger.acts.calendars.define_calendar import CalendarDefined
from node.ledger.acts.governance.add_validator import ValidatorAdded
from node.ledger.acts.governance.approve import Approved
from node.ledger.acts.governance.cancel_upgrade import UpgradeCancelled
from node.ledger.acts.governance.propose import Proposed
from node.ledger.acts.governance.remove_validator import ValidatorRemoved
from node.ledger.acts.governance.rotate_validator_key import ValidatorKeyRotated
from node.ledger.acts.governance.schedule_upgrade import UpgradeScheduled
from node.ledger.acts.governance.set_parameter import ParameterSet
from node.ledger.acts.governance.set_powers import PowersSet
from node.ledger.acts.governance.withdraw import Withdrawn
from node.ledger.acts.lifecycle.define_strips import StripsDefined
from node.ledger.acts.lifecycle.set_tax_status import TaxStatusSet
from node.ledger.acts.lifecycle.set_withholding import WithholdingSet
from node.ledger.acts.registry.close_account import AccountClosed
from node.ledger.acts.registry.grant_licence import LicenceGranted
from node.ledger.acts.registry.grant_office import OfficeGranted
from node.ledger.acts.registry.hold_account import AccountHeld
from node.ledger.acts.registry.identify_person import PersonIdentified
from node.ledger.acts.registry.open_account import AccountOpened
from node.ledger.acts.registry.register_participant import ParticipantRegistered
from node.ledger.acts.registry.release_account import AccountReleased
from node.ledger.acts.registry.revoke_licence import LicenceRevoked
from node.ledger.acts.registry.set_account_policy import AccountPolicySet
from node.ledger.acts.registry.update_participant_status import ParticipantStatusUpdated
from node.ledger.amending import ValidatorsAmended
from node.ledger.auctioning.deciding import AuctionRejected
from node.ledger.auctioning.delivering import AllotmentSettled, FaceBoughtBack, FaceSwitched
from node.ledger.auctioning.settling import AllotmentFailed, FaceReallotted
from node.ledger.auctioning.steps import (
    AuctionClosed,
    AuctionOpened,
    AuctionSettled,
    BookCompleted,
    EnvelopesUnentered,
)
from node.ledger.auctioning.unpriced import BidsVoided
from node.ledger.calendars import AppointmentMoved
from node.ledger.due import HoldExpired, ProposalExpired
from node.ledger.proposals import ProposalApplied, ProposalRefused
from node.ledger.protocol import ProtocolUpgraded
from node.ledger.remarking import TaxStatusRules
from node.ledger.servicing import (
    FundingChecked,
    HolderPaid,
    HoldersPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    PaymentUnfunded,
    RateAwaited,
    RateFixed,
    RecordTaken,
    RecordWaits,
    SecurityCalled,
    WithholdingCollected,
)
from node.ledger.stripping import SecurityReconstituted, SecurityStripped

Event: TypeAlias = (
    ParticipantRegistered
    | ParticipantStatusUpdated
    | OfficeGranted
    | LicenceGranted
    | LicenceRevoked
    | AccountOpened
    | AccountPolicySet
    | AccountHeld
    | AccountReleased
    | AccountClosed
    | AssetDefined
    | Issued
    | Transferred
    | HoldPlaced
    | HoldReleased
    | ForciblyTransferred
    | Redeemed
    | HoldExpired
    | Proposed
    | Approved
    | Withdrawn
    | ParameterSet
    | PowersSet
    | ValidatorAdded
    | ValidatorRemoved
    | ValidatorKeyRotated
    | ProposalApplied
    | ProposalRefused
    | ProposalExpired
    | UpgradeScheduled
    | UpgradeCancelled
    | ProtocolUpgraded
    | ValidatorsAmended
    | PaymentFunded
    | WithholdingSet
    | TaxStatusSet
    | TaxStatusRules
    | RecordTaken
    | FundingChecked
    | PaymentUnfunded
    | HolderPaid
    | WithholdingCollected
    | HoldersPaid
    | PaymentSettled
    | HoldRedeemed
    | RecordWaits
    | RateFixed
    | RateAwaited
    | SecurityCalled
    | StripsDefined
    | SecurityStripped
    | SecurityReconstituted
    | CalendarDefined
    | CalendarAmended
    | AppointmentMoved
    | AuctionAnnounced
    | BidCommitted
    | BidWithdrawn
    | BidRevealed
    | BidPlaced
    | BidsVoided
    | AuctionDecided
    | PlanPublished
    | RateDecided
    | MarginDecided
    | BidMandateGiven
    | BidMandateRevoked
    | EnvelopeLodged
    | EnvelopeReturned
    | BidEntered
    | EnvelopesUnentered
    | AuctionOpened
    | AuctionClosed
    | BookCompleted
    | AuctionRejected
    | AllotmentSettled
    | FaceBoughtBack
    | FaceSwitched
    | FaceReallotted
    | AllotmentFailed
    | AuctionSettled
    | PersonIdentified
)

__all__ = [
    "AccountClosed",
    "AccountHeld",
    "AccountOpened",
    "AccountPolicySet",
    "AccountReleased",
    "AllotmentFailed",
    "AllotmentSettled",
    "AppointmentMoved",
    "Approved",
    "AssetDefined",
    "AuctionAnnounced",
    "AuctionClosed",
    "AuctionDecided",
    "AuctionOpened",
    "AuctionRejected",
    "AuctionSettled",
    "BidCommitted",
    "BidEntered",
    "BidMandateGiven",
    "BidMandateRevoked",
    "BidPlaced",
    "BidRevealed",
    "BidWithdrawn",
    "BidsVoided",
    "BookCompleted",
    "CalendarAmended",
    "CalendarDefined",
    "EnvelopeLodged",
    "EnvelopeReturned",
    "EnvelopesUnentered",
    "Event",
    "FaceBoughtBack",
    "FaceReallotted",
    "FaceSwitched",
    "ForciblyTransferred",
    "FundingChecked",
    "HoldExpired",
    "HoldPlaced",
    "HoldRedeemed",
    "HoldReleased",
    "HolderPaid",
    "HoldersPaid",
    "Issued",
    "LicenceGranted",
    "LicenceRevoked",
    "MarginDecided",
    "OfficeGranted",
    "ParameterSet",
    "ParticipantRegistered",
    "ParticipantStatusUpdated",
    "PaymentFunded",
    "PaymentSettled",
    "PaymentUnfunded",
    "PersonIdentified",
    "PlanPublished",
    "PowersSet",
    "ProposalApplied",
    "ProposalExpired",
    "ProposalRefused",
    "Proposed",
    "ProtocolUpgraded",
    "RateAwaited",
    "RateDecided",
    "RateFixed",
    "RecordTaken",
    "RecordWaits",
    "Redeemed",
    "SecurityCalled",
    "SecurityReconstituted",
    "SecurityStripped",
    "StripsDefined",
    "TaxStatusRules",
    "TaxStatusSet",
    "Transferred",
    "UpgradeCancelled",
    "UpgradeScheduled",
    "ValidatorAdded",
    "ValidatorKeyRotated",
    "ValidatorRemoved",
    "ValidatorsAmended",
    "Withdrawn",
    "WithholdingCollected",
    "WithholdingSet",
]
