"""Every operation, by name: what a client builds and a transaction holds."""

from typing import Annotated, Final, TypeAlias

import msgspec

from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.forced_transfer import ForcedTransfer
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.acts.assets.redeem import Redeem
from node.ledger.acts.assets.release_hold import ReleaseHold
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.auctions.announce_auction import AnnounceAuction
from node.ledger.acts.auctions.commit_bid import CommitBid
from node.ledger.acts.auctions.decide_auction import DecideAuction
from node.ledger.acts.auctions.enter_bid import EnterBid
from node.ledger.acts.auctions.give_bid_mandate import GiveBidMandate
from node.ledger.acts.auctions.lodge_envelope import LodgeEnvelope
from node.ledger.acts.auctions.place_bid import PlaceBid
from node.ledger.acts.auctions.publish_plan import PublishPlan
from node.ledger.acts.auctions.return_envelope import ReturnEnvelope
from node.ledger.acts.auctions.reveal_bid import RevealBid
from node.ledger.acts.auctions.revoke_bid_mandate import RevokeBidMandate
from node.ledger.acts.auctions.withdraw_bid import WithdrawBid
from node.ledger.acts.calendars.amend_calendar import AmendCalendar
from node.ledger.acts.calendars.define_calendar import DefineCalendar
from node.ledger.acts.governance.add_validator import AddValidator
from node.ledger.acts.governance.approve import Approve
from node.ledger.acts.governance.cancel_upgrade import CancelUpgrade
from node.ledger.acts.governance.propose import Propose
from node.ledger.acts.governance.remove_validator import RemoveValidator
from node.ledger.acts.governance.rotate_validator_key import RotateValidatorKey
from node.ledger.acts.governance.schedule_upgrade import ScheduleUpgrade
from node.ledger.acts.governance.set_parameter import SetParameter
from node.ledger.acts.governance.set_powers import SetPowers
from node.ledger.acts.governance.withdraw import Withdraw
from node.ledger.acts.lifecycle.call_security import CallSecurity
from node.ledger.acts.lifecycle.define_strips import DefineStrips
from node.ledger.acts.lifecycle.fix_rate import FixRate
from node.ledger.acts.lifecycle.fund_payment import FundPayment
from node.ledger.acts.lifecycle.reconstitute_security import ReconstituteSecurity
from node.ledger.acts.lifecycle.set_tax_status import SetTaxStatus
from node.ledger.acts.lifecycle.set_withholding import SetWithholding
from node.ledger.acts.lifecycle.strip_security import StripSecurity
from node.ledger.acts.registry.close_account import CloseAccount
from node.ledger.acts.registry.grant_licence import GrantLicence
from node.ledger.acts.registry.grant_office import GrantOffice
from node.ledger.acts.registry.hold_account import HoldAccount
from node.ledger.acts.registry.identify_person import IdentifyPerson
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.acts.registry.release_account import ReleaseAccount
from node.ledger.acts.registry.revoke_licence import RevokeLicence
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.acts.registry.update_participant_status import UpdateParticipantStatus

OPERATIONS_MAX: Final = 100
"""Operations of one transaction, or of one proposal."""

Operation: TypeAlias = (
    RegisterParticipant
    | UpdateParticipantStatus
    | GrantOffice
    | GrantLicence
    | RevokeLicence
    | OpenAccount
    | SetAccountPolicy
    | HoldAccount
    | ReleaseAccount
    | CloseAccount
    | DefineAsset
    | Issue
    | Transfer
    | PlaceHold
    | ReleaseHold
    | ForcedTransfer
    | Redeem
    | Propose
    | Approve
    | Withdraw
    | SetParameter
    | SetPowers
    | AddValidator
    | RemoveValidator
    | RotateValidatorKey
    | ScheduleUpgrade
    | CancelUpgrade
    | FundPayment
    | SetWithholding
    | SetTaxStatus
    | FixRate
    | CallSecurity
    | DefineStrips
    | StripSecurity
    | ReconstituteSecurity
    | DefineCalendar
    | AmendCalendar
    | AnnounceAuction
    | CommitBid
    | WithdrawBid
    | RevealBid
    | PlaceBid
    | DecideAuction
    | PublishPlan
    | GiveBidMandate
    | RevokeBidMandate
    | LodgeEnvelope
    | ReturnEnvelope
    | EnterBid
    | IdentifyPerson
)

Operations: TypeAlias = Annotated[
    tuple[Operation, ...], msgspec.Meta(min_length=1, max_length=OPERATIONS_MAX)
]

__all__ = [
    "OPERATIONS_MAX",
    "AddValidator",
    "AmendCalendar",
    "AnnounceAuction",
    "Approve",
    "CallSecurity",
    "CancelUpgrade",
    "CloseAccount",
    "CommitBid",
    "DecideAuction",
    "DefineAsset",
    "DefineCalendar",
    "DefineStrips",
    "EnterBid",
    "FixRate",
    "ForcedTransfer",
    "FundPayment",
    "GiveBidMandate",
    "GrantLicence",
    "GrantOffice",
    "HoldAccount",
    "IdentifyPerson",
    "Issue",
    "LodgeEnvelope",
    "OpenAccount",
    "Operation",
    "Operations",
    "PlaceBid",
    "PlaceHold",
    "Propose",
    "PublishPlan",
    "ReconstituteSecurity",
    "Redeem",
    "RegisterParticipant",
    "ReleaseAccount",
    "ReleaseHold",
    "RemoveValidator",
    "ReturnEnvelope",
    "RevealBid",
    "RevokeBidMandate",
    "RevokeLicence",
    "RotateValidatorKey",
    "ScheduleUpgrade",
    "SetAccountPolicy",
    "SetParameter",
    "SetPowers",
    "SetTaxStatus",
    "SetWithholding",
    "StripSecurity",
    "Transfer",
    "UpdateParticipantStatus",
    "Withdraw",
    "WithdrawBid",
]
