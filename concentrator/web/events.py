"""Live streams: the newest state of named cells, by server-sent events. Each reader is told of the cells that differ
from what it was last told, so a slow one misses steps in between but never the newest, and costs no more memory than
one copy of its cells. Hides frames, heartbeats, back-pressure, and readers that vanish."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from concentrator.web.route import language_of
from concentrator.web.site import say

FRAME_S = 1.0
BEAT_S = 5.0
PATIENCE_S = 60.0
READERS_MOST = 64
_RETRY_MS = 3000
CELLS = "cells"

Cells = Mapping[str, Mapping[str, object]]
"""Cell name → what to show of it, JSON-able; two that are equal look the same."""


@implementer(IPushProducer)
@define(eq=False)
class _Reader:
    request: Request
    topic: tuple[str, str]
    told: dict[str, Mapping[str, object]] = field(factory=dict)
    paused_since: float | None = None
    event_of: Callable[[str], str] = lambda name: CELLS
    clock: IReactorTime = field(kw_only=True)

    def pauseProducing(self) -> None:  # noqa: N802
        self.paused_since = self.clock.seconds()

    def resumeProducing(self) -> None:  # noqa: N802
        self.paused_since = None

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost; `notifyFinish` tells the stream."""

    def tell(self, cells: Cells) -> None:
        """Sends what changed since the last time."""
        changes: dict[str, dict[str, Mapping[str, object]]] = {}
        for name, cell in cells.items():
            if self.told.get(name) != cell:
                self.told[name] = cell
                changes.setdefault(self.event_of(name), {})[name] = cell
        for event, changed in changes.items():
            self.say(event, changed)

    def say(self, event: str, content: object) -> None:
        """Sends one frame."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.request.write(f"event: {event}\ndata: {text}\n\n".encode())


class LiveStream(Resource):
    """A GET is a reader of the topic its `of` argument names (the empty topic where it names none).

    `cells(topic, language)` gives the cells of now, None for a topic there is not; `stamp()` what a heartbeat carries;
    `watch(changed)` is called when the first reader comes, calls `changed` whenever there may be news, and gives back
    what ends that; `is_restless(topic)`: its cells change without a call of `changed`, and are compared with every
    frame. Frames go out at most every `FRAME_S` seconds, heartbeats every `BEAT_S`, and with each of them the
    cells are compared even if nobody said that they changed. `event_of(name)` is the event by which a cell is sent.
    """

    isLeaf = True  # noqa: N815

    def __init__(
        self,
        clock: IReactorTime,
        cells: Callable[[str, str], Cells | None],
        stamp: Callable[[], Mapping[str, object]],
        watch: Callable[[Callable[[], None]], Callable[[], None]],
        is_restless: Callable[[str], bool] = lambda topic: False,
        event_of: Callable[[str], str] = lambda name: CELLS,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._cells = cells
        self._stamp = stamp
        self._watch = watch
        self._is_restless = is_restless
        self._event_of = event_of
        self._readers: list[_Reader] = []
        self._has_news = False
        self._beat_at = 0.0
        self._timer: IDelayedCall | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def render_GET(self, request: Request) -> int:  # noqa: N802
        """Begins a stream: a heartbeat, all cells of the topic, then changes."""
        topic = request.args.get(b"of", [b""])[0].decode("utf-8", "replace")
        language = language_of(request)
        cells = self._cells(topic, language)
        if cells is None:
            say(request, HTTPStatus.NOT_FOUND, "There is nothing of this name to follow.")
        elif len(self._readers) >= READERS_MOST:
            request.setHeader(b"retry-after", b"30")
            say(request, HTTPStatus.SERVICE_UNAVAILABLE, f"{READERS_MOST} pages follow the values already.")
        else:
            request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
            request.setHeader(b"cache-control", b"no-store")
            if request.method == b"HEAD":
                request.write(b"")
                request.finish()
            else:
                self._begin(request, (topic, language), cells)
        return NOT_DONE_YET

    def close(self) -> None:
        """Ends all streams."""
        for reader in tuple(self._readers):
            self._forget(reader)
            reader.request.unregisterProducer()
            reader.request.finish()

    def _begin(self, request: Request, topic: tuple[str, str], cells: Cells) -> None:
        reader = _Reader(request, topic, event_of=self._event_of, clock=self._clock)
        gone: Deferred[None] = request.notifyFinish()
        gone.addBoth(lambda _: self._forget(reader))
        request.registerProducer(reader, True)
        request.write(f"retry: {_RETRY_MS}\n\n".encode())
        reader.say("beat", self._stamp())
        reader.tell(cells)
        self._readers.append(reader)
        if self._timer is None:
            self._unwatch = self._watch(self._changed)
            self._beat_at = self._clock.seconds() + BEAT_S
            self._timer = self._clock.callLater(FRAME_S, self._tick)

    def _changed(self) -> None:
        self._has_news = True

    def _tick(self) -> None:
        # Armed anew first: cells that cannot be made this time are logged, and tried again the next.
        self._timer = self._clock.callLater(FRAME_S, self._tick)
        now = self._clock.seconds()
        is_beat = now >= self._beat_at
        is_restless = any(self._is_restless(reader.topic[0]) for reader in self._readers)
        if not (is_beat or self._has_news or is_restless):
            return
        is_for_all, self._has_news = is_beat or self._has_news, False
        self._beat_at = now + BEAT_S if is_beat else self._beat_at
        made: dict[tuple[str, str], Cells] = {}
        for reader in tuple(self._readers):
            if not (is_for_all or self._is_restless(reader.topic[0])):
                continue
            if reader.paused_since is not None:
                if now - reader.paused_since > PATIENCE_S:
                    transport: Any = reader.request.transport
                    transport.abortConnection()
                continue
            if is_beat:
                reader.say("beat", self._stamp())
            if reader.topic not in made:
                made[reader.topic] = self._cells(*reader.topic) or {}
            reader.tell(made[reader.topic])

    def _forget(self, reader: _Reader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)
        if not self._readers and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._unwatch()
