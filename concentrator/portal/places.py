"""A device's place: the Modbus ID on a line, or the address on an M-Bus. What is wrong with one that was typed, and
which are free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from concentrator.api import DeviceState
from concentrator.portal.words import Say
from concentrator.web.forms import Form
from concentrator.wire.mbus_frame import HIGHEST_PRIMARY

LEAST, MOST = 0, 255
"""The Modbus IDs that a device may have: 0 and those beyond 247 over TCP only, which the configuration decides."""
FIRST_GIVEN, LAST_GIVEN = 1, 247
_TOLD = 3


def id_of(typed: str, form: Form, field: str, say: Say) -> int | None:
    """The Modbus ID that was typed; None, and told beside the field, where it is none."""
    if typed.isascii() and typed.isdigit() and LEAST <= int(typed) <= MOST:
        return int(typed)
    form.fault(field, f"{say('conf.address')}: {say('conf.id_range', found=typed)}")
    return None


def free_ids(devices: Iterable[DeviceState], line: str) -> list[int]:
    """The Modbus IDs that no device of a line has, in order."""
    taken = {state.address for state in devices if state.line == line}
    return [unit for unit in range(FIRST_GIVEN, LAST_GIVEN + 1) if unit not in taken]


def is_primary(text: str) -> bool:
    """Whether a text is a primary M-Bus address; one of eight digits is a secondary one."""
    return text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= HIGHEST_PRIMARY


def place_fault(
    field: str,
    devices: Sequence[DeviceState],
    line: str,
    unit: int | None,
    say: Say,
    besides: DeviceState | None = None,
) -> dict[str, str]:
    """The fault of a field with a Modbus ID that another device of the line has; nothing where it is free. Those
    behind one principal share its ID."""
    for other in devices:
        is_itself = besides is not None and other.uid == besides.uid
        has_own = besides is not None and besides.secondary != other.secondary
        if other.line == line and other.address == unit and not is_itself and not has_own:
            free = [each for each in free_ids(devices, line) if unit is None or each > unit] or free_ids(devices, line)
            told = ", ".join(map(str, free[:_TOLD]))
            said = say("conf.taken", id=unit, name=other.alias or other.uid, free=told)
            return {field: f"{say('conf.address')}: {said}"}
    return {}
