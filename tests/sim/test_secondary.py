"""Secondaries in the registers of their principal: who they are, what they measure, and what is not there."""

import struct

import pytest

from concentrator.model.reading import Value
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.decode import compile_block
from concentrator.sim.meter import CcmMeter, ccm_meters
from concentrator.sim.slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refusal, framed

NOW = 1_795_262_400.0
PROFILE = Catalogue().get("energycm/ccm")
FAST, ENERGIES = (next(block for block in PROFILE.blocks if block.address == start) for start in (0x0100, 0x0140))


def principal(secondaries: int = 3) -> CcmMeter:
    return ccm_meters(PROFILE, 1, "test", NOW, secondaries)[0]


def measured(meter: CcmMeter, n: int, at: float = NOW) -> dict[str, Value]:
    """What the n-th secondary, from 0 on, measures: read at its own place, decoded as its principal's."""
    values: dict[str, Value] = {}
    for block, place in ((FAST, 0x00), (ENERGIES, 0x40)):
        registers = meter.read(0x1000 + 0x0100 * n + place, block.count, at)
        values |= compile_block(block)(struct.pack(f">{block.count}H", *registers))
    return values


def entry(meter: CcmMeter, n: int, at: float = NOW) -> tuple[str, int, int, int, int, int]:
    """Serial, model, firmware, status, seconds since it was heard, and phases."""
    registers = meter.read(0x0410 + 16 * n, 10, at)
    serial, *rest = struct.unpack(">10s5H", struct.pack(">10H", *registers))
    model, firmware, status, heard_before, phases = rest
    return serial.decode(), model, firmware, status, heard_before, phases


def test_the_table_tells_who_is_there() -> None:
    meter = principal()
    assert list(meter.read(0x0400, 1, NOW)) == [3] == list(meter.read(0x000C, 1, NOW))
    entries = [entry(meter, n) for n in range(3)]
    assert [serial for serial, *_ in entries] == [one.serial for one in meter.behind.secondaries]
    assert [(model, phases) for _, model, _, _, _, phases in entries] == [(101, 1), (103, 3), (101, 1)]
    assert all(serial.isdecimal() and len(serial) == 10 for serial, *_ in entries)


def test_each_measures_its_own() -> None:
    meter = principal()
    for n, phases in ((0, 1), (1, 3), (2, 1)):
        values = measured(meter, n)
        assert 210 < float(values["v1"]) < 250
        assert float(values["p"]) == pytest.approx(sum(float(values[f"p{phase}"]) for phase in range(1, phases + 1)))
        assert float(values["ea_imp"]) > 0
        assert (values["v2"] == 0) is (phases == 1)
    assert len({measured(meter, n)["ea_imp"] for n in range(3)}) == 3
    assert float(measured(meter, 1, NOW + 3600)["ea_imp"]) > float(measured(meter, 1)["ea_imp"])


@pytest.mark.parametrize(
    ("address", "count", "code"),
    [
        (0x0401, 1, ILLEGAL_ADDRESS),
        (0x0410, 11, ILLEGAL_ADDRESS),
        (0x0410, 26, ILLEGAL_ADDRESS),
        (0x0440, 1, ILLEGAL_ADDRESS),
        (0x1034, 1, ILLEGAL_ADDRESS),
        (0x1000, 64, ILLEGAL_ADDRESS),
        (0x1180, 1, ILLEGAL_ADDRESS),
        (0x10FF, 2, ILLEGAL_ADDRESS),
        (0x1300, 1, ILLEGAL_ADDRESS),
        (0x1000, 65, ILLEGAL_VALUE),
    ],
)
def test_what_is_not_there_is_refused(address: int, count: int, code: int) -> None:
    with pytest.raises(Refusal) as caught:
        principal().read(address, count, NOW)
    assert caught.value.code == code


def test_nothing_of_a_secondary_is_written() -> None:
    reply = principal().reply(framed(1, bytes.fromhex("06 1000 0001")), NOW)
    assert reply is not None
    assert reply[1:3] == b"\x86\x02"


def test_a_meter_without_secondaries_has_an_empty_table() -> None:
    alone, single_phase = principal(0), ccm_meters(PROFILE, 2, "test", NOW, 3)[1]
    for meter in (alone, single_phase):
        assert list(meter.read(0x0400, 1, NOW)) == [0]
        for address in (0x0410, 0x1000):
            with pytest.raises(Refusal):
                meter.read(address, 1, NOW)


def test_a_secondary_that_is_not_heard_keeps_its_last_values_and_says_for_how_long() -> None:
    meter = principal()
    gone = meter.behind.secondaries[1]
    gone.power(False, NOW + 10)
    frozen = measured(meter, 1, NOW + 10)
    assert measured(meter, 1, NOW + 500) == frozen
    assert entry(meter, 1, NOW + 500)[4] == 490
    assert entry(meter, 1, NOW + 1_000_000)[4] == 0xFFFF
    assert entry(meter, 0, NOW + 500)[4] == 0
    gone.power(True, NOW + 3600)
    assert entry(meter, 1, NOW + 3600)[4] == 0
    assert measured(meter, 1, NOW + 3600)["ea_imp"] == frozen["ea_imp"]
    assert float(measured(meter, 1, NOW + 7200)["ea_imp"]) > float(frozen["ea_imp"])


def test_no_two_meters_of_a_full_bus_share_a_serial_number() -> None:
    meters = ccm_meters(PROFILE, 33, "test", NOW, 32)
    serials = [one.serial for meter in meters for one in (meter, *meter.behind.secondaries)]
    assert len(set(serials)) == len(serials) == 33 + 22 * 32
