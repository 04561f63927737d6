"""CcMaster's reading of Modbus TCP devices without the rest of the box: PORT DEVICES REGISTERS WAY. Devices are at the
loopback addresses from 127.1.0.1 on; each has its own Line, and is read again as soon as it was read. WAY is

* `image`: Line, conversation and register image;
* `hub`: the same, every register decoded as a point, and a Reading published to the hub with one subscriber;
* `poller`: the service's own Poller in place of the bench's loop: schedule, health, identification.

What was not read is told in a line on standard error, and read again; a lost connection is the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import attrs
from twisted.python.failure import Failure

from bench.masters import profile_of
from bench.tcp_hosts import hosts
from concentrator.api import Taken
from concentrator.app import garbage
from concentrator.app.clocks import SharpClock, SystemWall, make_monotonic
from concentrator.app.light_reactor import import_reactor
from concentrator.dialect.modbus import ModbusDialect, ModbusStation
from concentrator.hub.hub import Hub
from concentrator.line.arrivals import Arrivals
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import LineLost
from concentrator.model.profile import Block, DeviceProfile, Function, Rate
from concentrator.model.reading import Quality, Reading
from concentrator.poll.poller import Poller
from concentrator.profile.load import parse_profile

UNIT, PROFILE = 1, "bench/forty"
_INTERVAL_S = 0.0005  # far more often than any device answers: the poller is always late, never idle
_PATIENCE_S = 3.0


def _failed(reason: object) -> None:
    print(" ".join(str(reason).split()), file=sys.stderr, flush=True)


def _check(reading: Reading, registers: int) -> None:
    """The subscriber: every reading must be whole."""
    if len(reading.values) != registers:
        _failed(reading)


def _again_and_again(line: Line, station: ModbusStation, taken: Callable[[Taken], None]) -> None:
    (block,) = station.blocks

    def received(result: Taken) -> None:
        taken(result)
        ask()

    def not_received(failure: Failure) -> None:
        _failed(failure.getErrorMessage())
        if failure.check(LineLost):
            os._exit(1)
        ask()

    def ask() -> None:
        line.run(UNIT, station.read(block)).addCallbacks(received, not_received)

    ask()


def _read(way: str, line: Line, station: ModbusStation, uid: str, clock: Any, hub: Hub) -> None:
    """Begins to read one device, as soon as its line, which is not started yet, is open."""
    wall = SystemWall()
    if way == "poller":
        poller = Poller(line, clock, wall, hub.publish, lambda *told: _failed(told), lambda *_: "")
        poller.add(Device(uid, line.name, PROFILE, UNIT, interval_s=_INTERVAL_S), station)
        poller.start()
        return

    def publish(taken: Taken) -> None:
        hub.publish(Reading(uid, wall.now(), taken.values, Quality.GOOD, taken.missing))

    wanted = publish if way == "hub" else lambda _: None
    line.on_change = lambda: _again_and_again(line, station, wanted)


def profile_for(way: str, registers: int) -> DeviceProfile:
    """All registers, to be read as one block; for the image alone, without any points in it. Answers are waited for as
    long as pymodbus does by itself: with a thousand devices in one program it is the program that is slow."""
    profile = parse_profile(profile_of(registers), PROFILE)
    profile = attrs.evolve(profile, traits=attrs.evolve(profile.traits, answer_s=_PATIENCE_S))
    if way != "image":
        return profile
    return attrs.evolve(profile, points=(), blocks=(Block(Function.HOLDING, 0, registers, rate=Rate.FAST),))


def main(arguments: Sequence[str]) -> None:
    """Reads for ever."""
    port, devices, registers, way = *map(int, arguments[:3]), arguments[3]
    reactor = import_reactor()
    make_monotonic(reactor)
    from twisted.internet.endpoints import TCP4ClientEndpoint

    clock, hub, arrivals = SharpClock(reactor), Hub(), Arrivals(reactor)
    hub.subscribe(lambda reading: _check(reading, registers))
    dialect, profile = ModbusDialect("modbus-tcp"), profile_for(way, registers)
    clock.start()
    for number, host in enumerate(hosts(devices), 1):
        line = Line(f"line{number}", TCP4ClientEndpoint(reactor, host, port), clock, arrivals=arrivals)
        _read(way, line, dialect.station(profile, UNIT, {}), f"m{number}", clock, hub)
        line.start()
    garbage.settle()  # as the service does when it has started
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
