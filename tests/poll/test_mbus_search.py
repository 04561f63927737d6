"""The search for M-Bus meters on a simulated line: in simulated time, and on a pseudo-terminal at its true speed."""

import pytest
import pytest_twisted
from twisted.internet import reactor

from concentrator.app.clocks import SharpClock
from concentrator.line.endpoint import SerialEndpoint
from concentrator.line.line import Line
from concentrator.line.serial_address import SerialAddress
from concentrator.model.errors import Garbled, LineLost
from concentrator.poll.mbus_search import FoundMeter, MeterSearch
from concentrator.sim.mbus_meter import MbusMeter, heat_telegram, some_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_address import SecondaryAddress, parse_address
from concentrator.wire.mbus_frame import silence_s
from concentrator.wire.mbus_search import least_probes
from concentrator.wire.mbus_talk import wait_s
from tests.support.mbus import MBUS, VirtualMbus, simulated_mbus


@pytest.fixture
def over():
    """`over(meters, search)` gives what a search on a line with these meters finds, and the search."""

    def looked(meters, how=lambda search: search.secondary(), damage=0.0, **options):
        bus = VirtualMbus(*meters, damage=damage)
        line = bus.line()
        search = MeterSearch(
            line.run, wait_s(MBUS), options.pop("told", lambda *_: None), character_s=MBUS.character_s, **options
        )
        found: list[list[FoundMeter]] = []
        how(search).addCallback(found.append)
        while not found:
            bus.run(60.0)
        bus.stop(line)
        return found[0], search, bus

    return looked


def addresses(meters):
    return sorted(str(SecondaryAddress(meter.address)) for meter in meters)


def said(search, meters, bus_or_seconds):
    least = least_probes([SecondaryAddress(meter.address) for meter in meters])
    return (
        f"{len(meters)} meters: {search.probes} probes; at least {least} where masks are narrowed digit by digit, at "
        f"least {len(meters)} in any order; {bus_or_seconds:.0f} s at {MBUS.baudrate} bits per second"
    )


@pytest.mark.parametrize("seed", ["one", "two"])
def test_all_of_250_meters_are_found_once_and_nobody_is_invented(over, seed, capsys):
    meters = some_meters(250, seed, colliding=20)
    found, search, bus = over(meters)
    assert sorted(each.address for each in found) == addresses(meters)
    assert not any(each.trouble for each in found)
    assert not any(meter.is_selected for meter in meters)
    least = least_probes([SecondaryAddress(meter.address) for meter in meters])
    assert least <= search.probes <= least * 1.02
    with capsys.disabled():
        print(f"\n{said(search, meters, bus.clock.seconds() - 1000)}")


def test_meters_with_the_same_digits_are_told_apart(over):
    one = some_meters(3, "same digits")
    twin = parse_address("12345678-KAM-08-04").raw
    same = [
        MbusMeter(raw, 9, (b"",)) for raw in (twin, twin[:4] + bytes.fromhex("A732") + twin[6:], twin[:7] + b"\x06")
    ]
    found, _, _ = over([*one, *same])
    assert sorted(each.address for each in found) == addresses([*one, *same])


