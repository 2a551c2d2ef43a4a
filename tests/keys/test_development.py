"""Development keys: the same everywhere, and every one of them recognised."""

import pytest

from node.keys import LocalSigner
from node.keys.development import (
    DEVELOPMENT_LABELS,
    development_label,
    development_signer,
    first_development_key,
    is_development_key,
)


def test_development_keys_are_fixed() -> None:
    """Vectors: they are printed in the documentation and refused by name elsewhere."""
    assert (
        development_signer("account-0").public_key.hex()
        == "efbe582878bd1f7a96331ab1fb9ef731200a59416bbb8821cf5a9a73e24939ce"
    )
    assert (
        development_signer("central-bank").public_key.hex()
        == "213264afba5723db22caa90fabf6ac0170e3f98b932ff5327c5e9ffbeea2e254"
    )


def test_every_label_has_a_key_of_its_own_that_is_recognised() -> None:
    keys = {label: development_signer(label).public_key for label in DEVELOPMENT_LABELS}

    assert len(set(keys.values())) == len(keys)
    for label, public_key in keys.items():
        assert development_label(public_key) == label


def test_the_first_development_key_of_several_is_told() -> None:
    strange = LocalSigner.generate().public_key
    first, second = (development_signer(f"account-{each}").public_key for each in (3, 1))

    assert first_development_key([strange, first, second]) == (first, "account-3")
    assert first_development_key([strange]) is None
    assert first_development_key([]) is None


def test_labels_cover_the_reference_network_and_the_accounts() -> None:
    offices = {"central-bank", "finance-ministry", "crypto-council", "virtual-asset-regulator"}

    assert offices | {f"{office}/consensus" for office in offices} <= DEVELOPMENT_LABELS
    assert {f"account-{number}" for number in range(100)} <= DEVELOPMENT_LABELS


def test_other_keys_are_not_development_keys() -> None:
    assert not is_development_key(LocalSigner.generate().public_key)
    assert not is_development_key(b"")


def test_label_outside_the_list_has_no_key() -> None:
    """It could not be recognised, and so would not be refused on a real network."""
    with pytest.raises(KeyError, match="account-100"):
        development_signer("account-100")
