"""The cloud sessions of gensets, put together. Hides how a session is wired to its controller, to the front of the box,
to what happens in it and to its clock, and that sessions come and go while the box runs; what is only imported where
there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import random
from typing import Any

from attrs import asdict, define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from concentrator.actions.smartgen import CloudState
from concentrator.actions.table import Caller
from concentrator.api import Happened
from concentrator.app.clocks import SystemWall
from concentrator.app.cloud_controller import LineController
from concentrator.app.cloud_kept import Kept
from concentrator.app.cloud_ports import LinePorts
from concentrator.app.config_sections import Config
from concentrator.app.config_smartgen import PORTS, USUAL_MODEL, SmartgenSection
from concentrator.app.locating import Locator, Receivers
from concentrator.app.programs import mmcli
from concentrator.app.setting import settings_of
from concentrator.app.ways import Around
from concentrator.genset.session import ONLINE, Session
from concentrator.genset.terms import Surroundings, Terms
from concentrator.model.errors import Unknown
from concentrator.model.genset_models import KINDS
from concentrator.model.words import hint
from concentrator.wire.smartgen import Inputs, Location, Login
from concentrator.wire.smartgen_fields import BAUD_RATES, Frame, Wiring, written_place

ATTEMPT_S = 20.0
"""How long one address may take to be reached."""
LONGEST_NAME = 20
"""Characters of a modem's name (protocol V1.0, table 3)."""

Reach = Callable[[SmartgenSection, str, int], IStreamClientEndpoint]


@define(eq=False, repr=False)
class _Cloud:
    """One session at work."""

    name: str
    section: SmartgenSection
    hostid: str
    hostname: str
    model: str
    ports: LinePorts
    controller: LineController
    session: Session = field(init=False)
    standing: str = field(default="", init=False)
    since: float | None = field(default=None, init=False)
    is_logged_in: bool = field(default=False, init=False)
    is_online: bool = field(default=False, init=False)
    _is_registering: bool = field(default=False, init=False)

    def stands(self, words: str, now: float) -> bool:
        """Takes how it stands; whether that is news."""
        before = self.is_logged_in, self.is_online
        self.standing = words
        self.is_online = words.startswith(ONLINE)
        if words in ("Connecting", ONLINE):
            self.is_logged_in, self._is_registering = True, False
        elif words == "Registering":
            self._is_registering = True
        elif self._is_registering or words == "Stopped":
            self.is_logged_in = False
        if before[1] != self.is_online or self.since is None:
            self.since = now
        return before != (self.is_logged_in, self.is_online)


