"""The list of devices as actions: add, change and remove. Hides how a fault in the configuration file becomes the fault
of an argument, where it was the argument that made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.errors import ConfigError, WrongArguments


class Devices(Protocol):
    """The devices of the box. Each raises ConfigError with all that speaks against it, and then changes nothing."""

    def add(self, uid: str, section: Mapping[str, Any]) -> None:
        """A new device with the keys of its section."""

    def change(self, uid: str, **keys: Any) -> None:
        """Other keys for a device; None takes one out."""

    def remove(self, uid: str) -> None:
        """A device that is read no more."""


def device_actions(devices: Devices, show: Callable[[str], object]) -> tuple[Action, ...]:
    """`device.add`, `device.change` and `device.remove`; the first two give what `show` says of the device."""

    def add(uid: str, **keys: object) -> object:
        given = {key: value for key, value in keys.items() if value not in (None, "")}
        _put(uid, lambda: devices.add(uid, given))
        return show(uid)

    def change(uid: str, **keys: object) -> object:
        given = {key: value for key, value in keys.items() if value is not None}
        if not given:
            raise WrongArguments(f"nothing to change, expected one of {', '.join(keys)}")
        taken_out = {key: None if _is_none(key, value) else value for key, value in given.items()}
        _put(uid, lambda: devices.change(uid, **taken_out))
        return show(uid)

    def remove(uid: str) -> object:
        _put(uid, lambda: devices.remove(uid))
        return {"uid": uid}

    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    return (
        Action(
            "device.add",
            "A new device: written into the configuration, and read from now on.",
            Permission.CONFIG,
            (uid, *_keys(is_new=True)),
            add,
        ),
        Action(
            "device.change",
            "Other settings for a device; those not given stay, an empty text takes one out, secondary 0 likewise.",
            Permission.CONFIG,
            (uid, *_keys(is_new=False)),
            change,
        ),
        Action(
            "device.remove",
            "Takes a device out of the configuration; it is read no more, its records stay.",
            Permission.CONFIG,
            (uid,),
            remove,
        ),
    )


def _keys(*, is_new: bool) -> tuple[Argument, ...]:
    """The keys of a device's section; their rules are the configuration's own."""
    return (
        Argument("line", Kind.TEXT, "the line it hangs on", is_new),
        Argument("profile", Kind.TEXT, "its profile, brand/series", is_new),
        Argument("address", Kind.INTEGER, "its Modbus ID", is_new),
        Argument("alias", Kind.TEXT, "the name people see", False),
        Argument("serial", Kind.TEXT, "its serial number; filled when first seen", False),
        Argument("secondary", Kind.INTEGER, "n, for the n-th secondary of the principal at the address", False),
        Argument("interval", Kind.TEXT, 'how often fast values are wanted, such as "3 s"', False),
        Argument("allow_write", Kind.FLAG, "whether it may be written to", False),
    )


def _is_none(key: str, value: object) -> bool:
    return value == "" or (key == "secondary" and value == 0)


def _put(uid: str, act: Callable[[], None]) -> None:
    try:
        act()
    except ConfigError as error:
        place = f"device.{uid}"
        if any(fault.section not in (place, "device") for fault in error.faults):
            raise
        said = [str(fault).removeprefix(f"{fault.file}: ").removeprefix(f"[{place}] ") for fault in error.faults]
        raise WrongArguments("; ".join(said)) from error
