"""The house, put together in one visible place: every part is built with its values, then wired to its neighbours, then
started in order. The only place that knows who stands beside whom.

The field comes first: the bus is asked within half a second of the start, while journal, uplinks and portal are still
being loaded. What it says meanwhile waits for the journal. At the end the order is another one: nobody outlives the
journal who writes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

import concentrator
from concentrator.api import PanelState, UplinkState
from concentrator.app import garbage
from concentrator.app.clocks import MachineStart, SharpClock, Started, SystemWall
from concentrator.app.config_sections import Config
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field, build_field
from concentrator.app.keeping import Keeping
from concentrator.app.light_reactor import import_endpoints
from concentrator.app.ordered import OrderedService, Part, end_as_failed
from concentrator.app.trust import CLOCK_FILE, Trust
from concentrator.app.watch import Watch
from concentrator.model.device import Device
from concentrator.model.errors import Full
from concentrator.model.record import EVENT_PERIOD, Draft
from concentrator.profile.catalogue import Catalogue
from concentrator.system.identity import DeviceBook, box_serial
from concentrator.system.nic import uplink_mac

if TYPE_CHECKING:
    from concentrator.actions.table import Caller
    from concentrator.app.actions import Actions, View
    from concentrator.app.doors import Doors
    from concentrator.app.front import Front
    from concentrator.app.https import Https
    from concentrator.app.link import Links
    from concentrator.app.live import LiveChange
    from concentrator.app.past import Past
    from concentrator.app.uplinks import Uplinks
    from concentrator.app.ways import Ways
    from concentrator.portal.downloads import Downloads
    from concentrator.web.gate import Gate
    from concentrator.web.tokens import Tokens

FIELD_FIRST_S = 0.02
"""How long the field has the machine to itself before the journal is loaded: its first request is out by then."""

SETTLED_S = 60.0
"""How long after its last part the uplinks are at work too, as a rule, and all that an idle box needs is loaded."""

REOPEN_S = 15.0
"""How often a journal is opened anew that the disk had no room for."""

log = Logger()


@define(eq=False, repr=False)
class Box:
    """One running concentrator: its parts, and what they ask of each other."""

    config: Config
    catalogue: Catalogue
    reactor: Any
    started: Started = field(factory=Started)
    boot: MachineStart = field(factory=MachineStart)
    wall: SystemWall = field(init=False)
    serial: str = field(init=False)
    mac: str = field(init=False)
    sharp: SharpClock = field(init=False)
    field_: Field = field(init=False)
    devices: DeviceList = field(init=False)
    _keeping: Keeping = field(init=False)
    _links: Links | None = field(default=None, init=False)
    _front: Front | None = field(default=None, init=False)
    _ways: Ways | None = field(default=None, init=False)
    _uplinks: Uplinks | None = field(default=None, init=False)
    _actions: Actions | None = field(default=None, init=False)
    _live: LiveChange | None = field(default=None, init=False)
    _gate: Gate | None = field(default=None, init=False)
    _https: Https | None = field(default=None, init=False)
    _tokens: Tokens | None = field(default=None, init=False)
    _watch: Watch = field(init=False)
    _doors: Doors | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        box = self.config.box
        box.state_dir.mkdir(parents=True, exist_ok=True)
        trust = Trust(self.boot, box.state_dir / CLOCK_FILE)
        self.wall = SystemWall(trust.has, trust.told)
        self.serial = box_serial(box.state_dir, box.model, box.serial or "", self.wall.now())
        self.mac = (box.mac or uplink_mac()).upper()
        self._keeping = Keeping(self.boot)
        self._watch = Watch(self.wall, self.started.uptime_s, self._kept)
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
                Part("network", self._ready_network),
                Part("journal", self._open_journal, self._close_journal),
                Part("polling", lambda: None, self.field_.stop),
                Part("link mode", self._start_links, self._stop_links),
                Part("actions", self._build_actions, self._stop_tasks),
                Part("uplinks", self._start_uplinks, self._stop_uplinks),
                Part("ways", self._start_ways, self._stop_ways),
                Part("doors", self._open_doors, self._close_doors),
                Part("memory", lambda: self.reactor.callLater(SETTLED_S, garbage.give_back)),
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
            "hardware": self.config.box.hardware,
            "mac": self.mac,
            "uptime_s": round(self.started.uptime_s(), 1),
            "journal": journal.id if journal else "",
            "last_n": journal.synced if journal else 0,
        }

    def uplink_states(self) -> list[UplinkState]:
        """What people see of each way out."""
        return self._uplinks.states() if self._uplinks is not None else []

    def _kept(self) -> tuple[int, int] | None:
        journal = self._past.journal if self._past is not None else None
        return None if journal is None else (journal.size, journal.synced)

    def report(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened: it is logged, and goes into the journal as an event."""
        log.warn("{name}: {facts}", name=name, facts=dict(facts))
        uid = str(facts.get("device", ""))
        serial = (self.field_.book.serial(uid) or uid) if uid else self.serial
        draft = Draft(uid, serial, int(self.wall.now()), EVENT_PERIOD, event={"event": name, **facts})
        self._keeping.event_happened(draft)
        self._watch.happened(name, facts)

    @property
    def _past(self) -> Past | None:
        return self._keeping.past

    # -- the order of life

    def _start_field(self) -> Deferred[None]:
        self.field_.hub.subscribe(self._keeping.reading_received)
        self.field_.start()
        return deferLater(self.reactor, FIELD_FIRST_S, garbage.settle)

    def _ready_network(self) -> None:
        """Loads what everybody connects with, before anybody else does, who would load TLS with it."""
        from concentrator.app.names import LooseNames

        import_endpoints()
        self.reactor.installNameResolver(LooseNames(self.reactor))

    async def _open_journal(self) -> None:
        from concentrator.app.past import build_past

        past = None
        while past is None:
            past = build_past(self.config, self.reactor, self.wall, self.report, self.field_.describe, self.boot)
            try:
                await past.open()
            except Full as error:
                # To end would be no help: whoever starts it again finds the same disk.
                log.error("the journal waits for room on the disk: {error}", error=error)
                past = None
                await self._pause(REOPEN_S)
        self._keeping.begin(past)
        garbage.settle()

    async def _pause(self, seconds: float) -> None:
        """Waits, but not beyond the end of the program."""
        pause: Deferred[None] = deferLater(self.reactor, seconds)
        at_the_end = self.reactor.addSystemEventTrigger("before", "shutdown", pause.cancel)
        await pause
        self.reactor.removeSystemEventTrigger(at_the_end)

    async def _close_journal(self) -> None:
        assert self._past is not None
        await self._past.close()

    def _start_uplinks(self) -> None:
        from concentrator.app.changing import Several, Speeds
        from concentrator.app.doors import PortalChange
        from concentrator.app.inboxes import Inboxes
        from concentrator.app.live import LiveChange
        from concentrator.app.uplinks import Surroundings, Uplinks

        assert self._past is not None and self._actions is not None
        assert self._front is not None and self._ways is not None
        around = Surroundings(self.serial, self.field_.alias, self.reactor, self.wall, self.report)
        inboxes = Inboxes(self.serial, self._actions.table, self._past.journal, self.reactor, self.wall)
        self._uplinks = Uplinks(self._past, around, inboxes)
        self._uplinks.start(self.config)
        speeds = Speeds(self.field_, self.config.lines)
        changing = Several((self._uplinks, self._front, self._ways, speeds, PortalChange(lambda: self._doors)))
        self._live = LiveChange(self.config, self._past, changing, self.reactor, self.report)
        garbage.settle()

    async def _stop_uplinks(self) -> None:
        assert self._live is not None and self._uplinks is not None
        await self._live.stop()
        await self._uplinks.stop()

    def _start_ways(self) -> None:
        assert self._front is not None and self._ways is not None and self._live is not None
        self._front.start(self._live.config)
        self._ways.start(self._live.config)

    def _stop_ways(self) -> Deferred[Any]:
        assert self._front is not None and self._ways is not None
        self._front.stop()
        return self._ways.stop()

    def _asked(self, action: str, arguments: Mapping[str, object], caller: Caller) -> Deferred[Any]:
        assert self._actions is not None, "the ways start after the actions"
        return self._actions.table.call(action, arguments, caller)

    def _start_links(self) -> None:
        from concentrator.app.link import build_links

        folder = self.config.box.state_dir
        self._links = build_links(folder, self.field_, self.devices, self.catalogue, self.sharp, self.report)
        self._links.start()

    def _stop_links(self) -> Deferred[Any]:
        assert self._links is not None
        return self._links.stop()

    def _view(self) -> View:
        from concentrator.app.actions import View

        panel = self._front.state if self._front is not None else PanelState
        return View(self.facts, self.field_.device_states, self.field_.line_states, self.uplink_states, panel)

    def _build_actions(self) -> None:
        from concentrator.app.actions import Works, build_actions
        from concentrator.app.config_file import ConfigFile
        from concentrator.app.front import build_front
        from concentrator.app.gate import GateAccounts, build_gate
        from concentrator.app.https import Https
        from concentrator.app.reboot import Reboot
        from concentrator.app.services import Services
        from concentrator.app.settings import BoxSettings
        from concentrator.app.tokens import open_tokens
        from concentrator.app.ways import Around, Ways

        assert self._links is not None and self._past is not None
        file = ConfigFile(self.devices.file)
        settings = BoxSettings(file, self._running, self._reconfigure, self.wall.now)
        around = (self._past, self.serial, self.config.box.state_dir, self.reactor)
        services = Services(file, settings, lambda: self._running()[0], *around)
        state_dir = self.config.box.state_dir
        heard, ask = self._watch.news.subscribe, self._asked
        telling, places = (self.report, self.wall.now, self.reactor), (self.serial, state_dir)
        self._front = build_front(self.config, self._links, self.uplink_states, *telling)
        self._front.wires, self._front.ask = self.field_.wires, ask
        self._front.sources.gensets = self.field_.genset_alarms
        heard(self._front.hear)
        self._ways = Ways(Around(self.field_, self._front, self.reactor, self.wall, self.report, heard, ask, *places))
        self._watch.services = self._ways.all_states
        self._gate = build_gate(self.config, self.serial, self.reactor)
        self._tokens = open_tokens(state_dir)
        self._https = Https(state_dir, self.serial, self.reactor, self.wall, self.report)
        accounts = GateAccounts(self._gate) if self._gate is not None else None
        field, fronts = self.field_, (self._front, services, self._ways, accounts, self._https, self._tokens)
        reboot = Reboot(self.reactor, self.report)
        works = Works(field, self.devices, self._links, self.catalogue, self._past, settings, reboot, *fronts)
        self._actions = build_actions(self._view(), works, self.wall)
        garbage.settle()

    def _stop_tasks(self) -> Deferred[Any]:
        assert self._actions is not None
        return self._actions.tasks.stop()

    def _running(self) -> tuple[Config, Mapping[str, Device]]:
        config = self._live.config if self._live is not None else self.config
        return config, {uid: known.device for uid, known in self.field_.known().items()}

    def _reconfigure(self, config: Config) -> None:
        assert self._live is not None, "the uplinks come before the doors"
        self._live.begin(config)

    async def _open_doors(self) -> None:
        from concentrator.app.doors import open_doors

        assert self._actions is not None and self._https is not None and self._tokens is not None
        around = (self.field_.hub.subscribe, self._downloads(), self.reactor, self.wall)
        who = (self._gate, self._https, self._tokens, self._watch)
        self._doors = await open_doors(self.config, self._view(), self._actions, *around, *who)
        garbage.settle()

    def _downloads(self) -> Downloads:
        from concentrator.portal.downloads import Downloads, History

        past, zone = self._past, self.config.box.timezone
        assert past is not None
        around = (self.serial, self.field_.alias, zone, self.wall, self.reactor)
        return Downloads(History(past.journal.query, lambda: past.config.history.latency_s, *around))

    def _close_doors(self) -> Deferred[Any]:
        assert self._doors is not None
        return self._doors.close()

    def _failed_to_start(self, failure: Failure) -> None:
        log.critical("it does not start: {reason}", reason=failure.getErrorMessage())
        end_as_failed()
        self.reactor.stop()
