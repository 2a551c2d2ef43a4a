"""`khazana amendment draft`: who is to rule after the last block, for all to sign."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.amendment.telling import FILE, facts_of, text_of, write
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.cli.upkeep import Home
    from node.ledger.tables import ValidatorRecord
    from node.upkeep import Standing


@click.command()
@click.option(
    "--keep",
    "kept",
    multiple=True,
    metavar="NAME",
    help="A validator of the present set that has its key and goes on; once for each.",
)
@click.option(
    "--leave",
    "leaving",
    multiple=True,
    metavar="NAME",
    help="One that has its key, signs the amendment, and then goes.",
)
@click.option(
    "--add",
    "added",
    multiple=True,
    type=FILE,
    metavar="REQUEST",
    help="What `khazana validator request` wrote where a new key is; once for each.",
)
@click.option("--reason", required=True, help="For the ledger: who decided it together, and when.")
@click.option("--out", type=FILE, required=True, help="The file to write; it must not be there.")
@home_option
@json_option
def command(
    kept: tuple[str, ...],
    leaving: tuple[str, ...],
    added: tuple[Path, ...],
    reason: str,
    out: Path,
    home: Path,
    *,
    as_json: bool,
) -> None:
    """Write an amendment on the last block that this home's node holds, for all to sign.

    The node is stopped. Its block must be the highest that any node holds anywhere: compare first.
    Refused where those who are left could still decide: then `khazana validator` changes the set.

    \b
    Example:
      khazana amendment draft --home central-bank --keep central-bank --keep finance-ministry \\
        --add crypto-council.request.json --add first-bank.request.json \\
        --reason "two keys destroyed; decided by all four, 25 November" --out 1.amendment
    """
    from node.cli.upkeep import load_home
    from node.genesis import AMENDMENT_FORMAT, AmendmentBody, amendment_of, explain_quorum
    from node.ledger.tables import TEXT_MAX, RulingKey
    from node.upkeep import check_fits, standing

    place = load_home(home)
    if not 1 <= len(reason) <= TEXT_MAX:
        raise CommandError(
            Exit.USAGE,
            f"--reason has {len(reason)} characters, 1 to {TEXT_MAX} are needed",
            advice='Say in a sentence what has happened and who decided: --reason "two keys lost'
            ' in the flood, decided on 4 May".',
        )
    if out.exists():
        raise CommandError(
            Exit.CONFIGURATION, f"{out} is there already", advice="Name another file with --out."
        )
    here = standing(place.chain, place.genesis)
    if here is None or here.height == 0:
        raise CommandError(
            Exit.REFUSED,
            "no block has been decided here: nothing to stand on",
            advice="Draft it on a node that has blocks: `khazana status` says how high each is."
            " Before the first block found the network anew: `khazana genesis create`.",
        )
    present = {each.name: each for each in here.records}
    survivors = sorted({*kept, *leaving})
    _check_survivors(survivors, here, place)
    validators = [*(present[name] for name in dict.fromkeys(kept)), *_added(added, place)]
    if not validators:
        raise CommandError(Exit.USAGE, "nobody would rule", advice="Say --keep or --add.")
    amendment = amendment_of(
        AmendmentBody(
            format=AMENDMENT_FORMAT,
            genesis_hash=place.genesis.hash,
            serial=len(place.genesis.amendments) + 1,
            height=here.height,
            block_id=here.block_id,
            survivors=tuple(
                RulingKey(name=name, public_key=present[name].public_key) for name in survivors
            ),
            validators=tuple(sorted(validators, key=lambda each: each.name)),
            reason=reason,
        )
    )
    check_fits(amendment, chain=place.chain, log=place.log, genesis=place.genesis, is_draft=True)
    write(out, amendment)
    quorum = explain_quorum(place.genesis.fault_model, len(validators))
    emit(
        {"file": str(out), "quorum": quorum} | facts_of(amendment),
        f"{text_of(amendment)}\n\n{quorum}\nwrote {out}: each who has to sign runs `khazana"
        " amendment sign`",
        as_json=as_json,
    )


def _check_survivors(names: list[str], here: "Standing", place: "Home") -> None:
    """Refuse survivors that are none, or that need no amendment.

    Raises:
        CommandError: says which.
    """
    from consensus.quorum import quorum

    present = [each.name for each in here.records]
    unknown = [name for name in names if name not in present]
    if unknown or not names:
        raise CommandError(
            Exit.USAGE,
            f"{', '.join(unknown) or 'nobody'} survives: after height {here.height} the validators"
            f" are {', '.join(present)}",
            advice="Name with --keep or --leave each of them that has its key.",
        )
    if len(names) >= quorum(place.genesis.fault_model, len(present)):
        raise CommandError(
            Exit.REFUSED,
            f"{', '.join(names)} can decide: {len(names)} of {len(present)} are a quorum",
            advice="Change the set with `khazana validator remove`, `add` and `rotate`.",
        )


def _added(files: tuple[Path, ...], place: "Home") -> "list[ValidatorRecord]":
    from node.ledger.tables import ValidatorRecord
    from node.provision.requests import read_request

    records = []
    for file in files:
        request = read_request(file)
        if request.network != place.genesis.hash:
            raise CommandError(
                Exit.REFUSED,
                f"{file} is for the network with genesis {request.network.hex()}, this is"
                f" {place.genesis.hash.hex()}",
                advice="Have it made anew in a home with this network's genesis.json: `khazana"
                " validator request --home HOME`.",
            )
        records.append(
            ValidatorRecord(
                name=request.name,
                participant=request.participant,
                public_key=request.public_key,
                tls_certificate=request.tls_certificate,
            )
        )
    return records
