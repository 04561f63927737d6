"""The profile format as a JSON Schema, for editors: made of the same table the loader goes by. What two keys say
together is not in it; the loader tells of that."""

from __future__ import annotations

import json
from collections.abc import Mapping

from concentrator.profile.encodings import ENCODINGS
from concentrator.profile.keys import Key
from concentrator.profile.schema import LISTS, TABLES
from concentrator.profile.units import KNOWN

_NEEDED = ("profile",)
_HAS_SOMETHING = [
    {"required": ["variable"]},
    {"properties": {"profile": {"required": ["passthrough"], "properties": {"passthrough": {"const": True}}}}},
]
"""A device has variables, unless everything is passed through to it."""
_ENUM = {
    "type": "object",
    "description": "number → text, each section named by the variables that use it",
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"pattern": r"^-?(0[xX][0-9A-Fa-f]+|\d+)$"},
        "additionalProperties": {"type": "string"},
    },
}
_TYPES = {"anyOf": [{"enum": [*ENCODINGS, "string"]}, {"pattern": r"^ascii[1-9]\d{0,2}$"}]}
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_CLOSER: Mapping[str, Mapping[str, object]] = {
    "type": {"type": "string", **_TYPES},
    "unit": {"enum": list(KNOWN)},
    "name": _NAME,
}
"""What the loader finds out about a variable beyond the table."""


def profile_schema() -> dict[str, object]:
    """The schema of a profile file (JSON Schema, draft 7, which is what TOML editors speak)."""
    sections: dict[str, object] = {name: _section(keys) for name, keys in TABLES.items()}
    sections["enum"] = _ENUM
    for name, keys in LISTS.items():
        closer = _CLOSER if name in ("variable", "secondary") else {}
        sections[name] = {"type": "array", "items": _section(keys, closer)}
    sections["identify"] = {"type": "array", "items": _section(LISTS["identify"], {"type": _CLOSER["type"]})}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "CcMaster device profile",
        "type": "object",
        "required": list(_NEEDED),
        "anyOf": _HAS_SOMETHING,
        "additionalProperties": False,
        "properties": sections,
    }


def profile_schema_text() -> str:
    """The same as a file."""
    return json.dumps(profile_schema(), indent=1, ensure_ascii=False) + "\n"


def _section(keys: Mapping[str, Key], closer: Mapping[str, Mapping[str, object]] | None = None) -> dict[str, object]:
    form = {
        name: {"description": key.expected, **key.form, **(closer or {}).get(name, {})} for name, key in keys.items()
    }
    return {
        "type": "object",
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
        "properties": form,
    }


if __name__ == "__main__":
    print(profile_schema_text(), end="")
