"""All acts: which one an operation asks for, and which are under the powers matrix."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from node.codec import Record, decode
from node.ledger.acting import Act
from node.ledger.acts.assets import (
    define_asset,
    forced_transfer,
    issue,
    place_hold,
    redeem,
    release_hold,
    transfer,
)
from node.ledger.acts.auctions import (
    announce_auction,
    commit_bid,
    decide_auction,
    enter_bid,
    give_bid_mandate,
    lodge_envelope,
    place_bid,
    publish_plan,
    return_envelope,
    reveal_bid,
    revoke_bid_mandate,
    withdraw_bid,
)
from node.ledger.acts.calendars import amend_calendar, define_calendar
from node.ledger.acts.governance import (
    add_validator,
    approve,
    cancel_upgrade,
    propose,
    remove_validator,
    rotate_validator_key,
    schedule_upgrade,
    set_parameter,
    set_powers,
    withdraw,
)
from node.ledger.acts.lifecycle import (
    call_security,
    define_strips,
    fix_rate,
    fund_payment,
    reconstitute_security,
    set_tax_status,
    set_withholding,
    strip_security,
)
from node.ledger.acts.registry import (
    close_account,
    grant_licence,
    grant_office,
    hold_account,
    identify_person,
    open_account,
    register_participant,
    release_account,
    revoke_licence,
    set_account_policy,
    update_participant_status,
)
from node.ledger.operations import Operations
from node.ledger.tables import PROPOSAL_SIZE_MAX

ACTS: Final[tuple[Act, ...]] = (
    register_participant.ACT,
    update_participant_status.ACT,
    grant_office.ACT,
    grant_licence.ACT,
    revoke_licence.ACT,
    open_account.ACT,
    set_account_policy.ACT,
    hold_account.ACT,
    release_account.ACT,
    close_account.ACT,
    define_asset.ACT,
    issue.ACT,
    transfer.ACT,
    place_hold.ACT,
    release_hold.ACT,
    forced_transfer.ACT,
    redeem.ACT,
    propose.ACT,
    approve.ACT,
    withdraw.ACT,
    set_parameter.ACT,
    set_powers.ACT,
    add_validator.ACT,
    remove_validator.ACT,
    rotate_validator_key.ACT,
    schedule_upgrade.ACT,
    cancel_upgrade.ACT,
    announce_auction.ACT,
    commit_bid.ACT,
    withdraw_bid.ACT,
    reveal_bid.ACT,
    place_bid.ACT,
    decide_auction.ACT,
    fund_payment.ACT,
    set_withholding.ACT,
    set_tax_status.ACT,
    fix_rate.ACT,
    call_security.ACT,
    define_strips.ACT,
    strip_security.ACT,
    reconstitute_security.ACT,
    define_calendar.ACT,
    amend_calendar.ACT,
    publish_plan.ACT,
    give_bid_mandate.ACT,
    revoke_bid_mandate.ACT,
    lodge_envelope.ACT,
    return_envelope.ACT,
    enter_bid.ACT,
    identify_person.ACT,
)
"""Every act, in order of tag."""

ACT_OF: Final[Mapping[type[Record], Act]] = MappingProxyType({act.operation: act for act in ACTS})
"""Which act an operation asks for, by its type."""


class StandardCatalogue:
    """The acts of this release, as the acts of governance see them."""

    @property
    def governed_names(self) -> frozenset[str]:
        """The names of the acts under the powers matrix: those whose operations name approvers."""
        return GOVERNED_NAMES

    def is_governed(self, name: str, version: int) -> bool:
        """Return whether an act under the powers matrix has this name in this version.

        What a later version brings does not exist yet, as a release says that does not know it.
        """
        return _GOVERNED_SINCE.get(name, version + 1) <= version

    def decode(self, data: bytes) -> tuple[Record, ...]:
        """Return the operations that these canonical bytes encode.

        Raises:
            CodecError: they are not the encoding of 1 to 100 operations.
        """
        return decode(data, Operations, size_max=PROPOSAL_SIZE_MAX)

    def act_of(self, operation: Record) -> Act:
        """Return the act that this operation asks for."""
        return ACT_OF[type(operation)]


_GOVERNED_SINCE: Final[Mapping[str, int]] = MappingProxyType(
    {act.name: act.since for act in ACTS if "approvers" in act.operation.__annotations__}
)
GOVERNED_NAMES: Final = frozenset(_GOVERNED_SINCE)

CATALOGUE: Final = StandardCatalogue()
