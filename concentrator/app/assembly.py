"""The house, put together in one visible place: every part is built with its values, then wired to its neighbours, then
started in order. The only place that knows who stands beside whom.

The field comes first: the bus is asked within half a second of the start, while journal, uplinks and portal are still
being loaded. What it says meanwhile waits for the journal. At the end the order is another one: nobody outlives the
journal who writes to it.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

import concentrator
from concentrator.api import UplinkState
from concentrator.app.clocks import SharpClock, Started, SystemWall
from concentrator.app.config_sections import Config
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field, build_field
from concentrator.app.ordered import OrderedService, Part
from concentrator.model.reading import Reading
from concentrator.model.record import EVENT_PERIOD, Draft
from concentrator.profile.catalogue import Catalogue
from concentrator.system.identity import DeviceBook, box_serial

if TYPE_CHECKING:
    from concentrator.app.doors import Doors
    from concentrator.app.link import Links
    from concentrator.app.past import Past
    from concentrator.app.uplinks import Uplinks

FIELD_FIRST_S = 0.02
"""How long the field has the machine to itself before the journal is loaded: its first request is out by then."""

log = Logger()


@define(eq=False)
class Box:
    """One running concentrator: its parts, and what they ask of each other."""

    config: Config
    catalogue: Catalogue
    reactor: Any
    started: Started = field(factory=Started)
    wall: SystemWall = field(factory=SystemWall)
    serial: str = field(init=False)
    sharp: SharpClock = field(init=False)
    field_: Field = field(init=False)
    devices: DeviceList = field(init=False)
    _past: Past | None = field(default=None, init=False)
    _links: Links | None = field(default=None, init=False)
    _uplinks: Uplinks | None = field(default=None, init=False)
    _doors: Doors | None = field(default=None, init=False)
    _early_readings: list[Reading] = field(factory=list, init=False)
    _early_events: list[Draft] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        box = self.config.box
        box.state_dir.mkdir(parents=True, exist_ok=True)
        self.serial = box_serial(box.state_dir, box.model, box.serial or "", self.wall.now())
        self.sharp = SharpClock(self.reactor)
        self.field_ = build_field(
            self.config,
            self.catalogue.get,
            reactor=self.reactor,
            sharp=self.sharp,
            wall=self.wall,
            report=self.report,
            book=DeviceBook(box.state_dir),
        )
        self.devices = DeviceList(self.config.file.absolute(), self.field_, self.report)

    def service(self) -> OrderedService:
        """The whole box as a Twisted service."""
        return OrderedService(
            self.reactor,
            [
                Part("clock", self.sharp.start, self.sharp.stop),
                Part("field", self._start_field, self.field_.stop),
                Part("journal", self._open_journal, self._close_journal),
                Part("polling", lambda: None, self.field_.stop),
                Part("link mode", self._start_links, self._stop_links),
                Part("uplinks", self._start_uplinks, self._stop_uplinks),
                Part("doors", self._open_doors, self._close_doors),
            ],
            self._failed_to_start,
        )

    # -- what the parts tell and ask

    def facts(self) -> Mapping[str, object]:
        """The box itself, for people."""
        journal = self._past.journal if self._past is not None else None
        return {
            "serial": self.serial,
            "model": self.config.box.model,
            "version": concentrator.__version__,
            "uptime_s": round(self.started.uptime_s(), 1),
            "journal": journal.id if journal else "",
            "records": journal.synced if journal else 0,
        }

    def uplink_states(self) -> list[UplinkState]:
        """What people see of each way out."""
        return self._uplinks.states() if self._uplinks is not None else []

    def report(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened: it is logged, and goes into the journal as an event."""
        log.warn("{name}: {facts}", name=name, facts=dict(facts))
        uid = str(facts.get("device", ""))
        serial = (self.field_.book.serial(uid) or uid) if uid else self.serial
        draft = Draft(uid, serial, int(self.wall.now()), EVENT_PERIOD, event={"event": name, **facts})
        if self._past is None:
            self._early_events.append(draft)
        else:
            self._keep_event(self._past, draft)

    def _keep_event(self, past: Past, draft: Draft) -> None:
        kept = past.journal.append([draft], urgent=True)
        kept.addErrback(lambda failure: log.failure("an event was lost", failure))

    # -- the order of life

    def _start_field(self) -> Deferred[None]:
        self.field_.hub.subscribe(self._reading_received)
        self.field_.start()
        return deferLater(self.reactor, FIELD_FIRST_S)

    def _reading_received(self, reading: Reading) -> None:
        if self._past is None:
            self._early_readings.append(reading)
        else:
            self._past.intervals.reading_received(reading)

    async def _open_journal(self) -> None:
        from concentrator.app.past import build_past

        past = build_past(self.config, self.reactor, self.wall, self.report, self.field_.describe)
        await past.open()
        self._past = past
        for draft in self._early_events:
            self._keep_event(past, draft)
        for reading in self._early_readings:
            past.intervals.reading_received(reading)
        self._early_events, self._early_readings = [], []

    async def _close_journal(self) -> None:
        assert self._past is not None
        await self._past.close()

    def _start_uplinks(self) -> None:
        from concentrator.app.uplinks import Surroundings, build_uplinks

        assert self._past is not None
        around = Surroundings(self.serial, self.field_.alias, self.reactor, self.wall, self.report)
        self._uplinks = build_uplinks(self.config, self._past.journal, self._past.intervals, around)
        self._uplinks.start()

    def _stop_uplinks(self) -> Deferred[Any]:
        assert self._uplinks is not None
        return self._uplinks.stop()

    def _start_links(self) -> None:
        from concentrator.app.link import build_links

        folder = self.config.box.state_dir
        self._links = build_links(folder, self.field_, self.devices, self.catalogue, self.sharp, self.report)
        self._links.start()

    def _stop_links(self) -> Deferred[Any]:
        assert self._links is not None
        return self._links.stop()

    async def _open_doors(self) -> None:
        from concentrator.app.doors import View, Works, open_doors

        assert self._links is not None
        view = View(self.facts, self.field_.device_states, self.field_.line_states, self.uplink_states)
        works = Works(self.field_, self.devices, self._links, self.catalogue)
        self._doors = await open_doors(self.config, view, works, self.reactor, self.wall)

    def _close_doors(self) -> Deferred[Any]:
        assert self._doors is not None
        return self._doors.close()

    def _failed_to_start(self, failure: Failure) -> None:
        log.critical("it does not start: {reason}", reason=failure.getErrorMessage())
        atexit.register(_end_as_failed)
        self.reactor.stop()


def _end_as_failed() -> None:
    """Has the process end with status 1, which twistd, once it runs, knows no way to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
