"""Free ports: different, free, outside the range of outgoing connections."""

import socket

import pytest

from node.provision.ports import are_free, free_ports


def test_ports_are_different_and_below_the_ephemeral_range() -> None:
    ports = free_ports(10)

    assert len(set(ports)) == 10
    assert all(20_000 <= port < 32_000 for port in ports)
    assert are_free(ports)


def test_port_with_a_listener_is_not_free() -> None:
    (port,) = free_ports(1)

    with socket.create_server(("127.0.0.1", port)):
        assert not are_free((port,))
    assert are_free((port,))


def test_no_ports_are_needed_for_no_nodes() -> None:
    assert free_ports(0) == ()


def test_more_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(OSError, match="free ports"):
        free_ports(100_000)
