"""How the status of a genset follows from the values of its controller: a profile's rules, as data."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from concentrator.model.genset import Alarm, Mode


@frozen
class Sign:
    """Something that a value tells: that a variable is within one of these spans, first and last included."""

    variable: str
    spans: tuple[tuple[int, int], ...]


Condition = tuple[Sign, ...]
"""It holds where any of its signs does."""


@frozen
class AlarmWord:
    """Alarms that lie in one variable: bits, the lowest first, all of one `level`; or, where `codes` are given,
    nibbles, the highest first, each of which holds a code: code → its level and the word for it. What has an empty
    name is no alarm. `said`: what the names of bits are followed by. What has the level none is told, but is nothing
    wrong."""

    variable: str
    names: tuple[str, ...]
    level: Alarm = Alarm.NONE
    said: str = ""
    codes: Mapping[int, tuple[Alarm, str]] = field(factory=dict)


@frozen
class GensetRules:
    """The rules of a profile. Of `running` and what follows it the first condition that can be told decides; the first
    mode whose condition holds is the mode. `alarm`: what tells the level of the worst alarm besides the `words`.
    `engine`: the variable whose word says what the engine does, with its `engine_words`. `amf_models`: the models that
    have a mains side, where not all of the profile have."""

    mode: tuple[tuple[Mode, Condition], ...] = ()
    running: tuple[Condition, ...] = ()
    mains_ok: tuple[Condition, ...] = ()
    mains_on_load: tuple[Condition, ...] = ()
    gen_on_load: tuple[Condition, ...] = ()
    alarm: tuple[tuple[Alarm, Condition], ...] = ()
    words: tuple[AlarmWord, ...] = ()
    engine: str = ""
    engine_words: Mapping[int, str] = field(factory=dict)
    amf_models: tuple[str, ...] = ()
