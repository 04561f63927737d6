"""What of a running box becomes another with its settings: those who leave before the change and start after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import define, frozen
from twisted.internet.defer import Deferred, DeferredList, succeed

from concentrator.app.config_sections import Config, LineSection


class Changing(Protocol):
    """What of a box changes with its settings."""

    def leave(self, config: Config) -> Deferred[Any]:
        """Ends what the configuration has otherwise, or not at all."""

    def start(self, config: Config) -> None:
        """Begins what it has and is not there."""


@frozen(eq=False)
class Several:
    """Several that change, as one."""

    _each: Sequence[Changing]

    def leave(self, config: Config) -> Deferred[Any]:
        """All leave; fires when all have."""
        return DeferredList([each.leave(config) for each in self._each])

    def start(self, config: Config) -> None:
        """All start."""
        for each in self._each:
            each.start(config)


class Tuned(Protocol):
    """Lines that can talk at another speed."""

    def set_speed(self, name: str, section: LineSection) -> None:
        """Talks on a line at the speed of that section."""


@define(eq=False)
class Speeds:
    """The speeds of serial lines, as something that changes with the settings."""

    _lines: Tuned
    _sections: Mapping[str, LineSection]

    def leave(self, config: Config) -> Deferred[Any]:
        """Nothing has to end before a line talks at another speed."""
        return succeed(None)

    def start(self, config: Config) -> None:
        """Has lines talk at the speeds of the configuration."""
        before, self._sections = self._sections, config.lines
        for name, section in config.lines.items():
            if name in before and section != before[name]:
                self._lines.set_speed(name, section)
