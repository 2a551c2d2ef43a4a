"""Where a node keeps what it knows, in its data directory."""

from pathlib import Path
from typing import Final

CHAIN_FOLDER: Final = "chain"
LOG_FOLDER: Final = "consensus"


def consensus_log_path(data_dir: Path) -> Path:
    """Return the folder of a validator's consensus log."""
    return data_dir / LOG_FOLDER
