"""The wires between machines: IP packets that are lost, delayed, doubled and overtaken, by a seed.

What the kernel's own `netem` would do, where the kernel has none: real TCP of real nodes meets real
loss. Every packet of every machine passes through here; delays are drawn packet by packet, so that
packets overtake each other.
"""

import asyncio
import contextlib
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from tests.e2e.namespaces import Machine

_PACKET_BYTES_MAX = 1 << 16
_UNDER_WAY_MAX = 20_000
"""Packets that may be delayed at one time; what is more is lost, as on any wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What happens to a packet."""

    loss: float = 0.0
    """Part of all packets."""
    doubled: float = 0.0
    jitter_ms: float = 0.0
    """Each packet is delayed by up to this."""


CALM = Weather()
STORM = Weather(loss=0.3, doubled=0.05, jitter_ms=500.0)
"""Adversarial 35."""


class Wires:
    """All wires, as long as `carried` runs."""

    def __init__(self, machines: Sequence[Machine], *, seed: int, calm: Sequence[str]) -> None:
        """Store what is given.

        Args:
            calm: machines whose packets are never harmed: the clients'.
        """
        self.weather = CALM
        self.cut: frozenset[tuple[str, str]] = frozenset()
        """Pairs of names: nothing gets from the first to the second."""
        self.packets: Counter[str] = Counter()
        self._random = Random(f"{seed} wires")
        self._machines: Mapping[bytes, Machine] = {
            socket.inet_aton(machine.address): machine for machine in machines
        }
        self._calm = frozenset(calm)
        self._under_way = 0

    @contextmanager
    def carried(self) -> Iterator[None]:
        """Carry packets while the body runs, on the running loop."""
        loop = asyncio.get_running_loop()
        for machine in self._machines.values():
            loop.add_reader(machine.packets, self._read, machine)
        try:
            yield
        finally:
            for machine in self._machines.values():
                loop.remove_reader(machine.packets)

    def _read(self, machine: Machine) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(machine, os.read(machine.packets, _PACKET_BYTES_MAX))

    def _take(self, source: Machine, packet: bytes) -> None:
        # RFC 791: the destination of an IPv4 packet; others are the kernel's own noise.
        target = self._machines.get(packet[16:20]) if packet[0] >> 4 == 4 else None
        if target is None:
            return
        self.packets["sent"] += 1
        if (source.name, target.name) in self.cut:
            self.packets["cut"] += 1
            return
        calm = not self._calm.isdisjoint((source.name, target.name))
        weather = CALM if calm else self.weather
        if self._random.random() < weather.loss or self._under_way >= _UNDER_WAY_MAX:
            self.packets["lost"] += 1
            return
        copies = 1
        if self._random.random() < weather.doubled:
            self.packets["doubled"] += 1
            copies = 2
        for _ in range(copies):
            if not weather.jitter_ms:
                self._deliver(target, packet)
                continue
            delay_s = self._random.uniform(0, weather.jitter_ms / 1000)
            self._under_way += 1
            asyncio.get_running_loop().call_later(delay_s, self._arrive, target, packet)

    def _arrive(self, target: Machine, packet: bytes) -> None:
        self._under_way -= 1
        self._deliver(target, packet)

    def _deliver(self, target: Machine, packet: bytes) -> None:
        # A full device, or one that is closed by now: lost, like others.
        with contextlib.suppress(OSError):
            os.write(target.packets, packet)
