"""The whole path of the box without its doors: PORT DEVICES REGISTERS BROKER. Modbus TCP devices at the loopback
addresses from 127.1.0.1 on, each with its Line and Poller, are read again as soon as they were read; every reading goes
over the hub into intervals of ten seconds, the intervals into a journal in a real file, and from there by MQTT, QoS 1,
to a broker on the port BROKER. What went wrong is told in a line on standard error."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bench.line_tcp import PROFILE, UNIT, profile_for
from bench.tcp_hosts import hosts
from concentrator.app import garbage
from concentrator.app.clocks import MachineStart, SharpClock, SystemWall, make_monotonic
from concentrator.app.light_reactor import import_reactor
from concentrator.dialect.modbus import ModbusDialect
from concentrator.hub.hub import Hub
from concentrator.journal.aggregate import Aggregator
from concentrator.journal.feed import RecordFeed
from concentrator.journal.journal import Journal
from concentrator.journal.worker import DiskThread
from concentrator.line.arrivals import Arrivals
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.profile import DeviceProfile
from concentrator.model.quantity import Quantity
from concentrator.model.record import EVENT_PERIOD
from concentrator.poll.poller import Poller
from concentrator.uplink.broker_endpoint import broker_endpoint
from concentrator.uplink.lane import Course
from concentrator.uplink.mqtt import MqttUplink
from concentrator.uplink.pace import Pace
from concentrator.uplink.payload import Voice, is_live
from concentrator.uplink.uploader import Uploader

BASE_S = 10
_INTERVAL_S = 0.0005  # far more often than any device answers: the poller is always late, never idle
_WRONG = ("lost", "silent", "stuck", "losing", "rejected", "conflict")


def _told(name: str, facts: Mapping[str, object]) -> None:
    if any(word in name for word in _WRONG):
        print(name, dict(facts), file=sys.stderr, flush=True)


def _failed(failure: Failure) -> None:
    print(" ".join(failure.getTraceback().split()), file=sys.stderr, flush=True)


async def _past(reactor: Any, folder: Path, broker: int, hub: Hub, columns: tuple[Quantity, ...]) -> None:
    """The journal, what writes to it, and what takes from it."""
    wall = SystemWall()
    journal = Journal(folder / "journal.db", reactor, wall, DiskThread(reactor), _told)
    await journal.open()
    journal.register("mqtt", {BASE_S, EVENT_PERIOD})
    intervals = Aggregator(
        journal,
        wall,
        reactor,
        _told,
        base_s=BASE_S,
        coarser=(),
        describe=lambda uid: (f"S-{uid}", columns),
        boot=MachineStart(),
    )
    hub.subscribe(intervals.reading_received)
    intervals.start()
    uplink = MqttUplink(
        endpoint=broker_endpoint(reactor, "127.0.0.1", broker),
        address="mqtt://127.0.0.1",
        voice=Voice("/ccm/srv", "4220080001"),
        alias=lambda uid: uid,
        clock=reactor,
        wall=wall,
        jitter=random,
    )
    pace = Pace(100)
    records = RecordFeed(journal, "mqtt", lambda record: is_live(record, wall.now()), 200, pace.limit)
    courses = [Course(records.events), Course(records.intervals), Course(records.backlog, pace)]
    Uploader(courses, uplink, reactor, wall, _told, random).start()


def _field(reactor: Any, port: int, devices: int, profile: DeviceProfile, hub: Hub) -> None:
    """A line and a poller for each device."""
    from twisted.internet.endpoints import TCP4ClientEndpoint

    clock, wall, arrivals = SharpClock(reactor), SystemWall(), Arrivals(reactor)
    dialect = ModbusDialect("modbus-tcp")
    clock.start()
    for number, host in enumerate(hosts(devices), 1):
        line = Line(f"line{number}", TCP4ClientEndpoint(reactor, host, port), clock, arrivals=arrivals)
        poller = Poller(line, clock, wall, hub.publish, _told, lambda *_: "")
        station = dialect.station(profile, UNIT, {})
        poller.add(Device(f"m{number}", line.name, PROFILE, UNIT, interval_s=_INTERVAL_S), station)
        poller.start()
        line.start()


def main(arguments: Sequence[str]) -> None:
    """Works for ever."""
    port, devices, registers, broker = map(int, arguments)
    reactor = import_reactor()
    make_monotonic(reactor)
    hub, profile = Hub(), profile_for("poller", registers)
    columns = tuple(point.quantity for point in profile.points)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Deferred.fromCoroutine(_past(reactor, Path(folder), broker, hub, columns)).addErrback(_failed)
        _field(reactor, port, devices, profile, hub)
        garbage.settle()  # as the service does when it has started
        reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
