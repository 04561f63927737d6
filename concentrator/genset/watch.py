"""What happens to gensets, told from their readings as it happens: alarms that begin and end, modes and engines that
change. Hides what was the case before, and which readings tell anything of it.

What is not known is no event: an alarm is over when the controller says so, not when it is silent. What a controller
says first is told as far as something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field, frozen

from concentrator.api import Report
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.model.genset_rules import GensetRules
from concentrator.model.reading import Quality, Reading, Value
from concentrator.profile.genset_status import active_alarms, genset_status, level_of, needs, severity, worst


@frozen
class Watched:
    """A genset: the rules of its controller's profile, and the model, empty where nobody said."""

    rules: GensetRules
    model: str = ""
    needed: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "needed", needs(self.rules))


@define
class _Before:
    """How a genset was: its alarms with their levels, the worst level, and what was known last of mode and engine."""

    alarms: dict[str, Alarm] = field(factory=dict)
    level: Alarm = Alarm.NONE
    mode: Mode = Mode.UNKNOWN
    is_running: bool | None = None


@define(eq=False)
class GensetWatch:
    """A subscriber of the hub. It reports `genset.alarm` {device, level, active, alarms, text} and `genset.state`
    {device, mode, running, text}. `watched(uid)` gives a genset, None of anything else; `newest(uid)` the newest value
    of each of its variables."""

    report: Report
    watched: Callable[[str], Watched | None]
    newest: Callable[[str], Mapping[str, Value]]
    _before: dict[str, _Before] = field(factory=dict, init=False)

    def reading_received(self, reading: Reading) -> None:
        """Compares what follows from a reading with what was."""
        genset = self.watched(reading.uid) if reading.values else None
        if genset is None or reading.quality is Quality.CONFLICT or genset.needed.isdisjoint(reading.values):
            return
        values = self.newest(reading.uid)
        status = genset_status(genset.rules, values, genset.model)
        before = self._before.setdefault(reading.uid, _Before())
        found = tuple(active_alarms(genset.rules, values))
        level = level_of(genset.rules, values, found)
        if level is not Alarm.UNKNOWN:
            self._see_alarms(reading.uid, before, {each.name: each.level for each in found}, level)
        self._see_state(reading.uid, before, status)

    def forget(self, uid: str) -> None:
        """The device is another one from now on, or gone."""
        self._before.pop(uid, None)

    def _see_alarms(self, uid: str, before: _Before, alarms: dict[str, Alarm], level: Alarm) -> None:
        alarms = {name: of for name, of in alarms.items() if of is not Alarm.NONE}
        begun = {name: of for name, of in alarms.items() if name not in before.alarms}
        over = {name: of for name, of in before.alarms.items() if name not in alarms}
        was, before.level, before.alarms = before.level, level, alarms
        if begun or severity(level) > severity(was):
            told = worst([*begun.values(), *([level] if severity(level) > severity(was) else [])])
            self._tell_alarm(uid, told, begun, is_active=True)
        if over or severity(level) < severity(was):
            told = worst([*over.values(), *([was] if severity(level) < severity(was) else [])])
            self._tell_alarm(uid, told, over, is_active=False)

    def _tell_alarm(self, uid: str, level: Alarm, names: Iterable[str], *, is_active: bool) -> None:
        what = ", ".join(names) or f"{level} alarm"
        self.report(
            "genset.alarm",
            {
                "device": uid,
                "level": level.value,
                "active": is_active,
                "alarms": list(names),
                "text": what if is_active else f"over: {what}",
            },
        )

    def _see_state(self, uid: str, before: _Before, status: GensetStatus) -> None:
        mode = before.mode if status.mode is Mode.UNKNOWN else status.mode
        is_running = before.is_running if status.is_running is None else status.is_running
        has_changed = (before.mode not in (mode, Mode.UNKNOWN)) or before.is_running not in (is_running, None)
        before.mode, before.is_running = mode, is_running
        if has_changed:
            words = [] if mode is Mode.UNKNOWN else [f"{mode} mode"]
            words += [] if is_running is None else ["it runs" if is_running else "it is at rest"]
            facts = {"mode": mode.value, "running": is_running, "text": ", ".join(words)}
            self.report("genset.state", {"device": uid, **facts})
