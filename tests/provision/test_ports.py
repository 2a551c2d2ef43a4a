"""Free ports: different, free, outside the range of outgoing connections, and reserved for one."""

import os
import socket
import subprocess
import sys

import pytest

from node.provision.holders import COMMAND_CHARACTERS_MAX
from node.provision.ports import Reservation, free_ports, holder_of_port

HOLDER = """
import sys
from node.provision.ports import Reservation
with Reservation() as reserved:
    print(reserved.take(*map(int, sys.argv[1:])), flush=True)
    sys.stdin.read()
"""


def is_free(port: int) -> bool:
    with Reservation() as reserved:
        return reserved.take(port)


def test_ports_are_different_and_below_the_ephemeral_range() -> None:
    ports = free_ports(10)

    assert len(set(ports)) == 10
    assert all(port < 32_768 for port in ports)
    assert all(is_free(port) for port in ports)


def test_port_with_a_listener_is_not_free() -> None:
    (port,) = free_ports(1)

    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_port_whose_last_connection_was_closed_just_now_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        with socket.create_connection(place):
            accepted, _ = server.accept()
            accepted.close()  # First, so that the connection lingers on this side.

    assert is_free(place[1])


def test_reserved_ports_are_nobody_elses_until_they_are_left() -> None:
    with Reservation() as mine, Reservation() as other:
        first, second = mine.find(2)

        assert not other.take(first)
        assert not mine.take(first), "once is enough"
        mine.__exit__(None, None, None)
        assert other.take(first, second)


def test_ports_are_reserved_together_or_not_at_all() -> None:
    first, second = free_ports(2)
    with Reservation() as mine, Reservation() as other:
        assert mine.take(second)

        assert not other.take(first, second)
        assert mine.take(first)


def test_what_is_reserved_is_never_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with Reservation() as mine:
        drawn = [*mine.find(1), *free_ports(1)]
        expected = drawn[1]
        monkeypatch.setattr("node.provision.ports.random.randrange", lambda *_: drawn.pop(0))

        assert free_ports(1) == (expected,)


def test_what_a_process_has_reserved_ends_with_it_however_it_ends() -> None:
    (port,) = free_ports(1)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        assert not is_free(port)
    finally:
        holder.kill()
        holder.communicate()

    assert is_free(port)


def test_process_that_listens_on_a_port_or_has_reserved_it_is_named() -> None:
    (port,) = free_ports(1)
    assert holder_of_port(port) is None

    with socket.create_server(("127.0.0.1", port)):
        listens = holder_of_port(port)
    with Reservation() as reserved:
        assert reserved.take(port)
        has_reserved = holder_of_port(port)

    assert listens == has_reserved
    assert listens is not None
    assert listens.pid == os.getpid()
    assert "py" in listens.command, "by whichever name and with whichever words it was started"
    assert "/" not in listens.command.split(" ")[0]
    assert str(listens) == f"process {os.getpid()} ({listens.command})"


def test_what_a_process_calls_itself_is_cut_and_plain() -> None:
    words = ["sh", "-c", "sleep 60 # \x1b[2J" + 200 * "x"]
    (port,) = free_ports(1)
    listener = socket.create_server(("127.0.0.1", port))
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", *words],
        stdin=subprocess.PIPE,
        pass_fds=(listener.fileno(),),
    )
    listener.close()
    try:
        found = holder_of_port(port)
    finally:
        process.communicate()

    assert found is not None
    assert found.pid == process.pid
    assert len(found.command) == COMMAND_CHARACTERS_MAX
    assert found.command.isascii() is False, "it ends with a mark that it is cut"
    assert found.command[:-1].isprintable()


def test_no_ports_are_needed_for_no_nodes() -> None:
    assert free_ports(0) == ()


def test_more_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(OSError, match="free ports"):
        free_ports(100_000)
