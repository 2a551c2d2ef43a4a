"""A network of real processes with many funded accounts."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from consensus.types import FaultModel
from node.client import ClientNetwork, transaction
from node.clock import SystemClock
from node.keys import LocalSigner
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.identifiers import is_isin
from node.ledger.policies import single_signer
from node.ledger.tables import ParticipantKind
from node.provision.acts import RUPEE, SALT, address_of_key, define_bill, define_rupee, issue
from node.provision.description import (
    Account,
    Blocks,
    NetworkDescription,
    Observer,
    Participant,
    Validator,
)
from node.provision.homes import CONFIG_FILE
from node.provision.local import LocalNetwork, LocalNode, create_network
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network
from tests.bench.clients import Poster
from tests.bench.machine import cpu_seconds, resident_mb
from tests.bench.orders import BILLS, Clerk, Kind, Order

CLOCK = SystemClock()
OWNER = "savers"
FUNDS: Final = 1_000_000_00
"""Minor units of every asset that each account is given."""
MINISTRY, BANK, REGULATOR = "finance-ministry", "central-bank", "virtual-asset-regulator"
OPERATIONS_MAX = 100
SETUP_AT_ONCE = 20
"""Transactions of the set-up that wait at one time."""
VALID_S = 590.0
CALLS_PER_SECOND = 400
"""Of one caller at one node; it refuses more than 500."""
GENESIS_ACCOUNTS_MAX = 5_000
"""More are opened by transactions: a genesis is no place for a population."""


class Town:
    """Validators, their clients, and accounts that one company owns."""

    def __init__(
        self,
        network: LocalNetwork,
        signers: Sequence[LocalSigner],
        *,
        addresses: Sequence[bytes] | None = None,
    ) -> None:
        """Take a network and who signs for each account of the load.

        Args:
            addresses: of those accounts; None: each signer's own.
        """
        self.network = network
        self.signers = signers
        self.posters = [Poster(node.url) for node in network.validators]
        self.client = ClientNetwork.of(network.genesis)
        self.addresses = addresses or [
            address_of_key(OWNER, signer.public_key) for signer in signers
        ]
        self.held_by_others = 0
        """Of each asset, in minor units: what accounts hold that take no part in the load."""
        self.office_keys = {name: office_key(name) for name in INSTITUTIONS}
        self.offices = {
            name: address_of_key(name, key.public_key) for name, key in self.office_keys.items()
        }

    @property
    def observers(self) -> tuple[LocalNode, ...]:
        """The nodes that follow and do not vote."""
        return tuple(node for node in self.network.nodes.values() if not node.votes)

    def sign(self, signers: Sequence[LocalSigner], *operations: Any, valid_s: float) -> bytes:
        """Return a signed transaction, valid for so many seconds from now."""
        valid_until_ms = CLOCK.now_ms() + int(valid_s * 1000)
        builder = transaction(self.client, valid_until_ms=valid_until_ms)
        return builder.add(*operations).sign(*signers).raw()

    def clerk(self, *, kind: Kind = Kind.TRANSFER, size_bytes: int | None = None) -> Clerk:
        """Return who signs orders of this kind.

        Raises:
            ValueError: there is no transaction of this size.
        """
        genesis_hash = self.network.genesis.hash
        return Clerk(genesis_hash, self.signers, self.addresses, kind=kind, size_bytes=size_bytes)

    def orders(self, clerk: Clerk, count: int, *, valid_s: float, seed: int) -> Iterator[Order]:
        """Yield so many orders, valid for so many seconds from now."""
        until_ms = CLOCK.now_ms() + int(valid_s * 1000)
        return clerk.orders(count, valid_until_ms=until_ms, seed=seed)

    def transfers(self, count: int, *, valid_s: float, seed: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield id and bytes of so many signed transfers of one paisa between random accounts."""
        for order in self.orders(self.clerk(), count, valid_s=valid_s, seed=seed):
            yield order.id, order.raw

    async def apply(self, raws: Sequence[bytes]) -> None:
        """Submit set-up transactions and wait until all are applied.

        Raises:
            RuntimeError: one of them was refused.
        """
        waiting = list(raws)
        for raw in waiting[:-1]:
            await self.posters[0].call("khz_submit", transaction=raw.hex())
        # The pool is first in, first out: when the last is final, so are all before it.
        for raw in waiting[-1:]:
            found = await self.posters[0].call(
                "khz_submit", transaction=raw.hex(), wait="final", timeout_ms=60_000
            )
            outcome = found["receipt"]["outcome"]
            if outcome["code"] != 0:
                raise RuntimeError(outcome["sentence"])

    async def settle(self, assets: Sequence[str] = (RUPEE,)) -> None:
        """Open the accounts that are not in the genesis, make the assets, give everyone some."""
        await self._open_accounts()
        bank, ministry = self.offices[BANK], self.offices[MINISTRY]
        both = [self.office_keys[BANK], self.office_keys[MINISTRY]]
        rupee = define_rupee(central_bank=bank, approvers=(ministry,))
        await self.apply([self.sign(both, rupee, valid_s=VALID_S)])
        for number, asset in enumerate(assets):
            if asset in BILLS:
                bill = _bill(asset, number, ministry, bank)
                await self.apply([self.sign(both, bill, valid_s=VALID_S)])
            await self._issue_to_all(asset)

    async def _open_accounts(self) -> None:
        raws = []
        for chunk in _chunks(self.signers[GENESIS_ACCOUNTS_MAX:], OPERATIONS_MAX):
            operations = [
                OpenAccount(
                    account=self.offices[REGULATOR],
                    approvers=(),
                    owner=OWNER,
                    policy=single_signer(signer.public_key),
                    salt=SALT,
                )
                for signer in chunk
            ]
            raws.append(self.sign([self.office_keys[REGULATOR]], *operations, valid_s=VALID_S))
        await self._apply_all(raws)

    async def _issue_to_all(self, asset: str) -> None:
        """A bill is the ministry's and the bank's together, the rupee the bank's alone."""
        office, approvers = (MINISTRY, (BANK,)) if asset in BILLS else (BANK, ())
        keys = [self.office_keys[name] for name in (office, *approvers)]
        raws = []
        for chunk in _chunks(self.addresses, OPERATIONS_MAX):
            issues = [
                issue(
                    account=self.offices[office],
                    approvers=tuple(self.offices[name] for name in approvers),
                    asset=asset,
                    amount=FUNDS,
                    to=address,
                )
                for address in chunk
            ]
            raws.append(self.sign(keys, *issues, valid_s=VALID_S))
        await self._apply_all(raws)

    async def _apply_all(self, raws: Sequence[bytes]) -> None:
        for chunk in _chunks(raws, SETUP_AT_ONCE):
            await self.apply(chunk)

    async def supply(self) -> tuple[int, int]:
        """Return the rupee's supply and the sum of all holdings of it, in paisa."""
        holdings = await self.holdings()
        return await self.supply_of(RUPEE), sum(each.get(RUPEE, 0) for each in holdings)

    async def supply_of(self, asset: str) -> int:
        """Return what is issued of an asset, in minor units."""
        return _minor((await self.posters[0].call("khz_asset", asset=asset))["asset"]["supply"])

    async def holdings(self) -> list[dict[str, int]]:
        """Return what each account holds, by asset, in minor units; each node is asked for some."""
        found: list[dict[str, int]] = [{}] * len(self.addresses)
        lanes = len(self.posters)
        async with asyncio.TaskGroup() as tasks:
            for lane, poster in enumerate(self.posters):
                mine = range(lane, len(self.addresses), lanes)
                tasks.create_task(self._ask(poster, mine, found), name=f"holdings-{lane}")
        return found

    async def _ask(
        self, poster: Poster, accounts: Sequence[int], found: list[dict[str, int]]
    ) -> None:
        began = CLOCK.monotonic()
        for number, account in enumerate(accounts):
            due = began + number / CALLS_PER_SECOND
            await asyncio.sleep(max(0.0, due - CLOCK.monotonic()))
            address = self.client.render_address(self.addresses[account])
            answer = await poster.call("khz_holdings", address=address)
            found[account] = {
                holding["asset"]: _minor(holding["total"]) for holding in answer["holdings"]
            }

    def memory_mb(self) -> dict[str, float]:
        """Return the resident memory of each validator."""
        found = {}
        for node in self.network.validators:
            process = self.network.process(node.name)
            if process is not None:
                found[node.name] = resident_mb(process.pid)
        return found

    def cpu_s(self, *nodes: LocalNode) -> float:
        """Return the processor time that these nodes, or all validators, have used."""
        processes = [self.network.process(node.name) for node in nodes or self.network.validators]
        return sum(cpu_seconds(process.pid) for process in processes if process is not None)


