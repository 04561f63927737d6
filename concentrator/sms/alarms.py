"""Alarms on their way to telephones: gathered for a few seconds, told once, and never more often than a telephone can
bear. Hides what is worth a message, and how several alarms become one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from concentrator.model.genset import Alarm
from concentrator.sms.budget import Budget
from concentrator.wire.gsm7 import fitted, is_writable, trimmed
from concentrator.wire.sms_text import SEPTETS_MOST, UNITS_MOST

GATHER_S = 10.0
PER_HOUR = 20
"""Alarm messages to each number an hour; what comes beyond is gathered for as long as it takes."""
GATHERED_MOST = 40
"""Different alarms that are gathered at most; of more the first ones are told."""
_ALWAYS = (Alarm.TRIP, Alarm.SHUTDOWN)


@frozen
class AlarmTerms:
    """Which alarms are told: those of one device (of all where it is empty), warnings too, and also that one is over;
    `is_plain`: in the alphabet of short messages only; `is_on`: any are told at all."""

    device: str = ""
    has_warnings: bool = False
    has_ends: bool = False
    is_plain: bool = True
    is_on: bool = True


@define(eq=False)
class Alarms:
    """Hears of everything that happens, and gives texts to `post`; `alias(device)` is what people call it."""

    _terms: AlarmTerms
    _clock: IReactorTime
    _alias: Callable[[str], str]
    _post: Callable[[str], None]
    _budget: Budget = field(factory=lambda: Budget(PER_HOUR), init=False)
    _gathered: dict[str, list[str]] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def happened(self, name: str, facts: Mapping[str, object]) -> None:
        """Something happened; most of it is no alarm."""
        if not self._terms.is_on:
            return
        if name == "genset.alarm":
            self._genset(facts)
        elif name == "input.alarm" and (facts.get("active") or self._terms.has_ends):
            self._gather(str(facts.get("text", "input alarm")))

    def stop(self) -> None:
        """Forgets what is not told yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._gathered.clear()

    def _genset(self, facts: Mapping[str, object]) -> None:
        device, level, is_active = str(facts.get("device", "")), str(facts.get("level", "")), bool(facts.get("active"))
        terms = self._terms
        if terms.device not in ("", device):
            return
        if level not in _ALWAYS and not (level == Alarm.WARNING and terms.has_warnings):
            return
        if not is_active and not terms.has_ends:
            return
        named = facts.get("alarms")
        names = [str(each) for each in named] if isinstance(named, list | tuple) else []
        head = f"{self._alias(device)}: {level.upper()} ALARM{'' if is_active else ' OVER'}"
        self._gather(head, *names)

    def _gather(self, head: str, *names: str) -> None:
        if head not in self._gathered and len(self._gathered) >= GATHERED_MOST:
            return
        known = self._gathered.setdefault(head, [])
        known += [name for name in names if name not in known][: GATHERED_MOST - len(known)]
        if self._timer is None:
            self._tell_in(GATHER_S)

    def _tell_in(self, seconds: float) -> None:
        self._timer = self._clock.callLater(seconds, self._tell)

    def _tell(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        if not self._budget.has_some(now):
            self._tell_in(self._budget.free_at(now) - now)
            return
        self._budget.spend(now)
        gathered, self._gathered = self._gathered, {}
        text = "; ".join(f"{head}: {', '.join(names)}" if names else head for head, names in gathered.items())
        self._post(written(text, self._terms.is_plain))


def written(text: str, is_plain: bool, is_cut: bool = True) -> str:
    """A text as it is sent: on one line without anything that cannot be printed, where it is plain in the alphabet of
    short messages only, and where it is cut no longer than one of them."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if is_plain:
        line = " ".join(fitted(line).split())
    if not is_cut:
        return line
    if is_writable(line):
        return trimmed(line, SEPTETS_MOST)
    return line.encode("utf-16-be")[: 2 * UNITS_MOST].decode("utf-16-be", "ignore")
