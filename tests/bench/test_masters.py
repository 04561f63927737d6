"""Masters are told the same thing in their own ways."""

from __future__ import annotations

from pathlib import Path

from bench.masters import MASTERS, REGISTERS, profile_of, profile_of_a_block
from bench.peers import Orders
from concentrator.app.config import load_checked
from concentrator.profile.load import parse_profile
from concentrator.profile.plan import plan_blocks


def test_variables_one_by_one_and_their_read_by_hand_bring_the_same() -> None:
    planned, by_hand = (
        plan_blocks(parse_profile(text, "bench/forty")) for text in (profile_of(REGISTERS), profile_of_a_block())
    )
    assert [(block.address, block.count, block.rate) for block in planned] == [(0, REGISTERS, "fast")]
    assert planned == by_hand


def test_orders_survive_the_command_line() -> None:
    for orders in (Orders("/tmp/bus", 32, [(0, 40)]), Orders("/tmp/bus", 4, [(256, 52), (320, 64)], 0.3)):
        assert Orders.given(["program", *orders.words()]) == orders


def test_only_orders_with_a_time_out_pass_errors_over() -> None:
    plain, forgiving = Orders("/tmp/bus", 1, [(0, 40)]), Orders("/tmp/bus", 1, [(0, 40)], 0.3)
    assert (plain.is_forgiving, plain.patience()) == (False, {})
    assert (forgiving.is_forgiving, forgiving.patience()) == (True, {"timeout": 0.3, "retries": 0})


def test_a_round_reads_everything_of_each_slave() -> None:
    assert list(Orders("/tmp/bus", 2, [(0, 1), (5, 2)]).round()) == [(1, 0, 1), (1, 5, 2), (2, 0, 1), (2, 5, 2)]


def test_a_peer_is_told_all_its_orders(tmp_path: Path) -> None:
    orders = Orders("/tmp/bus", 4, [(0, 40)], 0.3)
    assert MASTERS["pymodbus sync"](tmp_path, orders)[-4:] == orders.words()


def test_the_service_has_a_device_for_each_slave(tmp_path: Path) -> None:
    command = MASTERS["ccmaster"](tmp_path, Orders("/tmp/bus", 4, [(0, 40)]))
    config, _ = load_checked(Path(command[-1]))
    assert [device.address for device in config.devices.values()] == [1, 2, 3, 4]
