"""What a controller of any profile shows of a genset in its states: the profile's rules, by which a status is told, the
other way round. Hides which bits, codes and words each maker has for the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from concentrator.model.genset import Alarm, Mode
from concentrator.model.genset_rules import AlarmWord, Condition, GensetRules
from concentrator.sim.genset import Genset, Phase

_WORDS = {
    Phase.REST: ("standby", "ready", "stopped"),
    Phase.PREHEAT: ("preheat", "prestart", "pre-start"),
    Phase.CRANK: ("crank", "cranking", "pre-start"),
    Phase.WARM_UP: ("warming up", "starting"),
    Phase.READY: ("normal running", "running"),
    Phase.LOADED: ("loaded", "normal running", "running"),
    Phase.COOLING: ("cooling", "cooling down"),
    Phase.STOPPING: ("energised to stop", "stop", "post run"),
    Phase.LOCKED: ("shutdown", "after stop", "stopped"),
}
"""What controllers call the phases of an engine: the first of these words that one has."""


def states(rules: GensetRules, genset: Genset) -> Mapping[str, int]:
    """The raw values of all variables that the rules tell a status by, but for what is measured."""
    shown: dict[str, int] = {word.variable: 0 for word in rules.words}
    engine = {text: number for number, text in rules.engine_words.items()}
    if rules.engine:
        shown[rules.engine] = next((engine[text] for text in _WORDS[genset.phase] if text in engine), 0)
    taken = frozenset((rules.engine, "speed"))
    _choose(shown, rules.mode, _shown_mode(rules, genset.mode), taken)
    _choose(shown, rules.alarm, genset.alarm, taken | {"alarm_count"})
    for conditions, is_so in (
        (rules.mains_ok, genset.is_mains_ok),
        (rules.mains_on_load, genset.is_mains_on_load),
        (rules.gen_on_load, genset.is_gen_on_load),
    ):
        if conditions and conditions[0][0].variable not in taken:
            shown[conditions[0][0].variable] = _told(conditions[0], is_so)
    shown.update(_alarm(rules.words, genset))
    shown["common_alarm"] = int(genset.alarm is not Alarm.NONE)
    return shown


def alarm_names(rules: GensetRules, level: Alarm) -> list[str]:
    """The names that an alarm of a level may have."""
    return [name for word, place, name in _places(rules.words) if _code(word, level) is not None]


def has_mode(rules: GensetRules, mode: Mode) -> bool:
    """Whether a controller knows a mode."""
    return any(each is mode for each, _ in rules.mode)


def _shown_mode(rules: GensetRules, mode: Mode) -> Mode:
    return Mode.OFF if mode is Mode.STOP and not has_mode(rules, Mode.STOP) else mode


def _choose(
    shown: dict[str, int],
    rows: Iterable[tuple[Mode | Alarm, Condition]],
    chosen: Mode | Alarm,
    taken: frozenset[str],
) -> None:
    """Has one of several conditions hold, and the others not."""
    rows = [(each, condition) for each, condition in rows if condition[0].variable not in taken]
    for _, condition in rows:
        for sign in condition:
            shown.setdefault(sign.variable, _told((sign,), is_so=False))
    for each, condition in rows:
        if each is chosen:
            shown[condition[0].variable] = _told(condition, is_so=True)


def _told(condition: Condition, is_so: bool) -> int:
    """A value of the first sign's variable with which it is there, or is not."""
    first, last = condition[0].spans[0]
    if is_so:
        return first
    return 0 if first > 0 else last + 1


def _places(words: Iterable[AlarmWord]) -> Iterable[tuple[AlarmWord, int, str]]:
    return ((word, place, name) for word in words for place, name in enumerate(word.names) if name)


def _code(word: AlarmWord, level: Alarm) -> int | None:
    """What stands for a level in a place of a word; None where it has none."""
    if word.codes:
        return next((code for code, (its_level, _) in word.codes.items() if its_level is level), None)
    return 1 if word.level is level else None


def _alarm(words: Iterable[AlarmWord], genset: Genset) -> Mapping[str, int]:
    """The place of the alarm that is called so, or the first one of its level."""
    if genset.alarm is Alarm.NONE:
        return {}
    fitting = [each for each in _places(words) if _code(each[0], genset.alarm) is not None]
    called = [each for each in fitting if genset.alarm_name and genset.alarm_name in each[2].lower()]
    for word, place, _ in (called or fitting)[:1]:
        code = _code(word, genset.alarm) or 0
        return {word.variable: code << 4 * (3 - place) if word.codes else code << place}
    return {}
