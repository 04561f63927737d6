"""The commands about the settings of a running box, and about starting it anew. They have the box do it, and say what
it says."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from concentrator.app.cli_parts import Commands, command, show_done, takes_place


def add_config_commands(commands: Commands) -> None:
    """Adds these commands to the parser's."""
    config = command(commands, "config", _get, "show or change the settings of a running box", _CONFIG_EXAMPLES)
    takes_place(config)
    config.set_defaults(section="", key="")
    nested = config.add_subparsers(title="what to do", metavar="WHAT")

    get = command(nested, "get", _get, "show settings; secrets are not shown", _CONFIG_EXAMPLES)
    get.add_argument("section", nargs="?", default="", metavar="SECTION", help="such as mqtt, mqtt.NAME, line.NAME")
    get.add_argument("key", nargs="?", default="", metavar="KEY", help="one key of it")
    takes_place(get, is_nested=True)

    change = command(nested, "set", _set, "change settings, all of them or none", _CONFIG_EXAMPLES)
    change.add_argument("section", metavar="SECTION", help="such as mqtt, mqtt.NAME, history")
    change.add_argument("pairs", nargs="*", type=_pair, metavar="KEY=VALUE", help="as in the file; text without quotes")
    change.add_argument("--unset", action="append", default=[], metavar="KEY", help="take a key out: its default holds")
    change.add_argument("--check-only", action="store_true", help="only say what would become of it")
    takes_place(change, is_nested=True)

    reboot = command(commands, "reboot", _reboot, "start the program anew, or the machine", _REBOOT_EXAMPLES)
    reboot.add_argument("--machine", action="store_true", help="the whole machine")
    takes_place(reboot)


def _get(options: argparse.Namespace) -> int:
    return show_done(options, "config.get", _settings, section=options.section, key=options.key)


def _set(options: argparse.Namespace) -> int:
    keys: dict[str, object] = dict(options.pairs) | {key: None for key in options.unset}
    changes = {options.section: keys}
    return show_done(options, "config.set", _outcome, changes=changes, check_only=options.check_only)


def _reboot(options: argparse.Namespace) -> int:
    def lines(found: Mapping[str, Any]) -> Iterator[str]:
        yield f"the {found['what']} is started anew in {found['in_s']:g} s"

    return show_done(options, "reboot", lines, what="machine" if options.machine else "service")


def _settings(found: Mapping[str, Any]) -> Iterator[str]:
    for section, keys in found["values"].items():
        for key, value in keys.items():
            said = "is not set" if value is None else f"= {json.dumps(value, ensure_ascii=False)}"
            yield f"{section}.{key} {said}"
    for secret in found["secrets"]:
        yield f"{secret} is set"


def _outcome(found: Mapping[str, Any]) -> Iterator[str]:
    for place in found["live"]:
        yield f"{place}: at work within a second"
    for place in found["restart"]:
        yield f"{place}: at work after a restart of the program"
    if not found["changed"]:
        yield "nothing is changed: it is so already"
    for warning in found["warnings"]:
        yield f"warning: {warning}"


def _pair(text: str) -> tuple[str, object]:
    """KEY=VALUE, the value as TOML has it, or else a text."""
    key, is_given, value = text.partition("=")
    if not is_given or not key.strip():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY=VALUE")
    try:
        found: object = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        found = value
    return key.strip(), found if isinstance(found, str | bool | int | float | list) else value


_CONFIG_EXAMPLES = """
    ccmaster config get
    ccmaster config get mqtt latency
    ccmaster config set mqtt latency="1 min" keepalive="30 s"
    ccmaster config set mqtt.cloud 'allow=["read", "write"]' --check-only
    ccmaster config set ftp --unset port
"""
_REBOOT_EXAMPLES = """
    ccmaster reboot
    ccmaster reboot --machine
"""
