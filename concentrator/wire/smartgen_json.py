"""JSON as SmartGen's cloud servers send it over TCP: bare objects with nothing between them to rely on, some of them
misprinted. `Reader` finds the objects in whatever arrives, mends what can be mended, and is bounded in size, depth,
number of parts and work, whatever the other end does. It hides the scanning, the mending and the resynchronising.

A scanner that knows strings and brackets only, and remembers where it was, tells what is not complete yet from what is
wrong. What is complete and wrong gets one repair outside its strings. What never completes is dropped up to what looks
like the beginning of the next message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from concentrator.model.errors import Garbled

LONGEST = 65536
"""Bytes of one value."""
DEEPEST = 32
"""Objects and arrays inside one another."""
MOST_PARTS = 2048
"""Objects and arrays in one value."""
MOST_FAULTS = 5
"""Values of one connection that could not be read; with the last of them it is given up."""
_LONGEST_NUMBER = 20  # digits and sign: what 64 bits hold

_OPENING = re.compile(rb"[{\[]")
_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
# An object whose first key begins with a letter, or the beginning of one at the end of what is there.
_MESSAGE = re.compile(rb'\{\s{0,16}(?:\Z|"(?:\Z|[A-Za-z]))')
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_CLOSER = {"{": "}", "[": "]"}


def written(message: dict[str, Any]) -> bytes:
    """One message as one segment: compact, ASCII, no line end, for there are servers that hand each segment to a
    strict parser (two in one, or one in two, are lost there)."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")


def parsed(text: str) -> Any:
    """What a JSON text says, mended where it is misprinted: commas too many, commas and colons missing, a closing
    bracket of the wrong kind. Raises Garbled where that does not help."""
    try:
        return _strictly(text)
    except ValueError:
        pass
    try:
        return _strictly(mended(text))
    except ValueError as fault:
        raise Garbled(f"no JSON: {fault}", text.encode(errors="replace")) from None


def _strictly(text: str) -> Any:
    return json.loads(text, strict=False, parse_int=_integer, parse_float=_number, parse_constant=_constant)


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits)} digits")
    found = int(digits)
    if not -(1 << 63) <= found < 1 << 64:
        raise ValueError("a number of more than 64 bits")
    return found


