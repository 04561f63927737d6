"""Adapters that give back what they send, and those that do not, on the simulated bus and on a real port."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from concentrator.app.clocks import SharpClock
from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.model.errors import NoReply
from concentrator.model.profile import Function
from concentrator.sim.bus import Faults, Wire
from concentrator.sim.exchange import Status
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import BROADCAST, read, rtu, rtu_silence_s, write_register
from tests.support.bus import simulated_bus
from tests.support.virtual_bus import VirtualBus

results = SynchronousTestCase()
SETTINGS = LineSettings(9600)
DIRECTION_MODE, IDENTIFY = 0x0301, 0x0303  # registers of the CcM


def serial_of(unit):
    return (yield rtu(unit, read(Function.HOLDING, 0x0002, 5), 0.3)).decode()


def written(unit, address, value):
    return (yield rtu(unit, write_register(address, value), 0.3, quiet_s=0.2))


@pytest.fixture(params=[False, True], ids=["quiet", "echoing"])
def bus(request):
    bus = VirtualBus(3, Wire(is_echoing=request.param), Faults(silent=frozenset({3})))
    bus.opened = bus.line()
    bus.serials = [meter.serial for meter in bus.field.slaves]
    yield bus
    bus.lose()
    bus.stop(bus.opened)


def asked(bus, unit, conversation, seconds=2.0):
    result = bus.opened.run(unit, conversation)
    bus.run(seconds)
    return result


def test_reads_are_answered_with_or_without_an_echo(bus):
    for unit in (1, 2, 1, 2, 1):
        assert results.successResultOf(asked(bus, unit, serial_of(unit))) == bus.serials[unit - 1]
    assert bus.opened.counters.bytes_in == 5 * 15
    assert {each.status for each in bus.heard} == {Status.OK}


@pytest.mark.parametrize("is_first", [False, True])
def test_a_write_whose_reply_is_its_copy_is_one_write(bus, is_first):
    """While nothing is known of an echo its copy is taken for the reply; the meter has taken it all the same."""
    if not is_first:
        asked(bus, 1, serial_of(1))
    for mode in (1, 2, 1):
        results.successResultOf(asked(bus, 1, written(1, DIRECTION_MODE, mode)))
        assert bus.field.slaves[0].measuring.mode == mode
    assert results.successResultOf(asked(bus, 2, serial_of(2))) == bus.serials[1]
    assert [each.function for each in bus.heard].count(6) == 3


@pytest.mark.parametrize("is_first", [False, True])
def test_a_broadcast_has_no_answer_but_perhaps_an_echo(bus, is_first):
    if not is_first:
        asked(bus, 1, serial_of(1))
    results.successResultOf(asked(bus, BROADCAST, written(BROADCAST, IDENTIFY, 5)))
    for unit in (1, 2, 1):
        assert results.successResultOf(asked(bus, unit, serial_of(unit))) == bus.serials[unit - 1]


@pytest.mark.parametrize("is_first", [False, True])
def test_an_echo_alone_is_no_answer(bus, is_first):
    if not is_first:
        asked(bus, 1, serial_of(1))
    results.failureResultOf(asked(bus, 3, serial_of(3)), NoReply)
    assert results.successResultOf(asked(bus, 1, serial_of(1))) == bus.serials[0]


@pytest_twisted.ensureDeferred
async def test_a_serial_port_with_an_echo_is_read_as_any_other(tmp_path):
    clock = SharpClock(reactor)
    clock.start()
    with simulated_bus(tmp_path, "--meters", "2", "--echo") as bus:
        endpoint = endpoint_from(reactor, f"serial:{bus.port}:baudrate=9600")
        line = Line("native", endpoint, clock, SETTINGS.character_s, rtu_silence_s(SETTINGS))
        line.start()
        try:
            for unit in (1, 2) * 6:
                assert await line.run(unit, serial_of(unit)) == bus.serials[unit]
        finally:
            await line.stop()
            clock.stop()
        assert {exchange.status for exchange in bus.exchanges()} == {Status.OK}
