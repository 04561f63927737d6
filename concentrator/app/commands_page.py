"""The page about everything that can be asked of a box, docs/commands.md, made from the action table itself.

python -m concentrator.app.commands_page > docs/commands.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import fields

from concentrator.actions.table import CODES, ActionTable, Permission
from concentrator.app.actions import View, Works, build_actions
from concentrator.app.clocks import SystemWall

_HEAD = """\
# Commands

Everything that can be asked of a box, by every road under the same name and with the same arguments: over MQTT
([how](mqtt.md#commands)), as `POST /api/actions/<name>` over the control socket, and as `ccmaster` on the command line.
This page is made by `make docs` from the program itself.

Each command belongs to a class; `[mqtt] allow` lists the classes that come by a broker, by default `read` alone. An
argument that is not named here is refused, with the nearest name that is.
"""
_CLASSES = {
    Permission.READ: "looks, and changes nothing",
    Permission.WRITE: "writes to devices; a device's `allow_write` must be true besides",
    Permission.OUTPUT: "the outputs of the box",
    Permission.LINK: "gives meters their Modbus ID",
    Permission.CONFIG: "devices and settings, and scans",
    Permission.SYSTEM: "the program and the machine",
    Permission.USERS: "who may use the portal; no broker can be allowed it",
}


class _Anything:
    """Stands for every part of a box that the table is built over and nothing is asked of."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __truediv__(self, name: str) -> Any:
        return self

    def __call__(self, *arguments: object) -> Any:
        return self


def whole_table() -> ActionTable:
    """The table with everything that can be asked of a box, over nothing: to be described."""
    part: Any = _Anything()
    return build_actions(View(part, part, part, part), Works(*[part] * len(fields(Works))), SystemWall()).table


def commands_page() -> str:
    """The page, in Markdown."""
    actions = whole_table().describe()
    return "\n".join([_HEAD, *_classes(actions), *_codes(), *_sections(actions)])


def _classes(actions: list[dict[str, Any]]) -> Iterator[str]:
    yield "| class | what it does | commands |\n|---|---|---|"
    for permission, meaning in _CLASSES.items():
        names = [
            f"[`{each['name']}`](#{_anchor(each['name'])})" for each in actions if each["permission"] == permission
        ]
        yield f"| `{permission}` | {meaning} | {', '.join(names)} |"
    yield ""


def _codes() -> Iterator[str]:
    yield f"Codes of errors: {', '.join(f'`{code}`' for code in CODES)}.\n"


def _sections(actions: list[dict[str, Any]]) -> Iterator[str]:
    for action in actions:
        yield f"## {action['name']}\n"
        yield f"{action['summary']} Class `{action['permission']}`.\n"
        properties: Mapping[str, Any] = action["arguments"]["properties"]
        if properties:
            yield "| argument | type | default | range | meaning |\n|---|---|---|---|---|"
            yield from (_row(name, said, action["arguments"]["required"]) for name, said in properties.items())
            yield ""
        yield f"```json\n{json.dumps(action['arguments'], ensure_ascii=False)}\n```\n"


def _row(name: str, said: Mapping[str, Any], required: list[str]) -> str:
    kind = said["type"] if isinstance(said["type"], str) else " or ".join(said["type"])
    default = f"`{json.dumps(said['default'])}`" if "default" in said else ""
    shown = "*required*" if name in required else default
    return f"| `{name}` | {kind} | {shown} | {_range(said)} | {said['description']} |"


def _range(said: Mapping[str, Any]) -> str:
    if "enum" in said:
        return ", ".join(f"`{each}`" for each in said["enum"])
    bounds = [
        (said.get("minimum"), said.get("maximum"), ""),
        (said.get("minLength"), said.get("maxLength"), " characters"),
        (said.get("minItems"), said.get("maxItems"), " items"),
    ]
    told = []
    for least, most, unit in bounds:
        if least is not None and most is not None:
            told.append(f"{least} … {most}{unit}")
        elif most is not None:
            told.append(f"at most {most}{unit}")
        elif least is not None:
            told.append(f"at least {least}{unit}")
    return ", ".join(told)


def _anchor(name: str) -> str:
    return name.replace(".", "")


if __name__ == "__main__":
    print(commands_page(), end="")
