"""The commands of a profile as Modbus requests. Hides which function writes what, what ends a pulse, and where a
controller tells whether it knows a command and what became of it.

Sources: Modbus Application Protocol V1.1b3, 6.5, 6.6 and 6.12; DSE GenComm, page 16; ComAp's guides, Modbus chapter.
"""

from __future__ import annotations

from concentrator.model.profile import Command, DeviceProfile, Function
from concentrator.wire.modbus import Request, force_coil, read, write_register, write_registers

COIL_OFF = 0x0000
RESULT_REGISTERS = 2


def order(command: Command, profile: DeviceProfile, coil_word: int | None = None) -> Request:
    """The request that gives the command, as one; `coil_word` is written to a coil instead of what the profile says.
    A key and its complement, or an argument and its code, travel together: a controller takes no half of them."""
    if command.function is Function.COIL:
        return force_coil(command.address, command.values[0] if coil_word is None else coil_word)
    if len(command.values) == 1 and not profile.traits.writes_many:
        return write_register(command.address, command.values[0])
    return write_registers(command.address, command.values)


def release(command: Command) -> Request:
    """What ends the pulse of a command, and what goes before it, so that the controller sees an edge."""
    return force_coil(command.address, COIL_OFF)


def other_coil_word(command: Command, profile: DeviceProfile) -> int | None:
    """What to write to the command's coil where the controller did not follow; None where there is nothing else."""
    word = profile.settings.get("coil_on_value_fallback")
    is_on = command.values == (profile.settings.get("coil_on_value", 0xFF00),)
    return word if isinstance(word, int) and is_on and command.function is Function.COIL else None


def support(command: Command) -> Request | None:
    """Reads the register that tells whether the controller knows the command; None where none does."""
    return None if command.support_register is None else read(Function.HOLDING, command.support_register, 1)


def is_supported(command: Command, content: bytes) -> bool:
    """Whether that register says so."""
    return bool(int.from_bytes(content) >> (command.support_bit or 0) & 1)


def result(command: Command) -> Request | None:
    """Reads what became of the command; None where the controller does not tell."""
    if command.result_address is None:
        return None
    return read(Function.HOLDING, command.result_address, RESULT_REGISTERS)


REFUSALS = {1: "the argument is invalid", 2: "the command was refused"}
"""Results that are none, in words (ComAp's guides, Modbus chapter)."""


def argument(command: Command) -> int:
    """What stands where the result will, until the controller has put it there."""
    return int.from_bytes(b"".join(value.to_bytes(2) for value in command.values[:RESULT_REGISTERS]))
