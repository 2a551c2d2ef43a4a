"""`khazana genesis show`: what a genesis founds, in words."""

from pathlib import Path

import click

from node.cli.output import emit, fields, json_option, table


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def command(file: Path, *, as_json: bool) -> None:
    """Print what the genesis in FILE founds: network, validators, quorum, accounts.

    \b
    Example:
      khazana genesis show configs/four-institutions/genesis.json
    """
    from node.addresses import render_address
    from node.genesis import explain_quorum, load_genesis
    from node.ledger.policies import account_address
    from node.rpc.rendering import render_time

    genesis = load_genesis(file)
    record = genesis.record
    facts: dict[str, object] = {
        "name": genesis.name,
        "genesis_hash": genesis.hash.hex(),
        "network": genesis.network.hex(),
        "time": render_time(genesis.time_ms),
        "test_network": genesis.test_network,
        "development": genesis.development,
        "quorum": explain_quorum(genesis.fault_model, len(record.validators)),
    }
    validators = [
        {"name": v.name, "participant": v.participant, "public_key": v.public_key.hex()}
        for v in record.validators
    ]
    accounts = [
        {
            "address": render_address(
                account_address(a.owner, a.policy, a.salt), test=genesis.test_network
            ),
            "owner": a.owner,
        }
        for a in record.accounts
    ]
    text = "\n\n".join(
        [
            fields(facts),
            table([(v["name"], v["public_key"]) for v in validators], head=("validator", "key")),
            table([(a["owner"], a["address"]) for a in accounts], head=("owner", "account")),
        ]
    )
    emit(facts | {"validators": validators, "accounts": accounts}, text, as_json=as_json)
