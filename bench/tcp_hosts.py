"""Where the simulated Modbus TCP devices are: one per loopback address, as `peers/tcp_devices.c` has it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

_FIRST = IPv4Address("127.1.0.1")


def hosts(devices: int) -> Iterator[str]:
    """The addresses of that many devices."""
    return (str(_FIRST + number) for number in range(devices))
