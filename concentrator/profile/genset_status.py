"""How a genset is, told from the newest values of its controller by the rules of its profile. Hides how the makers say
the same: with bits, with codes, with the state of the engine, or not at all. What is not known stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.model.genset_rules import AlarmWord, Condition, GensetRules
from concentrator.model.quantities import QUANTITIES
from concentrator.model.reading import Value

MAINS = ("mains_v1", "mains_v2", "mains_v3", "mains_v12", "mains_v23", "mains_v31", "mains_frequency")
DETAILS = (
    *MAINS,
    *("gen_v1", "gen_v2", "gen_v3", "gen_v12", "gen_v23", "gen_v31", "gen_frequency"),
    *("bus_v1", "bus_v2", "bus_v3", "bus_v12", "bus_v23", "bus_v31", "bus_frequency"),
    *("i1", "i2", "i3", "p", "q", "s", "pf", "load"),
    *("battery_voltage", "charger_voltage", "coolant_temp", "oil_pressure", "oil_temp", "fuel_level", "speed"),
    *("run_hours", "starts", "energy", "maintenance_hours"),
)
"""The measured values of a status, as far as the controller has them (CMM365-2G manual, 6.2: SMS DETAIL, and what
goes with it)."""
_NIBBLES = 4
_SEVERITY = (Alarm.UNKNOWN, Alarm.NONE, Alarm.WARNING, Alarm.TRIP, Alarm.SHUTDOWN)

Values = Mapping[str, Value]


@frozen
class ActiveAlarm:
    """Something that is wrong, or told: its name, with the word for what it does, and its level."""

    name: str
    level: Alarm


def severity(level: Alarm) -> int:
    """How bad a level is, the worst the highest: 0 is unknown, 1 none."""
    return _SEVERITY.index(level)


def worst(levels: Iterable[Alarm]) -> Alarm:
    """The worst of some levels, unknown where there are none."""
    return max(levels, key=severity, default=Alarm.UNKNOWN)


def genset_status(rules: GensetRules, values: Values, model: str = "") -> GensetStatus:
    """How a genset is whose controller, of that model where it is known, has these values now."""
    has_mains = not (model and rules.amf_models) or model in rules.amf_models
    alarms = tuple(active_alarms(rules, values))
    names = [name for name in DETAILS if name in values and (has_mains or name not in MAINS)]
    return GensetStatus(
        mode=mode_of(rules, values),
        is_running=_first_told(rules.running, values),
        alarm=_alarm(rules, values, alarms),
        mains_ok=_first_told(rules.mains_ok, values) if has_mains else None,
        mains_on_load=_first_told(rules.mains_on_load, values) if has_mains else None,
        gen_on_load=_first_told(rules.gen_on_load, values),
        engine=_engine(rules, values),
        alarms=tuple(dict.fromkeys(alarm.name for alarm in alarms)),
        details={name: values[name] for name in names},
        units={name: QUANTITIES[name].unit for name in names},
    )


def mode_of(rules: GensetRules, values: Values) -> Mode:
    """The mode a controller is in."""
    return next((mode for mode, condition in rules.mode if _holds(condition, values)), Mode.UNKNOWN)


def active_alarms(rules: GensetRules, values: Values) -> Iterator[ActiveAlarm]:
    """What is wrong now, in the order of the profile."""
    for word in rules.words:
        value = values.get(word.variable)
        if isinstance(value, int) and value:
            yield from _active_nibbles(word, value) if word.codes else _active_bits(word, value)


def needs(rules: GensetRules) -> frozenset[str]:
    """The variables that the status of a genset follows from, besides its details."""
    named = (*rules.mode, *rules.alarm)
    conditions = [condition for _, condition in named]
    conditions += [*rules.running, *rules.mains_ok, *rules.mains_on_load, *rules.gen_on_load]
    signs = {sign.variable for condition in conditions for sign in condition}
    return frozenset(signs | {word.variable for word in rules.words} | ({rules.engine} if rules.engine else set()))


def _active_bits(word: AlarmWord, value: int) -> Iterator[ActiveAlarm]:
    for bit, name in enumerate(word.names):
        if name and value >> bit & 1:
            yield ActiveAlarm(f"{name} {word.said}".rstrip(), word.level)


def _active_nibbles(word: AlarmWord, value: int) -> Iterator[ActiveAlarm]:
    """The first name is the highest nibble's (GenComm, pages 8 and 154)."""
    for place, name in enumerate(word.names):
        code = value >> _NIBBLES * (_NIBBLES - 1 - place) & 0xF
        if name and code in word.codes:
            level, said = word.codes[code]
            yield ActiveAlarm(f"{name} {said}".rstrip(), level)


def level_of(rules: GensetRules, values: Values, alarms: Sequence[ActiveAlarm]) -> Alarm:
    """The worst alarm that is told; none where those that are told of are not there, unknown where nothing is told."""
    told = [_holds(condition, values) for _, condition in rules.alarm]
    levels = [level for (level, _), holds in zip(rules.alarm, told, strict=True) if holds]
    levels += [alarm.level for alarm in alarms]
    is_told = any(holds is not None for holds in told) or any(word.variable in values for word in rules.words)
    return worst([*levels, *([Alarm.NONE] if is_told else [])])


def _alarm(rules: GensetRules, values: Values, alarms: Sequence[ActiveAlarm]) -> Alarm:
    """The same, but that who tells only of the worse ones cannot say that there is none."""
    level = level_of(rules, values, alarms)
    warnings = [condition for of, condition in rules.alarm if of is Alarm.WARNING]
    is_quiet = bool(rules.words) or any(_holds(condition, values) is False for condition in warnings)
    return Alarm.UNKNOWN if level is Alarm.NONE and not is_quiet else level


def _engine(rules: GensetRules, values: Values) -> str:
    value = values.get(rules.engine)
    return rules.engine_words.get(value, "") if isinstance(value, int) else ""


def _first_told(conditions: Iterable[Condition], values: Values) -> bool | None:
    """What the first condition says that can be told."""
    told = (_holds(condition, values) for condition in conditions)
    return next((holds for holds in told if holds is not None), None)


def _holds(condition: Condition, values: Values) -> bool | None:
    """Whether any of its signs is there; None where none is and one is not known."""
    is_known = bool(condition)
    for sign in condition:
        value = values.get(sign.variable)
        if not isinstance(value, (int, float)):
            is_known = False
        elif any(first <= value <= last for first, last in sign.spans):
            return True
    return False if is_known else None
