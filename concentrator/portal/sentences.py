"""Events as sentences in the visitor's language. Every event the box knows has its own, made of its facts; of one that
nobody gave words to its own text is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from concentrator.portal.numbers import MISSING, count, fixed
from concentrator.portal.words import Say


def sentence(name: str, facts: Mapping[str, Any], say: Say, language: str) -> str:
    """What an event says."""
    values = {"was": MISSING} | {each: _shown(value, say, language) for each, value in facts.items() if each != "key"}
    for each in ("function", "level", "mode", "outcome", "why"):
        with suppress(KeyError):
            values[each] = say(f"event.{each}_{facts[each]}")
    key = f"event.{name.replace('.', '_')}"
    # What ends may have other words than what begins.
    for one in (f"{key}_over", key) if facts.get("active") is False or facts.get("done") is False else (key,):
        with suppress(KeyError):
            return say(one, **values)
    return str(facts.get("text") or name)


def _shown(value: Any, say: Say, language: str) -> str:
    if isinstance(value, bool):
        return say("event.on") if value else say("event.off")
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return fixed(value, 1 if value == round(value, 1) else 3, language)
    if isinstance(value, Mapping):
        if set(value) == {"from", "to"}:
            return f"{_shown(value['from'], say, language)} → {_shown(value['to'], say, language)}"
        return ", ".join(f"{key}: {_shown(each, say, language)}" for key, each in value.items()) or MISSING
    if isinstance(value, list):
        # A list of record numbers says how many; one of names says which.
        numbers = [each for each in value if isinstance(each, int)]
        return count(len(numbers)) if numbers else ", ".join(map(str, value)) or MISSING
    return MISSING if value is None else str(value)
