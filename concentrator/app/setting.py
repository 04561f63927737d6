"""Settings: how a section of the configuration file is read by the settings of its class. Hides how faults are
gathered: a value that breaks its rule is noted and the reading goes on, so that one fault never hides another, in its
own section or elsewhere.

Each attribute of a section class is made by `setting`, which carries the key, the rule, the default as people would
write it, and what it means. Reading, faults and `docs/settings.md` all come from that one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import NOTHING, Factory, field, fields, frozen

from concentrator.app.rule import Mismatch, Rule, form_of, written
from concentrator.model.errors import Fault
from concentrator.model.words import nearest

T = TypeVar("T")


@frozen
class Setting:
    """One key of a section: where its value goes (`attribute`), its rule, its default in words and as the file would
    have it (`plain`, None where it has none of its own), what it means."""

    attribute: str
    key: str
    rule: Rule
    default: str
    plain: Any
    meaning: str
    is_required: bool
    is_secret: bool
    is_personal: bool = False


def setting(
    rule: Rule,
    default: Any = NOTHING,
    meaning: str = "",
    *,
    key: str = "",
    shown: str = "",
    is_secret: bool = False,
    is_personal: bool = False,
) -> Any:
    """The attribute of a section class that holds the key's value. `default` is in the file's own form, or None, or
    an attrs Factory, described by `shown`; without one the key is required. `key` where it is not the attribute's
    name. A secret stays out of every repr and message; what is personal, such as a telephone number, out of the
    audit."""
    plain = None
    if default is NOTHING or default is None or isinstance(default, Factory):  # type: ignore[arg-type]
        value = default
    else:
        value, plain = rule.read(default), default
        shown = shown or written(default)
    return field(
        default=value,
        repr=not is_secret,
        metadata={"setting": (key, rule, shown, plain, meaning, is_secret, is_personal)},
    )


def settings_of(section: type[Any]) -> tuple[Setting, ...]:
    """The settings of a section class, in its order."""
    found = []
    for attribute in fields(section):
        key, rule, shown, plain, meaning, *guarded = attribute.metadata["setting"]
        required = attribute.default is NOTHING
        found.append(Setting(attribute.name, key or attribute.name, rule, shown, plain, meaning, required, *guarded))
    return tuple(found)


class Faults:
    """The faults of one file, gathered while it is read."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._unread: set[tuple[str, str]] = set()
        self.found: list[Fault] = []

    def add(
        self, section: str, key: str, found: str, expected: str, hint: str = "", rule: str = "", **terms: str
    ) -> None:
        """Notes one."""
        self.found.append(Fault(self._file, section, key, found, expected, hint, rule, terms))

    def unknown(self, section: str, key: str, kind: str, known: Iterable[str]) -> None:
        """Notes a key nobody knows, or without one a section, with the nearest there is, or all where none is near."""
        known = list(known)
        hint = nearest(key or section, known)
        expected = f"a known {kind}" if hint else f"one of {', '.join(known)}"
        self.add(section, key, f"an unknown {kind}", expected, hint)

    def unreadable(
        self, section: str, key: str, found: str, expected: str, hint: str = "", rule: str = "", **terms: str
    ) -> None:
        """Notes a value that cannot be read: rules about it have then nothing to say."""
        self._unread.add((section, key))
        self.add(section, key, found, expected, hint, rule, **terms)

    def are_readable(self, section: str, *keys: str) -> bool:
        """Whether the values of all these keys of a section could be read."""
        return self._unread.isdisjoint((section, key) for key in keys)


def read_section(section: type[T], table: Mapping[str, Any], place: str, faults: Faults, folder: Path = Path()) -> T:
    """The section a table of the file holds; relative paths start at `folder`. Every fault goes to `faults`, and the
    attribute keeps its default, or None where it has none: such a section serves only to find further faults."""
    settings = settings_of(section)
    by_key = {each.key: each for each in settings}
    values: dict[str, Any] = {each.attribute: None for each in settings if each.is_required}
    for key, raw in table.items():
        one = by_key.get(key)
        if one is None:
            faults.unknown(place, key, "key", by_key)
            continue
        try:
            values[one.attribute] = _anchored(one.rule.read(raw), folder)
        except Mismatch as mismatch:
            found, hint = (form_of(raw), "") if one.is_secret else (written(raw), mismatch.hint)
            said = mismatch.expected or one.rule.expected
            faults.unreadable(place, key, found, said, hint, one.rule.name, **one.rule.terms, **mismatch.terms)
    for one in settings:
        if one.is_required and one.key not in table:
            faults.unreadable(place, one.key, "nothing", one.rule.expected)
    return section(**values)


def _anchored(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple):
        return tuple(_anchored(each, folder) for each in value)
    return value