@define(eq=False, repr=False)
class Clouds:
    """The sessions of a configuration, by name. `reach` gives the endpoint to a server of a session's; `set_clock` sets
    the machine's clock (UTC seconds), and says whether it could."""

    _around: Around
    _reach: Reach
    _set_clock: Callable[[float], bool] = lambda seconds: False
    _kept: Kept = field(init=False)
    _locator: Locator = field(init=False)
    _clouds: dict[str, _Cloud] = field(factory=dict, init=False)
    _deaf: Callable[[], None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._kept = Kept(self._around.state_dir)
        self._locator = Locator(
            self._around.reactor, Receivers(self._around.reactor, mmcli(self._around.reactor)), self._moved
        )

    # -- coming and going

    def start(self, config: Config) -> None:
        """Begins the sessions that the configuration has and that are not there yet."""
        if self._deaf is None:
            self._deaf = self._around.heard(self._heard)
        for name, section in self._wanted(config).items():
            if name not in self._clouds:
                self._clouds[name] = cloud = self._built(name, section)
                cloud.ports.begin()
                cloud.session.inputs_changed(self._inputs())
                cloud.session.begin()
        if self._needs_a_receiver():
            self._locator.start()

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends those that the configuration has no more, or has with other settings."""
        wanted = self._wanted(config)
        for name, cloud in list(self._clouds.items()):
            known = self._around.field_.known().get(cloud.section.device)
            is_same = known is not None and cloud.model == _model(cloud.section, known.device.model)
            if wanted.get(name) != cloud.section or not is_same:
                self._end(self._clouds.pop(name))
                cloud.ports.restore()
        if not self._needs_a_receiver():
            self._locator.stop()
        return succeed(None)

    def stop(self) -> Deferred[Any]:
        """Ends all of them."""
        clouds, self._clouds = self._clouds, {}
        for cloud in clouds.values():
            self._end(cloud)
        self._locator.stop()
        if self._deaf is not None:
            self._deaf()
            self._deaf = None
        return succeed(None)

    def _needs_a_receiver(self) -> bool:
        return any(cloud.section.location == "gps" for cloud in self._clouds.values())

    def _end(self, cloud: _Cloud) -> None:
        cloud.controller.stop()
        cloud.session.end()

    # -- what people ask

    def states(self) -> list[CloudState]:
        """What people see of each."""
        return [self._state(cloud) for cloud in self._clouds.values()]

    def reset(self, name: str, caller: Caller) -> Deferred[Any]:
        """Factory settings, on behalf of the caller; raises Unknown."""
        cloud = self._clouds.get(name)
        if cloud is None:
            raise Unknown(f"cloud session {name}{hint(name, self._clouds)}")
        self._kept.keep_wiring(name, "", None)
        keys = {each.key: None for each in settings_of(SmartgenSection) if each.key != "device"}
        return self._around.ask("config.set", {"changes": {f"smartgen.{name}": keys}}, caller)

    # -- one session

    def _wanted(self, config: Config) -> Mapping[str, SmartgenSection]:
        """Those that are to be at work: a device may have come, or gone, since the program began."""
        sections, known = config.services.get("smartgen", {}), self._around.field_.known()
        return {name: each for name, each in sections.items() if each.enabled and each.device in known}

    def _built(self, name: str, section: SmartgenSection) -> _Cloud:
        around = self._around
        device = around.field_.known()[section.device].device
        hostid = section.hostid or self._kept.hostid(name, around.serial)
        hostname = (section.name or section.site or device.alias or section.device)[:LONGEST_NAME]
        ports = LinePorts(name, section, around.field_, self._kept)
        controller = LineController(
            name,
            section.device,
            device.address,
            ports,
            around.field_,
            around.field_.clock,
            around.ask,
            section.auto_port,
            section.live_interval_s,
            on_command=lambda request, why: self._commanded(cloud, request, why),
            on_found=lambda wiring: self._found(cloud, wiring),
        )
        model = _model(section, device.model)
        cloud = _Cloud(name, section, hostid, hostname, model, ports, controller)
        login = Login(hostid, hostname, section.password, model, Wiring(), _place(section), section.compress)
        terms = Terms(
            login,
            section.place,
            unit=device.address,
            allow_write=True,  # whether it may is `modbus.raw`'s to judge
            allow_rewire=section.allow_rewire,
            rate_s=section.live_interval_s,
            history_s=section.history_interval_s,
        )
        surroundings = Surroundings(
            around.reactor,
            lambda host, port: self._reach(section, host, port),
            random,
            on_time=lambda seconds: self._told_time(section, seconds),
            on_standing=lambda words: self._stands(cloud, words),
            now=lambda: around.wall.now() if around.wall.is_trusted() else None,
            where=lambda: self._place_of(section),
        )
        cloud.session = Session(terms, controller, surroundings)
        return cloud

    def _stands(self, cloud: _Cloud, words: str) -> None:
        if cloud.stands(words, self._around.wall.now()):
            facts = {"session": cloud.name, "device": cloud.section.device}
            states = {"is_logged_in": cloud.is_logged_in, "is_online": cloud.is_online}
            self._around.report("smartgen.state", {**facts, **states, "text": words})

    def _commanded(self, cloud: _Cloud, request: Frame, why: str) -> None:
        if not why:
            self._around.front.remote_commanded()
        facts = {"session": cloud.name, "device": cloud.section.device, "request": bytes(request).hex()}
        text = f"the server's command was refused: {why}" if why else "the server's command was carried out"
        self._around.report("smartgen.command", {**facts, "done": not why, "text": text})

    def _found(self, cloud: _Cloud, wiring: Wiring) -> None:
        facts = {"session": cloud.name, "device": cloud.section.device}
        where = f"port {PORTS[wiring.port].upper()} at {BAUD_RATES[wiring.baud]} bit/s"
        self._around.report("smartgen.found", {**facts, "text": f"the controller answers at {where}"})
        cloud.session.changed()

    def _told_time(self, section: SmartgenSection, seconds: float) -> None:
        """Sets the clock of a box that has nothing better."""
        if section.set_clock and not self._around.wall.is_trusted() and self._set_clock(seconds):
            facts = {"by": section.server, "text": "the clock was set to the cloud server's time"}
            self._around.report("clock.set", facts)

    # -- what happens in the box

    def _heard(self, happened: Happened) -> None:
        if happened.name == "genset.alarm":
            for cloud in self._clouds.values():
                if cloud.section.device == happened.facts.get("device"):
                    cloud.session.hasten()
        elif happened.name in ("input.changed", "input.alarm"):
            inputs = self._inputs()
            for cloud in self._clouds.values():
                cloud.session.inputs_changed(inputs)

    def _inputs(self) -> Inputs:
        is_active = self._around.front.is_active
        names = ("access_alarm", "fire_alarm", "external_alarm", "remote_inhibit")
        return Inputs(*(bool(is_active(name)) for name in names))

    def _moved(self) -> None:
        for cloud in self._clouds.values():
            if cloud.section.location == "gps":
                cloud.session.changed()

    def _place_of(self, section: SmartgenSection) -> Location | None:
        fix = self._locator.fix
        if section.location != "gps" or fix is None:
            return None
        return Location(fix.longitude, fix.latitude, fix.altitude_m)

    def _state(self, cloud: _Cloud) -> CloudState:
        section, session, answer = cloud.section, cloud.session, cloud.session.answer
        wiring, now = cloud.controller.wiring, self._around.wall.now()
        place = self._place_of(section) or _place(section)
        where = {} if place is None else {"source": section.location, **asdict(place)}
        kind = section.kind(cloud.model)
        fix = self._locator.fix
        figures = {**asdict(session.figures), "history_sent": session.history.sent}
        figures["uploaded_at"] = _ago(session.figures.uploaded_at, self._around.reactor.seconds(), now)
        described = {key: getattr(section, key) for key in _DESCRIBING}
        return CloudState(
            name=cloud.name,
            device=section.device,
            standing=cloud.standing,
            is_logged_in=cloud.is_logged_in,
            is_online=cloud.is_online,
            since="" if cloud.since is None else _stamp(cloud.since),
            server=section.server,
            live=written_place(answer.live),
            history=written_place(answer.history),
            hostid=cloud.hostid,
            hostname=cloud.hostname,
            model=cloud.model,
            module_type=kind,
            module_type_name=KINDS[kind],
            port=PORTS[wiring.port],
            baudrate=BAUD_RATES[wiring.baud] if wiring.port else None,
            is_searched_for=cloud.controller.is_searched_for,
            rate_s=answer.online_s or answer.offline_s or section.live_interval_s,
            mode="full" if answer.is_full else "changes",
            always=[bytes(each).hex().upper() for each in answer.always],
            once=[bytes(each).hex().upper() for each in answer.once],
            location=where or None,
            satellites=fix.satellites if fix is not None and section.location == "gps" else None,
            module_time=_local(now, section.time_zone),
            inputs=asdict(self._inputs()),
            figures={**figures, "history_waiting": session.history.waiting},
            described=described,
        )


_DESCRIBING = (
    *("site", "staff", "telephone", "installed", "time_zone", "rated_speed", "ac_supply", "rated_voltage"),
    *("rated_frequency", "rated_current", "rated_power"),
    *(f"description{n}" for n in range(1, 6)),
)


def _model(section: SmartgenSection, of_device: str) -> str:
    return section.model or of_device or USUAL_MODEL


def _place(section: SmartgenSection) -> Location | None:
    if section.location != "manual":
        return None
    return Location(section.longitude, section.latitude, section.altitude, section.coordinates == "gps")


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ago(at: float | None, clock_now: float, now: float) -> str:
    return "" if at is None else _stamp(now - (clock_now - at))


def _local(now: float, hours: int) -> str:
    return (datetime.fromtimestamp(now, UTC) + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")


def _endpoint(reactor: Any) -> Reach:
    def reach(section: SmartgenSection, host: str, port: int) -> IStreamClientEndpoint:
        if not section.is_encrypted:
            return HostnameEndpoint(reactor, host, port, timeout=ATTEMPT_S)
        from concentrator.uplink.broker_endpoint import Trust, broker_endpoint

        return broker_endpoint(reactor, host, port, Trust(ca_file=str(section.ca_file or "")))

    return reach


def build(around: Around) -> Clouds:
    """The sessions of a box, before any has begun."""
    set_clock = around.wall.take if isinstance(around.wall, SystemWall) else lambda seconds: False
    return Clouds(around, _endpoint(around.reactor), set_clock)
