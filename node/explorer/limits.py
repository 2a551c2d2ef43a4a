"""Every limit of the pages with its name.

A page is made within one turn of the event loop that also decides blocks, so each is bounded by
what it shows, wherever that lies in the chain.
"""

from typing import Final

PAGE_BYTES_MAX: Final = 100_000
"""Of any page. Held by the limits below, whatever participants write into their fields."""

ROWS_MAX: Final = 25
"""Entries of one page of a list."""
ACCOUNT_ROWS_MAX: Final = 20
"""Holdings, and holds, of one page of an account, which has both and a past."""
PROPOSALS_SHOWN_MAX: Final = 10
"""Proposals of one page of the list, each with its first operation and who approved it."""
PROPOSAL_PAST_READ_MAX: Final = 200
"""Of what became of a proposal: that it was opened, an approval of each office, how it ended."""
PROPOSAL_PAST_SHOWN_MAX: Final = 40
"""Of that on its page, newest first."""
FOUNDED_SHOWN_MAX: Final = 20
"""Accounts from the genesis on the page of a participant."""
FOUNDING_READ_MAX: Final = 1_000
"""Accounts of the genesis among which they are looked for: institutions come first in it."""
TRANSACTIONS_SHOWN_MAX: Final = 20
"""Transactions of one page of a block."""
OPERATIONS_SHOWN_MAX: Final = 8
"""Operations of one page of a transaction or proposal, with their fields."""
PROPOSED_SHOWN_MAX: Final = 3
"""Operations that are shown within the one that proposes them; its page has all of them."""
EVENTS_SHOWN_MAX: Final = 10
"""Events of one page of a block, or of a transaction, of which the JSON beside has all."""
TEXT_SHOWN_MAX: Final = 160
"""Characters of one value; longer ones are cut, and the JSON beside has them whole."""
NESTED_SHOWN_MAX: Final = 400
"""Characters of a field that holds records of its own, such as the operations of a proposal."""
FIELDS_SHOWN_MAX: Final = 40
"""Fields of one operation."""
FIELDS_BYTES_MAX: Final = 4_000
"""Of the values of one operation's fields together, so that an act with many more of them than any
today makes no larger page."""

BLOCKS_READ_BYTES_MAX: Final = 4 << 20
"""Of blocks that one page of the list of blocks reads from the store; it ends early beyond that."""
BLOCKS_READ_MS_MAX: Final = 20
"""So does a page that has read `BLOCKS_READ_BYTES_SURE` and taken longer: from a disk that has not
been asked lately a large block takes many milliseconds."""
BLOCKS_READ_BYTES_SURE: Final = 512 << 10

DEBT_CALLS_MAX: Final = 80
"""Pages of `khz_debt` that the page of the debt adds up: some 1,000 bonds, or 8,000 bills."""
AUCTION_CALLS_MAX: Final = 5
"""Pages of `khz_auctions` that it looks through: 1,000 auctions."""
PLAN_CALLS_MAX: Final = 20
"""Pages of `khz_auctionPlans` that it looks through: 200 plans, of fifty years if one a quarter."""
DEBT_KEPT_MS: Final = 10_000
"""For so long the sums are kept: however many look, they are made once."""
PAYMENTS_SHOWN_MAX: Final = 10
"""Next payments on the page of the debt."""
AUCTIONS_SHOWN_MAX: Final = 6
"""Last auctions on it."""
CURRENCIES_SHOWN_MAX: Final = 2
"""Currencies of which figures and a wall are shown; the JSON beside has all of them."""
BARS_MAX: Final = 16
"""Of the wall of maturities; what lies beyond is one more."""
POINTS_MAX: Final = 24
"""Of the yield curve."""
PRICES_AVERAGED_MAX: Final = 25
"""Prices of which the average yield of a bond's auction is worked out, 70 milliseconds each."""
AVERAGES_KEPT_MAX: Final = 64
"""Such averages that a node remembers."""
STEPS_MAX: Final = 60
"""Of the drawing of a ladder: rows at the same price are one."""

QUERY_MAX: Final = 128
"""Characters of what is searched for, and of a cursor."""
RATES_TOLD_MAX: Final = 3
"""Rates of withholding that a sentence names."""
TRAIL_MAX: Final = 700
"""Characters of the way back that a page of a list has in its links: eight of the longest cursors,
twenty names. From further on it leads back so far, and to the first page."""
MATCHES_MAX: Final = 20
"""Things that one search offers; where there are more, the page says so."""
PARTICIPANT_CALLS_MAX: Final = 5
"""Pages of participants that one search looks through for a part of a name."""
TEXTS_SHOWN_MAX: Final = 10
"""Texts beside them."""
WRITTEN_SHOWN_MAX: Final = 3
"""Fields of one transaction that have one of the words."""

HOLDERS_KEPT_MS: Final = 10_000
"""For so long the numbers of holders on the overview are kept."""
HISTORY_SHOWN_MAX: Final = 8
"""Of one page of an account's past."""
DAYS_SHOWN: Final = 30
"""Of the chart of an asset."""

MINUTES_MAX: Final = 60
"""Kept for the charts."""
RECENT_BLOCKS_MAX: Final = 2_048
"""Blocks remembered by height and id, some 200 bytes each."""
ROUNDS_COUNTED_MAX: Final = 100
"""Rounds of one height whose proposers are counted as having missed."""
FINALITY_FRESH_MS: Final = 30_000
"""A block that is older when it is committed here was caught up with; it says nothing of how long
deciding took."""

LISTENERS_MAX: Final = 256
"""Open pages that are told of new blocks, in all."""
LISTENERS_PER_ADDRESS_MAX: Final = 32
LIVE_PAUSE_MS: Final = 1_000
"""The least time between two messages to one listener: a network that decides ten blocks a second
is told of once."""
LIVE_HEARTBEAT_MS: Final = 15_000
"""A listener without news is sent a comment, so that one that is gone is found out."""
LIVE_STALL_MS: Final = 10_000
"""A listener whose socket takes nothing for that long is let go; browsers come back by
themselves."""
LIVE_BUFFER_BYTES: Final = 1 << 17
"""Held for one listener that does not read: a message or two."""

DESK_BODY_BYTES_MAX: Final = 4_096
"""Of a form."""
DESK_FIELDS_MAX: Final = 8
"""Of a form."""
DESK_TRANSACTIONS_SHOWN_MAX: Final = 12
"""Of what was done last on a development network."""
DESK_BLOCKS_READ_MAX: Final = 500
"""Blocks in which what fell due meanwhile is looked for, once for each run and one in a turn of the
loop: a year's travel."""
RUNS_KEPT_MAX: Final = 8
"""Of what was done on a development network since its node started."""
RUN_LINES_MAX: Final = 60
"""Lines that one of them tells."""
RUN_LINE_CHARACTERS_MAX: Final = 240
"""Of one of them, and of a check."""
RUN_CHECKS_MAX: Final = 40
"""Checks of one that are kept."""
RUN_TRANSACTIONS_MAX: Final = 100
"""Ids that are kept of one."""
