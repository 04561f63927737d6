"""Several requests on their way to one Modbus TCP device, with a server that answers none before it has them all."""

import struct

import attrs
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Protocol, ServerFactory

from concentrator.api import Taken
from concentrator.app.clocks import SharpClock
from concentrator.dialect.modbus import ModbusDialect
from concentrator.line.line import Line
from concentrator.model.profile import DeviceProfile, Function, Point, Traits
from concentrator.model.quantity import Kind, Quantity

AT_ONCE = 3


class Patient(Protocol):
    """Each register holds its own address; answers go out when three requests are there, the newest first."""

    def connectionMade(self):  # noqa: N802
        self.buffer, self.open = b"", []

    def dataReceived(self, data):  # noqa: N802
        self.buffer += data
        while len(self.buffer) >= 12:
            tid, _, _, unit, code, address, count = struct.unpack(">HHHBBHH", self.buffer[:12])
            self.buffer = self.buffer[12:]
            registers = struct.pack(f">{count}H", *range(address, address + count))
            head = struct.pack(">HHHBBB", tid, 0, 3 + len(registers), unit, code, len(registers))
            self.open.append(head + registers)
        if len(self.open) == AT_ONCE:
            self.transport.write(b"".join(reversed(self.open)))
            self.open = []


def points(*addresses):
    return tuple(
        Point(Quantity(f"r{address}", "", Kind.INSTANTANEOUS), Function.HOLDING, address, 1, "u16")
        for address in addresses
    )


@pytest_twisted.ensureDeferred
async def test_requests_are_on_their_way_together_and_answers_find_their_registers():
    factory = ServerFactory.forProtocol(Patient)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    profile = DeviceProfile("x/y", "meter", "X", "c", "Y", ("Y1",), points(10, 200, 3000))
    profile = attrs.evolve(profile, traits=Traits(in_flight=AT_ONCE))
    clock = SharpClock(reactor)
    clock.start()
    line = Line("net", TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), clock)
    station = ModbusDialect("modbus-tcp").station(profile, 1, {})
    opened = Deferred()
    line.on_change = lambda: opened.callback(None) if line.is_open else None
    line.start()
    try:
        await opened
        assert await line.run(1, station.read(station.blocks[0])) == Taken({"r10": 10, "r200": 200, "r3000": 3000})
        assert line.counters.requests == 1
    finally:
        await line.stop()
        clock.stop()
        await port.stopListening()
