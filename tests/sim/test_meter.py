"""A CcM meter is what its profile says, measures what happens, and guards its configuration."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.model.reading import Value
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.decode import compile_block
from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.exchange import Exchange
from concentrator.sim.field import Field
from concentrator.sim.link import Led
from concentrator.sim.meter import UNLOCK, CcmMeter, ccm_meters, unlinked_meters
from concentrator.sim.slave import BUSY, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal, framed, is_intact

NOW = 1_795_262_400.0
PROFILE = Catalogue().get("energycm/ccm")
MODBUS_ID, DIRECTION, IDENTIFY, LOCK, CLOCK = 0x300, 0x301, 0x303, 0x304, 0x306


def meter() -> CcmMeter:
    return ccm_meters(PROFILE, 1, "test", NOW)[0]


def shown(subject: CcmMeter, at: float = NOW) -> dict[str, Value]:
    """Every value, read block by block as a master does and decoded by the profile."""
    values: dict[str, Value] = {}
    for block in PROFILE.blocks:
        registers = subject.read(block.address, block.count, at)
        values |= compile_block(block)(struct.pack(f">{block.count}H", *registers))
    return values


def refused(code: int, subject: CcmMeter, address: int, *values: int, at: float = NOW) -> None:
    with pytest.raises(Refusal) as caught:
        subject.write(address, values, at)
    assert caught.value.code == code


def test_the_first_meter_is_the_one_of_the_manual() -> None:
    values = shown(meter())
    assert (values["serial"], values["firmware"]) == ("0420020081", "0X2C06")
    assert list(meter().read(0, 2, NOW)) == [0x434D, 0x0100]


def test_no_two_meters_share_a_serial_number() -> None:
    serials = [one.serial for one in ccm_meters(PROFILE, 33, "test", NOW)]
    assert len(set(serials)) == 33
    assert all(len(serial) == 10 and serial.isdecimal() for serial in serials)


def test_totals_are_the_sums_of_the_phases_to_the_last_step() -> None:
    for second in range(0, 86_400, 3607):
        values = shown(meter(), NOW + second)
        for total in ("p", "q", "ea_imp", "er_imp"):
            phases = [float(values[f"{total}{phase}"]) for phase in (1, 2, 3)]
            assert sum(phases) == pytest.approx(float(values[total]), abs=1e-9)
        s, p, q = (float(values[name]) for name in "spq")
        assert s * s == pytest.approx(p * p + q * q, rel=1e-3)
        for phase in (1, 2, 3):
            v, i, pf, p = (float(values[f"{name}{phase}"]) for name in ("v", "i", "pf", "p"))
            assert v * i * pf == pytest.approx(p, rel=5e-3)


def test_a_single_phase_meter_has_nothing_on_the_other_phases() -> None:
    values = shown(ccm_meters(PROFILE, 2, "test", NOW)[1])
    assert values["model"] in (2, "CcM2")
    assert values["p"] == values["p1"] != 0
    assert values["v2"] == values["i3"] == values["ea_imp2"] == 0


def test_counters_go_on_over_a_restart() -> None:
    before, after = meter(), ccm_meters(PROFILE, 1, "test", NOW + 500)[0]
    assert shown(before, NOW + 500)["ea_imp"] == shown(after, NOW + 500)["ea_imp"]
    assert float(shown(before, NOW + 500)["ea_imp"]) > float(shown(before, NOW)["ea_imp"])


def test_one_measuring_window_is_shown_for_a_whole_second() -> None:
    subject = meter()
    block = (0x100, 52)
    assert subject.read(*block, NOW + 0.01) == subject.read(*block, NOW + 0.99) != subject.read(*block, NOW + 1.0)


@pytest.mark.parametrize(("address", "count", "code"), [(0x200, 1, 2), (0x0F, 2, 2), (0x100, 65, 3)])
def test_what_is_not_there_is_refused(address: int, count: int, code: int) -> None:
    with pytest.raises(Refusal) as caught:
        meter().read(address, count, NOW)
    assert caught.value.code == code


def test_settings_are_kept_and_shown() -> None:
    subject = meter()
    subject.write(DIRECTION, (2,), NOW)
    subject.write(IDENTIFY, (30,), NOW + 1)
    later = shown(subject, NOW + 11)
    assert later["direction_mode"] in (2, "bidirectional reverse")
    assert later["identify"] == 20
    assert shown(subject, NOW + 60)["identify"] == 0


def test_the_clock_can_be_set() -> None:
    subject = meter()
    subject.write(CLOCK, divmod(int(NOW) - 3600, 0x10000), NOW)
    assert shown(subject, NOW + 5)["measured_at"] == NOW - 3595


def test_the_modbus_id_is_locked_for_all_but_a_minute_after_the_key() -> None:
    subject = meter()
    refused(ILLEGAL_VALUE, subject, MODBUS_ID, 9)
    refused(ILLEGAL_VALUE, subject, LOCK, 1234)
    subject.write(LOCK, (UNLOCK,), NOW)
    refused(ILLEGAL_VALUE, subject, MODBUS_ID, 247, at=NOW + 1)
    refused(ILLEGAL_VALUE, subject, MODBUS_ID, 9, at=NOW + 61)
    subject.write(MODBUS_ID, (9,), NOW + 59)
    assert subject.unit == 9


def test_a_meter_that_stores_a_setting_is_busy() -> None:
    subject = meter()
    subject.write(DIRECTION, (1,), NOW)
    refused(BUSY, subject, DIRECTION, 0, at=NOW + 0.05)
    subject.write(DIRECTION, (0,), NOW + 0.2)


@pytest.mark.parametrize(
    ("address", "values", "code"),
    [
        (DIRECTION, (3,), ILLEGAL_VALUE),
        (0x100, (1,), ILLEGAL_ADDRESS),
        (0x302, (1,), ILLEGAL_ADDRESS),
        (CLOCK, (1,), ILLEGAL_ADDRESS),
        (CLOCK + 1, (1,), ILLEGAL_ADDRESS),
        (0x200, (1,), ILLEGAL_ADDRESS),
    ],
)
def test_what_cannot_be_written_is_refused(address: int, values: tuple[int, ...], code: int) -> None:
    refused(code, meter(), address, *values)


def test_a_clock_that_is_set_odd_or_back_disturbs_nothing() -> None:
    subject = meter()
    subject.write(CLOCK, (0xFFFF, 0xFFFF), NOW)
    assert shown(subject, NOW + 10)["measured_at"] == 9
    assert shown(subject, NOW - 86_400)["uptime"] == 0


def test_a_direction_mode_holds_from_the_moment_it_is_written() -> None:
    subject = ccm_meters(PROFILE, 9, "test", NOW)[8]
    before = shown(subject)
    assert (before["direction_mode"], float(before["p"]) < 0) == (1, True)
    for second, (mode, sign) in enumerate([(0, 0), (2, 1), (1, -1)], 1):
        subject.write(DIRECTION, (mode,), NOW + second)
        power = float(shown(subject, NOW + second)["p"])
        assert (power > 0) - (power < 0) == sign
    after = shown(subject, NOW + 3)
    assert all(float(after[name]) >= float(before[name]) for name in ("ea_imp", "ea_exp", "er_imp", "er_exp"))


def test_a_power_cut_keeps_what_is_stored_and_nothing_else() -> None:
    subject = meter()
    subject.write(DIRECTION, (1,), NOW)
    subject.write(IDENTIFY, (600,), NOW + 1)
    subject.write(LOCK, (UNLOCK,), NOW + 1)
    subject.power(False, NOW + 2)
    assert subject.reply(framed(1, bytes.fromhex("03 0000 0001")), NOW + 3) is None
    assert subject.led(NOW + 3) is Led.OFF
    counted = shown(subject, NOW + 3)["ea_imp"]
    subject.power(True, NOW + 500)
    values = shown(subject, NOW + 500)
    assert (values["direction_mode"], values["identify"], values["unlock"]) == (1, 0, 0)
    assert values["uptime"] == 0
    assert values["ea_imp"] == counted
    subject.power(True, NOW + 600)
    assert shown(subject, NOW + 600)["uptime"] == 100


def test_a_meter_that_is_replaced_has_its_id_and_its_place_and_a_serial_and_counters_of_its_own() -> None:
    subject = meter()
    subject.write(DIRECTION, (2,), NOW)
    subject.replace("0420099999", NOW + 100)
    values = shown(subject, NOW + 100)
    assert (values["serial"], values["ea_imp"], values["uptime"]) == ("0420099999", 0, 0)
    assert (values["direction_mode"], values["modbus_id"], values["model"]) == (0, 1, 4)
    assert float(shown(subject, NOW + 3700)["ea_imp"]) > 0


def test_counters_that_are_reset_are_those_of_the_same_meter() -> None:
    subject = meter()
    before = shown(subject)
    subject.reset(NOW + 0.5)
    values = shown(subject, NOW + 0.6)
    assert (values["serial"], values["ea_imp"], values["ea_imp2"]) == (before["serial"], 0, 0)


def test_a_meter_can_come_with_an_id_that_nobody_here_gave_it() -> None:
    subject = meter()
    subject.move(33)
    assert (subject.unit, subject.listens(NOW)) == (33, 33)
    for unit in (0, 247):
        with pytest.raises(ValueError, match="1 to 246"):
            subject.move(unit)


def test_the_light_flashes_while_a_meter_is_to_be_found() -> None:
    subject = meter()
    subject.write(IDENTIFY, (30,), NOW)
    assert (subject.led(NOW + 29), subject.led(NOW + 31)) == (Led.SLOW, Led.OFF)


def test_meters_from_the_factory_all_have_one_id_and_serials_of_their_own() -> None:
    meters = [*ccm_meters(PROFILE, 5, "test", NOW), *unlinked_meters(PROFILE, 5, "test", NOW, after=5)]
    assert [one.unit for one in meters] == [1, 2, 3, 4, 5, 1, 1, 1, 1, 1]
    assert [one.serial for one in meters] == [one.serial for one in ccm_meters(PROFILE, 10, "test", NOW)]


requests = st.one_of(
    st.binary(max_size=300),
    st.builds(framed, st.integers(0, 4), st.binary(min_size=1, max_size=12)),
    st.builds(
        lambda unit, function, address, count: framed(unit, struct.pack(">BHH", function, address, count)),
        st.integers(0, 4),
        st.sampled_from([3, 4, 6]),
        st.sampled_from([0, 0x100, 0x131, 0x140, 0x300, 0x301, 0x304, 0x306, 0xFFFF]),
        st.sampled_from([0, 1, 2, 8, 52, 64, 125, UNLOCK, 0xFFFF]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(requests, st.sampled_from([0.0, 0.001, 0.004, 0.05, 0.3])), max_size=12), st.booleans())
def test_whatever_a_master_sends_the_bus_stays_in_order(sent: list[tuple[bytes, float]], is_strict: bool) -> None:
    heard: list[Exchange] = []
    field = Field(ccm_meters(PROFILE, 3, "test", NOW))
    faults = Faults(crc=0.1, noise=0.1, late=0.2, late_s=0.1)
    bus = Bus(Wire(is_strict=is_strict), faults, lambda frame: field.replies(frame, NOW), heard.append)
    now = 0.0
    for data, pause_s in sent:
        bus.take(data, now)
        now += pause_s
        bus.give(now)
    while (wake_at := bus.wake_at()) is not None:
        bus.give(wake_at)
    assert sum(exchange.length for exchange in heard) <= sum(len(data) for data, _ in sent)
    assert len(heard) <= len(sent)


@settings(max_examples=60, deadline=None)
@given(requests)
def test_a_request_is_answered_the_same_whole_and_byte_by_byte(request: bytes) -> None:
    replies = []
    for size in (max(len(request), 1), 1):
        field = Field(ccm_meters(PROFILE, 3, "test", NOW))
        bus = Bus(Wire(), Faults(), lambda frame, field=field: field.replies(frame, NOW), lambda _: None)
        now, given_back = 0.0, b""
        for start in range(0, len(request), size):
            bus.take(request[start : start + size], now)
            now += 10 / 9600
        while (wake_at := bus.wake_at()) is not None:
            given_back += bus.give(wake_at)
        replies.append(given_back)
    assert replies[0] == replies[1]
    assert not replies[0] or is_intact(replies[0])
