"""How a device and a line stand, in words: which of the states of freshness a card is drawn in, and the one sentence
that explains a trouble. Hides which evidence goes before which: the line before its devices, so that one cause is told
once, and two devices with one ID before a silence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo

from attrs import field, frozen

from concentrator.api import DeviceState, LineState
from concentrator.model.reading import Quality
from concentrator.model.trouble import facts_of, kind_of
from concentrator.portal.line_cells import percent
from concentrator.portal.numbers import count, fixed, since
from concentrator.portal.words import Say

CLASH, PAUSED, PARTIAL = "clash", "paused", "partial"
"""What a badge shows besides a device's health."""
UNUSED = (CLASH, "silent")
"""The states in which no value is shown as one of now."""
DAMAGED_LEAST, DAMAGED_SHARE = 10, 0.02
"""From how many damaged answers on, and which share of all, a line is said to damage them."""
TIMEOUTS_SHARE = 0.02


@frozen
class Standing:
    """A state of freshness, the sentence of its badge (with {ago} and {span} for the age of the last reading), and what
    is wrong in a sentence, empty where nothing is."""

    health: str
    words: str
    trouble: str = ""


@frozen
class Bus:
    """The lines with their devices, for whoever has to tell a line's trouble from a device's."""

    lines: Mapping[str, LineState] = field(converter=lambda states: {state.name: state for state in states})
    devices: Sequence[DeviceState]

    def on(self, line: str) -> list[DeviceState]:
        """The devices of a line."""
        return [state for state in self.devices if state.line == line]

    def is_away(self, line: str) -> bool:
        """Whether a line cannot be opened."""
        state = self.lines.get(line)
        return state is not None and not state.is_open and bool(state.trouble)

    def is_silent(self, line: str) -> bool:
        """Whether nobody answers on a line that is open, two at least: it is the line then."""
        states = self.on(line)
        return len(states) > 1 and all(state.health == "silent" for state in states)


