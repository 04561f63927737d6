"""Reads: each polled point in exactly one, at its cadence, nothing beyond what the device bears."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.model.profile import Block, DeviceProfile, Function, Point, Rate, Traits
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.plan import RATE_S, plan_blocks, plan_identity, worthwhile_hole
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import MAX_READ_BITS
from tests.support.profiles import load, variable


def point(name, address, count=1, function=Function.HOLDING, **options):
    encoding = {1: "u16", 2: "u32", 4: "u64"}[count]
    return Point(Quantity(name, "V", Kind.INSTANTANEOUS), function, address, count, encoding, **options)


def profile(*points, traits=None, blocks=()):
    return DeviceProfile("a/b", "meter", "A", "c", "B", ("B",), points, blocks, traits or Traits())


def planned(*points, hole=None, traits=None, blocks=()):
    """The plan as (address, count, names)."""
    plan = plan_blocks(profile(*points, traits=traits, blocks=blocks), hole)
    return [(block.address, block.count, [one.name for one in block.points]) for block in plan]


def test_neighbours_are_read_together():
    assert planned(point("b", 2), point("a", 0, 2)) == [(0, 3, ["a", "b"])]


def test_a_hole_is_read_over_up_to_its_width():
    points = point("a", 0), point("b", 11), point("c", 23)
    assert planned(*points) == [(0, 12, ["a", "b"]), (23, 1, ["c"])]
    assert planned(*points, hole=9) == [(0, 1, ["a"]), (11, 1, ["b"]), (23, 1, ["c"])]
    assert planned(*points, hole=50) == planned(*points)
    assert planned(*points, traits=Traits(widest_hole=11)) == [(0, 24, ["a", "b", "c"])]


def test_no_read_is_longer_than_the_device_bears():
    points = [point(f"p{n}", 2 * n, 2) for n in range(8)]
    assert [count for _, count, _ in planned(*points, traits=Traits(longest_read=5))] == [4, 4, 4, 4]


def test_no_read_crosses_a_barrier():
    points = [point(f"p{n}", n) for n in range(6)]
    assert [(start, count) for start, count, _ in planned(*points, traits=Traits(barriers=(2, 5)))] == [
        (0, 2),
        (2, 3),
        (5, 1),
    ]


def test_tables_and_units_do_not_share_a_read():
    points = point("a", 0), point("b", 1, function=Function.INPUT), point("c", 2, unit_id=3), point("d", 3, unit_id=4)
    plan = plan_blocks(profile(*points))
    assert [(block.function, block.unit_id, block.points[0].name) for block in plan] == [
        (Function.HOLDING, None, "a"),
        (Function.HOLDING, 3, "c"),
        (Function.HOLDING, 4, "d"),
        (Function.INPUT, None, "b"),
    ]


def test_each_cadence_has_its_own_reads_the_most_frequent_first():
    points = (
        point("slow", 0, rate=Rate.SLOW),
        point("fast", 1),
        point("five", 2, every_s=5.0),
        point("normal", 3, rate=Rate.NORMAL),
        point("control", 4, rate=Rate.CONTROL),
    )
    plan = plan_blocks(profile(*points))
    assert [(block.rate, block.every_s) for block in plan] == [
        (Rate.CONTROL, None),
        (Rate.FAST, None),
        (Rate.FAST, 5.0),
        (Rate.NORMAL, None),
        (Rate.SLOW, None),
    ]


def test_a_rate_and_a_period_of_the_same_length_do_not_split_each_other():
    points = [point(f"p{n}", 8 * n, every_s=3.0 if n % 2 else None) for n in range(4)]
    assert len(planned(*points, traits=Traits(widest_hole=15))) == 2


def test_what_lies_inside_a_more_frequent_read_comes_with_it():
    points = point("a", 0), point("seldom", 1, rate=Rate.SLOW), point("b", 2), point("outside", 3, rate=Rate.SLOW)
    assert planned(*points) == [(0, 3, ["a", "b", "seldom"]), (3, 1, ["outside"])]


def test_points_that_are_not_polled_are_not_read():
    assert planned(point("a", 0, polled=False), point("b", 5)) == [(5, 1, ["b"])]


def test_objects_read_alone_are_joined_with_nothing():
    points = point("a", 0, 2), point("b", 1, 2), point("same", 1, 2), point("c", 2)
    assert planned(*points, traits=Traits(alone=True)) == [(0, 2, ["a"]), (1, 2, ["b", "same"]), (2, 1, ["c"])]


def test_coils_are_joined_over_the_same_bytes():
    coils = [Point(Quantity(f"c{n}", "", Kind.STATE), Function.COIL, n, 1, "bool") for n in (0, 160, 322, 2010, 2100)]
    assert [(start, count) for start, count, _ in planned(*coils)] == [(0, 161), (322, 1), (2010, 91)]
    wide = [Point(Quantity(f"c{n}", "", Kind.STATE), Function.COIL, 100 * n, 1, "bool") for n in range(25)]
    assert max(count for _, count, _ in planned(*wide)) <= MAX_READ_BITS


def test_a_scale_factor_is_read_with_what_it_scales():
    near = point("a", 0, sf_address=5), point("b", 1, sf_address=5)
    assert planned(*near) == [(0, 6, ["a", "b"])]
    assert planned(point("a", 0, sf_address=100)) == [(0, 1, ["a"]), (100, 1, [])]


def test_the_reads_of_the_file_are_taken_as_they_are():
    read = {"function": "holding", "count": 40}
    device = load(
        variable("v1", address=100),
        variable("v2", address=139),
        variable("v3", address=200),
        variable("serial", unit="", address=0, type="ascii4"),
        read=[{**read, "address": 0, "rate": "slow"}, {**read, "address": 100, "rate": "fast"}],
    )
    plan = plan_blocks(device)
    assert [(block.address, block.count, len(block.points)) for block in plan] == [(100, 40, 2), (0, 40, 1)]
    assert plan[0] is device.blocks[1]


def test_a_scale_factor_outside_the_reads_of_the_file_is_read_too():
    scaled = point("a", 0, sf_address=70)
    block = Block(Function.HOLDING, 0, 2, (scaled,))
    assert planned(scaled, blocks=(block,)) == [(0, 2, ["a"]), (70, 1, [])]


def test_a_read_without_points_is_made_for_its_registers():
    block = Block(Function.HOLDING, 4096, 8, (), Rate.SLOW)
    assert planned(point("a", 0), blocks=(block,)) == [(0, 1, ["a"]), (4096, 8, [])]


def test_who_a_device_is_is_read_apart():
    serial = point("serial", 50, 2, polled=False, identifies=True, rate=Rate.SLOW)
    model = point("model", 0, identifies=True)
    device = profile(model, point("v1", 1), serial)
    assert [[one.name for one in block.points] for block in plan_identity(device)] == [["model"], ["serial"]]
    assert [[one.name for one in block.points] for block in plan_blocks(device)] == [["model", "v1"]]
    assert plan_identity(profile(point("v1", 1))) == ()


def test_who_a_device_is_is_taken_from_a_leisurely_read_as_it_is():
    device = load(
        variable("serial", unit="", type="ascii4"),
        variable("status_word", unit="", address=2),
        variable("v1", address=9),
        read=[
            {"function": "holding", "address": 0, "count": 4, "rate": "normal"},
            {"function": "holding", "address": 9, "count": 1, "rate": "fast"},
        ],
    )
    assert plan_identity(device) == (device.blocks[0],)


def test_who_a_device_is_is_read_over_no_wider_holes_than_the_cycle_is():
    serial = point("serial", 0, 2, identifies=True, rate=Rate.NORMAL)
    device = profile(serial, point("model", 10, identifies=True, rate=Rate.NORMAL))
    assert [(block.address, block.count) for block in plan_identity(device)] == [(0, 11)]
    assert [(block.address, block.count) for block in plan_identity(device, 3)] == [(0, 2), (10, 1)]
    assert set(plan_identity(device, 3)) <= set(plan_blocks(device, 3))


def test_registers_that_must_not_be_read_over_are_behind_a_barrier():
    points = point("a", 0), point("b", 5)
    assert planned(*points) == [(0, 6, ["a", "b"])]
    assert planned(*points, traits=Traits(barriers=(3,))) == [(0, 1, ["a"]), (5, 1, ["b"])]


@pytest.mark.parametrize(
    ("settings", "registers"), [(LineSettings(9600), 13), (LineSettings(19200, 11), 16), (LineSettings(115200), 69)]
)
def test_the_hole_worth_reading_over_follows_from_the_speed_of_the_line(settings, registers):
    assert worthwhile_hole(settings) == registers
    assert worthwhile_hole(settings, turnaround_s=0.1) > registers


_POINTS = st.lists(
    st.tuples(
        st.integers(0, 65532),
        st.sampled_from([1, 2, 4]),
        st.sampled_from([Function.HOLDING, Function.INPUT]),
        st.sampled_from(Rate),
        st.sampled_from([None, 2.0, 60.0]),
        st.sampled_from([None, None, 7]),
        st.booleans(),
        st.sampled_from([None, None, 3, 40]),
    )
    | st.tuples(
        st.integers(0, 300),
        st.sampled_from([1, 2]),
        st.just(Function.HOLDING),
        st.just(Rate.FAST),
        st.none(),
        st.none(),
        st.just(True),
        st.none(),
    ),
    max_size=40,
)


def _spans(device):
    return [(one.address, one.address + one.count) for one in device.points]


@given(
    _POINTS,
    st.integers(4, 125),
    st.integers(0, 130),
    st.lists(st.integers(0, 400), max_size=4),
    st.booleans(),
    st.none() | st.integers(0, 130),
)
@settings(deadline=None, max_examples=300)
def test_every_polled_point_is_read_once_and_nothing_is_more_than_the_device_bears(
    places, longest, widest, barriers, alone, hole
):
    points = []
    for n, (address, count, function, rate, every_s, unit_id, polled, sf) in enumerate(places):
        if any(address < barrier < address + count for barrier in barriers):
            continue  # the loader refuses such a point
        options = {"rate": rate, "every_s": every_s, "unit_id": unit_id, "polled": polled, "sf_address": sf}
        points.append(point(f"p{n}", address, count, function, **options))
    traits = Traits(longest_read=longest, widest_hole=widest, barriers=tuple(sorted(barriers)), alone=alone)
    device = profile(*points, traits=traits)
    plan = plan_blocks(device, hole)

    read = [one for block in plan for one in block.points]
    assert sorted(one.name for one in read) == sorted(one.name for one in points if one.polled)
    widest_hole = widest if hole is None else min(widest, hole)
    for block in plan:
        end = block.address + block.count
        wanted = {address for one in block.points for address in one.addresses}
        wanted |= {one.sf_address for one in points if one.polled and one.function is block.function}
        inside = sorted(address for address in wanted - {None} if block.address <= address < end)
        assert all(after - before <= widest_hole + 1 for before, after in pairwise(inside))
        assert 1 <= block.count <= longest
        assert not any(block.address < barrier < end for barrier in barriers)
        period_s = block.every_s or RATE_S[block.rate]
        for one in block.points:
            assert (one.function, one.unit_id) == (block.function, block.unit_id)
            assert all(block.address <= address < end for address in one.addresses)
            assert period_s <= (one.every_s or RATE_S[one.rate])
            if alone:
                assert (one.address, one.count) == (block.address, block.count)
    for one in read:
        if one.sf_address is not None:
            assert any(
                (block.function, block.unit_id) == (one.function, one.unit_id)
                and block.address <= one.sf_address < block.address + block.count
                for block in plan
            )
    assert [block.every_s or RATE_S[block.rate] for block in plan] == sorted(
        block.every_s or RATE_S[block.rate] for block in plan
    )
