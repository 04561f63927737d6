"""The house, put together in one visible place: every part is built with its values, then wired to its neighbours, then
started in order. The only place that knows who stands beside whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

import concentrator
from concentrator.actions.present import present_actions
from concentrator.actions.table import ActionTable, AuditEntry
from concentrator.api import UplinkState
from concentrator.app.clocks import SharpClock, Started, SystemWall
from concentrator.app.config_sections import Config
from concentrator.app.field import Field, build_field
from concentrator.app.ordered import OrderedService, Part
from concentrator.app.uplinks import Surroundings, build_uploaders, readers
from concentrator.journal.aggregate import Aggregator
from concentrator.journal.journal import Journal
from concentrator.journal.retention import Retention
from concentrator.journal.worker import DiskThread
from concentrator.model.record import EVENT_PERIOD, Draft
from concentrator.profile.catalogue import Catalogue
from concentrator.system.identity import DeviceBook, box_serial
from concentrator.uplink.uploader import Uploader

FIELD_FIRST_S = 0.1
"""How long the field has the machine to itself before uplinks and portal are loaded."""

log = Logger()


@define(eq=False)
class Box:
    """One running concentrator: its parts, and what they ask of each other."""

    config: Config
    reactor: Any
    started: Started = field(factory=Started)
    wall: SystemWall = field(factory=SystemWall)
    serial: str = field(init=False)
    sharp: SharpClock = field(init=False)
    field_: Field = field(init=False)
    journal: Journal = field(init=False)
    aggregator: Aggregator = field(init=False)
    retention: Retention = field(init=False)
    table: ActionTable = field(init=False)
    _pool: ThreadPool = field(factory=lambda: ThreadPool(0, 2, name="ftp"), init=False)
    _uploaders: list[Uploader] = field(factory=list, init=False)
    _ports: list[Any] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        config, state_dir = self.config, self.config.box.state_dir
        state_dir.mkdir(parents=True, exist_ok=True)
        self.serial = box_serial(state_dir, config.box.model, config.box.serial or "", self.wall.now())
        self.sharp = SharpClock(self.reactor)
        catalogue = Catalogue(config.box.plugin_dirs)
        self.field_ = build_field(
            config,
            catalogue.get,
            reactor=self.reactor,
            sharp=self.sharp,
            wall=self.wall,
            report=self.report,
            book=DeviceBook(state_dir),
        )
        self.journal = Journal(state_dir / "journal.db", self.reactor, self.wall, DiskThread(self.reactor), self.report)
        base_s = config.base_interval_s
        self.aggregator = Aggregator(
            self.journal,
            self.wall,
            self.reactor,
            self.report,
            base_s=base_s,
            coarser=sorted(set(config.latencies_s.values()) - {base_s}),
            describe=self.field_.describe,
        )
        keep_s = config.history.keep_s
        is_history = config.history.enabled and config.history.latency_s == base_s
        self.retention = Retention(
            self.journal,
            self.wall,
            self.reactor,
            self.report,
            base_s=base_s,
            base_keep_s=max(config.journal.base_keep_s, keep_s) if is_history else config.journal.base_keep_s,
            keep_s=keep_s,
        )
        self.table = ActionTable(self._audit)
        for action in present_actions(
            box=self.facts,
            devices=self.field_.device_states,
            lines=self.field_.line_states,
            uplinks=self.uplink_states,
            wall=self.wall,
        ):
            self.table.register(action)

    # -- what the parts tell and ask

    def facts(self) -> Mapping[str, object]:
        """The box itself, for people."""
        return {
            "serial": self.serial,
            "model": self.config.box.model,
            "version": concentrator.__version__,
            "uptime_s": round(self.started.uptime_s(), 1),
            "journal": self.journal.id,
            "records": self.journal.synced,
        }

    def uplink_states(self) -> list[UplinkState]:
        """What people see of each way out."""
        return [uploader.state() for uploader in self._uploaders]

    def report(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened: it is logged, and goes into the journal as an event."""
        log.warn("{name}: {facts}", name=name, facts=dict(facts))
        uid = str(facts.get("device", ""))
        serial = (self.field_.book.serial(uid) if uid else self.serial) or uid
        draft = Draft(uid, serial, int(self.wall.now()), EVENT_PERIOD, event={"event": name, **facts})
        self.journal.append([draft], urgent=True).addErrback(lambda failure: log.failure("an event was lost", failure))

    def _audit(self, entry: AuditEntry) -> None:
        log.info("{entry}", entry=entry)

    # -- the order of life

    def service(self) -> OrderedService:
        """The whole box as a Twisted service."""
        return OrderedService(
            self.reactor,
            [
                Part("clock", self.sharp.start, self.sharp.stop),
                Part("journal", self._open_journal, self.journal.close),
                Part("intervals", self._begin_intervals, self.aggregator.stop),
                Part("retention", self.retention.start, self.retention.stop),
                Part("field", self.field_.start, self.field_.stop),
                Part("a moment for the field", lambda: deferLater(self.reactor, FIELD_FIRST_S)),
                Part("uplinks", self._start_uplinks, self._stop_uplinks),
                Part("doors", self._open_doors, self._close_doors),
            ],
        )

    def _open_journal(self) -> Deferred[None]:
        def opened(_: None) -> None:
            for reader, periods in readers(self.config).items():
                self.journal.register(reader, periods)

        return self.journal.open().addCallback(opened)

    def _begin_intervals(self) -> Any:
        self.field_.hub.subscribe(self.aggregator.reading_received)
        return self.aggregator.start()

    def _start_uplinks(self) -> None:
        around = Surroundings(self.serial, self.field_.alias, self.reactor, self.reactor, self.wall, self.report)
        self._pool.start()
        self._uploaders = list(build_uploaders(self.config, self.journal, self.aggregator, around, self._pool))
        for uploader in self._uploaders:
            uploader.start()

    def _stop_uplinks(self) -> Deferred[Any]:
        stopped = DeferredList([uploader.stop() for uploader in self._uploaders])
        return stopped.addCallback(lambda _: self._pool.stop())

    def _open_doors(self) -> None:
        """The control socket, then the live page; a port that is taken costs the page only."""
        from twisted.internet.endpoints import serverFromString
        from twisted.internet.error import CannotListenError

        from concentrator.portal.doors import build_control_site, build_site

        socket = self.config.box.state_dir / "control.sock"
        control = build_control_site(self.table, clock=self.reactor)
        self._ports.append(self.reactor.listenUNIX(str(socket), control, mode=0o600, wantPID=True))
        site = build_site(
            self.table,
            box=self.facts,
            devices=self.field_.device_states,
            lines=self.field_.line_states,
            uplinks=self.uplink_states,
            subscribe=self.field_.hub.subscribe,
            wall=self.wall,
            clock=self.reactor,
            zone=self.config.box.timezone,
        )
        for description in self.config.web.loopback_listen():
            listening = serverFromString(self.reactor, description).listen(site)
            listening.addCallback(self._ports.append)

            def taken(failure: Any) -> None:
                failure.trap(CannotListenError)
                log.error("the portal is not served: {reason}", reason=failure.getErrorMessage())

            listening.addErrback(taken)

    def _close_doors(self) -> Deferred[Any]:
        return DeferredList([maybeDeferred(port.stopListening) for port in self._ports])
