"""Ethereum's side of the load: accounts, a genesis that funds them, signed transfers of one wei.

Signing needs secp256k1 and Keccak-256, which nothing of ours does: `pip install -e ".[bench]"`.
"""

import importlib
import json
from collections.abc import Sequence
from typing import Any, Final

from tests.bench.rivals.installed import Skipped
from tests.bench.rivals.openloop import Call

CHAIN_ID: Final = 26_600
ACCOUNTS: Final = 1_000
GAS: Final = 21_000
"""Of a plain transfer."""
GAS_PRICE: Final = 10**11
GAS_LIMIT: Final = 300_000_000
"""Of a block: 14,000 transfers, so that it is no limit."""
FUNDS_WEI: Final = 10**21
FINAL_DEPTH: Final = 2
"""Blocks on top: with a block's own signer, more than half of four signers stand behind it."""


def encode_rlp(value: int | bytes | Sequence[Any]) -> bytes:
    """Return the recursive length prefix of the yellow paper, appendix B."""
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8)
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < 0x80:
            return value
        return _prefix(len(value), 0x80) + value
    body = b"".join(map(encode_rlp, value))
    return _prefix(len(body), 0xC0) + body


def _prefix(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes([offset + size])
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([offset + 55 + len(digits)]) + digits


class Wallet:
    """Keys made of numbers, for this load only."""

    def __init__(self) -> None:
        """Find the libraries.

        Raises:
            Skipped: they are not installed.
        """
        try:
            self._coincurve = importlib.import_module("coincurve")
            self._keccak = importlib.import_module("Crypto.Hash.keccak")
        except ImportError as error:
            raise Skipped(f'{error.name} is not installed: pip install -e ".[bench]"') from None

    def hash(self, data: bytes) -> bytes:
        """Return Keccak-256."""
        digest: bytes = self._keccak.new(digest_bits=256, data=data).digest()
        return digest

    def key(self, number: int) -> Any:
        """Return a private key."""
        return self._coincurve.PrivateKey((number + 1).to_bytes(32))

    def public(self, number: int) -> bytes:
        """Return the 64 bytes of a public key, as a node's address has them."""
        point: bytes = self.key(number).public_key.format(compressed=False)[1:]
        return point

    def address(self, number: int) -> bytes:
        """Return the 20 bytes of an account."""
        return self.hash(self.public(number))[12:]

    def transfer(self, key: Any, nonce: int, to: bytes) -> tuple[str, bytes]:
        """Return hash and bytes of a signed transfer of one wei. Source: EIP-155."""
        fields = [nonce, GAS_PRICE, GAS, to, 1, b""]
        digest = self.hash(encode_rlp([*fields, CHAIN_ID, 0, 0]))
        signature = key.sign_recoverable(digest, hasher=None)
        r, s = (int.from_bytes(signature[start : start + 32]) for start in (0, 32))
        raw = encode_rlp([*fields, signature[64] + 35 + 2 * CHAIN_ID, r, s])
        return "0x" + self.hash(raw).hex(), raw

    def calls(self, count: int) -> list[Call]:
        """Return transfers of all accounts in turn, each account's in the order of its nonces."""
        keys = [self.key(number) for number in range(ACCOUNTS)]
        addresses = [self.address(number) for number in range(ACCOUNTS)]
        found = []
        for number in range(count):
            account, nonce = number % ACCOUNTS, number // ACCOUNTS
            to = addresses[(account * 7 + nonce + 1) % ACCOUNTS]
            call_id, raw = self.transfer(keys[account], nonce, to)
            request = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "eth_sendRawTransaction",
                "params": ["0x" + raw.hex()],
            }
            found.append(Call(call_id, json.dumps(request).encode()))
        return found

    def genesis(self, *, clique: dict[str, int] | None, extra: bytes) -> dict[str, Any]:
        """Return a genesis that funds the accounts."""
        forks = (
            "homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople",
            "petersburg", "istanbul", "berlin",
        )  # fmt: skip
        config: dict[str, Any] = {"chainId": CHAIN_ID} | {f"{fork}Block": 0 for fork in forks}
        if clique is not None:
            config["clique"] = clique
        return {
            "config": config,
            "difficulty": "0x1",
            "gasLimit": hex(GAS_LIMIT),
            "extraData": "0x" + extra.hex(),
            "alloc": {
                self.address(number).hex(): {"balance": hex(FUNDS_WEI)}
                for number in range(ACCOUNTS)
            },
        }


def hashes_of(block: Any) -> list[str]:
    """Return the transactions of a block as `eth_getBlockByNumber` gives it."""
    return [str(each) for each in (block or {}).get("transactions", ())]
