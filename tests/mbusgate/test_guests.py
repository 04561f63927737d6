"""Who may connect."""

from ipaddress import ip_network

import pytest

from concentrator.mbusgate.guests import may_come

NETWORKS = [ip_network("192.168.0.0/16"), ip_network("fe80::/10")]


@pytest.mark.parametrize("address", ["192.168.4.20", "::ffff:192.168.4.20", "fe80::1", "fe80::1%eth0"])
def test_who_is_in_a_network_may_come(address):
    assert may_come(address, NETWORKS)


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "", "localhost"])
def test_nobody_else_may(address):
    assert not may_come(address, NETWORKS)
    assert not may_come("192.168.4.20", [])
