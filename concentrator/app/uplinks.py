"""The ways out, put together: a feed, an uplink and an uploader for each enabled section. Hides which library an uplink
wants, and imports it only here, after the field is at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from concentrator.api import Report, UplinkState, Wall
from concentrator.app.clocks import program
from concentrator.app.config_sections import Config, FtpSection, MqttSection
from concentrator.journal.aggregate import Aggregator
from concentrator.journal.feed import FileFeed, RecordFeed
from concentrator.journal.journal import Journal
from concentrator.uplink.uploader import Uploader

BATCH = 200
"""Records an MQTT uplink takes at a time."""


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
class Uplinks:
    """The uploaders of a box, and the threads in which FTP may block."""

    _uploaders: tuple[Uploader, ...]
    _pool: ThreadPool

    def start(self) -> None:
        """Begins to deliver."""
        self._pool.start()
        for uploader in self._uploaders:
            uploader.start()

    def stop(self) -> Deferred[Any]:
        """Ends delivering; fires when nothing is under way."""
        stopped = DeferredList([uploader.stop() for uploader in self._uploaders])
        return stopped.addCallback(lambda _: self._pool.stop())

    def states(self) -> list[UplinkState]:
        """What people see of each."""
        return [uploader.state() for uploader in self._uploaders]


def build_uplinks(config: Config, journal: Journal, intervals: Aggregator, around: Surroundings) -> Uplinks:
    """An uploader for each enabled uplink, built but not started."""
    pool = ThreadPool(0, 2, name="ftp")
    return Uplinks(tuple(_uploaders(config, journal, intervals, around, pool)), pool)


def _uploaders(
    config: Config, journal: Journal, intervals: Aggregator, around: Surroundings, pool: ThreadPool
) -> Iterator[Uploader]:
    jitter = SystemRandom().random
    for place, mqtt in config.mqtt.items():
        if mqtt.enabled:
            feed = RecordFeed(journal, place, BATCH)
            yield Uploader(feed, _mqtt(place, mqtt, around), around.reactor, around.wall, around.report, jitter)
    if config.ftp.enabled:
        files = FileFeed(
            journal,
            intervals,
            around.wall,
            around.reactor,
            reader="ftp",
            period_s=config.history.latency_s,
            latency_s=config.ftp.sending_latency_s,
            time_of_day_s=config.ftp.time_of_day_s,
            zone=config.box.timezone,
            box_serial=around.box,
        )
        uplink = _ftp(config, config.ftp, around, pool)
        yield Uploader(files, uplink, around.reactor, around.wall, around.report, jitter)


def _mqtt(place: str, section: MqttSection, around: Surroundings) -> Any:
    from concentrator.uplink.broker_endpoint import Trust, broker_endpoint
    from concentrator.uplink.mqtt import MqttUplink
    from concentrator.uplink.payload import Voice

    trust = None
    if section.is_encrypted:
        pinned = section.cert_file if section.tls == "self-signed" else None
        trust = Trust(str(section.ca_file or ""), str(pinned or ""))
    return MqttUplink(
        endpoint=broker_endpoint(around.reactor, section.hostname, section.port, trust),
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
    )


def _ftp(config: Config, section: FtpSection, around: Surroundings, pool: ThreadPool) -> Any:
    from concentrator.uplink.ftp import FtpUplink
    from concentrator.uplink.ftp_session import FtpServer

    def run_in_thread(job: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(around.reactor, pool, job)

    return FtpUplink(
        server=FtpServer(
            host=section.server,
            port=section.port,
            user=section.user,
            password=section.password,
            directory=section.directory,
            tls=section.tls,
        ),
        box=around.box,
        alias=around.alias,
        zone=config.box.timezone,
        run_in_thread=run_in_thread,
        clock=around.reactor,
        wall=around.wall,
        report=around.report,
        form=config.history.format,
    )
