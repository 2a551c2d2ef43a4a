"""What the interface tells other systems of an asset: its terms as an ACTUS contract."""

from typing import Annotated, Final

import msgspec

from node.actus import DICTIONARY, MappingError, contract_of
from node.amounts import AmountError, parse_amount
from node.chain import Chain
from node.ledger.calendars import calendar_of, today
from node.ledger.courses import fixed_rate
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import is_serviced
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.jsonrpc import method
from node.rpc.params import AssetCode, Params
from node.rpc.reading import found
from node.rpc.results import Result, at_head

FACE_LENGTH_MAX: Final = 32


class ContractParams(Params, frozen=True, kw_only=True):
    """`khz_contract`."""

    asset: AssetCode
    face: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=FACE_LENGTH_MAX,
            description="what is held: with its point, in units of the asset",
        ),
    ] = "100"


class ContractResult(Result, frozen=True, kw_only=True):
    """A holding of an asset as other systems know it."""

    asset: str
    dictionary: str
    """The version of the ACTUS data dictionary whose names these are."""
    contract: dict[str, str | list[str]]


class ContractMethods:
    """The handlers, on one node."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @method("khz_contract", NotFound)
    def contract(self, params: ContractParams) -> ContractResult:
        """Tell a holding of an asset as an ACTUS contract, as it was agreed at its issue. An asset
        that ACTUS has no words for is an error that says which."""
        record = found(self._chain, ASSETS, name_key(params.asset), f"asset {params.asset!r}")
        state, terms = LedgerState(self._chain), record.terms
        calendar = first_rate_ppm = None
        if is_serviced(terms):
            calendar = calendar_of(state, terms.plan.calendar)
            first_rate_ppm = fixed_rate(state, params.asset, terms, 1)
        try:
            contract = contract_of(
                terms,
                calendar,
                asset=params.asset,
                currency=record.identifiers.currency or params.asset,
                face=parse_amount(params.face, decimals=record.decimals),
                decimals=record.decimals,
                today=today(state, self._chain.head.time_ms),
                first_rate_ppm=first_rate_ppm,
            )
        except (AmountError, MappingError) as error:
            raise InvalidParams(str(error)) from None
        return ContractResult(
            **at_head(self._chain.head),
            asset=params.asset,
            dictionary=DICTIONARY,
            contract=dict(contract),
        )
