"""Who may begin a handshake."""

from dataclasses import replace

import pytest

from node.network.arrivals import SOURCES_MAX, Arrivals, source_of
from node.network.settings import NetworkSettings

SETTINGS = NetworkSettings(
    handshakes_max=8,
    handshakes_per_host_max=3,
    handshakes_per_host_per_s=1.0,
    handshakes_per_host_burst=100.0,
)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_belongs_to_what_its_owner_has(address: str, source: str) -> None:
    assert source_of(address) == source


@pytest.mark.adversarial(48)
def test_all_addresses_of_a_network_have_the_places_of_one_and_leave_others_theirs() -> None:
    arrivals = Arrivals(SETTINGS)
    came = 0
    for number in range(1, 20):
        address = f"2001:db8:1:2::{number:x}"
        if arrivals.refusal(address, 0.0) is None:
            arrivals.begin(address)
            came += 1

    assert (came, arrivals.shaking) == (3, 3)
    assert arrivals.refusal("2001:db8:1:2:ffff::1", 0.0) == "too-many-handshakes-of-host"
    assert arrivals.refusal("2001:db8:1:3::1", 0.0) is None
    arrivals.end("2001:db8:1:2::1")
    assert arrivals.refusal("2001:db8:1:2:ffff::1", 0.0) is None


@pytest.mark.adversarial(48)
def test_all_addresses_of_a_network_come_no_more_often_than_one() -> None:
    arrivals = Arrivals(replace(SETTINGS, handshakes_per_host_burst=2.0))

    told = [arrivals.refusal(f"2001:db8::{number:x}", 0.0) for number in range(3)]

    assert told == [None, None, "too-fast"]
    assert arrivals.refusal("2001:db8::9", 1.0) is None


def test_places_are_bounded_in_all_and_room_comes_back() -> None:
    arrivals = Arrivals(SETTINGS)
    for number in range(8):
        arrivals.begin(f"192.0.2.{number}")

    assert arrivals.refusal("198.51.100.1", 0.0) == "too-many-handshakes"
    arrivals.end("192.0.2.7")
    assert arrivals.refusal("198.51.100.1", 0.0) is None


def test_remembered_places_are_bounded() -> None:
    arrivals = Arrivals(replace(SETTINGS, handshakes_per_host_burst=1.0))
    for number in range(SOURCES_MAX + 1):
        assert arrivals.refusal(f"10.0.{number >> 8}.{number & 255}", 0.0) is None

    assert arrivals.refusal("10.0.0.1", 0.0) == "too-fast"
    assert arrivals.refusal("10.0.0.0", 0.0) is None, "it was forgotten"
