"""concentrator.slave.windows: every device has its window and every value its place, for good."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.slave.windows import (
    FIRST,
    HEADER,
    HEADER_LENGTH,
    Type,
    Windows,
    as_kept,
    as_they_were,
    shown_points,
    type_of,
)
from tests.support.profiles import load, load_point, variable


def points(*names, **keys):
    return load(*(variable(name, address=2 * at, **keys) for at, name in enumerate(names))).points


def places(windows, uid):
    return {
        slot.name: (window.number, window.start + slot.offset) for window in windows.of(uid) for slot in window.slots
    }


def again(windows):
    """The windows after a restart."""
    return as_they_were(json.loads(json.dumps(as_kept(windows))))


@pytest.mark.parametrize(
    ("keys", "type_"),
    [
        ({"name": "v1", "unit": "V", "type": "u16"}, Type.FLOAT32),
        ({"name": "ea_imp", "unit": "kWh", "type": "u32"}, Type.FLOAT64),
        ({"name": "e_day", "unit": "kWh", "type": "u16"}, Type.FLOAT64),
        ({"name": "status", "unit": "", "type": "u16"}, Type.UINT32),
        ({"name": "alarm", "unit": "", "type": "bitfield32"}, Type.UINT32),
        ({"name": "mode", "unit": "", "type": "s16"}, Type.INT32),
        ({"name": "status", "unit": "", "type": "u16", "scale": 0.1}, Type.FLOAT64),
        ({"name": "status_bits", "unit": "", "type": "u64"}, Type.FLOAT64),
        ({"name": "fault", "unit": "", "type": "bool", "function": "coil"}, Type.UINT32),
    ],
)
def test_a_value_lies_as_its_kind_and_registers_ask_for(keys, type_):
    assert type_of(load_point(**keys)) is type_


def test_only_numbers_that_are_kept_or_can_be_written_have_places():
    profile = load(
        variable("v1"),
        variable("model", unit="", type="ascii10", address=10),
        variable("modbus_id", unit="", kind="setpoint", address=20),
        variable("limit", unit="W", kind="setpoint", address=21, writable=True),
    )
    assert [point.name for point in shown_points(profile.points)] == ["v1", "limit"]


def test_the_header_is_as_long_as_its_rows():
    assert HEADER_LENGTH == 74 == sum(count for _, count, _, _ in HEADER)


def test_windows_follow_each_other_and_have_room_to_spare():
    windows = Windows()
    assert windows.end == FIRST
    assert windows.make_room("a", points("v1", "v2"))
    assert windows.make_room("b", points("v1"))
    one, other = windows.all()
    assert (one.start, one.number, other.start, other.number) == (FIRST, 1, one.end, 2)
    assert windows.end == other.end
    assert one.length - one.free >= 36


def test_what_has_a_place_keeps_it_whatever_comes():
    windows = Windows()
    windows.make_room("a", points("v1", "v3"))
    windows.make_room("b", points("v1"))
    before = places(windows, "a")
    assert not windows.make_room("a", points("v3", "v1"))
    windows = again(windows)
    assert windows.make_room("a", points("v1", "v2", "v3"))
    after = places(windows, "a")
    assert before.items() <= after.items()
    assert after["v2"] == (1, before["v3"][1] + 2)
    assert places(again(windows), "a") == after


def test_what_finds_no_room_in_the_window_has_another_at_the_end():
    windows = Windows()
    windows.make_room("meter", ())
    windows.make_room("other", points("v1"))
    many = [f"dc_v{number}" for number in range(1, 25)]
    assert windows.make_room("meter", points(*many))
    found = places(windows, "meter")
    assert {window for window, _ in found.values()} == {1, 3}
    assert len({address for _, address in found.values()}) == len(many)
    assert [window.uid for window in windows.all()] == ["meter", "other", "meter"]
    assert not windows.make_room("meter", points(*many))


def test_what_finds_no_address_is_named_and_the_rest_stays_right():
    windows, asked = Windows(), points("v1", "v2")
    for number in range(300):
        windows.make_room(f"d{number}", asked)
    assert windows.end <= 0x10000 - 2
    made = len(windows.all())
    assert made < 300
    assert f"d{made} v1" in windows.left_out and f"d{made - 1} v1" not in windows.left_out
    assert not windows.make_room("d299", asked)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 24)), max_size=12))
def test_no_history_of_devices_ever_moves_a_place_or_lets_two_overlap(history):
    windows, known = Windows(), {}
    for uid, count in history:
        windows.make_room(uid, points(*(f"dc_v{number}" for number in range(1, count + 1))))
        now = {(each, name): place for each in "abc" for name, place in places(windows, each).items()}
        assert known.items() <= now.items()
        known = now
        windows = again(windows)
    taken = [address + more for _, address in known.values() for more in (0, 1)]
    assert len(taken) == len(set(taken))
    for window in windows.all():
        assert window.free <= window.length


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[0].update(start=1),
        lambda kept: kept[0].update(length=75),
        lambda kept: kept[0]["values"].update(v1=[2, "float32"]),
        lambda kept: kept[0]["values"].update(v2=[74, "float32"]),
        lambda kept: kept[0]["values"].update(v2=[80, "float16"]),
        lambda kept: kept[0].pop("uid"),
        lambda kept: kept.append(7),
    ],
)
def test_a_damaged_file_is_not_believed(damage):
    windows = Windows()
    windows.make_room("a", points("v1"))
    kept = as_kept(windows)
    damage(kept)
    with pytest.raises((ValueError, KeyError, TypeError)):
        as_they_were(kept)
