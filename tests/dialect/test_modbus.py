"""concentrator.dialect.modbus: blocks become requests, replies become values, image and identity."""

import attrs
import pytest

from concentrator.api import Taken
from concentrator.dialect.modbus import dialects
from concentrator.model.errors import NoReply, Refused
from concentrator.model.profile import DeviceProfile, Function, Point, Rate, Traits
from concentrator.model.quantity import Kind, Quantity
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus_words import asked


def point(name, address, encoding="u16", **options):
    kind = Kind.TEXT if options.get("identifies") else Kind.INSTANTANEOUS
    count = 5 if encoding.startswith("ascii") else 1
    return Point(Quantity(name, "", kind), Function.HOLDING, address, count, encoding, **options)


def profile(*points):
    return DeviceProfile("x/y", "meter", "X", "c", "Y", ("Y1",), points)


METER = profile(
    point("serial", 2, "ascii10", identifies=True, rate=Rate.NORMAL),
    point("v1", 256, scale=0.1),
    point("v2", 257, scale=0.1, sentinels=(0xFFFF,)),
    point("ea_imp", 300, scale=0.001, rate=Rate.SLOW),
)


def station(protocol="modbus-rtu", device=METER, **parameters):
    return dialects()[protocol].station(device, 7, parameters)


def play(conversation, *replies):
    """Sends the replies one by one; gives the requests and the result."""
    requests = [next(conversation).request]
    for reply in replies:
        try:
            requests.append(conversation.send(reply).request)
        except StopIteration as ended:
            return requests, ended.value
    raise AssertionError("the conversation goes on")


def test_a_block_becomes_a_request_and_its_reply_values():
    meter = station()
    requests, taken = play(meter.read(meter.blocks[0]), bytes.fromhex("08fcffff"))
    assert requests == [bytes.fromhex("0703010000 02".replace(" ", "")) + requests[0][-2:]]
    assert taken == Taken({"v1": 230.0}, ("v2",))
    assert meter.image(7).register(Function.HOLDING, 257) == 0xFFFF
    meter.lost()
    assert meter.image(7).register(Function.HOLDING, 257) is None


def test_a_profile_that_was_written_anew_under_its_key_is_read_as_it_is_now():
    dialect = dialects()["modbus-rtu"]
    before, same = (dialect.station(METER, 7, {}), dialect.station(attrs.evolve(METER), 8, {}))
    after = dialect.station(profile(point("v1", 900)), 7, {})
    assert [block.address for block in after.blocks] == [900]
    assert before.blocks is same.blocks, "those of one profile share its plan"


def test_who_a_device_is_is_read_apart_from_its_values():
    meter = station()
    assert [point.name for block in meter.blocks for point in block.points] == ["v1", "v2", "ea_imp"]
    requests, taken = play(meter.identify(), b"0420020081")
    assert taken == Taken({"serial": "0420020081"})
    assert requests[0][:6] == bytes.fromhex("070300020005")


def test_a_device_that_cannot_say_who_it_is_shows_that_it_is_there():
    requests, taken = play(station(device=profile(point("v1", 256))).identify(), b"\x00\x01")
    assert taken == Taken({"v1": 1})
    assert requests[0][:6] == bytes.fromhex("070301000001")


def test_a_failure_ends_the_conversation():
    meter = station()
    conversation = meter.read(meter.blocks[0])
    next(conversation)
    with pytest.raises(NoReply):
        conversation.throw(NoReply("nothing"))


def test_tcp_requests_are_numbered_so_that_late_answers_are_known():
    meter = station("modbus-tcp")
    first, second = (next(meter.read(meter.blocks[0])).request for _ in range(2))
    assert (first[:2], second[:2]) == (b"\x00\x01", b"\x00\x02")
    assert first[2:] == second[2:] == bytes.fromhex("00000006 07 03 0100 0002")


def test_a_device_that_bears_it_is_asked_several_things_at_once_where_requests_are_numbered():
    device = attrs.evolve(METER, traits=Traits(widest_hole=0, in_flight=2))
    device = attrs.evolve(device, points=(*METER.points, point("v3", 500), point("v4", 600)))
    assert [block.count for block in station(device=device).blocks] == [2, 1, 1, 1]
    meter = station("modbus-tcp", device)
    fast, other, slow = meter.blocks
    assert [[part.address for part in block.parts] for block in meter.blocks] == [[256, 500], [], []]
    assert [point.name for point in fast.points] == ["v1", "v2", "v3"]
    requests, taken = play(meter.read(fast), (bytes.fromhex("08fcffff"), b"\x00\x07"))
    assert [asked(request) for request in requests] == [
        "read 2 holding registers at 0x0100, read 1 holding register at 0x01F4"
    ]
    assert taken == Taken({"v1": 230.0, "v3": 7}, ("v2",))
    assert (other.address, slow.address) == (600, 300)


def test_what_was_asked_for_at_once_and_refused_is_asked_for_one_by_one():
    device = attrs.evolve(METER, points=(*METER.points, point("v3", 500)), traits=Traits(widest_hole=0, in_flight=4))
    meter = station("modbus-tcp", device)
    fast, slow = meter.blocks
    conversation = meter.read(fast)
    next(conversation)
    with pytest.raises(Refused):
        conversation.throw(Refused(1, "illegal function", b""))
    pieces = meter.refused(fast, 1)
    assert [(piece.address, piece.count, piece.parts) for piece in pieces] == [(256, 2, ()), (500, 1, ())]
    assert meter.blocks == (*pieces, slow)


