"""From when to when who was a validator, and what changed that.

Every set that ruled is in the state, by the first height that it ruled; only one that an amendment
put in rules that height by the amendment alone. So this needs neither blocks nor an index.
"""

from typing import Final

import msgspec

from node.chain.history import History
from node.genesis import Genesis
from node.rpc.ledger_results import SetChangeView, TenureView
from node.rpc.node_results import amendment_view

SETS_READ_MAX: Final = 64
"""Of a network's sets, the latest: some milliseconds, with as many members as there can be."""
TENURES_MAX: Final = 100
"""Of an answer."""


def tenures_of(
    name: str | None, history: History, genesis: Genesis, *, next_height: int
) -> tuple[list[TenureView], bool]:
    """Return the times in which somebody was a validator, the latest first.

    One ends where its key does: whoever goes on with another begins another. The second says
    whether there may be more before those: of sets that were not read, or left out.

    Args:
        name: of whom; None: of everybody.
        next_height: the first that nobody has decided yet.

    Raises:
        ChainDamaged: a set is missing.
    """
    amended = {each.rules_from for each in genesis.amendments if each.rules_from <= next_height}
    heights = sorted({*history.validator_changes(next_height, latest=SETS_READ_MAX + 1), *amended})
    # One more than is read says that there are more.
    read = heights[-SETS_READ_MAX:]
    ended: list[TenureView] = []
    running: dict[str, TenureView] = {}
    for height in read:
        keys = {
            each.name: each.public_key.hex()
            for each in history.validators(height)
            if name in (None, each.name)
        }
        change = _change(height, genesis)
        for tenure in list(running.values()):
            if keys.get(tenure.validator) != tenure.public_key:
                del running[tenure.validator]
                ended.append(msgspec.structs.replace(tenure, to_height=height - 1, ended=change))
        for each, key in keys.items():
            if each not in running:
                running[each] = TenureView(
                    validator=each,
                    public_key=key,
                    from_height=height,
                    to_height=None,
                    begun=change,
                    ended=None,
                )
    found = [*ended, *running.values()][::-1]
    return found[:TENURES_MAX], len(heights) > len(read) or len(found) > TENURES_MAX


def _change(height: int, genesis: Genesis) -> SetChangeView:
    amendment = genesis.amendment_at(height)
    if amendment is not None:
        told = amendment_view(amendment)
        return SetChangeView(by="amendment", height=height, block=None, amendment=told)
    if height == 1:
        return SetChangeView(by="genesis", height=1, block=None, amendment=None)
    return SetChangeView(by="offices", height=height, block=height - 1, amendment=None)