def test_meters_with_one_address_are_told_as_such(over):
    twin = parse_address("12345678-KAM-08-04").raw
    twins = [
        MbusMeter(twin, n, (heat_telegram(1234567 * n, 7654321 // n, 3571 * n, 80.5 / n, 40.7 / n),)) for n in (1, 2)
    ]
    found, _, _ = over([*some_meters(3, "besides"), *twins])
    assert [each.address for each in found if each.trouble] == ["12345678-KAM-08-04"]
    assert len(found) == 4


class LoudMeter(MbusMeter):
    """It takes every selection for its own."""

    def _matches(self, mask):
        return True


def test_a_search_that_hears_several_whatever_it_asks_ends_soon_and_says_so():
    loud = LoudMeter(parse_address("99999999-KAM-08-04").raw, 1, (b"",))
    quiet = MbusMeter(parse_address("99999998-KAM-08-04").raw, 2, (b"",))
    bus = VirtualMbus(loud, quiet)
    line = bus.line()
    failures = []
    search = MeterSearch(line.run, wait_s(MBUS), lambda *_: None, character_s=MBUS.character_s)
    search.secondary().addErrback(failures.append)
    bus.run(120.0)
    (failure,) = failures
    assert failure.check(Garbled)
    assert "noise: " in failure.value.sentence
    assert search.probes < 100
    assert not (loud.is_selected or quiet.is_selected)
    bus.stop(line)


def test_slow_meters_and_those_that_do_not_heed_the_bit_are_found_too(over):
    meters = some_meters(20, "slow")
    for place, meter in enumerate(meters):
        meter.turnaround_s = wait_s(MBUS) - 0.004 * (1 + place % 3)
        meter.is_ignorant = place % 2 == 0
    found, _, _ = over(meters)
    assert sorted(each.address for each in found) == addresses(meters)


def test_a_disturbed_line_costs_probes_and_invents_nobody(over):
    meters = some_meters(40, "disturbed")
    found, _, _ = over(meters, damage=0.05)
    assert {each.address for each in found if not each.trouble} <= set(addresses(meters))
    assert len(found) >= 38


def test_every_primary_address_is_asked(over):
    meters = [at(meter, primary) for meter, primary in zip(some_meters(3, "p"), (0, 7, 250), strict=True)]
    found, search, _ = over(meters, lambda search: search.primary())
    assert [(each.primary, each.address) for each in found] == [
        (meter.primary, str(SecondaryAddress(meter.address))) for meter in meters
    ]
    assert search.probes == 251


def at(meter, primary):
    meter.primary = primary
    return meter


def test_several_at_one_primary_address_are_told(over):
    meters = [at(meter, 5) for meter in some_meters(2, "both")]
    found, _, _ = over(meters, lambda search: search.primary(range(4, 7)))
    assert [(each.primary, each.address, bool(each.trouble)) for each in found] == [(5, "", True)]


def test_a_search_tells_how_far_it_is_and_what_it_has(over):
    meters, heard = some_meters(12, "told"), []
    found, _, _ = over(meters, told=lambda done, text, so_far: heard.append((done, text, len(so_far))))
    shares, counts = [each[0] for each in heard], [each[2] for each in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert counts == sorted(counts)
    assert counts[-1] == len(found)
    assert heard[0][1] == "FFFFFFFF-*-*-*"


def test_a_known_meter_is_told_as_the_device_it_is(over):
    meters = some_meters(2, "known")
    mine = SecondaryAddress(meters[0].address)
    found, _, _ = over(meters, known=lambda address, primary: "boiler" if address == mine else "")
    assert sorted(each.known for each in found) == ["", "boiler"]
    assert found[0].as_json().keys() >= {"address", "primary", "manufacturer", "version", "medium", "known", "trouble"}


def test_a_line_that_goes_away_ends_the_search_with_what_was_found():
    bus = VirtualMbus(*some_meters(30, "lost"))
    line = bus.line()
    heard, failures = [], []
    search = MeterSearch(line.run, wait_s(MBUS), lambda done, text, so_far: heard.append(len(so_far)))
    search.secondary().addErrback(failures.append)
    bus.run(30.0)
    bus.stop(line)
    (failure,) = failures
    assert failure.check(LineLost)
    assert heard[-1] > 0


@pytest_twisted.ensureDeferred
async def test_thirty_meters_are_found_on_a_port_at_its_true_speed(capsys):
    settings = LineSettings(38400, 11)
    clock = SharpClock(reactor)
    clock.start()
    speed = ("--baudrate", str(settings.baudrate))
    with simulated_mbus("--meters", "30", *speed) as simulated:
        end = SerialEndpoint(reactor, SerialAddress(simulated["port"], settings.baudrate, parity="N"))
        line = Line("mbus", end, clock, settings.character_s, silence_s(settings))
        line.start()
        try:
            began = clock.seconds()
            # A machine that is busy elsewhere hands bytes over late: such a probe is given longer, not made twice.
            patient_s = wait_s(settings) + 0.02
            search = MeterSearch(line.run, patient_s, lambda *_: None, attempts=1, character_s=settings.character_s)
            found = await search.secondary()
            took_s = clock.seconds() - began
        finally:
            await line.stop()
            clock.stop()
    assert sorted(each.address for each in found) == sorted(simulated["addresses"])
    assert not any(each.trouble for each in found)
    with capsys.disabled():
        print(
            f"\non a port: 30 meters, {search.probes} probes in {took_s:.1f} s at {settings.baudrate} bits per second"
        )