def office_key(name: str) -> LocalSigner:
    """Return the key of an institution's account: made of its name, for this benchmark only."""
    return LocalSigner(f"bench {name}".encode().ljust(32, b".")[:32])


@contextlib.asynccontextmanager
async def running_town(
    *,
    accounts: int,
    validators: int = len(INSTITUTIONS),
    observers: int = 0,
    blocks: Blocks | None = None,
    assets: Sequence[str] = (RUPEE,),
    verification: str = "auto",
    root: Path | None = None,
) -> AsyncIterator[Town]:
    """Start a network, fund its accounts, and take it all away at the end.

    Args:
        verification: whether signatures are verified in a process of their own: on, off, auto.
    """
    signers = [LocalSigner(number.to_bytes(32)) for number in range(1, accounts + 1)]
    description = describe(validators, signers[:GENESIS_ACCOUNTS_MAX], blocks, observers=observers)
    with tempfile.TemporaryDirectory(prefix="khazana-bench-", dir=root) as folder:
        network = create_network(Path(folder), description, now_ms=CLOCK.now_ms())
        for node in network.validators:
            with (node.home / CONFIG_FILE).open("a") as config:
                config.write(f'\n[verification]\nprocess = "{verification}"\n')
        town = Town(network, signers)
        try:
            network.start(leashed=True)
            await network.wait_ready()
            await town.settle(assets)
            yield town
        finally:
            for poster in town.posters:
                poster.close()
            await network.stop()


