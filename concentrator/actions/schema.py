"""Arguments: what an action may be given, as a table of values. Hides how a value is judged and how a misfit is put
into words: always the argument's name, what was found, and the rule."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from concentrator.model.errors import OutOfRange, WrongArguments
from concentrator.model.words import hint

TEXT_MOST = 256
_FOUND_MOST = 60


class Kind(StrEnum):
    """The types an argument may have, under the names JSON Schema gives them; `value` is either a number or a text,
    as the values of variables are; an array is one of texts."""

    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "boolean"
    VALUE = "value"
    TEXTS = "array"
    OBJECT = "object"


def _is_number(value: object) -> bool:
    """Whether it is one that a float can hold; NaN, infinities and what is beyond are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


_FITS: Mapping[Kind, Callable[[object], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Kind.NUMBER: lambda value: _is_number(value),
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.VALUE: lambda value: isinstance(value, str) or _is_number(value),
    Kind.TEXTS: lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    Kind.OBJECT: lambda value: isinstance(value, dict),
}
_CALLED = {
    Kind.TEXT: "a text",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.FLAG: "true or false",
    Kind.VALUE: f"a number, or a text of at most {TEXT_MOST} characters",
    Kind.TEXTS: "a list of texts",
    Kind.OBJECT: "an object",
}
_UNITS = {Kind.TEXT: " characters", Kind.TEXTS: " items"}
_BOUNDS = {Kind.TEXT: ("minLength", "maxLength"), Kind.TEXTS: ("minItems", "maxItems")}


@frozen
class Argument:
    """One argument of an action.

    `least` and `most` bound a number, the length of a text in characters (at most 256 where nothing is said, and where
    it stands for a number), or the items of an array;
    `choices`, where given, are the only values allowed; `default` stands in for one that is not required and not given.
    """

    name: str
    kind: Kind
    summary: str
    required: bool = True
    default: object = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str | int | float, ...] = ()

    def fits(self, value: object) -> bool:
        """Whether the value has the argument's type; NaN and infinities are no numbers."""
        return _FITS[self.kind](value)

    def allows(self, value: Any) -> bool:
        """Whether a value of the right type is one of the choices, or within the bounds."""
        if self.choices:
            return value in self.choices
        if self.kind is Kind.VALUE and isinstance(value, str):
            return len(value) <= TEXT_MOST
        if self.kind is Kind.OBJECT:
            return True
        size = value if isinstance(value, int | float) else len(value)
        least, most = self._bounds()
        return (least is None or size >= least) and (most is None or size <= most)

    def rule(self) -> str:
        """What is expected, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        least, most = self._bounds()
        unit = _UNITS.get(self.kind, "")
        if least is not None and most is not None:
            return f"{_CALLED[self.kind]} of {least:g} to {most:g}{unit}"
        if least is not None:
            return f"{_CALLED[self.kind]} of at least {least:g}{unit}"
        if most is not None:
            return f"{_CALLED[self.kind]} of at most {most:g}{unit}"
        return _CALLED[self.kind]

    def describe(self) -> dict[str, object]:
        """The argument as a JSON Schema."""
        least, most = self._bounds()
        lower, upper = _BOUNDS.get(self.kind, ("minimum", "maximum"))
        said: dict[str, object] = {"type": self.kind.value, "description": self.summary}
        if self.kind is Kind.VALUE:
            said |= {"type": [Kind.NUMBER.value, Kind.TEXT.value], "maxLength": TEXT_MOST}
        if self.kind is Kind.TEXTS:
            said["items"] = {"type": Kind.TEXT.value}
        if self.choices:
            said["enum"] = list(self.choices)
        else:
            said |= {name: bound for name, bound in ((lower, least), (upper, most)) if bound is not None}
        if not self.required and self.default is not None:
            said["default"] = self.default
        return said

    def _bounds(self) -> tuple[float | None, float | None]:
        return self.least, TEXT_MOST if self.kind is Kind.TEXT and self.most is None else self.most


def checked(schema: Sequence[Argument], given: Mapping[str, object]) -> dict[str, object]:
    """The arguments to call with: those given, and the defaults of the others.

    Raises OutOfRange where a value breaks its bounds, WrongArguments where a name is unknown, a required one is
    missing or a type is wrong; either names every fault found.
    """
    known = {argument.name: argument for argument in schema}
    misfits = [f"{name}: no such argument, expected {_expected(name, known)}" for name in given if name not in known]
    strays: list[str] = []
    values: dict[str, object] = {}
    for argument in schema:
        if argument.name not in given:
            if argument.required:
                misfits.append(f"{argument.name}: missing, expected {argument.rule()}")
            values[argument.name] = argument.default
            continue
        value = values[argument.name] = given[argument.name]
        if not argument.fits(value):
            misfits.append(f"{argument.name}: found {quoted(value)}, expected {argument.rule()}")
        elif not argument.allows(value):
            strays.append(f"{argument.name}: found {quoted(value)}, expected {argument.rule()}")
    if misfits:
        raise WrongArguments("; ".join(misfits + strays))
    if strays:
        raise OutOfRange("; ".join(strays))
    return values


def describe(schema: Sequence[Argument]) -> dict[str, object]:
    """A table of arguments as one JSON Schema of an object."""
    return {
        "type": "object",
        "properties": {argument.name: argument.describe() for argument in schema},
        "required": [argument.name for argument in schema if argument.required],
        "additionalProperties": False,
    }


def quoted(value: object) -> str:
    """A value as a message shows it: as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _FOUND_MOST else text[: _FOUND_MOST - 1] + "…"


def _expected(name: str, known: Mapping[str, Argument]) -> str:
    if not known:
        return "none"
    return f"{', '.join(known)}{hint(name, known)}"
