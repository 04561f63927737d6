"""How meters are given their Modbus ID over Modbus itself: the conversations of link mode, by the name a profile gives
its way (`link_protocol`). Hides frames and registers; says nothing of order, tries or who gets which ID.

The way of the CcM family is our own proposal, for none was published. A meter whose button was pressed leaves its own
ID and answers at a reserved one (`link_id`); registers count from `link_base` (0x0F00):
    +0x00  link state, seconds left, serial (5 registers), kept ID, nonce: read to find it
    -0x100 + 0x10 * k  the same, answered only by a meter whose nonce is k modulo 16
    +0x10  serial (5), new ID, nonce: written in one go, taken only by the meter with that serial and nonce
    +0x17  nonce: written at the new ID within ten seconds, makes it last
    +0x18, +0x19  broadcast: draw a new nonce; leave link mode
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from attrs import evolve

from concentrator.api import Candidate, LinkProtocol
from concentrator.model.errors import Garbled, NoReply
from concentrator.model.profile import Block, DeviceProfile, Function
from concentrator.profile.decode import compile_block
from concentrator.wire.conversation import Conversation, Transaction
from concentrator.wire.modbus import BROADCAST, Request, read, rtu, write_register, write_registers

LOOK_S = 0.15
"""How long a meter in link mode may take to begin its answer."""
BROADCAST_S = 0.1
"""Rest after a broadcast, so that every meter has carried it out (Modbus over Serial Line V1.02, 2.4.1)."""

_LINK_BLOCK = struct.Struct(">HH10sHH")
_SLOTS = 16
_SLOTS_AT, _SLOT_STEP = -0x100, 0x10
_ASSIGN, _COMMIT, _DRAW_AGAIN, _LEAVE = 0x10, 0x17, 0x18, 0x19


class CcmLink:
    """The way of the CcM family. `profile` names the reserved ID (`link_id`), the link block (`link_base`) and the
    point `serial`; raises ValueError where it lacks one of them."""

    slots = _SLOTS

    def __init__(self, profile: DeviceProfile) -> None:
        link_id, base = profile.settings.get("link_id"), profile.settings.get("link_base")
        serial = profile.point("serial")
        if not isinstance(link_id, int) or not isinstance(base, int) or serial is None:
            raise ValueError(f"{profile.key}: link mode needs link_id, link_base and a variable serial")
        self.link_id = link_id
        self._base = base
        self._answer_s = profile.traits.answer_s
        self._quiet_s = profile.traits.pause_s
        self._serial = Block(serial.function, serial.address, serial.count, (serial,))
        self._decode = compile_block(self._serial)

    def look(self, slot: int | None = None) -> Conversation[Candidate | None]:
        """Whoever is in link mode, in one slot only where given; None when nobody answers in time. Raises a WireError
        for anything but one whole answer."""
        address = self._base if slot is None else self._base + _SLOTS_AT + _SLOT_STEP * slot
        request = read(Function.HOLDING, address, _LINK_BLOCK.size // 2)
        # A late answer is as good as one in time: nothing has to wait until it cannot come any more.
        asked = evolve(self._transaction(self.link_id, request, LOOK_S), shape=None)
        try:
            data = yield asked
        except NoReply:
            return None
        _, _, serial, kept_id, nonce = _LINK_BLOCK.unpack(data)
        if not serial.isdigit():
            raise Garbled(f"serial {serial.hex(' ')}, expected ten digits", data)
        return Candidate(serial.decode("ascii"), kept_id, nonce)

    def assign(self, candidate: Candidate, unit: int) -> Conversation[None]:
        """Gives the meter an ID, written once; any other meter stays silent. Raises NoReply, WireError."""
        serial = struct.unpack(">5H", candidate.serial.encode("ascii"))
        request = write_registers(self._base + _ASSIGN, [*serial, unit, candidate.nonce])
        yield self._transaction(self.link_id, request, self._answer_s)

    def who(self, unit: int) -> Conversation[str | None]:
        """The serial of whoever answers at an ID; None when nobody does. Raises a WireError when the answer is none
        of a meter, or of several at once."""
        block = self._serial
        try:
            data = yield self._transaction(unit, read(block.function, block.address, block.count), self._answer_s)
        except NoReply:
            return None
        serial = self._decode(data).get("serial")
        if not serial:
            raise Garbled(f"ID {unit} answers without a serial", data)
        return str(serial)

    def commit(self, candidate: Candidate, unit: int) -> Conversation[None]:
        """Makes the new ID last, written once. Raises NoReply, WireError."""
        yield self._transaction(unit, write_register(self._base + _COMMIT, candidate.nonce), self._answer_s)

    def draw_again(self) -> Conversation[None]:
        """Every meter in link mode draws a new nonce; nobody answers."""
        yield from self._broadcast(_DRAW_AGAIN)

    def leave(self) -> Conversation[None]:
        """Every meter leaves link mode with the ID it had; nobody answers."""
        yield from self._broadcast(_LEAVE)

    def _transaction(self, unit: int, request: Request, wait_s: float) -> Transaction:
        return evolve(rtu(unit, request, wait_s, self._quiet_s), is_patient=True)

    def _broadcast(self, offset: int) -> Conversation[None]:
        yield rtu(BROADCAST, write_register(self._base + offset, 1), 0.0, BROADCAST_S)


link_protocols: Mapping[str, Callable[[DeviceProfile], LinkProtocol]] = {"ccm": CcmLink}
"""The ways there are, by the name a profile gives (`link_protocol`)."""


def link_protocol_of(profile: DeviceProfile) -> LinkProtocol | None:
    """How the devices of a profile are given their ID: as its `link_protocol` says, as CcM meters where it names only
    a link block; None where they cannot be given one. Raises ValueError for a way that is not there."""
    default = "ccm" if {"link_id", "link_base"} <= profile.settings.keys() else ""
    name = str(profile.settings.get("link_protocol", default))
    if not name:
        return None
    if name not in link_protocols:
        raise ValueError(f"{profile.key}: link_protocol {name} is none of {', '.join(link_protocols)}")
    return link_protocols[name](profile)
