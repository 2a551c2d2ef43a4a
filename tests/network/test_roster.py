"""Who is on the roster, and as what."""

import pytest

from node.network import Observer, Role
from node.network.roster import Roster


def record(name: str, certificate: bytes = b"") -> Observer:
    return Observer(name=name, tls_certificate=certificate or name.encode())


def test_members_are_found_by_name_and_by_certificate() -> None:
    roster = Roster.of([record("a"), record("b")], [record("o")], own_name="a")

    assert set(roster.by_name) == {"b", "o"}
    assert roster.by_certificate[b"b"].name == "b"
    assert roster.by_name["b"].role is Role.VALIDATOR
    assert roster.by_name["o"].role is Role.OBSERVER
    assert roster.refused == ()


@pytest.mark.adversarial(46)
def test_a_name_or_a_certificate_counts_once_and_validators_come_first() -> None:
    roster = Roster.of(
        [record("a", b"1"), record("b", b"1"), record("a", b"2")],
        [record("a", b"3"), record("o", b"1"), record("p", b"4")],
        own_name="x",
    )

    assert {name: member.certificate for name, member in roster.by_name.items()} == {
        "a": b"1",
        "p": b"4",
    }
    assert roster.refused == ("b", "a", "a", "o")


def test_an_observer_that_becomes_a_validator_changes_its_role() -> None:
    before = Roster.of([record("a")], [record("o")], own_name="x")
    after = Roster.of([record("a"), record("o")], [record("o")], own_name="x")

    assert before.by_name["o"] != after.by_name["o"]
    assert after.by_name["o"].role is Role.VALIDATOR
