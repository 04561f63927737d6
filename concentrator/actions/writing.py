"""Actions on one variable of a device: written, or read at once. Hides nothing but their names and arguments; who may
be written to and what is believed of the device is decided where they are carried out."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.reading import Value

Write = Callable[[str, str, Value], Deferred[Value]]
"""`write(uid, name, value)`: writes a device's variable; fires with what is there afterwards."""
Read = Callable[[str, str], Deferred[Value]]
"""`read(uid, name)`: reads a device's variable from the device."""
Unit = Callable[[str, str], str]
"""`unit(uid, name)`: the unit of a device's variable, empty where it has none."""


def writing_actions(write: Write, read: Read, unit: Unit) -> tuple[Action, ...]:
    """`device.write` and `device.read`; both give the device, the variable, and its value and unit as the device has it
    now."""
    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    name = Argument("name", Kind.TEXT, "the variable's name, as in the device's list of values", least=1)
    value = Argument("value", Kind.VALUE, "a number in the variable's unit, or the text of one of its choices")

    def told(uid: str, name: str, found: Deferred[Value]) -> Deferred[dict[str, object]]:
        return found.addCallback(lambda value: {"uid": uid, "name": name, "value": value, "unit": unit(uid, name)})

    return (
        Action(
            "device.write",
            "Writes a variable of a device, once, and reads it back; only where allow_write of the device is true.",
            Permission.WRITE,
            (uid, name, value),
            lambda uid, name, value: told(uid, name, write(uid, name, value)),
        ),
        Action(
            "device.read",
            "Reads a variable from the device at once, before all polling.",
            Permission.READ,
            (uid, name),
            lambda uid, name: told(uid, name, read(uid, name)),
        ),
    )
