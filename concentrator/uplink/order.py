"""Commands as they are published to the box: JSON from a stranger → an Order, or a refusal in words. Pure; hides what
all can be wrong with JSON, and holds on to the id whatever else is wrong, so that the refusal can be answered."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from concentrator.actions.schema import quoted
from concentrator.model.errors import CommandError, WrongArguments
from concentrator.model.words import hint

LONGEST = 64 * 1024
"""Bytes of a payload."""
DEEPEST = 8
"""How far objects and lists may lie in each other."""
ID_MOST = 64
"""Characters of an id that is a text."""
_WHOLE_MOST = 2**53
"""The whole numbers that every JSON library keeps (RFC 8259, 6)."""
_KEYS = ("id", "cmd", "args", "ts")

Id = str | int


@frozen
class Order:
    """A command: its id, the action's name, its arguments, and when it was given (UTC seconds; None where it does not
    say)."""

    id: Id
    name: str
    arguments: Mapping[str, object] = field(factory=dict)
    at: float | None = None

    @property
    def key(self) -> str:
        """Its id as a text that no other id has: 1 and "1" are two."""
        return json.dumps(self.id)

    @property
    def digest(self) -> str:
        """What it asks for, in short: two orders have the same only if they ask for the same."""
        whole = json.dumps([self.name, self.arguments], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(whole.encode()).hexdigest()[:32]


class Misread(Exception):
    """A payload that is no order. `error` says why; `id` is None where none could be read."""

    def __init__(self, error: CommandError, id: Id | None = None) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.id = id


def order_of(payload: bytes) -> Order:
    """The order in a payload. Raises Misread for whatever is none, and nothing else."""
    found = _parsed(payload)
    if not isinstance(found, dict):
        raise _wrong(f"found {quoted(found)}, expected one JSON object with id and cmd")
    given = found.get("id")
    id = given if _is_id(given) else None
    faults = [f"{quoted(key)}: no such key, expected {', '.join(_KEYS)}{hint(key, _KEYS)}" for key in _strays(found)]
    if id is None:
        rule = f"a text of 1 to {ID_MOST} characters or a whole number"
        faults.insert(0, f"id: {f'found {quoted(given)}' if 'id' in found else 'missing'}, expected {rule}")
    name, arguments = found.get("cmd"), found.get("args", {})
    if not isinstance(name, str) or not name:
        faults.append(f"cmd: {f'found {quoted(name)}' if 'cmd' in found else 'missing'}, expected an action's name")
    if not isinstance(arguments, dict):
        faults.append(f"args: found {quoted(arguments)}, expected an object")
    at = None
    if "ts" in found:
        at = _moment(found["ts"])
        if at is None:
            faults.append(f"ts: found {quoted(found['ts'])}, expected ISO 8601 with offset, or UTC seconds")
    if faults or id is None:
        raise _wrong("; ".join(faults), id)
    return Order(id, str(name), arguments, at)


def _strays(found: Mapping[str, object]) -> list[str]:
    """The first few keys that nobody knows."""
    return [key for key in found if key not in _KEYS][:5]


def _parsed(payload: bytes) -> Any:
    if len(payload) > LONGEST:
        raise _wrong(f"found {len(payload)} bytes, expected at most {LONGEST}")
    try:
        found = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not JSON: {_words(error)}") from None
    _walk(found, 1)
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{quoted(twice)} is there twice")
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _walk(found: object, depth: int) -> None:
    """Raises Misread for what no answer could quote, or what lies too deep."""
    if isinstance(found, str):
        try:
            found.encode()
        except UnicodeEncodeError:
            raise _wrong("it is not JSON: a text has half a character (a lone surrogate)") from None
    elif isinstance(found, dict | list):
        if depth > DEEPEST:
            raise _wrong(f"it is nested more than {DEEPEST} deep")
        for key, value in found.items() if isinstance(found, dict) else ((None, each) for each in found):
            _walk(key, depth)
            _walk(value, depth + 1)


def _is_id(found: object) -> bool:
    if isinstance(found, str):
        return 1 <= len(found) <= ID_MOST
    return isinstance(found, int) and not isinstance(found, bool) and abs(found) <= _WHOLE_MOST


def _moment(given: object) -> float | None:
    """UTC seconds; None for what is no moment."""
    if isinstance(given, bool):
        return None
    try:
        if isinstance(given, int | float):
            return datetime.fromtimestamp(given, UTC).timestamp()
        found = datetime.fromisoformat(str(given))
        return None if found.tzinfo is None else found.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _words(error: Exception) -> str:
    """What is wrong, without the payload, which a UnicodeDecodeError or a RecursionError would quote or hide."""
    if isinstance(error, RecursionError):
        return f"it is nested more than {DEEPEST} deep"
    if isinstance(error, UnicodeDecodeError):
        return f"the byte at {error.start} is no UTF-8"
    return str(error)[:200]


def _wrong(words: str, id: Id | None = None) -> Misread:
    return Misread(WrongArguments(words), id)
