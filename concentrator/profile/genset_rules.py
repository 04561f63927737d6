"""The `[status]` of a profile file as rules. Hides the words of a condition: the name of a variable and the numbers
that tell it ("engine_state 5..11"), with "or" between several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from concentrator.model.genset import Alarm, Mode
from concentrator.model.genset_rules import AlarmWord, Condition, GensetRules, Sign
from concentrator.model.profile import Point
from concentrator.model.words import nearest
from concentrator.profile.match import spans
from concentrator.profile.points import Table
from concentrator.profile.schema import Faults, shown

T = TypeVar("T", Mode, Alarm)

_OR = re.compile(r"\s+or\s+(?=[a-z])")
_ANSWERS = ("running", "mains_ok", "mains_on_load", "gen_on_load")


def genset_rules(
    table: Table, points: Sequence[Point], words: Sequence[AlarmWord], amf_models: Sequence[str], faults: Faults
) -> GensetRules:
    """The rules of a checked `[status]`, about these points of the file."""
    known = {point.name: point for point in points}
    answers = {name: _several(table.get(name, ()), name, known, faults) for name in _ANSWERS}
    engine = table.get("engine", "")
    if engine:
        _must_be_known(engine, "engine", known, faults)
    return GensetRules(
        mode=_named(table.get("mode", {}), Mode, "status.mode", known, faults),
        alarm=_named(table.get("alarm", {}), Alarm, "status.alarm", known, faults),
        words=tuple(words),
        engine=engine,
        engine_words=known[engine].enum if engine in known else {},
        amf_models=tuple(amf_models),
        **answers,
    )


def _named(
    table: Mapping[str, str], kind: type[T], section: str, known: Mapping[str, Point], faults: Faults
) -> tuple[tuple[T, Condition], ...]:
    return tuple((kind(name), _condition(text, section, name, known, faults)) for name, text in table.items())


def _several(said: str | Sequence[str], key: str, known: Mapping[str, Point], faults: Faults) -> tuple[Condition, ...]:
    texts = (said,) if isinstance(said, str) else said
    return tuple(_condition(text, "status", key, known, faults) for text in texts)


def _condition(text: str, section: str, key: str, known: Mapping[str, Point], faults: Faults) -> Condition:
    signs = []
    for part in _OR.split(text.strip()):
        name, _, numbers = part.partition(" ")
        found = tuple(spans(numbers))
        if not found:
            faults.note(section, key, shown(part), 'a variable and numbers or spans, such as "engine_state 5..11"')
        elif _must_be_known(name, key, known, faults, section):
            signs.append(Sign(name, found))
    return tuple(signs)


def _must_be_known(name: str, key: str, known: Mapping[str, Point], faults: Faults, section: str = "status") -> bool:
    if name not in known:
        faults.note(section, key, shown(name), "a variable of the file", nearest(name, known))
    return name in known
