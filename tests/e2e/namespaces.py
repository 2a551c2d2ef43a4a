"""Network namespaces with one TUN device each: machines of our own, whose wires we hold.

Nothing is named and nothing stays: a namespace lives as long as its descriptor or a process in it,
and a device as long as its own. Needs root and /dev/net/tun; no program besides this one.
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFMTU = 0x8914, 0x8916, 0x891C, 0x8922
_IFF_UP_RUNNING = 0x1 | 0x40
_INTERFACE = "tun0"
_MTU_BYTES = 1400
_OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A namespace with one interface."""

    name: str
    address: str
    namespace: int
    """Descriptor of the namespace."""
    packets: int
    """Descriptor of the device: one read or write is one IP packet; it does not block."""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread, and whatever it starts, be on this machine while the body runs."""
        own = os.open(_OWN, os.O_RDONLY)
        try:
            _enter(self.namespace)
            yield
        finally:
            _enter(own)
            os.close(own)

    def close(self) -> None:
        """Let go of it: it is gone once its last process is."""
        os.close(self.packets)
        os.close(self.namespace)


def make_machine(name: str, address: str) -> Machine:
    """Make a machine with this address in a /24 of its own kind.

    Raises:
        OSError: this is not permitted here.
    """
    own = os.open(_OWN, os.O_RDONLY)
    try:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"no network namespace can be made: {os.strerror(number)}")
        namespace = os.open(_OWN, os.O_RDONLY)
        try:
            packets = _open_device(address)
        except OSError:
            os.close(namespace)
            raise
    finally:
        _enter(own)
        os.close(own)
    return Machine(name=name, address=address, namespace=namespace, packets=packets)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the namespace cannot be entered: {os.strerror(number)}")


def _open_device(address: str) -> int:
    packets = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(packets, _TUNSETIFF, _request(_INTERFACE, "H", _IFF_TUN_WITHOUT_HEADER))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, _SIOCSIFADDR, _address_request(address))
            fcntl.ioctl(control, _SIOCSIFNETMASK, _address_request("255.255.255.0"))
            fcntl.ioctl(control, _SIOCSIFMTU, _request(_INTERFACE, "i", _MTU_BYTES))
            for interface in ("lo", _INTERFACE):
                fcntl.ioctl(control, _SIOCSIFFLAGS, _request(interface, "H", _IFF_UP_RUNNING))
    except OSError:
        os.close(packets)
        raise
    return packets


def _request(interface: str, form: str, value: int) -> bytes:
    """Return a `struct ifreq`, see netdevice(7)."""
    return struct.pack(f"16s{form}", interface.encode(), value).ljust(40, b"\0")


def _address_request(address: str) -> bytes:
    family = struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(address))
    return struct.pack("16s24s", _INTERFACE.encode(), family)
