"""Who takes the commands of each MQTT uplink, put together: the topic, what the section allows, and what the box
remembers of the commands of that road, which outlives every change of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.api import Inbox, Wall
from concentrator.app.config_uplinks import MqttSection
from concentrator.journal.journal import Journal
from concentrator.journal.orders import OrderBook
from concentrator.uplink.commands import Commands
from concentrator.uplink.remembered import Remembered


@define(eq=False, repr=False)
class Inboxes:
    """The inboxes by the sections of their uplinks. `box` is the box's serial."""

    _box: str
    _table: ActionTable
    _journal: Journal
    _clock: Any
    _wall: Wall
    _remembered: dict[str, Remembered] = field(factory=dict, init=False)
    _commands: dict[str, Commands] = field(factory=dict, init=False)

    def of(self, place: str, section: MqttSection) -> Inbox:
        """The inbox of an uplink with these settings, in place of any it had before."""
        if place not in self._remembered:
            self._remembered[place] = Remembered(OrderBook(self._journal, place, self._wall))
        before = self._commands.get(place)
        self._commands[place] = commands = Commands(
            f"{section.prefix_pub}/{self._box}/cmd",
            Caller(place, frozenset(map(Permission, section.allow))),
            self._table.call,
            self._table.permission,
            self._remembered[place],
            self._clock,
            self._wall,
        )
        if before is not None:
            commands.counts.update(before.counts)
        return commands

    def counts(self, place: str) -> Mapping[str, int]:
        """How many commands came by an uplink since the start, by what became of them."""
        commands = self._commands.get(place)
        return {} if commands is None else dict(commands.counts)
