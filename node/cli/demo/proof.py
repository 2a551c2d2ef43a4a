"""A holder gets a proof in a file, and no byte of it can be changed."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from node.cli.demo.primary import BILL
from node.cli.demo.stage import Stage
from node.genesis import Genesis
from node.proofs import ProofError, verify_proof_file

HOLDER: Final = 7
SPREAD: Final = 211
"""Places at which a byte is changed, spread over the file; a prime, so they fall everywhere."""


async def prove_holding(stage: Stage) -> None:
    """Write the file, verify it, spoil it."""
    narrator, folder = stage.narrator, stage.folder
    holder = stage.people[HOLDER]
    proof = (await stage.clients[-1].prove("holding", address=holder.address, name=BILL)).value
    file, genesis = folder / "holding.proof.json", stage.network.genesis_file
    file.write_bytes(proof.file.encode())
    narrator.tell(f"{holder.name} got a file of {file.stat().st_size:,} bytes. It says:")
    narrator.tell(proof.statement)

    code, said = await _verify(file, genesis)
    narrator.check(
        "khazana verify FILE --genesis genesis.json confirms it", holds=code == 0, found=said
    )
    spoilt = folder / "spoilt.proof.json"
    spoilt.write_bytes(_changed(file.read_bytes(), file.stat().st_size // 2))
    code, said = await _verify(spoilt, genesis)
    narrator.check("and refuses it with one byte changed", holds=code == 1, found=said)
    places = _places(file.read_bytes())
    with narrator.doing(f"changing a byte at {len(places)} places"):
        accepted = await asyncio.to_thread(
            _accepted, file.read_bytes(), places, stage.network.genesis
        )
    narrator.check(
        f"and with any of {len(places)} other bytes changed",
        holds=not accepted,
        found=f"{len(accepted)} of them accepted",
    )


async def _verify(file: Path, genesis: Path) -> tuple[int, str]:
    """Run the command in a process of its own, which knows nothing of this one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", "verify", str(file), "--genesis", str(genesis)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    # The first words: what follows them is the statement that was just told.
    return process.returncode, said.decode().removeprefix("khazana: ").partition(":")[0]


def _places(content: bytes) -> list[int]:
    step = max(1, len(content) // SPREAD)
    return list(range(0, len(content), step))


def _changed(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def _accepted(content: bytes, places: list[int], genesis: Genesis) -> list[int]:
    """Return the places at which a changed byte goes unnoticed."""
    accepted = []
    for place in places:
        try:
            verify_proof_file(_changed(content, place), genesis)
        except ProofError:
            continue
        accepted.append(place)
    return accepted
