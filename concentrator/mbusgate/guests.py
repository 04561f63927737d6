"""Who may connect: clients from certain networks. The protocol knows no password, so where one is must do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def may_come(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; of an IPv4 address that came over IPv6, the former counts."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
