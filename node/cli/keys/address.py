"""`khazana keys address`: where the account of a single key will be."""

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option


@click.command()
@click.argument("public_key")
@click.option("--owner", required=True, help="Participant that the account will belong to.")
@click.option(
    "--salt",
    default="00" * 8,
    show_default=True,
    help="8 to 16 bytes in hexadecimal: one owner and key can have several accounts.",
)
@click.option("--main", "main_network", is_flag=True, help="For a network that is no test network.")
@json_option
def command(public_key: str, owner: str, salt: str, *, main_network: bool, as_json: bool) -> None:
    """Print the address of the account that PUBLIC_KEY alone signs for.

    The address is a hash of owner, key and salt: it is known before the account is opened.

    \b
    Example:
      khazana keys address --owner participant-2 \\
        37d5439cc2a9e4e0bd24aff53409dbe719505ac0733729418f423cb4c0604f5b
    """
    from node.addresses import render_address
    from node.ledger.policies import SALT_SIZE_MAX, SALT_SIZE_MIN, account_address, single_signer

    try:
        key, salt_bytes = bytes.fromhex(public_key), bytes.fromhex(salt)
    except ValueError:
        raise CommandError(
            Exit.USAGE,
            "key and salt are hexadecimal digits",
            advice="`khazana keys show FILE` prints the public key; a salt is such as"
            " 0000000000000001.",
        ) from None
    if len(key) != 32 or not SALT_SIZE_MIN <= len(salt_bytes) <= SALT_SIZE_MAX:
        raise CommandError(
            Exit.USAGE,
            "a public key has 32 bytes, a salt 8 to 16",
            advice="`khazana keys show FILE` prints the public key, 64 digits; a salt has 16 to"
            " 32, such as 0000000000000001.",
        )
    address = account_address(owner, single_signer(key), salt_bytes)
    facts = {
        "address": render_address(address, test=not main_network),
        "owner": owner,
        "public_key": public_key,
        "salt": salt,
    }
    emit(facts, fields(facts), as_json=as_json)
