"""The commands about devices and link mode. They have the running box do it, and say what it says."""

from __future__ import annotations

import argparse
import re

from concentrator.app.cli_parts import (
    DONE,
    FAILED,
    Commands,
    as_json,
    command,
    show,
    show_done,
    state_dir,
    takes_name,
    takes_place,
    wrong,
)

_ALLOWED = ("allow_write", "allow_commands", "allow_unverified", "allow_raw")
_ALLOWED_WORDS = (
    "it may be written to",
    "the genset may be commanded by name",
    "by commands, too, that nobody has verified for its model",
    "Modbus requests that others make may write to it",
)


def add_field_commands(commands: Commands) -> None:
    """Adds these commands to the parser's."""
    _add_devices(commands)
    _add_link(commands)


def _add_devices(commands: Commands) -> None:
    devices = command(commands, "devices", _devices, "list, read, write, add or remove devices", _DEVICES_EXAMPLES)
    takes_place(devices)
    nested = devices.add_subparsers(title="what to do", metavar="WHAT")
    takes_place(command(nested, "list", _devices, "list the devices", _DEVICES_EXAMPLES), is_nested=True)
    for name, act, summary in (
        ("show", _show_device, "show a device with all its values"),
        ("read", _read, "read one variable from the device, now"),
        ("write", _write, "write one variable, and confirm it by reading it back"),
        ("remove", _remove, "take a device out of the configuration"),
    ):
        made = command(nested, name, act, summary, _DEVICES_EXAMPLES)
        takes_name(made, "uid", "devices", "uid", "the device's short id", metavar="UID")
        if name in ("read", "write"):
            made.add_argument("name", metavar="NAME", help="the variable")
        if name == "write":
            made.add_argument("value", type=_value, metavar="VALUE", help="a number in the variable's unit, or a text")
        takes_place(made, is_nested=True)
    for name, act, summary in (
        ("add", _add, "add a device to the configuration and read it"),
        ("change", _change, "change a device's settings; those not named stay, an empty one is taken out"),
    ):
        made = command(nested, name, act, summary, _DEVICES_EXAMPLES)
        _add_settings(made, is_new=name == "add")
        if name == "add":
            how = made.add_mutually_exclusive_group()
            how.add_argument("--yes", "-y", action="store_true", help="add it without asking, if it answers")
            how.add_argument("--no-verify", action="store_true", help="add it whether it answers or not")


def _add_settings(to: argparse.ArgumentParser, *, is_new: bool) -> None:
    of_old = "the device's short id" if not is_new else "its short id, for ever: letters, digits, hyphens, underscores"
    takes_name(to, "uid", "devices", "uid", of_old, metavar="UID")
    takes_name(to, "--line", "lines", "name", "the line it hangs on", required=is_new, metavar="NAME")
    add = to.add_argument
    add("--profile", required=is_new, metavar="BRAND/SERIES", help="`ccmaster profiles` lists them")
    add("--address", type=_address, required=is_new, metavar="ID", help="its Modbus ID, or an M-Bus meter's address")
    add("--alias", metavar="TEXT", help="the name people see")
    add("--serial", metavar="TEXT", help="its serial number, where another must not be read in its place")
    add("--secondary", type=int, metavar="N", help="it is the N-th secondary of the principal there")
    add("--interval", metavar='"3 s"', help="how often fast values are wanted")
    add("--model", metavar="TEXT", help="the model on its label, where its profile is that of several")
    for key, text in zip(_ALLOWED, _ALLOWED_WORDS, strict=True):
        add(f"--{key.replace('_', '-')}", action=argparse.BooleanOptionalAction, default=None, help=text)
    takes_place(to, is_nested=True)


def _add_link(commands: Commands) -> None:
    link = command(commands, "link", _link, "give meters their Modbus ID by pressing their buttons", _LINK_EXAMPLES)
    link.add_argument("what", choices=("start", "stop", "status"))
    takes_name(link, "--line", "lines", "name", "the native line, where there are several", metavar="NAME")
    link.add_argument("--wait", action="store_true", help="with start: tell of each meter; Ctrl-C leaves link mode")
    takes_place(link)


# --- devices ---------------------------------------------------------------------------------------------------------


def _devices(options: argparse.Namespace) -> int:
    from concentrator.app.control import ask, device_lines

    found = ask(state_dir(options), "/api/devices")
    show(as_json(found) if options.json else device_lines(found))
    return DONE


def _show_device(options: argparse.Namespace) -> int:
    from concentrator.app.control import device_report

    return show_done(options, "device.get", device_report, uid=options.uid)


def _read(options: argparse.Namespace) -> int:
    return _valued(options, "device.read")


def _write(options: argparse.Namespace) -> int:
    return _valued(options, "device.write", value=options.value)


def _valued(options: argparse.Namespace, action: str, **arguments: object) -> int:
    from concentrator.app.control import act, value_text

    found = act(state_dir(options), action, uid=options.uid, name=options.name, **arguments)
    show(as_json(found) if options.json else [value_text(found)])
    return DONE


def _add(options: argparse.Namespace) -> int:
    from concentrator.app.adding import is_verified

    place, probed = state_dir(options), None
    if not options.no_verify:
        probed, is_wanted = is_verified(place, options)
        if not is_wanted:
            return FAILED
    return _put(options, "device.add", {"probe": probed} if probed else {})


def _change(options: argparse.Namespace) -> int:
    return _put(options, "device.change", {})


def _put(options: argparse.Namespace, action: str, besides: dict[str, object]) -> int:
    from concentrator.app.control import act, device_report

    keys = ("uid", "line", "profile", "address", "alias", "serial", "secondary", "interval", "model", *_ALLOWED)
    found = act(state_dir(options), action, **{key: getattr(options, key) for key in keys})
    show(as_json(found | besides) if options.json else device_report(found))
    return DONE


def _remove(options: argparse.Namespace) -> int:
    gone = f"{options.uid} is no longer read; its records stay"
    return show_done(options, "device.remove", lambda _: [gone], uid=options.uid)


# --- link mode -------------------------------------------------------------------------------------------------------


def _link(options: argparse.Namespace) -> int:
    from functools import partial

    from concentrator.app.control import act
    from concentrator.app.link_watch import follow, status_lines

    if options.wait and options.what != "start":
        wrong("--wait goes with start")
    place = state_dir(options)
    found = act(place, f"link.{options.what}", line=options.line)
    if options.wait:
        follow(found, lambda action: act(place, action, line=found["line"]), partial(print, flush=True))
    else:
        show(as_json(found) if options.json else status_lines(found))
    return DONE


def _address(text: str) -> int | str:
    """A number of up to three figures, or an M-Bus meter's secondary address, which may be eight figures alone."""
    return int(text) if text.isdecimal() and len(text) <= 3 else text


def _value(text: str) -> int | float | str:
    """A number where it is one."""
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?(\d+\.\d*|\.\d+)", text, re.ASCII) else text


_DEVICES_EXAMPLES = """
    ccmaster devices
    ccmaster devices show main --json
    ccmaster devices read main v1
    ccmaster devices write main direction_mode 1
    ccmaster devices add pump --line native --profile energycm/ccm --address 7 --alias "Heat pump"
    ccmaster devices add roof --line solar --profile goodwe/et --address 247 --yes
    ccmaster devices remove pump
"""
_LINK_EXAMPLES = """
    ccmaster link start --wait
    ccmaster link status --line native
    ccmaster link stop
"""
