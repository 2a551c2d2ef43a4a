"""The SHA-256 of a document, which goes on the ledger in the document's place."""

from pathlib import Path

from node.cli.exits import CommandError, Exit


def digest_of(document: Path) -> str:
    """Return the hash of a file, in hexadecimal.

    Raises:
        CommandError: it cannot be read.
    """
    from hashlib import file_digest

    try:
        with document.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CommandError(
            Exit.CONFIGURATION,
            f"{document}: {error.strerror}",
            advice="Name a file that is there and that you may read; its hash goes on the ledger.",
        ) from None
