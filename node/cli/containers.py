"""`khazana init --docker`: the files of a network for docker compose."""

import os
import secrets
from pathlib import Path
from typing import Final

from node.cli.exits import CommandError, Exit
from node.cli.output import emit

PASSPHRASE_BYTES: Final = 16


def make_containers(
    folder: Path, *, validators: int, observers: int, context: str | None, as_json: bool
) -> None:
    """Write the files, with a new passphrase for each validator; overwrite nothing.

    Raises:
        CommandError: no such network can be had, or one of the files is there already.
    """
    from node.provision.containers import MONITORING_FILES, ContainerNetwork, ContainersError

    try:
        network = ContainerNetwork(validators=validators, observers=observers, context=context)
    except ContainersError as error:
        raise CommandError(
            Exit.USAGE,
            str(error),
            advice="Ask for as many with --validators and --observers; for other networks `khazana"
            " genesis create` makes homes of a description.",
        ) from None
    files = network.files()
    there = [name for name in (*files, *network.secret_files) if (folder / name).exists()]
    if there:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{folder} has {', '.join(there)} already, and nothing is overwritten",
            advice="Name another folder: --docker DIRECTORY.",
        )
    copied = {}
    if context is not None:
        # The folder need not be there yet, so its parent is not asked for by "..".
        sources = Path(os.path.normpath(folder / context)) / "docker" / "monitoring"
        try:
            texts = {name: (sources / name).read_text() for name in MONITORING_FILES}
        except OSError as error:
            raise CommandError(
                Exit.USAGE,
                f"no sources of Khazana are at --build {context}:"
                f" {error.filename}: {error.strerror}",
                advice=f"Name them as seen from {folder}.",
            ) from None
        copied = {f"monitoring/{name}": text for name, text in texts.items()}
    # Compose mounts a secret with the mode that it has here, and the node is another user: the file
    # is for everybody, and the folder for its owner alone.
    (folder / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in network.secret_files:
        file = folder / name
        file.write_text(secrets.token_hex(PASSPHRASE_BYTES) + "\n")
        file.chmod(0o644)
    for name, text in (files | copied).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    lines = [
        f"made {folder}/compose.yaml for {', '.join(network.names)}",
        "",
        f"  docker compose -f {folder}/compose.yaml up -d{' --build' if context else ''}",
    ]
    if context is None:
        lines.append("with the image khazana:local, or KHAZANA_IMAGE=IMAGE before it.")
    facts = {
        "folder": str(folder),
        "files": sorted((*files, *copied, *network.secret_files)),
        "nodes": list(network.names),
    }
    emit(facts, "\n".join(lines), as_json=as_json)
