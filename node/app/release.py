"""Which release of this software runs."""

from importlib.metadata import PackageNotFoundError, version


def software() -> str:
    """Return the name and version that peers and clients are told."""
    try:
        return f"khazana {version('khazana')}"
    except PackageNotFoundError:
        return "khazana"
