"""CcMaster's delivery by MQTT without the rest of the box: PORT MESSAGES WAY, QoS 1, out of a journal in a real file.
WAY is

* `backlog`: everything is on the disk before it begins, and comes from there;
* `fresh`: intervals are written while they are sent, a second's worth in each commit, and sent as they come;
* `events`: the same at a tenth of the speed, with a backlog beside it, and now and then an event, of which is told how
  long it took from its making to the broker's confirmation.

It says "ready", begins when a line comes, says "done" with what it measured when all is confirmed and settled, and
waits for its end.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineOnlyReceiver

from bench.meters import drafts
from concentrator.api import Feed
from concentrator.app.clocks import SystemWall, make_monotonic
from concentrator.journal.feed import RecordFeed
from concentrator.journal.journal import Journal
from concentrator.journal.worker import DiskThread
from concentrator.model.record import EVENT_PERIOD, Batch, Draft, Receipt
from concentrator.uplink.broker_endpoint import broker_endpoint
from concentrator.uplink.lane import Course
from concentrator.uplink.mqtt import MqttUplink
from concentrator.uplink.pace import Pace
from concentrator.uplink.payload import Voice
from concentrator.uplink.uploader import Uploader

BOX, METERS, CHUNK = "4220080001", 40, 200
CATCH_UP = 100
"""Records a second of a backlog beside events, as the box has it."""
EVENTS, EVENT_EVERY_S = 40, 0.25


class Console(LineOnlyReceiver):
    """The other end of our standard input and output."""

    delimiter = b"\n"

    def __init__(self) -> None:
        self.begun: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Somebody wants it to begin."""
        self.begun.callback(None)

    def say(self, **facts: object) -> None:
        """Tells how far it is."""
        self.sendLine(json.dumps(facts).encode())


class Timed:
    """A feed of events, with how long each took until it was settled, in milliseconds."""

    def __init__(self, feed: Feed, took_ms: list[float], made: dict[str, float]) -> None:
        self._feed = feed
        self._took_ms = took_ms
        self._made = made
        self.read, self.when_more, self.waiting = feed.read, feed.when_more, feed.waiting

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        """Settles, and looks at the clock."""
        now = time.perf_counter()
        for record in batch.records:
            if record.n in receipt.accepted:
                self._took_ms.append((now - self._made[str(record.draft.event["name"])]) * 1000)
        return self._feed.settle(batch, receipt)


class Sender:
    """The journal, its feeds, the uplink and the uploader, as the box has them."""

    def __init__(self, reactor: Any, folder: Path, port: int, way: str) -> None:
        self._reactor = reactor
        self._wall = SystemWall()
        self._way = way
        self._start = int(self._wall.now()) // 10 * 10
        self.took_ms: list[float] = []
        self._made: dict[str, float] = {}
        self._rows: list[list[Draft]] = []
        self.journal = Journal(
            folder / "journal.db", reactor, self._wall, DiskThread(reactor), lambda *_: None, pending_max=10**6
        )
        self.uplink = MqttUplink(
            endpoint=broker_endpoint(reactor, "127.0.0.1", port),
            address="mqtt://127.0.0.1",
            voice=Voice("/ccm/srv", BOX),
            alias=lambda uid: f"Meter {uid}",
            clock=reactor,
            wall=self._wall,
            jitter=random,
        )

    async def prepare(self, messages: int) -> None:
        """Opens the journal, and writes there what is to be there."""
        await self.journal.open()
        await self.journal.register("mqtt", {10, EVENT_PERIOD})
        pace = Pace(CATCH_UP)
        if self._way == "backlog":
            await self._write(drafts(METERS, self._start - 10**6, messages // METERS), 10**9)
        if self._way == "events":
            await self._write(drafts(METERS, self._start - 10**6, EVENTS), 10**9)
        if self._way != "backlog":
            self._rows = list(drafts(METERS, self._start, messages // METERS))
        records = RecordFeed(
            self.journal,
            "mqtt",
            lambda record: record.draft.end >= self._start,
            CHUNK,
            pace.limit if self._way == "events" else lambda: CHUNK,
        )
        events = Timed(records.events, self.took_ms, self._made)
        courses = [Course(events), Course(records.intervals)]
        courses.append(Course(records.backlog, pace if self._way == "events" else None))
        self.uploader = Uploader(courses, self.uplink, self._reactor, self._wall, lambda *_: None, random)

    async def send(self) -> None:
        """Back when everything is confirmed, and its being settled is on the disk."""
        self.uploader.start()
        if self._way == "fresh":
            await self._write(self._rows, 5000)
        elif self._way == "events":
            writing = Deferred.fromCoroutine(self._write(self._rows, 500))
            await self._tell_events()
            await writing
        while self.journal.waiting("mqtt") and len(self.took_ms) < EVENTS:
            await deferLater(self._reactor, 0.01)
        await self.journal.change(lambda tables: None)

    async def _write(self, rows: Iterable[list[Draft]], a_second: int) -> None:
        """Has drafts written, so many a second."""
        due, seconds = 0, self._reactor.seconds
        began = seconds()
        for row in rows:
            due += len(row)
            written = self.journal.append(row)
            if due % 5000 < len(row):
                await written
            ahead_s = due / a_second - (seconds() - began)
            if ahead_s > 0.01:
                await deferLater(self._reactor, ahead_s)
        await written

    async def _tell_events(self) -> None:
        for number in range(EVENTS):
            await deferLater(self._reactor, EVENT_EVERY_S * (0.5 + random()))
            name = f"event {number}"
            self._made[name] = time.perf_counter()
            draft = Draft("m1", "0420020001", int(self._wall.now()), EVENT_PERIOD, event={"name": name})
            self.journal.append([draft], urgent=True)


async def _work(reactor: Any, folder: Path, arguments: Sequence[str]) -> None:
    port, messages, way = int(arguments[0]), int(arguments[1]), arguments[2]
    console, sender = Console(), Sender(reactor, folder, port, way)
    StandardIO(console, reactor=reactor)
    await sender.prepare(messages)
    gc.freeze()  # as the service does when it has started
    console.say(ready=True)
    await console.begun
    began = time.perf_counter()
    await sender.send()
    state = sender.uploader.state()
    console.say(delivered=state.delivered, seconds=time.perf_counter() - began, events_ms=sorted(sender.took_ms))
    await sender.uploader.stop()
    await sender.journal.close()


def main(arguments: Sequence[str]) -> None:
    """Sends, and waits for its end."""
    from concentrator.app.light_reactor import import_reactor

    reactor: Any = import_reactor()
    make_monotonic(reactor)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        working = Deferred.fromCoroutine(_work(reactor, Path(folder), arguments))
        working.addErrback(lambda failure: (failure.printTraceback(), reactor.stop()))
        reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
