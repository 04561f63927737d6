"""concentrator.slave.register_map: the newest values in their registers, and nothing that is too old."""

import struct

import pytest
from twisted.internet.defer import succeed

from concentrator.model.profile import Function
from concentrator.slave.register_map import Introduction, RegisterMap, Shown, State, packed
from concentrator.slave.windows import FIRST, HEADER_LENGTH, Type, Windows
from concentrator.wire.modbus_server import Read, Refusal, Write
from tests.support.profiles import load, variable

NOW = 1_795_000_000.0
PROFILE = load(
    variable("v1"),
    variable("ea_imp", unit="kWh", type="u32", address=2),
    variable("status", unit="", address=4),
    variable("mode", unit="", type="s16", address=5),
)
VOLTAGE, ENERGY, STATUS, MODE = FIRST + 74, FIRST + 76, FIRST + 80, FIRST + 82
NOTHING = {
    Type.FLOAT32: "7fc00000",
    Type.FLOAT64: "7ff8000000000000",
    Type.INT32: "80000000",
    Type.UINT32: "ffffffff",
}


class Devices:
    def __init__(self):
        self.known = {}
        self.looked = 0
        self.written = []

    def shown(self, uid):
        self.looked += 1
        return self.known.get(uid)

    def write(self, uid, name, value, by):
        self.written.append((uid, name, value, by))
        return succeed(None)


class Map:
    def __init__(self, max_age_s=30.0):
        self.now = NOW
        self.devices, self.windows = Devices(), Windows()
        self.windows.make_room("m1", PROFILE.points)
        about = Introduction("CcMaster", "PRO", "1.2", "4426010001")
        self.map = RegisterMap.of(
            self.windows, self.devices, lambda: self.now, max_age_s=max_age_s, introduction=about, unit=9
        )

    def say(self, at=None, state=State.ANSWERING, rounds_s=None, **values):
        at = self.now if at is None else at
        dated = {name: (value, at) for name, value in values.items()}
        self.devices.known["m1"] = Shown("Main", "0420", "CcM4", state, 5, at, dated, rounds_s or {})
        self.map.changed("m1")

    def read(self, address, count, function=Function.HOLDING):
        return self.map.read(Read(function, address, count))

    def float_at(self, address):
        return struct.unpack(">f", self.read(address, 2))[0]


@pytest.fixture
def home():
    return Map()


def test_the_map_begins_with_the_mark_and_the_common_model(home):
    front = home.read(40000, 70)
    assert front[:8] == b"SunS\0\1\0\x42"
    texts = [front[8:40], front[40:72], front[72:88], front[88:104], front[104:136]]
    assert [text.rstrip(b"\0").decode() for text in texts] == ["CcMaster", "PRO", "", "1.2", "4426010001"]
    assert front[136:] == bytes.fromhex("0009 8000")


def test_a_window_says_whose_it_is_and_how_it_is(home):
    home.say(at=NOW - 12.7, v1=230)
    header = home.read(FIRST, HEADER_LENGTH)
    (window,) = home.windows.all()
    fixed = struct.unpack_from(">6HII", header)
    assert fixed == (64801, window.length - 2, 1, 1, State.ANSWERING, 5, int(NOW - 12.7), 12)
    texts = [header[at : at + 32].rstrip(b"\0").decode() for at in range(20, 148, 32)]
    assert texts == ["m1", "Main", "0420", "CcM4"]


def test_values_lie_in_their_types(home):
    home.say(v1=230.25, ea_imp=123456789.123, status=0xFFFFFFFE, mode=-3)
    assert home.float_at(VOLTAGE) == 230.25
    assert struct.unpack(">d", home.read(ENERGY, 4)) == (123456789.123,)
    assert struct.unpack(">Ii", home.read(STATUS, 4)) == (0xFFFFFFFE, -3)
    assert home.read(VOLTAGE, 10, Function.INPUT) == home.read(VOLTAGE, 10)


@pytest.mark.parametrize("type_", list(Type))
@pytest.mark.parametrize("value", [None, "text", float("nan"), float("inf"), 10**400, -(10**400)])
def test_what_registers_cannot_hold_is_not_there(type_, value):
    found = packed(type_, value)
    holds_it = isinstance(value, float) and type_ in (Type.FLOAT32, Type.FLOAT64)
    assert holds_it or found.hex() == NOTHING[type_]
    assert len(found) == 2 * type_.registers


@pytest.mark.parametrize(("type_", "value"), [(Type.INT32, 2**31), (Type.UINT32, -1), (Type.FLOAT32, 1e39)])
def test_what_is_too_large_is_not_there(type_, value):
    assert packed(type_, value).hex() == NOTHING[type_]


