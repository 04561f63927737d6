"""The services beside the main road of a value, each of which comes and goes with its sections: gateways, cloud
sessions, messages, slave ports. Hides that one which nobody configured is not even loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList

from concentrator.actions.table import Caller
from concentrator.api import Happened, Report, Wall
from concentrator.app.config_sections import Config
from concentrator.app.field import Field

if TYPE_CHECKING:
    from concentrator.app.front import Front

WAYS: Mapping[str, str] = {
    "mbus_gateway": "concentrator.app.gateways:build",
    "sms": "concentrator.app.messages:build",
    "smartgen": "concentrator.app.clouds:build",
    "modbus_slave": "concentrator.app.slaves:build",
    "modem": "concentrator.app.modems:build",
}
"""What builds the way of each kind of sections: a module and its function of an Around."""


class Way(Protocol):
    """A service of the box. It is built once, when it is first needed, and has nothing to do until it is started."""

    def states(self) -> Sequence[Any]:
        """What people see of each."""

    def start(self, config: Config) -> None:
        """Begins what the configuration has and is not there yet."""

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends what the configuration has otherwise, or not at all; fires when that is done."""

    def stop(self) -> Deferred[Any]:
        """Ends everything."""


@frozen(eq=False)
class Around:
    """What a way has around it. `heard(callable)` has it called with everything that happens, and gives what ends that;
    `ask(action, arguments, caller)` carries an action out, as for everybody outside."""

    field_: Field
    front: Front
    reactor: Any
    wall: Wall
    report: Report
    heard: Callable[[Callable[[Happened], None]], Callable[[], None]]
    ask: Callable[[str, Mapping[str, object], Caller], Deferred[Any]]
    serial: str
    state_dir: Path


@define(eq=False, repr=False)
class Ways:
    """The ways of a box by the kinds of their sections."""

    _around: Around
    _built: dict[str, Way] = field(factory=dict, init=False)

    def way(self, kind: str) -> Any:
        """The way that serves sections of a kind; built now, where it was not."""
        if kind not in self._built:
            module, _, name = WAYS[kind].partition(":")
            self._built[kind] = getattr(import_module(module), name)(self._around)
        return self._built[kind]

    def states(self, kind: str) -> Any:
        """What people see of each of a kind's sections; of a way that nobody needed yet there is nothing to see."""
        way = self._built.get(kind)
        return () if way is None else way.states()

    def all_states(self) -> Mapping[str, Sequence[Any]]:
        """The same of all, by kind."""
        return {kind: self.states(kind) for kind in WAYS}

    def start(self, config: Config) -> None:
        """Starts all that the configuration has sections of, and those that were needed before."""
        for way in [*self._wanted(config)]:
            way.start(config)

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends what the configuration has otherwise, or not at all; fires when that is done."""
        return DeferredList([way.leave(config) for way in self._built.values()])

    def stop(self) -> Deferred[Any]:
        """Ends everything."""
        return DeferredList([way.stop() for way in self._built.values()])

    def _wanted(self, config: Config) -> Iterator[Way]:
        for kind in WAYS:
            if config.services.get(kind):
                self.way(kind)
        yield from self._built.values()
