"""The modems' data connections of a box, put together, and the yellow light that tells of them. Hides which programs of
the machine are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList

from concentrator.actions.modems import ModemState
from concentrator.app.config_modem import KIND, ModemSection
from concentrator.app.config_sections import Config
from concentrator.app.programs import mmcli, nmcli
from concentrator.app.ways import Around
from concentrator.panel.lights import Modem
from concentrator.system.mobile import MobileConnection, forget
from concentrator.system.nic import bytes_moved
from concentrator.system.nmcli import MobileTerms

_LIGHTS = {"off": Modem.OFF, "searching": Modem.SEARCHING, "registered": Modem.REGISTERED}
_BRIGHTER = (Modem.BUSY, Modem.REGISTERED, Modem.SEARCHING)
TRAFFIC_S = 1.0
"""How long data that has moved is told of."""


@frozen(eq=False)
class _Made:
    section: ModemSection
    connection: MobileConnection


@define(eq=False, repr=False)
class Modems:
    """The data connections of a configuration, by name; a Way."""

    _around: Around
    _made: dict[str, _Made] = field(factory=dict, init=False)
    _renewed: set[str] = field(factory=set, init=False)
    _moved: dict[str, tuple[int, float]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._around.front.sources.modem = self.light

    def start(self, config: Config) -> None:
        """Begins those that the configuration has and that are not there yet."""
        for name, section in config.services.get(KIND, {}).items():
            if name not in self._made:
                connection = self._build(name, section)
                self._made[name] = _Made(section, connection)
                connection.start()
        self._renewed.clear()

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends those that the configuration has with other settings, and takes those that it has no more out of
        NetworkManager; fires when that is done."""
        wanted: Mapping[str, ModemSection] = config.services.get(KIND, {})
        left = [name for name, made in self._made.items() if wanted.get(name) != made.section]
        self._renewed |= {name for name in left if name in wanted}
        return DeferredList([self._end(self._made.pop(name), is_gone=name not in wanted) for name in left])

    def stop(self) -> Deferred[Any]:
        """Looks after none of them any more; those that are up stay up."""
        made, self._made = self._made, {}
        return DeferredList([each.connection.stop() for each in made.values()])

    def states(self) -> list[ModemState]:
        """What people see of each."""
        return [made.connection.state() for made in self._made.values()]

    def light(self) -> Modem:
        """What the modems do, as the yellow light tells it: of several the one that is further."""
        shown = [self._light(made.connection) for made in self._made.values()]
        return next((each for each in _BRIGHTER if each in shown), Modem.OFF)

    def _light(self, connection: MobileConnection) -> Modem:
        state = connection.state()
        return Modem.BUSY if state.is_connected and self._is_busy(connection.card) else _LIGHTS[state.radio]

    def _is_busy(self, card: str) -> bool:
        """Whether data has moved since somebody looked before, or a moment ago."""
        count, now = bytes_moved(card), self._around.reactor.seconds()
        if count is None:
            return False
        before, at = self._moved.get(card, (count, now - TRAFFIC_S))
        if count != before:
            at = now
        self._moved[card] = (count, at)
        return bool(now - at < TRAFFIC_S)

    def _end(self, made: _Made, *, is_gone: bool) -> Deferred[Any]:
        ended: Deferred[Any] = made.connection.stop()
        if is_gone:
            program = nmcli(self._around.reactor)
            ended.addCallback(lambda _: Deferred.fromCoroutine(forget(made.connection.terms, program)))
        return ended

    def _build(self, name: str, section: ModemSection) -> MobileConnection:
        around, keys = self._around, ("modem", "apn", "user", "password", "pin")
        terms = MobileTerms(name, section.enabled, **{key: getattr(section, key) for key in keys})
        programs = (nmcli(around.reactor), mmcli(around.reactor), around.reactor, around.state_dir)
        return MobileConnection(terms, *programs, must_renew=name in self._renewed)


def build(around: Around) -> Modems:
    """The way of `[modem.NAME]`."""
    return Modems(around)
