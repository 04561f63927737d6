"""The figures of Modbus TCP are the differences between two moments, for each answer."""

from __future__ import annotations

import pytest

from bench import tcp
from bench.line_tcp import profile_for
from bench.tcp import Moment, summed_up
from bench.tcp_hosts import hosts
from concentrator.profile.plan import plan_blocks


def test_everything_is_for_one_answer_in_the_window() -> None:
    before, after = Moment(10.0, 5_000, 3, 2_000_000, 1_000_000), Moment(12.0, 7_000, 5, 42_000_000, 21_000_000)
    rate = summed_up("client", "at once", before, after, rss_mib=30.0, start_s=0.5)
    assert rate.errors == 2
    assert (rate.cpu_us, rate.devices_us, rate.per_s) == pytest.approx((20.0, 10.0, 1000.0))


def test_the_report_has_the_ratios_to_both_peers() -> None:
    costs = {"ccmaster, line and image": 25, "libmodbus threads": 20, "pymodbus async": 100}
    rates = [
        summed_up(client, "at once", Moment(0, 0, 0, 0, 0), Moment(1, 1, 0, cost * 1000, 0), rss_mib=30, start_s=1)
        for client, cost in costs.items()
    ]
    (row,) = [line for line in tcp.report(rates).splitlines() if "line and image" in line]
    assert "25.0" in row and "1.250" in row and "0.250" in row


@pytest.mark.parametrize(("way", "points"), [("image", 0), ("hub", 40), ("poller", 40)])
def test_every_way_reads_the_same_registers_in_one_go(way: str, points: int) -> None:
    (block,) = plan_blocks(profile_for(way, 40))
    assert (block.address, block.count, len(block.points)) == (0, 40, points)


def test_every_device_has_an_address_of_its_own() -> None:
    addresses = list(hosts(1000))
    assert addresses[0] == "127.1.0.1"
    assert len(set(addresses)) == 1000
    assert all(address.startswith("127.1.") for address in addresses)
