"""A running box takes over other settings: uplinks, portal and what is kept of the past change, the lines are read on.
Hides the order in which nothing is lost and nothing doubled: who delivers stops before what is written for him becomes
another, and begins again after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report
from concentrator.app.config_sections import Config
from concentrator.app.config_services import service_sections
from concentrator.app.past import readers
from concentrator.app.settings import effective

PAUSE_S = 0.5
"""How long after the order it begins: whoever gave it has his answer by then, by a road that may be about to change."""

log = Logger()


class Keeping(Protocol):
    """What is kept of the past."""

    async def reconfigure(self, config: Config) -> None:
        """Keeps what that configuration wants kept, from now on."""


class Delivering(Protocol):
    """The ways out."""

    def leave(self, config: Config) -> Deferred[Any]:
        """Stops those that the configuration has otherwise, or not at all."""

    def start(self, config: Config) -> None:
        """Starts those that it has and that are not at work."""


@define(eq=False, repr=False)
class LiveChange:
    """The configuration that runs, and its change into others, one after another."""

    config: Config
    _past: Keeping
    _uplinks: Delivering
    _reactor: Any
    _report: Report
    _wanted: Config | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _changing: DeferredLock = field(factory=DeferredLock, init=False)
    _is_over: bool = field(default=False, init=False)

    def begin(self, config: Config) -> None:
        """Puts the sections of a configuration that can change to work, in a moment; of several the last."""
        self._wanted = config
        if self._timer is None and not self._is_over:
            self._timer = self._reactor.callLater(PAUSE_S, self._go)

    def stop(self) -> Deferred[Any]:
        """Begins no more changes; fires when none is under way."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._changing.run(lambda: None)

    def _go(self) -> None:
        self._timer = None
        self._changing.run(lambda: Deferred.fromCoroutine(self._change())).addErrback(self._failed)

    async def _change(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        before, after = self.config, effective(self.config, wanted)
        await self._uplinks.leave(after)
        if _kept(before) != _kept(after):
            await self._past.reconfigure(after)
        self.config = after
        if not self._is_over:
            self._uplinks.start(after)
        self._report(
            "config.changed", {"text": "other settings are at work", "sections": list(_changed(before, after))}
        )

    def _failed(self, failure: Failure) -> None:
        log.failure("other settings could not be put to work", failure)
        if not self._is_over:
            self._uplinks.start(self.config)
        self._report("config.failed", {"text": "other settings could not be put to work; the log says why"})


def _kept(config: Config) -> object:
    """All of a configuration that what is kept of the past depends on."""
    return config.journal, config.history, config.latencies_s, readers(config)


def _changed(before: Config, after: Config) -> Iterable[str]:
    for name in ("journal", "history", "ftp", "web", "panel"):
        if getattr(before, name) != getattr(after, name):
            yield name
    for place in {**before.mqtt, **after.mqtt}:
        if before.mqtt.get(place) != after.mqtt.get(place):
            yield place
    yield from (f"line.{name}" for name, line in after.lines.items() if before.lines.get(name) != line)
    one, other = dict(service_sections(before)), dict(service_sections(after))
    yield from (place for place in {**one, **other} if one.get(place) != other.get(place))
