"""Plain transfers, applied in one go: cash from one account to another, signed by the one who may.

Nearly all that blocks are full of is this, and through acts, authorities and holdings each takes
some forty calls. Here it takes a third of that, on every validator, and once more where a client
brings it. What many of them come to is written once: in between, what accounts have available is
kept as bare numbers. And what was found out of accounts is known to whoever applies or tries
transfers on the same committed state (`Standing`).

There is no rule here that is not elsewhere, and no refusal. A transaction that is anything more, or
that anything stands against, is left as it is, and whoever asked goes the long way, which knows all
reasons and their order. So what has to be right is one thing: what is done here is what the long
way would do. The tests hold every block that they apply to that (`tests/ledger/world.py`).
"""

from typing import Final

from node.ledger.acts.assets.transfer import Transfer, Transferred
from node.ledger.identifiers import PublicKey
from node.ledger.policies import AccountClass
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    HOLDINGS,
    PARTICIPANTS,
    AccountRecord,
    AccountStatus,
    HoldingRecord,
    ParticipantStatus,
    name_key,
)
from node.ledger.terms import CashTerms
from node.ledger.transactions import TransactionBody
from node.ledger.units import AMOUNT_MAX

_OPEN: Final = AccountStatus.OPEN
_ACTIVE: Final = ParticipantStatus.ACTIVE
_CLASS: Final = AccountClass.TRANSFER

KNOWN_MAX: Final = 1 << 15
"""Accounts of which something is known at a time, some 8 MB, and assets. Where there are more, all
are forgotten and looked at anew."""


class Standing:
    """What was found out of accounts, participants and assets of one committed state.

    For all who apply or try transfers on it, until a block is committed that changes any of them.
    """

    __slots__ = ("active", "cash", "signers")

    TABLES: Final = frozenset({ACCOUNTS.prefix, PARTICIPANTS.prefix, ASSETS.prefix})
    """Of what it speaks, by prefix: where none of them is written, it holds."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.signers: dict[bytes, tuple[PublicKey, ...]] = {}
        """By address of an account that may take part: as whose signers its transfer is plain.
        Nobody's where it takes more than one, or where it may only receive."""
        self.active: set[str] = set()
        """Participants that were found active."""
        self.cash: dict[str, bytes] = {}
        """The keys of assets that were found to be cash."""


class PlainTransfers:
    """Applies those of one block; in between, others that may change anything are applied.

    An account is looked at once for many transfers: they change no account, no participant and no
    asset.
    """

    __slots__ = ("_available", "_standing", "_state")

    def __init__(self, state: LedgerState, standing: Standing | None = None) -> None:
        """Begin on this state.

        Args:
            standing: of the committed state beneath it; asked where the block has changed nothing
                of what it speaks.
        """
        self._state = state
        if standing is None or state.has_written(Standing.TABLES):
            standing = Standing()
        self._standing = standing
        self._available: dict[bytes, int] = {}
        """What the transfers since the last `settle` left, by key of the holding, in the order of
        the first write."""

    def forget(self) -> None:
        """Take nothing for granted any more: something else is being applied."""
        assert not self._available
        self._standing = Standing()

    def apply(self, body: TransactionBody, *, write: bool = True) -> Transferred | None:
        """Apply the transaction if it is a plain transfer; None: it is not, and nothing changed.

        What it changes is in the state after `settle`, which comes before anything else is applied.

        Args:
            write: False: only find out what would become of it; nothing changes.
        """
        operations = body.operations
        if len(operations) != 1 or type(operations[0]) is not Transfer:
            return None
        transfer, standing, available = operations[0], self._standing, self._available
        address, to, asset, amount = transfer.account, transfer.to, transfer.asset, transfer.amount
        known = standing.signers
        signers = known.get(address)
        if signers is None:
            signers = self._signers_of(address)
        # A transaction has at least one signer: those of an account that may not give fit none.
        if (
            signers != body.signers
            or (to not in known and self._signers_of(to) is None)
            or address == to
            or not 0 < amount <= AMOUNT_MAX
        ):
            return None
        code = standing.cash.get(asset) or self._code_of_cash(asset)
        if code is None:
            return None
        key = address + code
        given = available.get(key)
        if given is None:
            given = self._available_in(key)
        if given < amount:
            return None
        if write:
            key_to = to + code
            received = available.get(key_to)
            if received is None:
                received = self._available_in(key_to)
            available[key] = given - amount
            available[key_to] = received + amount
        return Transferred(account=address, to=to, asset=asset, amount=amount)

    def settle(self) -> None:
        """Write what the transfers since the last time came to."""
        available = self._available
        if not available:
            return
        self._available = {}
        state, keys = self._state, list(available)
        held = [0 if has is None else has.held for has in state.get_each(HOLDINGS, keys)]
        after = [
            HoldingRecord(available=left, held=on_hold) if left or on_hold else None
            for left, on_hold in zip(available.values(), held, strict=True)
        ]
        state.put_each(HOLDINGS, keys, after)

    def _available_in(self, key: bytes) -> int:
        holding = self._state.get(HOLDINGS, key)
        return 0 if holding is None else holding.available

    def _signers_of(self, address: bytes) -> tuple[PublicKey, ...] | None:
        """Look at an account; return as whose signers its transfer is plain, None: of no use."""
        account = self._state.get(ACCOUNTS, address)
        if account is None or account.status is not _OPEN:
            return None
        standing = self._standing
        if account.owner not in standing.active and not self._is_active(account.owner):
            return None
        signers = () if account.hold is not None else _sole_of(account)
        if len(standing.signers) >= KNOWN_MAX:
            standing.signers.clear()
            standing.active.clear()
        standing.signers[address] = signers
        return signers

    def _is_active(self, participant: str) -> bool:
        record = self._state.get(PARTICIPANTS, name_key(participant))
        if record is None or record.status is not _ACTIVE:
            return False
        self._standing.active.add(participant)
        return True

    def _code_of_cash(self, asset: str) -> bytes | None:
        code = name_key(asset)
        record = self._state.get(ASSETS, code)
        if record is None or type(record.terms) is not CashTerms:
            return None
        if len(self._standing.cash) >= KNOWN_MAX:
            self._standing.cash.clear()
        self._standing.cash[asset] = code
        return code


def _sole_of(account: AccountRecord) -> tuple[PublicKey, ...]:
    """Return the account's only signer if it may transfer alone, nobody otherwise."""
    policy = account.policy
    if len(policy.signers) != 1:
        return ()
    ((key, weight),) = policy.signers
    return (key,) if weight >= policy.thresholds[_CLASS] else ()
