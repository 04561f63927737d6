"""Sections written into a configuration's text and taken out of it, and keys of any changed. Hides how the text
is put together, so that people's comments and their order survive: a comment directly above a section belongs to that
section, whatever else is left as it stands.

No edit changes anything but what it is about: the text after is read again and compared.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

from attrs import frozen

Scalar = str | int | float | bool
_Items: TypeAlias = list[tuple[Any, Any]]
"""What tomlkit holds between two headers: keys with values, and comments and blank lines without a key."""


class NotEditable(ValueError):
    """The text says it in a way that only people can edit."""


@frozen
class _Section:
    """A header's path, what follows it up to the next header, and the list it stands in."""

    path: tuple[str, ...]
    table: Any
    items: _Items
    among: _Items


def with_device(text: str, uid: str, keys: Mapping[str, Scalar]) -> str:
    """The text with a section [device.UID], after the last one of its kind; NotEditable where that cannot be done."""
    document = _parsed(text)
    devices = [each for each in _sections(document) if len(each.path) == 2 and each.path[0] == "device"]
    if devices:
        _put_after(devices[-1], uid, keys, is_last=_is_last(document, devices[-1]))
        after = _text(document)
    else:
        gap = "" if not text.strip() or text.endswith("\n\n") else "\n"
        after = _ended(text) + gap + _text(_parsed("") | {"device": {uid: dict(keys)}})
    return _checked(text, after, uid, dict(keys))


def with_device_changed(text: str, uid: str, keys: Mapping[str, Scalar | None]) -> str:
    """The text with these keys of a device; None takes a key out. NotEditable as above."""
    document = _parsed(text)
    section = _find(document, ("device", uid))
    own = _take_gap(section.items)
    for key, value in keys.items():
        if value is not None:
            section.table[key] = value
        elif key in section.table:
            del section.table[key]
    section.items.extend(own)
    former = tomllib.loads(text)["device"][uid] | keys
    return _checked(text, _text(document), uid, {key: value for key, value in former.items() if value is not None})


def without_device(text: str, uid: str) -> str:
    """The text without a device, and without the comment directly above it. NotEditable as above."""
    return _checked(text, _without(text, ("device", uid)), uid, None)


def _without(text: str, path: tuple[str, ...]) -> str:
    document = _parsed(text)
    section = _find(document, path)
    before = next(one for one, after in pairwise(_sections(document)) if after.items is section.items)
    gap, below = _take_gap(before.items), _take_gap(section.items)
    while gap and not _is_blank(gap[-1]):
        gap.pop()
    rest = below[_first_blank(below, is_last=_is_last(document, section)) :]
    if gap and rest and _is_blank(gap[-1]) and _is_blank(rest[0]):
        gap.pop()
    at = _end(before.items)
    before.items[at:at] = gap + rest
    section.among[:] = [entry for entry in section.among if entry[1] is not section.table]
    return _text(document)


def with_settings(text: str, changes: Mapping[str, Mapping[str, Scalar | list[Scalar] | None] | None]) -> str:
    """The text with these keys of these sections; None takes a key out, or a whole section NAME.KEY. A section that is
    not there is put at the end. NotEditable as above."""
    expected = tomllib.loads(text)
    for place in [place for place, keys in changes.items() if keys is None]:
        kind, _, name = place.partition(".")
        text = _without(text, (kind, name))
        del expected[kind][name]
        if not expected[kind]:
            del expected[kind]
    document = _parsed(text)
    added = ""
    for place, keys in changes.items():
        if keys is None:
            continue
        path = tuple(place.split("."))
        kept = expected
        for name in path:
            kept = kept.setdefault(name, {})
            if not isinstance(kept, dict):
                raise NotEditable(f"{place} is no section")
        section = next((each for each in _sections(document) if each.path == path), None)
        given = {key: value for key, value in keys.items() if value is not None}
        if section is None:
            added += _new_section(path, given)
        else:
            own = _take_gap(section.items)
            for key in keys:
                if key in given:
                    section.table[key] = given[key]
                elif key in section.table:
                    del section.table[key]
            at = _end(section.items)
            section.items[at:at] = own
        for key in keys:
            kept.pop(key, None)
        kept.update(given)
    return _same(_text(document) + added, expected)


