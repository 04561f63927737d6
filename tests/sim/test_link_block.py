"""Link mode as a master sees it: frames to meters whose buttons were pressed, and who answers what from where."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.profile.catalogue import Catalogue
from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.exchange import Exchange, Status
from concentrator.sim.field import Field
from concentrator.sim.link import Led
from concentrator.sim.meter import CcmMeter, ccm_meters, unlinked_meters
from concentrator.sim.slave import framed, is_intact

NOW = 1_795_262_400.0
PROFILE = Catalogue().get("energycm/ccm")
LINK = 247
READ_BLOCK = bytes.fromhex("03 0F00 0009")
IDENTIFY = bytes.fromhex("03 0000 0010")


def newcomer(nonce: int | None = 0xBEE5) -> CcmMeter:
    """A meter from the factory; with a nonce, its button has just been released."""
    (meter,) = unlinked_meters(PROFILE, 1, "test", NOW)
    if nonce is not None:
        meter.press(NOW)
        meter.link.nonce = nonce
    return meter


def ask(meter: CcmMeter, unit: int, pdu: bytes, at: float = NOW) -> bytes | None:
    """The PDU of a meter's reply, None for its silence."""
    reply = meter.reply(framed(unit, pdu), at)
    assert reply is None or (is_intact(reply) and reply[0] == unit)
    return None if reply is None else reply[1:-2]


def assignment(serial: str, new_id: int, nonce: int) -> bytes:
    return struct.pack(">BHHB10sHH", 16, 0x0F10, 7, 14, serial.encode(), new_id, nonce)


def commit(nonce: int) -> bytes:
    return struct.pack(">BHH", 6, 0x0F17, nonce)


def serial_of(reply: bytes | None) -> str:
    assert reply is not None
    return reply[6:16].decode()


def test_the_block_is_laid_out_as_the_specification_says() -> None:
    request = framed(LINK, READ_BLOCK)
    assert request.hex() == "f7030f000009924e"
    reply = newcomer().reply(request, NOW + 0.5)
    assert reply is not None
    assert reply[:3].hex() == "f70312"
    assert struct.unpack(">HH10sHH", reply[3:-2]) == (1, 60, b"0420020081", 1, 0xBEE5)


def test_a_meter_in_link_mode_is_quiet_at_its_own_id() -> None:
    meter = newcomer(None)
    assert serial_of(ask(meter, 1, IDENTIFY)) == meter.serial
    assert ask(meter, LINK, READ_BLOCK) is None
    meter.press(NOW)
    assert ask(meter, 1, IDENTIFY) is None
    assert ask(meter, LINK, READ_BLOCK) is not None
    assert serial_of(ask(meter, 1, IDENTIFY, NOW + 60)) == meter.serial


def test_a_meter_is_given_its_id_step_by_step() -> None:
    meter = newcomer()
    assert ask(meter, LINK, assignment(meter.serial, 7, 0xBEE5)) == bytes.fromhex("10 0F10 0007")
    assert ask(meter, LINK, READ_BLOCK) is None
    assert ask(meter, 1, IDENTIFY) is None
    assert serial_of(ask(meter, 7, IDENTIFY)) == meter.serial
    assert meter.led(NOW) is Led.SLOW
    assert ask(meter, 7, commit(0xBEE5), NOW + 1) == commit(0xBEE5)
    assert (meter.unit, meter.led(NOW + 1), meter.led(NOW + 11)) == (7, Led.FAST, Led.OFF)
    assert serial_of(ask(meter, 7, IDENTIFY, NOW + 20)) == meter.serial
    assert ask(meter, 7, commit(0xBEE5), NOW + 20) == b"\x86\x02"


def test_the_block_is_read_at_the_new_id_too() -> None:
    meter = newcomer()
    ask(meter, LINK, assignment(meter.serial, 7, 0xBEE5))
    for at, expected in ((1, (2, 9, 1)), (3, (3, 10, 7)), (20, (0, 0, 7))):
        if at == 3:
            ask(meter, 7, commit(0xBEE5), NOW + at)
        reply = ask(meter, 7, READ_BLOCK, NOW + at)
        assert reply is not None
        state, seconds_left, _, stored, _ = struct.unpack(">HH10sHH", reply[2:])
        assert (state, seconds_left, stored) == expected