@frozen
class Teller:
    """Says how things stand, in one language and at one moment."""

    say: Say
    language: str
    now: float
    zone: tzinfo

    # -- a device

    def device(self, state: DeviceState, bus: Bus) -> Standing:
        """How a device stands."""
        kind, id = kind_of(state.trouble), state.address
        if kind in ("foreign", "twice"):
            words = self.say("dev.other" if kind == "foreign" else "dev.twice", id=id)
            return Standing(CLASH, words, self._clash(state, kind))
        line = bus.lines.get(state.line)
        if line is not None and line.suspended:
            words = (
                self.say("dev.paused_new") if state.last_seen is None else self._since("dev.paused", state.last_seen)
            )
            return Standing(PAUSED, words, self.say("dev.paused_why", line=state.line))
        if bus.is_away(state.line) or state.health == "silent":
            return self._silent(state, bus)
        if state.last_seen is None:
            return Standing("new", self.say("dev.never"), "" if kind == "" else self._late(state))
        if state.health == "doubtful":
            return Standing("doubtful", self.say("dev.stale", span="{span}"), self._late(state))
        if state.health == "answering" and state.quality == Quality.PARTIAL:
            return Standing(PARTIAL, self.say("dev.partial", ago="{ago}"), self._answering(state, kind))
        return Standing(state.health, "{ago}", self._answering(state, kind))

    def _answering(self, state: DeviceState, kind: str) -> str:
        """What is wrong with a device that answers: one that refuses this or that is none, but for one that refuses
        all."""
        if kind != "refused":
            return str(state.trouble)
        facts = facts_of(state.trouble)
        if state.values or "register" not in facts:
            return ""
        return self.say("dev.refused", dev=state.alias or state.uid, r=facts["register"], x=facts.get("code", ""))

    def _clash(self, state: DeviceState, kind: str) -> str:
        if kind == "twice":
            return self.say("dev.clash_twice", id=state.address)
        facts = facts_of(state.trouble)
        two = {"a": facts.get("expected", state.serial), "b": facts.get("found", "")}
        return f"{self.say('dev.clash', id=state.address, **two)} {self.say('dev.clash_replaced', **two)}"

    def _silent(self, state: DeviceState, bus: Bus) -> Standing:
        seen = state.last_seen
        words = self.say("dev.no_answer_yet") if seen is None else self._since("dev.no_answer", seen)
        if bus.is_away(state.line):
            return Standing("silent", words, self.say("dev.no_line", line=state.line))
        if bus.is_silent(state.line):
            return Standing("silent", words, self.say("dev.with_line", line=state.line))
        if not state.tries:
            return Standing("silent", words, str(state.trouble))
        if "no_reply" not in state.tries:
            return Standing("silent", words, self._late(state))
        counted = {"m": state.tries.count("no_reply"), "n": len(state.tries), "id": state.address}
        if seen is None:
            return Standing("silent", words, self.say("dev.silent_never", **counted))
        is_alone = not any(other.health == "answering" for other in bus.on(state.line))
        key = "dev.silent_alone" if is_alone else "dev.silent"
        return Standing("silent", words, self.say(key, since=self._ago(seen), **counted))

    def _late(self, state: DeviceState) -> str:
        """Why a device is not to be relied on, by how the last tries went."""
        n, timed_out = len(state.tries), state.tries.count("no_reply")
        damaged = sum(each in ("garbled", "unexpected") for each in state.tries)
        if timed_out:
            return self.say("dev.late", m=timed_out, n=n)
        return self.say("dev.damaged", m=damaged, n=n) if damaged else str(state.trouble)

    # -- a line

    def line(self, line: LineState, bus: Bus) -> str:
        """What is wrong with a line, empty where nothing is."""
        if not line.is_open:
            return self._away(line) if line.trouble else ""
        if not line.suspended and bus.is_silent(line.name):
            seen = max((state.last_seen for state in bus.on(line.name) if state.last_seen is not None), default=None)
            if seen is None:
                return self.say("line.silent_never", line=line.name)
            return self.say("line.silent", line=line.name, since=self._ago(seen))
        damaged, answers = line.counters.get("garbled", 0), line.counters.get("answers", 0)
        if damaged >= DAMAGED_LEAST and damaged >= DAMAGED_SHARE * (damaged + answers):
            share = fixed(100 * damaged / (damaged + answers), 0, self.language)
            return self.say("line.crc", line=line.name, p=share)
        return ""

    def verdict(self, line: LineState, bus: Bus) -> str:
        """How a line does, in one sentence: what is wrong, or that nothing is."""
        if trouble := self.line(line, bus):
            return trouble
        counted = _counted(line, {str(state.address) for state in bus.on(line.name)})
        asked, answers = counted["requests"], counted["answers"]
        if not asked:
            return self.say("line.nothing", line=line.name)
        if counted["timeouts"] > TIMEOUTS_SHARE * asked:
            share = fixed(100 * counted["timeouts"] / asked, 0, self.language)
            return self.say("line.timeouts", line=line.name, p=share)
        mean_ms = 1000 * line.counters.get("turnaround_mean_s", 0.0)
        return self.say("line.good", line=line.name, p=percent(answers, asked, self.language), ms=count(mean_ms))

    def _away(self, line: LineState) -> str:
        kind, facts = kind_of(line.trouble), facts_of(line.trouble)
        if kind == "unplugged":
            return self.say("line.gone", line=line.name)
        if kind in ("held", "forbidden"):
            return self.say(f"line.{kind}", line=line.name, port=facts.get("port", ""))
        return self.say("line.away", line=line.name, why=str(line.trouble).rstrip("."))

    # -- moments

    def _ago(self, at: float) -> str:
        return since(at, self.now, self.zone, self.language)

    def _since(self, key: str, at: float) -> str:
        return self.say(key, since=self._ago(at))


def _counted(line: LineState, units: Collection[str]) -> Mapping[str, float]:
    """What was asked of the line's devices, and how that went: whoever is looked for by link mode or a scan mostly is
    not there, which is no fault. Of everybody, where nothing is counted of the devices."""
    theirs = [counters for unit, counters in line.stations.items() if unit in units] or [line.counters]
    return {key: sum(each.get(key, 0) for each in theirs) for key in ("requests", "answers", "timeouts")}
