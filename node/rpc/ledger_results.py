"""The shape of what is read of the ledger: accounts, assets, calendars, participants, powers."""

from typing import Annotated, Literal

import msgspec

from node.rpc.node_results import AmendmentView
from node.rpc.results import Address, Amount, Day, Hex, Object, Result, Time


class SignerView(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an account's policy."""

    public_key: Hex
    weight: int


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """Who must sign for what."""

    signers: list[SignerView]
    thresholds: dict[str, int]
    """The weight that each class of operation takes, by its name."""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant acts through."""

    address: Address
    owner: str
    policy: PolicyView
    opened_by: str
    status: str
    hold: Object | None


class AccountResult(Result, frozen=True, kw_only=True):
    """One account."""

    account: AccountView


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a holding that stays where it is."""

    id: Hex
    asset: str
    amount: Amount
    reason: str
    legal_reference: str
    expires: Time | None
    placed_by: str


class HoldingView(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one asset an account has."""

    asset: str
    decimals: int
    available: Amount
    held: Amount
    total: Amount


class HoldingsResult(Result, frozen=True, kw_only=True):
    """A page of an account's holdings, by asset code."""

    address: Address
    holdings: list[HoldingView]
    next: str | None
    """What to give as `after` for the next page; null on the last."""


class HoldsResult(Result, frozen=True, kw_only=True):
    """A page of the holds on an account's holdings, by id."""

    address: Address
    holds: list[HoldView]
    next: Hex | None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """Anything the ledger holds amounts of."""

    asset: str
    kind: str
    name: str
    issuer: str
    identifiers: Object
    terms: Object
    term_sheet_hash: Hex
    decimals: int
    multiple: Amount
    """The legal denomination: issues and bids are multiples of it."""
    face_unit: Amount | None
    """Below it, what is held and moved is a multiple of this. None: cash, or a bill that is brought
    back."""
    ceiling: Amount
    supply: Amount
    forced_transfer_allowed: bool


class AssetResult(Result, frozen=True, kw_only=True):
    """One asset."""

    asset: AssetView


class AssetsResult(Result, frozen=True, kw_only=True):
    """A page of the assets, by code."""

    assets: list[AssetView]
    next: str | None


class CalendarSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar of business days, in short."""

    calendar: str
    title: str
    version: int
    holidays: int
    """How many."""


class CalendarsResult(Result, frozen=True, kw_only=True):
    """A page of the calendars, by name."""

    calendars: list[CalendarSummary]
    next: str | None


class HolidayView(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which no business is done."""

    day: Day
    provisional: bool
    """Expected, and to be confirmed or put on another day."""


class CalendarView(msgspec.Struct, frozen=True, kw_only=True):
    """The ruling version of a calendar."""

    calendar: str
    title: str
    version: int
    weekend: list[str]
    """Days of the week, in English, from Monday on."""
    holidays: list[HolidayView]
    used_until: Day | None
    """What was paid relied on days up to this one: they do not change any more."""
    moving: bool
    """Whether what hangs on it is being looked at after an amendment."""


class CalendarResult(Result, frozen=True, kw_only=True):
    """One calendar."""

    today: Day
    """In the ledger's local time, by the time of the block."""
    calendar: CalendarView


class BusinessDayResult(Result, frozen=True, kw_only=True):
    """A day by a calendar. Days beyond the year 9999 are null."""

    calendar: str
    version: int
    day: Day
    business: bool
    why: str
    """`business day`, `weekend`, `holiday` or `provisional holiday`."""
    following: Day | None
    """Where each convention moves it: to itself, if business is done on it."""
    modified_following: Day | None
    preceding: Day | None
    business_days: int
    """That were counted from it."""
    counted: Day | None
    """Where that leads; for 0 as `following`."""


class LicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a licence allows."""

    activity: str
    phase: str
    revoked: bool
    expires: Time | None
    accounts_opened: int


class TaxStandingView(msgspec.Struct, frozen=True, kw_only=True):
    """What a taxpayer is from a day on."""

    status: str
    """`active` or `inactive`."""
    from_day: Day
    source: str
    """Who says so."""


class TaxpayerView(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant is as a taxpayer."""

    taxpayer: str
    """The class that rules today: its kind, or such as `person-inactive`."""
    ruling: TaxStandingView | None
    """None: active, as everybody of whom nothing was told."""
    change: TaxStandingView | None
    """To come, or of today and still being marked in what it holds."""


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """A legal entity or person known to the ledger."""

    participant: str
    kind: str
    jurisdiction: str
    lei: str | None
    file_commitment: Hex
    registrar: str
    office: str | None
    status: str
    identified_by: str | None
    """Who stated the token of this person, from the state's register; null: nobody. One token is
    one participant's, and the interface does not show it."""
    taxpayer: TaxpayerView
    licences: list[LicenceView]


class ParticipantResult(Result, frozen=True, kw_only=True):
    """One participant."""

    participant: ParticipantView


class ParticipantSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A participant in a list."""

    participant: str
    kind: str
    jurisdiction: str
    office: str | None
    status: str


class ParticipantsResult(Result, frozen=True, kw_only=True):
    """A page of the participants, by id."""

    participants: list[ParticipantSummary]
    next: str | None


class OfficeView(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds an office."""

    office: str
    participant: str


class OfficesResult(Result, frozen=True, kw_only=True):
    """The offices, by name."""

    offices: list[OfficeView]


class HeldLicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A licence with who has it."""

    participant: str
    licence: LicenceView


class LicencesResult(Result, frozen=True, kw_only=True):
    """A page of the licences, by participant and activity."""

    licences: list[HeldLicenceView]
    next: str | None


class IdentifierResult(Result, frozen=True, kw_only=True):
    """What an identifier names."""

    identifier: str
    scheme: str
    """`isin`, `dti` or `lei`."""
    holder: str
    """The code of the asset; of an LEI, the id of the participant."""


class ValidatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the validator set."""

    name: str
    participant: str | None
    """Null for a set that no longer rules: only names and keys of those are on the ledger."""
    public_key: Hex
    tls_certificate: Annotated[str, msgspec.Meta(description="DER in base64")] | None
    """Null as `participant` is."""


class ValidatorsResult(Result, frozen=True, kw_only=True):
    """Those who decide, or decided, one height."""

    rules_height: int
    fault_model: str
    quorum: int
    faults_survived: int
    validators: list[ValidatorView]


class SetChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """How a set of validators came to rule."""

    by: Annotated[
        Literal["genesis", "offices", "amendment"],
        msgspec.Meta(
            description="`offices`: decided on the chain; `amendment`: outside of it, by operators"
        ),
    ]
    height: int
    """The first that it rules."""
    block: int | None
    """Height of the block that holds the decision of the offices."""
    amendment: AmendmentView | None


class TenureView(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which somebody was a validator, with one key."""

    validator: str
    public_key: Hex
    from_height: int
    to_height: int | None
    """The last; null: it decides the next height too."""
    begun: SetChangeView
    ended: SetChangeView | None


class ValidatorHistoryResult(Result, frozen=True, kw_only=True):
    """The times in which somebody was a validator, the latest first; those that last lead."""

    tenures: list[TenureView]
    earlier: bool
    """Whether there may be earlier ones, and the earliest of these may have begun before."""


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """Operations that wait for offices."""

    id: Hex
    proposer: Address
    operations: list[Object]
    approvals: list[Address]
    expires: Time


class ProposalResult(Result, frozen=True, kw_only=True):
    """One open proposal."""

    proposal: ProposalView


class ProposalsResult(Result, frozen=True, kw_only=True):
    """A page of the open proposals, by id."""

    proposals: list[ProposalView]
    next: Hex | None


class ParameterView(msgspec.Struct, frozen=True, kw_only=True):
    """What governance may turn."""

    name: str
    value: int
    lowest: int
    highest: int


class ParametersResult(Result, frozen=True, kw_only=True):
    """All parameters, by name."""

    parameters: list[ParameterView]


class PowerView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the powers matrix."""

    operation: str
    subject: str
    offices: list[str]
    required: int
    """How many of the offices must stand behind the operation."""
    licences: list[str]
    """Activities of which one active licence is enough instead."""


class PowersResult(Result, frozen=True, kw_only=True):
    """A page of the powers matrix, by operation and subject."""

    powers: list[PowerView]
    next: str | None