def test_at_a_provisional_id_nothing_is_set_but_the_id_itself() -> None:
    meter = newcomer()
    ask(meter, LINK, assignment(meter.serial, 7, 0xBEE5))
    assert ask(meter, 7, bytes.fromhex("06 0301 0001")) == b"\x86\x03"
    assert ask(meter, 7, commit(0xBEE4)) == b"\x86\x03"
    assert ask(meter, 7, IDENTIFY, NOW + 10) is None
    assert serial_of(ask(meter, LINK, READ_BLOCK, NOW + 10)) == meter.serial


@pytest.mark.parametrize(
    "pdu",
    [
        assignment("0220060041", 7, 0xBEE5),
        assignment("0420020081", 7, 0xBEE4),
        assignment("0420020081", 247, 0xBEE5),
        assignment("\xff" * 5, 7, 0xBEE5),
        IDENTIFY,
        bytes.fromhex("04 0000 0001"),
        bytes.fromhex("03 0F00 000A"),
        bytes.fromhex("03 0EFF 0002"),
        bytes.fromhex("03 0F00 0000"),
        bytes.fromhex("06 0301 0001"),
        bytes.fromhex("06 0F17 BEE5"),
        bytes.fromhex("06 0F18 0001"),
        bytes.fromhex("06 0F19 0002"),
        bytes.fromhex("10 0F10 0007 02 0000"),
        bytes.fromhex("2B 0E 01 00"),
        bytes.fromhex("03"),
    ],
)
def test_at_247_whatever_is_not_for_this_meter_meets_silence(pdu: bytes) -> None:
    meter = newcomer()
    assert ask(meter, LINK, pdu) is None
    assert ask(meter, LINK, READ_BLOCK) is not None


def test_only_the_slot_that_the_nonce_has_drawn_answers() -> None:
    meter = newcomer()
    slots = [ask(meter, LINK, struct.pack(">BHH", 3, 0x0E00 + 0x10 * k, 9)) for k in range(16)]
    assert [k for k, reply in enumerate(slots) if reply is not None] == [0xBEE5 % 16]
    assert slots[5] == ask(meter, LINK, READ_BLOCK)


def test_a_broadcast_makes_all_who_wait_draw_again_and_nobody_answers_it() -> None:
    waiting, provisional = newcomer(), newcomer()
    ask(provisional, LINK, assignment(provisional.serial, 7, 0xBEE5))
    for meter in (waiting, provisional):
        assert ask(meter, 0, bytes.fromhex("06 0F18 0002")) is None
        assert meter.link.nonce == 0xBEE5
        assert ask(meter, 0, bytes.fromhex("06 0F18 0001")) is None
    assert waiting.link.nonce != 0xBEE5
    assert ask(provisional, 7, commit(0xBEE5)) is not None


@pytest.mark.parametrize("unit", [0, LINK])
def test_abort_ends_link_mode(unit: int) -> None:
    meter = newcomer()
    abort = bytes.fromhex("06 0F19 0001")
    assert ask(meter, unit, abort) == (abort if unit else None)
    assert serial_of(ask(meter, 1, IDENTIFY)) == meter.serial


def test_other_broadcasts_do_not_reach_a_meter_in_link_mode() -> None:
    waiting, other = newcomer(), newcomer(None)
    for meter in (waiting, other):
        ask(meter, 0, bytes.fromhex("06 0301 0001"))
    assert [meter.measuring.mode for meter in (waiting, other)] == [0, 1]


@pytest.mark.parametrize("step", ["pressed", "assigned", "committed"])
def test_a_power_cut_at_any_step_leaves_the_old_id_or_the_committed_one(step: str) -> None:
    meter = newcomer()
    if step != "pressed":
        ask(meter, LINK, assignment(meter.serial, 7, 0xBEE5))
    if step == "committed":
        ask(meter, 7, commit(0xBEE5))
    meter.power(False, NOW + 1)
    assert meter.listens(NOW + 1) is None
    for unit in (1, 7, LINK):
        assert ask(meter, unit, READ_BLOCK, NOW + 2) is None
    meter.press(NOW + 2)
    meter.power(True, NOW + 3)
    own = 7 if step == "committed" else 1
    assert [unit for unit in (1, 7, LINK) if ask(meter, unit, READ_BLOCK, NOW + 4)] == [own]
    assert meter.led(NOW + 4) is Led.OFF


def heard(field: Field, unit: int, pdu: bytes, faults: Faults, wire: Wire) -> tuple[bytes, Exchange]:
    """What comes out of a master's receiver after one request, and what the bus says of it."""
    exchanges: list[Exchange] = []
    bus = Bus(wire, faults, lambda frame: field.replies(frame, NOW), exchanges.append)
    bus.take(framed(unit, pdu), 0.0)
    given_back = b""
    while (wake_at := bus.wake_at()) is not None:
        given_back += bus.give(wake_at)
    (exchange,) = exchanges
    return given_back, exchange