def _new_section(path: tuple[str, ...], keys: Mapping[str, object]) -> str:
    content: object = dict(keys)
    for name in reversed(path):
        content = {name: content}
    return "\n" + _text(_parsed("") | content)


def _put_after(last: _Section, uid: str, keys: Mapping[str, Scalar], *, is_last: bool) -> None:
    """A new section between a section and what stands above the next one."""
    import tomlkit
    from tomlkit.items import SingleKey, Whitespace

    gap = _take_gap(last.items)
    at = _first_blank(gap, is_last=is_last)
    blank: _Items = [(None, Whitespace("\n"))]
    last.items.extend(gap[:at] + blank)
    table = tomlkit.table()
    for key, value in keys.items():
        table.add(key, value)
    rest = gap[at:]
    is_apart = _is_blank(rest[0]) if rest else is_last
    table.value.body.extend(rest if is_apart else blank + rest)
    where = next(n for n, entry in enumerate(last.among) if entry[1] is last.table)
    last.among.insert(where + 1, (SingleKey(uid), table))


def _parsed(text: str) -> Any:
    import tomlkit

    return tomlkit.parse(_ended(text))


def _text(document: Any) -> str:
    import tomlkit

    return tomlkit.dumps(document)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _sections(document: Any) -> Iterator[_Section]:
    """Every header of the document in its order, before them what stands above the first."""
    yield _Section((), document, document.body, [])
    yield from _within(document.body, ())


def _within(items: _Items, above: tuple[str, ...]) -> Iterator[_Section]:
    from tomlkit.items import AoT, Table

    for key, item in tuple(items):
        for table in item.body if isinstance(item, AoT) else [item]:
            if isinstance(table, Table):
                path = (*above, key.key)
                if not table.is_super_table():
                    yield _Section(path, table, table.value.body, items)
                yield from _within(table.value.body, path)


def _find(document: Any, path: tuple[str, ...]) -> _Section:
    for section in _sections(document):
        if section.path == path:
            return section
    raise NotEditable(f"{path[-1]} is no section [{'.'.join(path)}]")


def _is_last(document: Any, section: _Section) -> bool:
    *_, last = _sections(document)
    return last.items is section.items


def _end(items: _Items) -> int:
    """Where the keys and comments of a header end and further headers begin."""
    from tomlkit.items import AoT, Table

    return next((n for n, (_, item) in enumerate(items) if isinstance(item, AoT | Table)), len(items))


def _take_gap(items: _Items) -> _Items:
    """Takes out the comments and blank lines after the last key."""
    start = end = _end(items)
    while start > 0 and items[start - 1][0] is None:
        start -= 1
    gap = items[start:end]
    del items[start:end]
    return gap


def _first_blank(gap: _Items, *, is_last: bool) -> int:
    """Where what belongs to the section above ends: comments directly below its keys, unless the next header follows
    as directly."""
    return next((n for n, entry in enumerate(gap) if _is_blank(entry)), len(gap) if is_last else 0)


def _is_blank(entry: tuple[Any, Any]) -> bool:
    from tomlkit.items import Whitespace

    return isinstance(entry[1], Whitespace)


def _checked(before: str, after: str, uid: str, device: Mapping[str, object] | None) -> str:
    """The text after, once it is sure that the device is as it was meant and everything else as it was."""
    expected = tomllib.loads(before)
    devices = expected.setdefault("device", {})
    if device is None:
        del devices[uid]
    else:
        devices[uid] = dict(device)
    return _same(after, expected)


def _same(after: str, expected: Mapping[str, object]) -> str:
    """The text, once it is sure that it says what it is to say; of devices there may be none either way."""
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        found = {}
    if {"device": {}} | found != {"device": {}} | dict(expected):
        raise NotEditable("the text is put together in a way that only people can edit")
    return after