def test_a_slow_line_reads_over_fewer_registers_than_the_device_allows():
    wide = profile(point("a", 0), point("b", 9))
    assert len(station(device=wide).blocks) == 1
    fast = LineSettings(115200)
    assert len(station(device=wide, settings=fast).blocks) == 1
    assert len(station(device=profile(point("a", 0), point("b", 12)), settings=LineSettings(300)).blocks) == 2


def test_stations_of_one_profile_share_its_plan():
    dialect = dialects()["modbus-rtu"]
    assert dialect.station(METER, 1, {}).blocks is dialect.station(METER, 2, {}).blocks


def test_a_refused_block_is_read_in_parts_and_only_by_the_station_that_refused():
    dialect = dialects()["modbus-rtu"]
    wide = profile(point("a", 0), point("b", 4, scale=0.1), point("c", 5), point("d", 20, rate=Rate.SLOW))
    meter, other = (dialect.station(wide, unit, {}) for unit in (1, 2))
    whole, slow = meter.blocks
    parts = meter.refused(whole, 2)
    assert [(block.address, block.count) for block in parts] == [(0, 1), (4, 2)]
    assert meter.blocks == (*parts, slow)
    assert other.blocks == (whole, slow)
    assert list(meter.refused(parts[0], 2)) == [parts[0]]
    halves = meter.refused(parts[1], 3)
    assert [(block.address, block.count) for block in halves] == [(4, 1), (5, 1)]
    meter.lost()
    assert meter.blocks == (parts[0], *halves, slow)
    _, taken = play(meter.read(halves[0]), b"\x08\xfc")
    assert taken == Taken({"b": 230.0})


def test_a_function_that_is_not_there_is_not_looked_for_in_parts():
    meter = station(device=profile(point("a", 0), point("b", 9)))
    (block,) = meter.blocks
    assert list(meter.refused(block, 1)) == [block]
    assert meter.blocks == (block,)


def test_a_scale_factor_goes_on_being_read_when_its_block_is_refused():
    meter = station(device=profile(point("a", 0, sf_address=9), point("b", 1, sf_address=9)))
    (block,) = meter.blocks
    factor, values = meter.refused(block, 2)
    play(meter.read(factor), b"\xff\xff")
    _, taken = play(meter.read(values), b"\x08\xfc\x00\x0a")
    assert taken == Taken({"a": 230.0, "b": 1.0})


def test_who_a_device_is_is_read_as_far_as_it_knows():
    known = profile(point("serial", 2, "ascii10", identifies=True), point("model", 90, "ascii10", identifies=True))
    conversation = station(device=known).identify()
    next(conversation)
    conversation.send(b"0420020081")
    with pytest.raises(StopIteration) as ended:
        conversation.throw(Refused(2))
    assert ended.value.value == Taken({"serial": "0420020081"}, ("model",))
    conversation = station(device=known).identify()
    next(conversation)
    conversation.throw(Refused(2))
    with pytest.raises(Refused):
        conversation.throw(Refused(2))
    conversation = station(device=known).identify()
    next(conversation)
    with pytest.raises(Refused):
        conversation.throw(Refused(6))


def test_what_tells_who_a_device_is_is_read_in_parts_where_it_refuses_the_whole():
    scattered = profile(*(point(name, place, identifies=True) for name, place in (("serial", 2), ("model", 9))))
    meter = station(device=scattered)
    assert [(block.address, block.count) for block in meter.who] == [(2, 8)]
    conversation = meter.identify()
    next(conversation)
    assert asked(conversation.throw(Refused(2)).request) == "read 1 holding register at 0x0002"
    assert asked(conversation.send(b"\x00\x07").request) == "read 1 holding register at 0x0009"
    with pytest.raises(StopIteration) as ended:
        conversation.send(b"\x00\x08")
    assert ended.value.value == Taken({"serial": 7, "model": 8})
    assert [block.address for block in meter.who] == [2, 9], "the next time it is asked for its parts at once"


def test_a_device_that_cannot_say_who_it_is_and_refuses_a_read_is_there_all_the_same():
    meter = station(device=profile(point("v1", 256), point("v2", 260)))
    conversation = meter.identify()
    next(conversation)
    assert asked(conversation.throw(Refused(2)).request) == "read 1 holding register at 0x0100"
    conversation.send(b"\x00\x01")
    with pytest.raises(StopIteration) as ended:
        conversation.send(b"\x00\x02")
    assert ended.value.value == Taken({"v1": 1, "v2": 2})
    assert [block.address for block in meter.blocks] == [256, 260]


def test_what_tells_who_a_device_is_is_not_read_by_the_cycle_as_well():
    mixed = profile(point("serial", 2, "ascii10", identifies=True, rate=Rate.NORMAL), point("f", 8, rate=Rate.NORMAL))
    meter = station(device=mixed)
    assert [(block.address, block.count) for block in meter.who] == [(2, 7)]
    assert meter.blocks == ()