@pytest.mark.parametrize("wire", [Wire(), Wire(fifo=8), Wire(is_instant=True)])
def test_two_buttons_at_once_collide_until_their_slots_part_them(wire: Wire) -> None:
    meters = unlinked_meters(PROFILE, 2, "test", NOW)
    for nonce, meter in zip((0x1003, 0x2007), meters, strict=True):
        meter.press(NOW)
        meter.link.nonce = nonce
    field = Field(meters)
    garbage, exchange = heard(field, LINK, READ_BLOCK, Faults(), wire)
    assert (exchange.status, is_intact(garbage)) == (Status.COLLIDED, False)
    assert len(garbage) >= 23
    for slot, meter in ((3, meters[0]), (7, meters[1])):
        reply, exchange = heard(field, LINK, struct.pack(">BHH", 3, 0x0E00 + 0x10 * slot, 9), Faults(), wire)
        assert exchange.status is Status.OK
        assert reply[7:17].decode() == meter.serial
    reply, exchange = heard(field, LINK, assignment(meters[1].serial, 9, 0x2007), Faults(), wire)
    assert (exchange.status, is_intact(reply)) == (Status.OK, True)
    assert [meter.listens(NOW) for meter in meters] == [247, 9]


def test_a_survivor_of_a_collision_is_linked_and_the_other_one_found_next() -> None:
    meters = unlinked_meters(PROFILE, 2, "test", NOW)
    for meter in meters:
        meter.press(NOW)
    field, faults = Field(meters), Faults(capture=1.0)
    found = []
    for new_id in (2, 3):
        reply, _ = heard(field, LINK, READ_BLOCK, faults, Wire())
        assert is_intact(reply)
        serial, nonce = reply[7:17].decode(), int.from_bytes(reply[19:21], "big")
        found.append(serial)
        heard(field, LINK, assignment(serial, new_id, nonce), faults, Wire())
        heard(field, new_id, commit(nonce), faults, Wire())
    assert sorted(found) == sorted(meter.serial for meter in meters)
    assert sorted(meter.unit for meter in meters) == [2, 3]


def test_a_newcomer_disturbs_the_meter_at_id_1_until_its_button_is_pressed() -> None:
    field = Field([*ccm_meters(PROFILE, 2, "test", NOW), *unlinked_meters(PROFILE, 1, "test", NOW, after=2)])
    assert heard(field, 1, IDENTIFY, Faults(), Wire())[1].status is Status.COLLIDED
    assert heard(field, 2, IDENTIFY, Faults(), Wire())[1].status is Status.OK
    newcomer = field.slaves[2]
    assert isinstance(newcomer, CcmMeter)
    newcomer.press(NOW)
    reply, exchange = heard(field, 1, IDENTIFY, Faults(), Wire())
    assert exchange.status is Status.OK
    assert reply[7:17] == b"0420020081"


units = st.sampled_from([0, 1, 2, 3, 247])
frames = st.one_of(
    st.tuples(units, st.binary(min_size=1, max_size=20)),
    st.tuples(
        units, st.sampled_from([READ_BLOCK, IDENTIFY, bytes.fromhex("06 0F18 0001"), bytes.fromhex("06 0F19 0001")])
    ),
    st.tuples(
        units,
        st.builds(
            assignment, st.sampled_from(["0420020081", "0220020218"]), st.integers(0, 4), st.sampled_from([0, 7])
        ),
    ),
    st.tuples(units, st.builds(commit, st.sampled_from([0, 7]))),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(frames, st.sampled_from([0.0, 0.2, 9.0, 30.0]), st.booleans()), max_size=15))
def test_whatever_is_sent_no_meter_refuses_at_247_or_answers_a_broadcast(
    sent: list[tuple[tuple[int, bytes], float, bool]],
) -> None:
    meters = unlinked_meters(PROFILE, 2, "test", NOW)
    now = NOW
    for (unit, pdu), pause_s, is_pressed in sent:
        for meter in meters:
            if is_pressed:
                meter.press(now)
                meter.link.nonce = 7
            listened = meter.listens(now)
            reply = meter.reply(framed(unit, pdu), now)
            assert reply is None or (unit == listened and is_intact(reply))
            if unit == LINK and reply is not None:
                assert not reply[1] & 0x80
        now += pause_s
