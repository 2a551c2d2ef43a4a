"""Nothing is owed any more, every node agrees, and every rupee is somewhere."""

from node.cli.demo.debt.securities import BILL, PAYING
from node.cli.demo.debt.stage import PAISA, DebtStage
from node.cli.demo.stage import root_at
from node.client import Client
from node.provision.acts import RUPEE


async def close(stage: DebtStage) -> None:
    """Check it; leave the closing figures with the stage, as one object."""
    narrator, client = stage.narrator, stage.client
    owed = [line for line in (await client.debt()).value if line.asset in (BILL, *PAYING)]
    narrator.check("the state owes nothing any more", holds=not owed, found=f"{len(owed)} lines")
    rows = [row for asset in PAYING for row in (await client.schedule(asset)).value]
    narrator.check(
        "every payment of every schedule is settled",
        holds=all(row.made is not None and row.made.status == "settled" for row in rows),
        found=f"{len(rows)} payments",
    )
    if stage.is_alone:
        await _check_rupees(stage)
    height = (await client.status()).height
    roots = {}
    for node in stage.network.nodes.values():
        async with Client(node.url, network=client.network) as each:
            roots[node.name] = await root_at(each, height)
    narrator.check(
        f"every node has the same state after block {height}",
        holds=len(set(roots.values())) == 1,
        found=next(iter(roots.values()))[:16],
    )
    first = (await stage.payment(PAYING[0], 1)).start
    stage.closing = {
        "from": first,
        "to": (await stage.today()).isoformat(),
        "height": height,
        "state_roots": roots,
    }


async def _check_rupees(stage: DebtStage) -> None:
    total = 0
    for actor in stage.actors.values():
        total += round(await stage.client.holding(actor.address, RUPEE) * PAISA)
    supply = (await stage.client.asset(RUPEE)).value.supply
    stage.narrator.check(
        "the supply of rupees is the sum of what everybody has: none waits anywhere",
        holds=round(supply * PAISA) == total,
        found=f"{supply:,}",
    )