def describe(
    validators: int,
    signers: Sequence[LocalSigner],
    blocks: Blocks | None,
    *,
    observers: int = 0,
) -> NetworkDescription:
    """Return a network of so many validators: the institutions first, then banks; and observers.

    The four institutions have their offices in any case. Fewer than four validators can only be of
    the fault model of crashes, and one alone only of a network for development.
    """
    names = [*INSTITUTIONS, *(f"bank-{n}" for n in range(5, validators + 1))][:validators]
    observing = [f"observer-{number}" for number in range(1, observers + 1)]
    listening = dict.fromkeys([*INSTITUTIONS, *names, *observing])
    free = free_ports(2 * len(listening))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(listening)}
    banks = [name for name in names if name not in INSTITUTIONS]
    usual = reference_network(
        "bench",
        ports={name: ports[name] for name in INSTITUTIONS},
        development=False,
        participants=[
            Participant(id=OWNER, kind=ParticipantKind.COMPANY),
            *(Participant(id=name, kind=ParticipantKind.BANK) for name in banks),
        ],
        accounts=[
            *(
                Account(owner=name, public_key=office_key(name).public_key.hex())
                for name in INSTITUTIONS
            ),
            *(Account(owner=OWNER, public_key=each.public_key.hex()) for each in signers),
        ],
        blocks=blocks,
    )
    nodes = tuple(
        Validator(
            name=name,
            participant=name,
            dial=f"127.0.0.1:{ports[name][0]}",
            listen=f"127.0.0.1:{ports[name][0]}",
            rpc_listen=f"127.0.0.1:{ports[name][1]}",
        )
        for name in names
    )
    model = FaultModel.BYZANTINE if validators >= len(INSTITUTIONS) else FaultModel.CRASH
    changed = {
        "validators": nodes,
        "observers": tuple(
            Observer(
                name=name,
                listen=f"127.0.0.1:{ports[name][0]}",
                rpc_listen=f"127.0.0.1:{ports[name][1]}",
            )
            for name in observing
        ),
        "fault_model": model,
        "development": validators == 1,
    }
    return usual.model_copy(update=changed)


def _bill(asset: str, number: int, ministry: bytes, bank: bytes) -> DefineAsset:
    today = datetime.fromtimestamp(CLOCK.now_ms() / 1000, tz=UTC).date()
    return define_bill(
        account=ministry,
        approvers=(bank,),
        asset=asset,
        name=f"Market treasury bill {number}",
        isin=next(isin for digit in range(10) if is_isin(isin := f"PK{number:09}{digit}")),
        issued=today,
        matures=today + timedelta(days=84),
        multiple=1,
        ceiling=10**15,
    )


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _minor(amount: str) -> int:
    """All assets here have two decimals."""
    return int(amount.replace(".", ""))
