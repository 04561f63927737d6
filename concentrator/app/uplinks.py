"""The ways out, put together: a feed, an uplink and an uploader for each enabled section. Hides which library an uplink
wants, and imports it only here, after the field is at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Inbox, Report, UplinkState, Wall
from concentrator.app.clocks import program
from concentrator.app.config_sections import Config
from concentrator.app.config_uplinks import FtpSection, MqttSection
from concentrator.app.inboxes import Inboxes
from concentrator.app.threads import LooseThreads
from concentrator.journal import traffic
from concentrator.journal.feed import RecordFeed
from concentrator.journal.file_feed import FileFeed
from concentrator.journal.journal import Journal
from concentrator.uplink.lane import Course
from concentrator.uplink.pace import Pace
from concentrator.uplink.uploader import Uploader

if TYPE_CHECKING:
    from concentrator.app.past import Past
    from concentrator.uplink.broker_endpoint import Trust
    from concentrator.uplink.ftp_session import FtpServer

BATCH = 200
"""Fresh records an MQTT uplink takes at a time."""
FTP = "ftp"

log = Logger()


@frozen
class Surroundings:
    """What every way out needs: the box's serial, how a device is called, the reactor (also its clock), the wall clock,
    and whom to tell."""

    box: str
    alias: Callable[[str], str]
    reactor: Any
    wall: Wall
    report: Report


@define(eq=False)
class _Way:
    """One way out at work, and all of the configuration that it was made from."""

    made_from: object
    uploader: Uploader


@define(eq=False, repr=False)
class Uplinks:
    """The ways out of a box, by their sections, and the threads in which FTP may block; `inboxes` take the commands
    that come by MQTT."""

    _past: Past
    _around: Surroundings
    _inboxes: Inboxes
    _threads: LooseThreads = field(init=False)
    _ways: dict[str, _Way] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._threads = LooseThreads(self._around.reactor, "ftp")

    def start(self, config: Config) -> None:
        """Begins to deliver, by every way that the configuration has and that is not at work yet."""
        for place, made_from in _wanted(config).items():
            if place not in self._ways:
                self._ways[place] = way = _Way(made_from, self._uploader(place, config))
                way.uploader.start()

    def leave(self, config: Config) -> Deferred[Any]:
        """Stops the ways out that the configuration has no more, or has with other settings; fires when nothing is
        under way on them."""
        wanted = _wanted(config)
        left = [place for place, way in self._ways.items() if wanted.get(place) != way.made_from]
        return DeferredList([self._ways.pop(place).uploader.stop() for place in left])

    def stop(self) -> Deferred[Any]:
        """Ends delivering; fires when nothing is under way."""
        return DeferredList([way.uploader.stop() for way in self._ways.values()])

    def states(self) -> list[UplinkState]:
        """What people see of each."""
        return [evolve(way.uploader.state(), commands=self._inboxes.counts(place)) for place, way in self._ways.items()]

    def _uploader(self, place: str, config: Config) -> Uploader:
        around = self._around
        if place == FTP:
            courses = [Course(_files(config, self._past, around))]
            uplink = _ftp(config, config.ftp, around, self._threads)
        else:
            section = config.mqtt[place]
            meter = _meter(place, section, config.box.timezone, self._past.journal, around)
            courses = _courses(place, section, self._past, around, meter)
            uplink = _mqtt(place, section, around, self._inboxes.of(place, section), meter)
        return Uploader(courses, uplink, around.reactor, around.wall, around.report, SystemRandom().random)


def _wanted(config: Config) -> dict[str, object]:
    """Each enabled uplink by its place, with all of the configuration that it depends on."""
    zone = config.box.timezone
    found: dict[str, object] = {place: (section, zone) for place, section in config.mqtt.items() if section.enabled}
    if config.ftp.enabled:
        found[FTP] = (config.ftp, config.history.latency_s, config.history.format, zone)
    return found


def _files(config: Config, past: Past, around: Surroundings) -> FileFeed:
    return FileFeed(
        past.journal,
        past,
        around.wall,
        around.reactor,
        reader=FTP,
        period_s=config.history.latency_s,
        latency_s=config.ftp.sending_latency_s,
        time_of_day_s=config.ftp.time_of_day_s,
        zone=config.box.timezone,
        box_serial=around.box,
    )


def _meter(place: str, section: MqttSection, zone: ZoneInfo, journal: Journal, around: Surroundings) -> Any:
    """Counts the bytes of a way out, on from what former runs have counted."""
    from concentrator.uplink.meter import Meter

    def not_kept(failure: Failure) -> None:
        log.warn("{place}: bytes are not counted: {why}", place=place, why=failure.getErrorMessage())

    def keep(months: Mapping[str, tuple[int, int]]) -> None:
        journal.change(partial(traffic.keep, uplink=place, months=months)).addErrback(not_kept)

    meter = Meter(around.wall, around.reactor, zone, keep, section.monthly_cap_bytes)
    journal.query(partial(traffic.load, uplink=place)).addCallback(meter.resume).addErrback(not_kept)
    return meter


def _courses(place: str, section: MqttSection, past: Past, around: Surroundings, meter: Any) -> list[Course]:
    """Events, fresh intervals, and the backlog at its pace, beside each other."""
    from concentrator.uplink.payload import is_live

    pace = Pace(section.catch_up)
    records = RecordFeed(past.journal, place, lambda record: is_live(record, around.wall.now()), BATCH, pace.limit)
    return [
        Course(records.events, gate=meter.for_events),
        Course(records.intervals, gate=meter.for_intervals),
        Course(records.backlog, pace, meter.for_intervals),
    ]


def _mqtt(place: str, section: MqttSection, around: Surroundings, inbox: Inbox, meter: Any) -> Any:
    from concentrator.uplink.broker_endpoint import broker_endpoint
    from concentrator.uplink.mqtt import MqttUplink
    from concentrator.uplink.payload import Voice

    return MqttUplink(
        endpoint=broker_endpoint(around.reactor, section.hostname, section.port, trust_of(section), meter),
        address=f"{section.host}:{section.port}",
        voice=Voice(section.prefix_sub, around.box),
        alias=around.alias,
        clock=around.reactor,
        wall=around.wall,
        jitter=SystemRandom().random,
        name=place,
        client_id=section.client_id,
        user=section.user,
        password=section.password,
        version=section.protocol,
        keepalive_s=section.keepalive_s,
        qos=section.qos,
        software=program(),
        inbox=inbox,
        meter=meter,
    )


def trust_of(section: MqttSection) -> Trust | None:
    """Whom the section believes to be its broker; None where it is in clear."""
    from concentrator.uplink.broker_endpoint import Trust

    if not section.is_encrypted:
        return None
    pinned = section.cert_file if section.tls == "self-signed" else None
    files = (section.ca_file, pinned, section.client_cert_file, section.client_key_file)
    return Trust(*(str(file or "") for file in files))


def ftp_server(section: FtpSection) -> FtpServer:
    """The server that the section names."""
    from concentrator.uplink.ftp_session import FtpServer

    return FtpServer(
        host=section.server,
        port=section.port,
        user=section.user,
        password=section.password,
        directory=section.directory,
        tls=section.tls,
        ca_file=str(section.ca_file or ""),
    )


def _ftp(config: Config, section: FtpSection, around: Surroundings, threads: LooseThreads) -> Any:
    from concentrator.uplink.ftp import FtpUplink

    return FtpUplink(
        server=ftp_server(section),
        box=around.box,
        alias=around.alias,
        zone=config.box.timezone,
        threads=threads,
        clock=around.reactor,
        wall=around.wall,
        report=around.report,
        form=config.history.format,
    )
