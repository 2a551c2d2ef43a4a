"""`khazana init`: the home folder of one institution's node, or a network in containers."""

from collections.abc import Mapping
from pathlib import Path

import click

from node.cli.containers import make_containers
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import emit, json_option
from node.cli.passphrases import obtain_passphrase, passphrase_option


@click.command()
@click.option("--name", help="The node's name: a-z, 0-9 and hyphens.")
@home_option
@click.option("--observer", is_flag=True, help="A node that follows and does not vote.")
@click.option(
    "--genesis",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The network's genesis, if it exists already.",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="NAME=HOST:PORT",
    help="Where a validator is dialled; once for each.",
)
@click.option(
    "--listen", metavar="HOST:PORT", help="Where peers are listened for.  [default: 0.0.0.0:26600]"
)
@click.option(
    "--rpc-listen",
    metavar="HOST:PORT",
    help="Where clients are listened for.  [default: 127.0.0.1:26680]",
)
@passphrase_option
@click.option(
    "--docker",
    type=click.Path(file_okay=False, path_type=Path),
    is_flag=False,
    flag_value=Path("khazana-docker"),
    metavar="[DIRECTORY]",
    help="Make no home but a network's files for docker compose, by default in khazana-docker.",
)
@click.option("-n", "--validators", type=int, help="With --docker: how many validate. [1 to 16]")
@click.option("--observers", type=int, help="With --docker: how many follow. [0 to 8, default 1]")
@click.option(
    "--build",
    "context",
    metavar="SOURCES",
    help="With --docker: build the image from these sources, a path as seen from DIRECTORY; "
    "otherwise KHAZANA_IMAGE names it.",
)
@json_option
def command(
    name: str | None,
    home: Path,
    genesis: Path | None,
    peers: tuple[str, ...],
    listen: str | None,
    rpc_listen: str | None,
    passphrase_file: Path | None,
    docker: Path | None,
    validators: int | None,
    observers: int | None,
    context: str | None,
    *,
    observer: bool,
    as_json: bool,
) -> None:
    """Make the home folder of a node, with new keys of its own.

    Prints what the others need to know: public key and certificate. They go into the description
    that the genesis is made of, or for an observer into the validators' configuration.

    Where two nodes stand on one machine, each has ports of its own: --listen and --rpc-listen.

    \b
    Examples:
      khazana init --name first-bank --home first-bank --passphrase-file voting.passphrase
      khazana init --docker -n 7
    """
    of_a_home = {
        "--name": name,
        "--observer": observer or None,
        "--genesis": genesis,
        "--peer": peers or None,
        "--listen": listen,
        "--rpc-listen": rpc_listen,
        "--passphrase-file": passphrase_file,
    }
    of_containers = {
        "--validators": validators,
        "--observers": observers,
        "--build": context,
    }
    if docker is None:
        _refuse(of_containers, "is for a network in containers", advice="Say --docker too.")
    else:
        _refuse(of_a_home, "is for a node of your own", advice="Leave it out, or --docker.")
    if docker is not None:
        make_containers(
            docker,
            validators=4 if validators is None else validators,
            observers=1 if observers is None else observers,
            context=context,
            as_json=as_json,
        )
        return
    if name is None:
        raise CommandError(
            Exit.USAGE, "the node has no name", advice="Give it one with --name; or say --docker."
        )
    from node.provision.homes import NETWORK_LISTEN, RPC_LISTEN

    public_key = _make_home(
        home,
        name=name,
        peers=peers,
        listen=_checked("--listen", listen or NETWORK_LISTEN),
        rpc_listen=_checked("--rpc-listen", rpc_listen or RPC_LISTEN),
        genesis=genesis,
        passphrase_file=passphrase_file,
        votes=not observer,
    )
    _tell(home, name=name, public_key=public_key, has_genesis=genesis is not None, as_json=as_json)


def _make_home(
    home: Path,
    *,
    name: str,
    peers: tuple[str, ...],
    listen: str,
    rpc_listen: str,
    genesis: Path | None,
    passphrase_file: Path | None,
    votes: bool,
) -> str | None:
    """Write a home with new keys; return the key that votes, in hexadecimal, if one does."""
    from node.keys import LocalSigner
    from node.keys.certificates import NAME_PATTERN, create_tls_identity
    from node.provision.homes import NewHome, NodeSettings, write_home

    if NAME_PATTERN.fullmatch(name) is None:
        raise CommandError(
            Exit.USAGE,
            f"{name!r} is no name: 1 to 32 of a-z, 0-9 and hyphens",
            advice="Write it as a host is named: --name central-bank.",
        )
    if votes and passphrase_file is None:
        raise CommandError(
            Exit.USAGE,
            "a validator's key needs a passphrase that the node can read when it starts",
            advice="Name its file with --passphrase-file; or make an --observer.",
        )
    signer = LocalSigner.generate() if votes else None
    tls_key, certificate = create_tls_identity(name)
    write_home(
        home,
        NewHome(
            settings=NodeSettings(
                name=name,
                peers=_peers(peers),
                network_listen=listen,
                rpc_listen=rpc_listen,
                passphrase_file=str(Path(passphrase_file or "").absolute()) if votes else None,
            ),
            tls_key_pem=tls_key,
            tls_certificate=certificate,
            genesis=None if genesis is None else genesis.read_bytes(),
            consensus_seed=None if signer is None else signer.seed,
            passphrase=(obtain_passphrase(passphrase_file, of="the voting key") if votes else None),
        ),
    )
    return None if signer is None else signer.public_key.hex()


def _tell(
    home: Path, *, name: str, public_key: str | None, has_genesis: bool, as_json: bool
) -> None:
    """Print what the others need to know of the new node."""
    from node.provision.homes import CONFIG_FILE, GENESIS_FILE, TLS_CERTIFICATE_FILE

    facts = {
        "name": name,
        "home": str(home),
        "public_key": public_key,
        "tls_certificate": str(home / TLS_CERTIFICATE_FILE),
    }
    lines = [f"made {home / CONFIG_FILE}", "", "Give the others:", f'  name = "{name}"']
    if public_key is not None:
        lines.append(f'  public_key = "{public_key}"')
    lines.append(f"  and the file {home / TLS_CERTIFICATE_FILE}")
    if not has_genesis:
        lines += ["", f"When the genesis is made, put it at {home / GENESIS_FILE}."]
    emit(facts, "\n".join(lines), as_json=as_json)


def _refuse(options: Mapping[str, object], reason: str, *, advice: str) -> None:
    given = [option for option, value in options.items() if value is not None]
    if given:
        raise CommandError(Exit.USAGE, f"{', '.join(given)} {reason}", advice=advice)


def _checked(option: str, place: str) -> str:
    """Return a place to listen on as it was written.

    Raises:
        CommandError: it is none.
    """
    from node.config import parse_endpoint

    try:
        parse_endpoint(place)
    except ValueError as error:
        raise CommandError(
            Exit.USAGE, f"{option} {place}: {error}", advice=f"Write {option} 127.0.0.1:26610."
        ) from None
    return place


def _peers(words: tuple[str, ...]) -> dict[str, str]:
    from node.config import parse_endpoint

    peers = {}
    for word in words:
        name, equals, place = word.partition("=")
        try:
            if not equals:
                raise ValueError("there is no =")
            parse_endpoint(place)
        except ValueError as error:
            raise CommandError(
                Exit.USAGE, f"--peer {word}: {error}", advice="Write --peer NAME=HOST:PORT."
            ) from None
        peers[name] = place
    return peers
