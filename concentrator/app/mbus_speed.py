"""Another speed for an M-Bus and all its meters. Hides the order in which nobody is left behind: a meter is told, which
it acknowledges at the former speed, and has to say who it is at the new one before the next is told. Where one does
not, those that were told are told the former speed again, and the line has it again.

A meter is read at once, for many go back by themselves where nobody speaks to them at the new speed: ABB's A43 after
30 seconds (its user manual, 10.5.3), others after two minutes.

Own reading is suspended meanwhile. Each conversation is urgent and asked for before the one before has given the wire
back, so that no client of the gateway gets in between either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from concentrator.actions.tasks import Tell
from concentrator.app.wires import Wire
from concentrator.line.serial_address import SerialAddress, with_baudrate
from concentrator.model.device import Device
from concentrator.model.errors import (
    ConcentratorError,
    Denied,
    NoReply,
    NotConfirmed,
    OutOfRange,
    WireError,
    WrongArguments,
)
from concentrator.wire.conversation import Conversation
from concentrator.wire.mbus_address import parse_address
from concentrator.wire.mbus_frame import answer_s, silence_s
from concentrator.wire.mbus_talk import BAUD_RATES, Place, change_speed, read

CHANGING = "its meters are given another speed"


def speed_beside(
    wire: Wire, devices: Sequence[Device], baudrate: int, keep: Callable[[str], object], tell: Tell
) -> Deferred[object]:
    """Has a line and all its devices talk at another speed, and `keep` its endpoint. Raises WrongArguments where the
    line is no serial port, OutOfRange where it is no speed of meters or that of now, and Denied where a device is not
    to be written to or there is none; fails with Busy, LineLost, and NotConfirmed where not all came along."""
    name, port = wire.line.name, wire.section.serial_address
    if port is None:
        raise WrongArguments(f"line {name} is no serial port")
    if baudrate not in BAUD_RATES:
        raise OutOfRange(f"found {baudrate} bits per second, expected one of {', '.join(map(str, BAUD_RATES))}")
    if baudrate == port.baudrate:
        raise OutOfRange(f"line {name} talks at {baudrate} bits per second already")
    if not devices:
        raise Denied(f"no meter is configured on line {name}")
    if kept := [each.uid for each in devices if not each.allow_write]:
        raise Denied(f"allow_write of {', '.join(kept)} is false")
    change = _SpeedChange(wire, devices, port, evolve(port, baudrate=baudrate), keep, tell)
    return Deferred.fromCoroutine(change.over())


@define(eq=False)
class _SpeedChange:
    _wire: Wire
    _devices: Sequence[Device]
    _before: SerialAddress
    _after: SerialAddress
    _keep: Callable[[str], object]
    _tell: Tell
    _told: list[Device] = field(factory=list, init=False)

    async def over(self) -> object:
        """Changes it; suspends reading until then."""
        await self._wire.poller.suspend(CHANGING)
        try:
            await self._changed()
        finally:
            self._wire.poller.go_on()
        names = [each.uid for each in self._devices]
        return {"line": self._wire.line.name, "baudrate": self._after.baudrate, "meters": names}

    async def _changed(self) -> None:
        is_done = False
        try:
            for number, each in enumerate(self._devices):
                self._tell(number / len(self._devices), f"{each.uid} is told")
                self._told.append(each)
                await self._move(each, self._before, self._after)
            self._tune(self._after)
            self._keep(with_baudrate(self._wire.section.endpoint, self._after.baudrate))
            is_done = True
        finally:
            if not is_done:  # also when it was cancelled
                await self._undo()

    async def _undo(self) -> None:
        """Who was told comes back, as far as it hears that; one that does not know the new speed never left."""
        try:
            for each in self._told:
                with suppress(ConcentratorError):
                    await self._move(each, self._after, self._before)
        finally:
            self._tune(self._before)

    async def _move(self, device: Device, before: SerialAddress, after: SerialAddress) -> None:
        """Has a meter talk at another speed, and reads it at that."""
        place = _place(device)
        self._tune(before)
        try:
            await self._run(device, change_speed(place, after.baudrate, answer_s(before.settings)))
        except (NoReply, WireError) as error:
            raise NotConfirmed(f"{device.uid} does not acknowledge another speed: {error.detail}") from error
        self._tune(after)
        try:
            await self._run(device, read(place, answer_s(after.settings), most=1))
        except (NoReply, WireError) as error:
            raise NotConfirmed(f"{device.uid} does not answer at {after.baudrate} bits per second") from error

    def _tune(self, port: SerialAddress) -> None:
        self._wire.line.set_speed(port.settings, silence_s(port.settings))

    def _run(self, device: Device, conversation: Conversation[Any]) -> Deferred[Any]:
        return self._wire.line.run(device.station, conversation, urgent=True)


def _place(device: Device) -> Place:
    return Place(selected=parse_address(device.selected)) if device.selected else Place(device.address)
