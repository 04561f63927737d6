"""Profiles as values: where a point lies, which point has a name, what can be a key."""

from concentrator.model.profile import Block, DeviceProfile, Function, Point
from concentrator.model.quantity import Kind, Quantity

VOLTAGE = Quantity("v1", "V", Kind.INSTANTANEOUS)


def test_a_point_takes_the_addresses_from_its_first_on():
    assert list(Point(VOLTAGE, Function.HOLDING, 10, 2, "u32").addresses) == [10, 11]


def test_a_spread_point_takes_the_addresses_of_its_words():
    assert list(Point(VOLTAGE, Function.HOLDING, 78, 2, "u32", words=(80, 78)).addresses) == [80, 78]


def test_two_tables_hold_bits():
    assert [function for function in Function if function.is_bits] == [Function.COIL, Function.DISCRETE]


def test_a_point_is_found_by_the_name_of_its_quantity():
    point = Point(VOLTAGE, Function.HOLDING, 10, 2, "u32")
    profile = DeviceProfile("a/b", "meter", "A", "c", "B", (), (point,))
    assert profile.point("v1") is point
    assert profile.point("v2") is None


def test_points_and_blocks_can_be_keys_whatever_their_enums():
    first, again = (Point(VOLTAGE, Function.HOLDING, 10, 1, "u16", enum={0: "off"}) for _ in range(2))
    assert {first: 1}[again] == 1
    assert {Block(Function.HOLDING, 10, 1, (first,)): 1}[Block(Function.HOLDING, 10, 1, (again,))] == 1
    assert first != Point(VOLTAGE, Function.HOLDING, 10, 1, "u16", enum={0: "on"})
