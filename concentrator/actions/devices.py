"""The list of devices as actions: add, change and remove. Hides how a fault in the configuration file becomes the fault
of an argument, where it was the argument that made it, and that a device may have to answer before it is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from concentrator.actions.identifying import Prober, must_fit
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.errors import ConfigError, Fault, WrongArguments


class Devices(Protocol):
    """The devices of the box. Each raises ConfigError with all that speaks against it, and then changes nothing."""

    def add(self, uid: str, section: Mapping[str, Any]) -> None:
        """A new device with the keys of its section."""

    def change(self, uid: str, **keys: Any) -> None:
        """Other keys for a device; None takes one out."""

    def remove(self, uid: str) -> None:
        """A device that is read no more."""

    def taken(self, line: str, address: int | str, secondary: int | None, besides: str = "") -> str:
        """Who has that place on a line already, `besides` one device, whose line it is where none is named, in words;
        empty where nobody has."""


def device_actions(devices: Devices, show: Callable[[str], object], probe: Prober) -> tuple[Action, ...]:
    """`device.add`, `device.change` and `device.remove`; the first two give what `show` says of the device. `probe`
    reads a device that is to be verified before it is added."""

    def put(uid: str, keys: Mapping[str, Any], act: Callable[[], None]) -> None:
        line, address, secondary = keys.get("line", ""), keys.get("address", 0), keys.get("secondary")
        _put(uid, act, lambda: devices.taken(line, address, secondary, besides=uid))

    def add(uid: str, verify: bool, **keys: Any) -> object:
        given = {key: value for key, value in keys.items() if value not in (None, "")}
        return Deferred.fromCoroutine(verified(uid, given)) if verify else added(uid, given)

    async def verified(uid: str, given: Mapping[str, Any]) -> object:
        place = given.get("line", ""), given.get("profile", ""), given.get("address", "")
        must_fit(await probe(*place, given.get("secondary")))
        return added(uid, given)

    def added(uid: str, given: Mapping[str, Any]) -> object:
        put(uid, given, lambda: devices.add(uid, given))
        return show(uid)

    def change(uid: str, **keys: object) -> object:
        given = {key: value for key, value in keys.items() if value is not None}
        if not given:
            raise WrongArguments(f"nothing to change, expected one of {', '.join(keys)}")
        taken_out = {key: None if _is_none(key, value) else value for key, value in given.items()}
        put(uid, given, lambda: devices.change(uid, **taken_out))
        return show(uid)

    def remove(uid: str) -> object:
        put(uid, {}, lambda: devices.remove(uid))
        return {"uid": uid}

    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    verify = Argument("verify", Kind.FLAG, "whether it must answer first, as to device.probe", False, False)
    return (
        Action(
            "device.add",
            "A new device: written into the configuration, and read from now on; where it is to be verified, only if "
            "it answers and keeps the rules of its profile.",
            Permission.CONFIG,
            (uid, *_keys(is_new=True), verify),
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
        Argument("address", Kind.VALUE, "its Modbus ID; of an M-Bus meter its primary or secondary address", is_new),
        Argument("alias", Kind.TEXT, "the name people see", False),
        Argument("serial", Kind.TEXT, "its serial number; filled when first seen", False),
        Argument("secondary", Kind.INTEGER, "n, for the n-th secondary of the principal at the address", False),
        Argument("interval", Kind.TEXT, 'how often fast values are wanted, such as "3 s"', False),
        Argument("allow_write", Kind.FLAG, "whether it may be written to", False),
        Argument("model", Kind.TEXT, "the model on its label, where its profile is that of several", False),
        Argument("allow_commands", Kind.FLAG, "whether the genset may be commanded by name", False),
        Argument("allow_unverified", Kind.FLAG, "by commands, too, that nobody has verified for its model", False),
        Argument("allow_raw", Kind.FLAG, "whether Modbus requests that others make may write to it", False),
    )


def _is_none(key: str, value: object) -> bool:
    return value == "" or (key == "secondary" and value == 0)


def _put(uid: str, act: Callable[[], None], taken: Callable[[], str]) -> None:
    """Acts; the faults of a device's own section become faults of the arguments, `taken()` the words for an address
    that another has."""
    try:
        act()
    except ConfigError as error:
        place = f"device.{uid}"
        if any(fault.section not in (place, "device") for fault in error.faults):
            raise
        whose = taken() if any(fault.key == "address" for fault in error.faults) else ""
        said = [whose if whose and fault.key == "address" else _of_section(fault, place) for fault in error.faults]
        raise WrongArguments("; ".join(said)) from error


def _of_section(fault: Fault, place: str) -> str:
    return str(fault).removeprefix(f"{fault.file}: ").removeprefix(f"[{place}] ")
