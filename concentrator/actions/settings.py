"""The configuration as actions: looked at and changed. Hides that secrets go in only: the audit sees none, and no
answer has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from concentrator.actions.schema import Argument, Kind, quoted
from concentrator.actions.table import Action, Caller, Permission
from concentrator.model.errors import WrongArguments

Changes = Mapping[str, Mapping[str, Any] | None]
"""Section → key → value as the file has it, None to take the key out; a section → None takes all of it out."""


class Settings(Protocol):
    """The configuration of the box."""

    def shown(self, section: str, key: str) -> object:
        """Its values, all or of a section or a key, without secrets. Raises Unknown, ConfigError."""

    def is_secret(self, section: str, key: str) -> bool:
        """Whether a value stays out of the audit."""

    def change(self, changes: Changes, caller: Caller, *, is_trial: bool) -> object:
        """Changes keys, all or none of them (none at all for a trial), and gives what became of them. Raises
        ConfigError with all that speaks against it, Denied where the caller would widen what he may."""


def settings_actions(settings: Settings) -> tuple[Action, ...]:
    """`config.get` and `config.set`."""

    def change(caller: Caller, changes: Mapping[str, object], check_only: bool) -> object:
        for section, keys in changes.items():
            if keys is None:
                continue
            if not isinstance(keys, dict) or not keys:
                expected = "an object of keys and values, or null"
                raise WrongArguments(f"changes: {section}: found {_form(keys)}, expected {expected}")
            must_be_values(section, keys)
        if not changes:
            raise WrongArguments("changes: found none, expected a section with its keys")
        return settings.change(changes, caller, is_trial=check_only)  # type: ignore[arg-type]  # as was just seen

    def audited(arguments: Mapping[str, object]) -> Mapping[str, object]:
        return {name: _masked(settings, value) if name == "changes" else value for name, value in arguments.items()}

    return (
        Action(
            "config.get",
            "The settings, each as the file has it or by default: all, of one section, or of one key; secrets are not "
            "shown, only which of them are set.",
            Permission.CONFIG,
            (
                Argument("section", Kind.TEXT, "such as mqtt, mqtt.NAME, line.NAME; empty: all", False, ""),
                Argument("key", Kind.TEXT, "one key of it; empty: all", False, ""),
            ),
            settings.shown,
        ),
        Action(
            "config.set",
            "Changes settings, all of them or none: the whole new file is checked first, and the former one is kept. "
            "What can takes effect within a second; `restart` names what needs a restart of the program.",
            Permission.CONFIG,
            (
                Argument(
                    "changes",
                    Kind.OBJECT,
                    'such as {"mqtt": {"latency": "1 min"}}; null takes a key out, or the section of a service',
                ),
                Argument("check_only", Kind.FLAG, "only says what would become of it", False, False),
            ),
            change,
            heeds_caller=True,
            audited=audited,
        ),
    )


def must_be_values(section: str, keys: Mapping[str, object]) -> None:
    """Raises WrongArguments where something is no value that a key can have in the file, or null."""
    for key, value in keys.items():
        each = value if isinstance(value, list) else [value]
        if not all(one is None or isinstance(one, str | int | float | bool) for one in each):
            rule = "a text, a number, true, false, a list of these, or null"
            raise WrongArguments(f"changes: {section}.{key}: found {_form(value)}, expected {rule}")


def _masked(settings: Settings, changes: object) -> object:
    if not isinstance(changes, dict):
        return _form(changes)
    return {
        section: {key: "…" if settings.is_secret(section, key) else value for key, value in keys.items()}
        if isinstance(keys, dict)
        else _form(keys)
        for section, keys in changes.items()
    }


def _form(value: object) -> str:
    """What sort of value it is, for it may be a secret in the wrong place."""
    if value in ({}, [], None):
        return quoted(value)
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a value"
