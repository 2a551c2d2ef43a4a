"""What must hold of all strips together."""

from collections import Counter
from collections.abc import Iterator

from node.ledger.securities import SERVICES, STRIPPINGS
from node.ledger.state import StateRows
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import BondTerms, StripTerms


def contradictions_of_strips(rows: StateRows) -> Iterator[str]:
    """Yield what is wrong, one sentence each.

    As long as the record of a strip is not taken, there is as much of it as is stripped of its
    lines; a line with what is stripped of it is not above its ceiling; strips belong to a line.
    """
    expected: Counter[str] = Counter()
    known: set[str] = set()
    for key, stripping in rows.items(STRIPPINGS):
        line, asset = key.decode(), rows.get(ASSETS, key)
        principal = rows.get(ASSETS, name_key(stripping.principal))
        if asset is None or not isinstance(asset.terms, BondTerms) or principal is None:
            yield f"{line} has strips and is no bond, or has no strip of its face"
            continue
        face = principal.supply
        service = rows.get(SERVICES, name_key(stripping.principal))
        # While its holders are paid it goes one by one, and nobody's part need be a multiple.
        is_whole = service is None or not service.closed
        if (is_whole and face % stripping.multiple) or asset.supply + face > asset.ceiling:
            yield f"{face} of {line} are stripped beside {asset.supply}"
        known.update((stripping.principal, *(each.asset for each in stripping.coupons)))
        if not isinstance(principal.terms, StripTerms) or principal.terms.line != line:
            yield f"{stripping.principal} is not of the face of {line}"
        expected[stripping.principal] += face
        for each in stripping.coupons:
            expected[each.asset] += face * each.numerator // each.denominator
    for key, asset in rows.items(ASSETS):
        code = key.decode()
        if isinstance(asset.terms, StripTerms) is not (code in known):
            yield f"{code} is a strip of no line, or a line's strip and none"
            continue
        service = rows.get(SERVICES, key)
        is_open = code in known and service is not None and not service.closed
        if is_open and asset.supply != expected[code]:
            yield f"there are {asset.supply} of {code}, and {expected[code]} were stripped"
