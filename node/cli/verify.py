"""`khazana verify`: check a proof file without any node."""

from pathlib import Path
from typing import Final

import click

from node.cli.exits import CommandError, Exit
from node.cli.output import emit, fields, json_option
from node.cli.trusted import amendments_option, founded

PROOF_SIZE_MAX: Final = 64 << 20


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--genesis",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The network's genesis: the one thing that has to be trusted.",
)
@amendments_option
@json_option
def command(file: Path, genesis: Path, amendments: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the proof in FILE: offline, against nothing but the genesis.

    Where the institutions have amended the set of validators, the amendment is needed as well.

    Says what was on the ledger after which block, and who decided that block. Exit code 1 when the
    proof does not hold.

    \b
    Example:
      khazana verify holding.proof.json --genesis genesis.json
    """
    from node.proofs import render_time, verify_proof_file

    verified = verify_proof_file(read_proof(file), founded(genesis, amendments))
    facts = {
        "holds": True,
        "statement": verified.statement,
        "height": verified.height,
        "time": render_time(verified.time_ms),
        "block_id": verified.block_id.hex(),
        "decided_by": list(verified.signers),
    }
    shown = {
        "block": f"{verified.height}, {verified.block_id.hex()}",
        "decided by": ", ".join(verified.signers),
    }
    emit(facts, f"The proof holds: {verified.statement}\n{fields(shown)}", as_json=as_json)


def read_proof(path: Path) -> bytes:
    """Return the proof file as it is.

    Raises:
        CommandError: it cannot be read, or is larger than `PROOF_SIZE_MAX`.
    """
    try:
        with path.open("rb") as source:
            content = source.read(PROOF_SIZE_MAX + 1)
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{path} cannot be read: {error.strerror}",
            advice="Name a proof file that is there, as `khazana query prove` writes it.",
        ) from None
    if len(content) > PROOF_SIZE_MAX:
        raise CommandError(
            Exit.REFUSED,
            f"{path} is larger than any proof",
            advice="It is no proof file: have one written by `khazana query prove`.",
        )
    return content
