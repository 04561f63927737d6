"""The ways out, put together: a feed, an uplink and an uploader for each enabled section. Hides which library an uplink
wants, and imports it only here, after the field is at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from concentrator.api import Report, Wall
from concentrator.app.clocks import program
from concentrator.app.config_sections import Config, FtpSection, MqttSection
from concentrator.journal.aggregate import Aggregator
from concentrator.journal.feed import FileFeed, RecordFeed
from concentrator.journal.journal import Journal
from concentrator.model.record import EVENT_PERIOD
from concentrator.uplink.uploader import Uploader

BATCH = 200
"""Records an MQTT uplink takes at a time."""


@frozen
class Surroundings:
    """What every way out needs: the box's serial, how a device is called, the clocks, and whom to tell."""

    box: str
    alias: Callable[[str], str]
    reactor: Any
    clock: IReactorTime
    wall: Wall
    report: Report


def readers(config: Config) -> dict[str, frozenset[int]]:
    """The readers of the journal and the periods each takes, in seconds."""
    found = {
        place: frozenset((section.latency_s, EVENT_PERIOD)) for place, section in config.mqtt.items() if section.enabled
    }
    if config.ftp.enabled:
        found["ftp"] = frozenset((config.history.latency_s,))
    return found


def build_uploaders(
    config: Config, journal: Journal, aggregator: Aggregator, around: Surroundings, pool: ThreadPool
) -> Iterator[Uploader]:
    """An uploader for each enabled uplink, built but not started. `pool` is where FTP may block."""
    jitter = SystemRandom().random
    for place, mqtt in config.mqtt.items():
        if mqtt.enabled:
            feed = RecordFeed(journal, place, BATCH)
            yield Uploader(feed, _mqtt(place, mqtt, around), around.clock, around.wall, around.report, jitter)
    if config.ftp.enabled:
        files = FileFeed(
            journal,
            aggregator,
            around.wall,
            around.clock,
            reader="ftp",
            period_s=config.history.latency_s,
            latency_s=config.ftp.sending_latency_s,
            time_of_day_s=config.ftp.time_of_day_s,
            zone=config.box.timezone,
            box_serial=around.box,
        )
        uplink = _ftp(config, config.ftp, around, pool)
        yield Uploader(files, uplink, around.clock, around.wall, around.report, jitter)


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
        clock=around.clock,
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
        clock=around.clock,
        wall=around.wall,
        report=around.report,
        form=config.history.format,
    )