def test_a_value_that_is_too_old_is_not_there(home):
    home.say(at=NOW - 30, v1=230)
    assert home.float_at(VOLTAGE) == 230
    home.now += 1.5
    assert home.read(VOLTAGE, 2).hex() == NOTHING[Type.FLOAT32]


def test_what_is_read_rarely_may_be_three_of_its_rounds_old(home):
    home.say(at=NOW - 1800, rounds_s={"v1": 600.0, "mode": 60.0}, v1=230, mode=1)
    assert home.float_at(VOLTAGE) == 230
    assert home.read(MODE, 2).hex() == NOTHING[Type.INT32]


@pytest.mark.parametrize("state", [State.CONFLICT, State.ABSENT])
def test_nobody_elses_values_are_shown(home, state):
    home.say(state=state, v1=230)
    assert home.read(VOLTAGE, 2).hex() == NOTHING[Type.FLOAT32]


def test_a_device_that_was_removed_leaves_its_window(home):
    header = home.read(FIRST, HEADER_LENGTH)
    assert struct.unpack_from(">6HII", header)[4:] == (State.ABSENT, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    assert header[20:52].rstrip(b"\0") == b"m1"


def test_a_read_may_begin_and_end_anywhere_in_the_map(home):
    home.windows.make_room("m2", PROFILE.points)
    home.say(v1=230)
    end = home.windows.end
    pieces = [home.read(at, min(7, end + 2 - at)) for at in range(40000, end + 2, 7)]
    whole = b"".join(pieces)
    assert len(whole) == 2 * (end + 2 - 40000)
    assert whole[-4:] == bytes.fromhex("FFFF 0000")
    wide = b"".join(home.read(at, min(125, end + 2 - at)) for at in range(40000, end + 2, 125))
    assert wide == whole


def test_beyond_its_ends_there_is_nothing(home):
    end = home.windows.end + 2
    for address, registers in ((39999, 1), (39999, 2), (end - 1, 2), (end, 1), (0, 1), (65535, 1)):
        with pytest.raises(Refusal) as refused:
            home.read(address, registers)
        assert refused.value.code == 2


def test_there_are_no_bits_in_it(home):
    with pytest.raises(Refusal) as refused:
        home.read(40000, 1, Function.COIL)
    assert refused.value.code == 1


def test_windows_that_come_later_are_at_the_end(home):
    home.say(v1=230)
    home.read(40000, 125)
    home.windows.make_room("m2", PROFILE.points)
    (_, later) = home.windows.all()
    assert home.read(later.start, 1) == (64801).to_bytes(2)


def test_a_window_is_drawn_once_a_second_or_when_something_changed(home):
    home.say(v1=230)
    for _ in range(50):
        home.read(VOLTAGE, 2)
    assert home.devices.looked == 1
    home.say(v1=231)
    assert home.float_at(VOLTAGE) == 231
    home.now += 1
    home.read(VOLTAGE, 2)
    assert home.devices.looked == 3
    home.now -= 100
    home.read(VOLTAGE, 2)
    assert home.devices.looked == 4


def written(home, address, raw):
    values = struct.unpack(f">{len(raw) // 2}H", raw)
    return home.map.write(b"", Write(Function.HOLDING, address, values, False), "somebody")


def test_a_value_is_written_whole_and_as_it_was_meant(home):
    written(home, VOLTAGE, struct.pack(">f", 230.1))
    written(home, ENERGY, struct.pack(">d", 0.1))
    written(home, MODE, struct.pack(">i", -2))
    assert home.devices.written == [
        ("m1", "v1", 230.1, "somebody"),
        ("m1", "ea_imp", 0.1, "somebody"),
        ("m1", "mode", -2, "somebody"),
    ]


@pytest.mark.parametrize(
    ("address", "raw", "code"),
    [
        (VOLTAGE, b"\0\0", 2),
        (VOLTAGE + 1, b"\0\0\0\0", 2),
        (VOLTAGE, bytes(12), 2),
        (FIRST + 4, bytes(2), 2),
        (40000, bytes(4), 2),
        (VOLTAGE, bytes.fromhex("7FC00000"), 3),
        (VOLTAGE, bytes.fromhex("7F800000"), 3),
        (MODE, bytes.fromhex("80000000"), 3),
    ],
)
def test_nothing_else_is_written(home, address, raw, code):
    with pytest.raises(Refusal) as refused:
        written(home, address, raw)
    assert refused.value.code == code
    with pytest.raises(Refusal):
        home.map.write(b"", Write(Function.COIL, VOLTAGE, (1,), True), "somebody")
    assert home.devices.written == []
