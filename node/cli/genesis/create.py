"""`khazana genesis create`: from a description of a network to its genesis and its homes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, json_option, note

if TYPE_CHECKING:
    from node.provision.founding import FoundedNetwork


@click.command()
@click.argument("description", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the genesis; without it and without --homes it is printed.",
)
@click.option(
    "--homes",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also make the home of every node, DIRECTORY/NAME, with new keys where none are given. "
    "Homes that are all there already are left as they are.",
)
@click.option(
    "--passphrases",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder with one file per validator, NAME, whose line is the passphrase of its new key. "
    "Without it passphrases are made and kept beside the keys.",
)
@json_option
def command(
    description: Path,
    out: Path | None,
    homes: Path | None,
    passphrases: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make the genesis of the network that the file DESCRIPTION (TOML) describes.

    \b
    Example:
      khazana genesis create configs/four-institutions/network.toml --out genesis.json
    """
    from node.clock import SystemClock
    from node.genesis import explain_quorum
    from node.provision.description import load_description
    from node.provision.founding import found_network
    from node.provision.homes import CONFIG_FILE, GENESIS_FILE

    described = load_description(description)
    names = [node.name for node in (*described.validators, *described.observers)]
    if homes is not None:
        there = [name for name in names if (homes / name / CONFIG_FILE).exists()]
        if len(there) == len(names):
            text = f"all homes are there already, in {homes}"
            emit({"homes": [str(homes / n) for n in names], "made": False}, text, as_json=as_json)
            return
        if there:
            missing = ", ".join(name for name in names if name not in there)
            raise CommandError(
                Exit.CONFIGURATION,
                f"{homes} has the homes of {', '.join(there)}, and none of {missing}: keys made now"
                " would be of another network",
                advice="Put the missing homes back from their backup; or, to found a new network,"
                " remove them all.",
            )
    founded = found_network(
        described,
        folder=description.parent,
        now_ms=SystemClock().now_ms(),
        make_keys=homes is not None,
    )
    text = founded.genesis.render()
    facts: dict[str, object] = {
        "name": founded.genesis.name,
        "genesis_hash": founded.genesis.hash.hex(),
        "quorum": explain_quorum(founded.genesis.fault_model, len(described.validators)),
    }
    if homes is not None:
        facts["homes"] = _write_homes(founded, homes, passphrases)
        facts["made"] = True
    if out is not None:
        _write_new(out, text)
        facts["file"] = str(out)
    note(f"{facts['quorum']}.")
    if out is None and homes is None:
        if as_json:
            facts["genesis"] = text
        emit(facts, text.rstrip("\n"), as_json=as_json)
        return
    place = out or f"{homes}/*/{GENESIS_FILE}"
    emit(facts, f"genesis {founded.genesis.hash.hex()} in {place}", as_json=as_json)


def _write_homes(founded: "FoundedNetwork", homes: Path, passphrases: Path | None) -> list[str]:
    from node.keys.keystore import read_passphrase
    from node.provision.homes import write_home

    written = []
    for name, keys in founded.keys.items():
        if keys.tls_key_pem is None:
            continue  # An institution made this node's keys itself, and has its home.
        file = None if passphrases is None else passphrases / name
        passphrase = None
        if file is not None and keys.consensus_seed is not None:
            passphrase = read_passphrase(file)
        new = founded.home(
            name,
            passphrase=passphrase,
            passphrase_file=None if file is None else str(file.absolute()),
        )
        write_home(homes / name, new)
        written.append(str(homes / name))
    return written


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} is there already, and a genesis is never overwritten",
            advice="Name another file or folder; or move this one aside, if no node was founded by"
            " it.",
        ) from None
