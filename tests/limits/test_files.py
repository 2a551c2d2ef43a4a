"""Files of any size, beginning with a gibibyte of nothing: not read beyond their limit."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from node.access import ApiKeysError, load_api_keys
from node.app.loading import load_certificate
from node.app.travel import read_travelled
from node.cli.credentials import Credentials
from node.cli.exits import CommandError
from node.cli.tx.files import load_draft, read_operations
from node.cli.verify import read_proof
from node.client import ClientNetwork, Draft, DraftError
from node.config import ConfigError, load_config
from node.genesis import AmendmentError, GenesisError, load_genesis, read_amendment
from node.keys.errors import KeysError
from node.keys.keystore import read_keystore, read_passphrase
from node.provision.description import load_description
from node.provision.requests import RequestError, read_request

NETWORK: Final = ClientNetwork(genesis_hash=bytes(32), test=True)
GIB: Final = 1 << 30
MIB: Final = 1 << 20


@pytest.mark.parametrize(
    ("read", "refusal", "held_mib"),
    [
        (lambda path: load_config(path, environment={}), ConfigError, 3),
        (load_description, ConfigError, 9),
        (load_genesis, GenesisError, 130),
        (read_keystore, KeysError, 1),
        (read_passphrase, KeysError, 1),
        (lambda path: Credentials(api_key_file=path).settings(), CommandError, 1),
        (load_api_keys, ApiKeysError, 9),
        (load_certificate, ConfigError, 1),
        (read_operations, CommandError, 9),
        (load_draft, CommandError, 9),
        (lambda path: Draft.load(path, NETWORK), DraftError, 9),
        (read_proof, CommandError, 130),
        (read_request, RequestError, 1),
        (read_amendment, AmendmentError, 2),
        (read_travelled, ConfigError, 1),
    ],
    ids=[
        *(
            "node.toml",
            "network.toml",
            "genesis",
            "keystore",
            "passphrase",
            "api key",
            "api keys",
            "certificate",
        ),
        *("operations", "draft", "draft of the client", "proof", "request of a validator"),
        "amendment",
        "clock",
    ],
)
def test_a_file_of_a_gibibyte_is_refused_at_its_limit(
    tmp_path: Path, read: Callable[[Path], object], refusal: type[Exception], held_mib: int
) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(GIB)

    tracemalloc.start()
    try:
        with pytest.raises(refusal):
            read(path)
        _, highest_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert highest_bytes < held_mib * MIB
