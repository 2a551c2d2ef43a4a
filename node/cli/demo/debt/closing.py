"""Step 9: nothing is owed any more, every node agrees, and every rupee is somewhere."""

from typing import Any

from node.cli.demo.debt.securities import PAYING
from node.cli.demo.debt.stage import PAISA, DebtStage
from node.cli.demo.stage import root_at
from node.client import Client
from node.provision.acts import RUPEE


async def close(stage: DebtStage) -> dict[str, Any]:
    """Return the closing figures as one object."""
    narrator, client = stage.narrator, stage.client
    narrator.step("Closing: nothing is owed, every rupee is somewhere, every node agrees")
    owed = (await client.debt()).value
    narrator.check("the state owes nothing any more", holds=not owed, found=f"{len(owed)} lines")
    rows = [row for asset in PAYING for row in (await client.schedule(asset)).value]
    narrator.check(
        "every payment of every schedule is settled",
        holds=all(row.made is not None and row.made.status == "settled" for row in rows),
        found=f"{len(rows)} payments",
    )
    total = 0
    for actor in stage.actors.values():
        total += round(await client.holding(actor.address, RUPEE) * PAISA)
    supply = (await client.asset(RUPEE)).value.supply
    narrator.check(
        "the supply of rupees is the sum of what everybody has: none waits anywhere",
        holds=round(supply * PAISA) == total,
        found=f"{supply:,}",
    )
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
    return {
        "from": stage.began.isoformat(),
        "to": (await stage.today()).isoformat(),
        "height": height,
        "state_root": next(iter(roots.values())),
    }