def _number(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number that is not finite")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def mended(text: str) -> str:
    """The text after one repair of what is outside its strings, its blanks left out; not necessarily JSON."""
    out: list[str] = []
    open_: list[str] = []
    before, is_value_next = "", False  # the last token; and, in an object, whether it was a key or the colon behind it

    def put(token: str) -> None:
        nonlocal before
        out.append(token)
        before = token

    for token in _TOKEN.findall(text):
        is_in_object = open_[-1:] == ["{"]
        if token == ",":
            if before not in (",", "{", "["):
                put(token)
        elif token == ":":
            put(token)
        elif token in ("}", "]"):
            if before == ",":
                out.pop()
            put(_CLOSER[open_.pop()] if open_ else token)
            is_value_next = False
        elif is_in_object and not is_value_next:  # a key
            if before not in (",", "{"):
                put(",")
            put(token)
            is_value_next = True
        else:
            if is_in_object and before != ":":
                put(":")
            put(token)
            is_value_next = False
            if token in _CLOSER:
                open_.append(token)
    return "".join(out)


class Reader:
    """Finds the objects in what one connection brings. Lists at the top are taken apart, other values there are
    dropped, and so is whatever stands between objects."""

    def __init__(self) -> None:
        self.effort = 0
        """Bytes it has looked at, each as often as it was looked at: what the promise of linear work is held to."""
        self.faults = 0
        """Values that could not be read."""
        self._buffer = bytearray()  # empty, or beginning with a value's opening bracket
        self._scanned = 0
        self._depth = 0
        self._parts = 0
        self._is_in_string = False
        self._is_lost = False

    @property
    def is_within(self) -> bool:
        """Whether a value has begun and not ended; whoever keeps the time says `overdue` when that lasts."""
        return bool(self._buffer)

    def fed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """The objects that are complete with the next bytes, in order; to be exhausted before more is fed. Raises
        Garbled when the connection is not worth keeping: text that is no UTF-8, or too many faults."""
        self._refuse_more_faults()
        self._buffer += chunk
        return self._found()

    def overdue(self) -> Iterator[dict[str, Any]]:
        """Gives up the value that has begun; gives the objects found in what had arrived since, and raises, as
        `fed` does."""
        if self._buffer:
            self._lose()
        return self._found()

    def _found(self) -> Iterator[dict[str, Any]]:
        while self._starts():
            end = self._end()
            if end is None:
                return
            if end == 0:
                self._lose()
                continue
            text = bytes(self._buffer[:end])
            self._drop(end)
            self.effort += 2 * end  # read once, and once more when mended
            yield from _objects_in(self._value(text))

    def _value(self, text: bytes) -> Any:
        try:
            return parsed(text.decode("utf-8"))
        except UnicodeDecodeError:
            self.faults = MOST_FAULTS
            raise Garbled("text that is no UTF-8", text[:64]) from None
        except Garbled:
            self._count_fault()
            return None

    def _starts(self) -> bool:
        """Whether a value begins, with everything before it dropped."""
        if self._depth:
            return True
        start, is_whole = self._start()
        self.effort += (len(self._buffer) if start is None else start) + 1
        self._drop(len(self._buffer) if start is None else start)
        self._is_lost = self._is_lost and not is_whole
        return is_whole

    def _start(self) -> tuple[int | None, bool]:
        """Where the next value begins, and whether enough of it is there to tell."""
        found = (_MESSAGE if self._is_lost else _OPENING).search(self._buffer)
        if found is None:
            return None, False
        return found.start(), not self._is_lost or found.group()[-1:].isalpha()

    def _end(self) -> int | None:
        """Where the value ends that begins the buffer; None where that is still to come, 0 where it is too large."""
        while True:
            pattern = _INSIDE if self._is_in_string else _OUTSIDE
            found = pattern.search(self._buffer, self._scanned, LONGEST)
            at = -1 if found is None else found.start()
            del found  # it holds the buffer
            if at < 0:
                is_too_long = len(self._buffer) > LONGEST
                self._look_to(min(len(self._buffer), LONGEST))
                return 0 if is_too_long else None
            sign = self._buffer[at]
            if sign == 0x5C:  # a backslash: what follows it means nothing, and may not be there yet
                self._look_to(at)
                if at + 1 >= min(len(self._buffer), LONGEST):
                    return 0 if len(self._buffer) > LONGEST else None
                self._look_to(at + 2)
                continue
            self._look_to(at + 1)
            if sign == 0x22:
                self._is_in_string = not self._is_in_string
            elif sign in b"{[":
                self._depth += 1
                self._parts += 1
                if self._depth > DEEPEST or self._parts > MOST_PARTS:
                    return 0
            else:
                self._depth -= 1
                if self._depth == 0:
                    return at + 1

    def _look_to(self, position: int) -> None:
        self.effort += max(1, position - self._scanned)
        self._scanned = position

    def _drop(self, length: int) -> None:
        del self._buffer[:length]
        self._scanned = self._depth = self._parts = 0
        self._is_in_string = False

    def _lose(self) -> None:
        """Drops the opening bracket of a value that cannot be read: the next beginning of a message is looked for."""
        self._drop(1)
        self._is_lost = True
        self._count_fault()

    def _count_fault(self) -> None:
        self.faults += 1
        self._refuse_more_faults()

    def _refuse_more_faults(self) -> None:
        if self.faults >= MOST_FAULTS:
            self._drop(len(self._buffer))
            raise Garbled(f"{self.faults} faults, expected JSON")


def _objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a value: itself, or those of a list, in order."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _objects_in(each)
