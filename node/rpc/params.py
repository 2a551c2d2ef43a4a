"""What the methods take: one struct a method, every member typed, bounded and described."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from node.rpc.stream import HEIGHT_MAX


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By name or by position; unknown members are refused."""


Height: TypeAlias = Annotated[
    int, msgspec.Meta(ge=1, le=HEIGHT_MAX, description="of a block; the first is 1")
]
Id: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        # The lengths exclude the line end that `$` would let pass.
        pattern="^[0-9a-f]{64}$",
        min_length=64,
        max_length=64,
        description="32 bytes in lower-case hexadecimal",
    ),
]
AddressText: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=90, description="bech32m, khz1… or on test networks tkhz1…")
]
NameText: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
AssetCode: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=32, description="code of the asset")
]
ParticipantId: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=32, description="id of the participant")
]
CalendarName: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=32, description="name of the calendar")
]
DayText: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        min_length=10,
        max_length=10,
        description="YYYY-MM-DD",
    ),
]
Encoded: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=1 << 18,
        description="the bytes of the signed transaction, in hexadecimal or base64",
    ),
]
Wait: TypeAlias = Annotated[
    Literal["none", "final"],
    msgspec.Meta(description="`none`: answer once it waits; `final`: once it is in a block"),
]
TimeoutMs: TypeAlias = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=600_000, description="the longest to wait for `final`; the node may allow less"
    ),
]
Limit: TypeAlias = Annotated[
    int, msgspec.Meta(ge=1, le=200, description="entries of one page, at most 200")
]


class SubmitParams(Params, frozen=True, kw_only=True):
    """`khz_submit`."""

    transaction: Encoded
    wait: Wait = "none"
    timeout_ms: TimeoutMs = 30_000


class SubmitManyParams(Params, frozen=True, kw_only=True):
    """`khz_submitMany`."""

    transactions: Annotated[
        list[Encoded],
        msgspec.Meta(min_length=1, max_length=1_000, description="1 to 1,000 signed transactions"),
    ]
    wait: Wait = "none"
    timeout_ms: TimeoutMs = 30_000


class SimulateParams(Params, frozen=True, kw_only=True):
    """`khz_simulate`."""

    transaction: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=1 << 18,
            description="the bytes of a signed transaction, or of a body that nobody has signed"
            " yet, in hexadecimal or base64",
        ),
    ]


class TransactionParams(Params, frozen=True, kw_only=True):
    """`khz_transaction`."""

    id: Id


class TransactionsParams(Params, frozen=True, kw_only=True):
    """`khz_transactions`."""

    ids: Annotated[
        list[Id],
        msgspec.Meta(min_length=1, max_length=1_000, description="1 to 1,000 transaction ids"),
    ]


class BlockParams(Params, frozen=True, kw_only=True):
    """`khz_block`."""

    height: Annotated[
        Height | None, msgspec.Meta(description="null: the last block that this node has")
    ] = None
    transactions: Annotated[
        Literal["none", "ids", "full"],
        msgspec.Meta(description="how much of each transaction: nothing, its id, or everything"),
    ] = "ids"
    index: Annotated[
        int, msgspec.Meta(ge=0, le=1 << 20, description="the first transaction of the page")
    ] = 0
    limit: Limit = 100
    first_event: Annotated[
        int, msgspec.Meta(ge=0, le=1 << 20, description="the first of the block's own events")
    ] = 0
    events_limit: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=200)] | None,
        msgspec.Meta(description="how many of those, or none of them; null: all the others"),
    ] = None


class AccountParams(Params, frozen=True, kw_only=True):
    """`khz_account`."""

    address: AddressText


class HoldingsParams(Params, frozen=True, kw_only=True):
    """`khz_holdings`."""

    address: AddressText
    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class HoldsParams(Params, frozen=True, kw_only=True):
    """`khz_holds`."""

    address: AddressText
    after: Annotated[Id | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class AssetParams(Params, frozen=True, kw_only=True):
    """`khz_asset`."""

    asset: AssetCode


class AssetsParams(Params, frozen=True, kw_only=True):
    """`khz_assets`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class CalendarsParams(Params, frozen=True, kw_only=True):
    """`khz_calendars`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class CalendarParams(Params, frozen=True, kw_only=True):
    """`khz_calendar`."""

    calendar: CalendarName


class BusinessDayParams(Params, frozen=True, kw_only=True):
    """`khz_businessDay`."""

    calendar: CalendarName
    day: Annotated[DayText | None, msgspec.Meta(description="today if it is left out")] = None
    business_days: Annotated[
        int,
        msgspec.Meta(ge=-366, le=366, description="counted from the day; negative: back"),
    ] = 0


class ParticipantParams(Params, frozen=True, kw_only=True):
    """`khz_participant`."""

    participant: ParticipantId


class ParticipantsParams(Params, frozen=True, kw_only=True):
    """`khz_participants`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class LicencesParams(Params, frozen=True, kw_only=True):
    """`khz_licences`."""

    after: Annotated[
        Annotated[str, msgspec.Meta(max_length=70)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Limit = 100


class IdentifierParams(Params, frozen=True, kw_only=True):
    """`khz_identifier`."""

    identifier: Annotated[
        str, msgspec.Meta(min_length=1, max_length=32, description="an ISIN, a DTI or an LEI")
    ]


class ValidatorsParams(Params, frozen=True, kw_only=True):
    """`khz_validators`."""

    height: Annotated[
        Height | None, msgspec.Meta(description="null: the next height to be decided")
    ] = None


class ValidatorHistoryParams(Params, frozen=True, kw_only=True):
    """`khz_validatorHistory`."""

    validator: Annotated[NameText | None, msgspec.Meta(description="null: everybody")] = None


class ProposalParams(Params, frozen=True, kw_only=True):
    """`khz_proposal`."""

    proposal: Id


class ProposalsParams(Params, frozen=True, kw_only=True):
    """`khz_proposals`."""

    after: Annotated[Id | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class PowersParams(Params, frozen=True, kw_only=True):
    """`khz_powers`."""

    after: Annotated[
        Annotated[str, msgspec.Meta(max_length=70)] | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Limit = 100


class ProveParams(Params, frozen=True, kw_only=True):
    """`khz_prove`."""

    kind: Annotated[
        Literal[
            "account",
            "asset",
            "auction",
            "calendar",
            "calls",
            "fixing",
            "holding",
            "ladder",
            "participant",
            "plan",
            "validator",
        ],
        msgspec.Meta(description="what is proven to exist, or not to exist"),
    ]
    address: Annotated[
        AddressText | None, msgspec.Meta(description="of an account or a holding")
    ] = None
    name: Annotated[
        NameText | None,
        msgspec.Meta(
            description="of an asset, an auction, a calendar, a participant, a plan, a validator;"
            " of the asset of a holding, a fixing or calls; of a ladder's auction"
        ),
    ] = None
    number: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None,
        msgspec.Meta(
            description="of a ladder: which piece of 250 rows, from 0; of a fixing: of which"
            " payment"
        ),
    ] = None


class EvidenceParams(Params, frozen=True, kw_only=True):
    """`khz_evidence`."""

    after: Annotated[
        Annotated[
            str,
            msgspec.Meta(
                pattern="^(0|[1-9][0-9]{0,17})-[0-9a-f]{64}$", min_length=66, max_length=83
            ),
        ]
        | None,
        msgspec.Meta(description="`next` of the page before"),
    ] = None
    limit: Limit = 100
