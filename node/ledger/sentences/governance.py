"""Proposals, parameters, powers, validators, and versions of the protocol."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "PROPOSAL_NOT_READABLE": (
        "The operations of the proposal cannot be read. They are the canonical bytes of a list of 1"
        " to {expected} operations; build it with a current client."
    ),
    "OPERATION_NOT_PROPOSABLE": (
        "Operation {index} of the proposal is {operation}. Only operations that the powers matrix"
        " governs can be proposed."
    ),
    "APPROVERS_IN_PROPOSAL": (
        "Operation {index} of the proposal names approvers, or another account than the proposer's."
        " In a proposal the proposing account acts, and the approvals are the approvers."
    ),
    "PROPOSALS_FULL": (
        "{found} proposals are open, as many as the parameter proposals-open-max allows. Wait for"
        " one to be decided, or withdraw one."
    ),
    "PROPOSAL_UNKNOWN": (
        "No proposal {proposal} is open. It was completed, withdrawn, has expired, or never"
        " existed."
    ),
    "ALREADY_APPROVED": (
        "Participant {participant} has already approved proposal {proposal}. Nothing more is"
        " needed from it; the offices that are missing must approve."
    ),
    "NOT_PROPOSER": (
        "Proposal {proposal} was made by account {proposer}, not by {account}. Only its proposer"
        " withdraws it; the others need not approve."
    ),
    "PARAMETER_UNKNOWN": "No parameter is called '{parameter}'. `khz_parameters` lists them all.",
    "PARAMETER_OUT_OF_RANGE": (
        "The parameter {parameter} would be {found}; it ranges from {lowest} to {highest}. Choose"
        " a value in that range."
    ),
    "OPERATION_UNKNOWN": (
        "No operation under the powers matrix is called '{operation}'. `khz_powers` lists them all."
    ),
    "POWER_NOT_VALID": (
        "This row of the powers matrix cannot work: {reason}. Names stand in ascending order, each"
        " once; the number required is 1 to the number of offices, or 0 without offices."
    ),
    "POWER_TOO_WEAK": (
        "To {operation} for {subject} must take at least {expected} offices and no licence; this"
        " row would let {found} decide. No institution does this alone."
    ),
    "OFFICE_VACANT": "Nobody holds the office {office}. Grant it first: nobody could act for it.",
    "VALIDATOR_UNKNOWN": "No validator is called '{validator}'. `khz_validators` lists them all.",
    "VALIDATOR_EXISTS": (
        "The validator {validator} already has this {field}. Each participant runs at most one"
        " validator, under a name and certificate of its own."
    ),
    "KEY_ALREADY_USED": (
        "The consensus key {key} is or was that of validator {validator}. A consensus key is used"
        " once for ever, or old signatures could be mistaken for new ones."
    ),
    "VALIDATORS_TOO_FEW": (
        "{found} validators would remain, and the parameter validators-min asks for {expected}. Add"
        " another first."
    ),
    "VALIDATORS_TOO_MANY": (
        "There are {found} validators, the most that a network can have. Remove one first."
    ),
    "PROPOSALS_FULL_FOR_PARTICIPANT": (
        "Participant {participant} has {expected} proposals open, as many as one may: a quarter of"
        " the parameter proposals-open-max. Wait for one to be decided, or withdraw one."
    ),
    "LEI_OF_PERSON": (
        "Participant {participant} would be a person with the LEI {found}, which names a legal"
        " entity. Register it without, or as the entity that it is."
    ),
    "UPGRADE_ALREADY_SCHEDULED": (
        "The upgrade to version {version} of the protocol is scheduled for height {height}. Cancel"
        " it first to schedule another."
    ),
    "VERSION_NOT_NEXT": (
        "Version {found} of the protocol cannot follow: the next one is {expected}. Versions are"
        " taken one after the other."
    ),
    "UPGRADE_HEIGHT_NOT_ACCEPTED": (
        "The height {found} is not accepted: an upgrade takes place from height {earliest} to"
        " height {latest}. Choose a later one, so that every node can be upgraded before it."
    ),
    "UPGRADE_NOT_SCHEDULED": (
        "No upgrade to version {version} of the protocol is scheduled. What has taken place cannot"
        " be cancelled."
    ),
}
