"""`khazana validator prepare`: the keys that are to follow those in use."""

from pathlib import Path

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import json_option, note
from node.cli.validator.writing import request_options


@click.command()
@home_option
@request_options
@click.option("--keep-certificate", is_flag=True, help="Only a new voting key.")
@json_option
def command(
    home: Path,
    participant: str | None,
    out: Path | None,
    *,
    keep_certificate: bool,
    as_json: bool,
) -> None:
    """Make a new voting key and certificate beside those in use, and write the request for them.

    Under the passphrase of the present key. Restart the node, so that it has both; then the offices
    decide (`khazana validator rotate FILE`), and it takes the new ones up by itself, at the height
    from which they are in force.

    \b
    Example:
      khazana validator prepare --home first-bank --participant participant-0 \\
        --out first-bank.rotation.json
    """
    from node.cli.upkeep import load_home
    from node.cli.validator.writing import no_voting_key, request_path, write_request
    from node.keys import LocalSigner
    from node.keys.certificates import create_tls_identity
    from node.keys.following import following_of
    from node.keys.keystore import read_passphrase, store_key
    from node.provision.homes import write_secret

    place = load_home(home)
    validator, tls = place.config.validator, place.config.tls
    if validator is None:
        raise no_voting_key(home)
    if validator.keystore is None or validator.passphrase_file is None:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{home} votes with a development key: it has no file that another could follow",
            advice="`khazana init` makes a node with keys of its own; it may join a development"
            " network too.",
        )
    paths = (
        [validator.keystore] if keep_certificate else [validator.keystore, tls.key, tls.certificate]
    )
    for path in map(following_of, paths):
        if path.exists():
            raise CommandError(
                Exit.CONFIGURATION,
                f"{path} is there: keys were prepared before",
                advice="Let the offices decide on those (`khazana validator request --prepared`"
                " writes their request again), and `khazana validator settle` them; or move the"
                " files away if nobody has seen their request.",
            )
    request = request_path(place, out)
    signer = LocalSigner.generate()
    passphrase = read_passphrase(validator.passphrase_file)
    store_key(following_of(validator.keystore), signer.seed, passphrase, purpose="consensus")
    if keep_certificate:
        from node.app.loading import load_certificate

        certificate = load_certificate(tls.certificate)
    else:
        tls_key, certificate = create_tls_identity(place.config.name)
        write_secret(following_of(tls.key), tls_key)
        following_of(tls.certificate).write_bytes(certificate)
    write_request(
        signer, certificate, place, participant=participant, path=request, as_json=as_json
    )
    note("Restart the node before the offices decide, so that it has both keys.")
