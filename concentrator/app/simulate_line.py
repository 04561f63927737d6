"""What hangs on a simulated line, and how it is announced: to programs as one line of JSON, to people in words they can
paste into a configuration. Loads nothing of what is simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from concentrator.model.errors import ConcentratorError
from concentrator.sim.slave import Slave, framed

if TYPE_CHECKING:
    from concentrator.sim.meter import CcmMeter
    from concentrator.sim.profile_device import ProfileDevice

_USUAL_BAUDRATE = 9600


class WrongDevices(ConcentratorError):
    """These devices cannot hang on one line."""


@frozen
class Simulated:
    """A line's slaves: devices of profiles; CcMs, which have a life of their own, of which the first `linked` have
    their IDs; and slaves without meaning. `baudrate`: with which they leave the factory."""

    devices: Sequence[ProfileDevice] = ()
    meters: Sequence[CcmMeter] = ()
    patterns: Sequence[Slave] = ()
    linked: int = 0
    baudrate: int = _USUAL_BAUDRATE

    @property
    def slaves(self) -> Sequence[Slave]:
        """All of them."""
        return (*self.devices, *self.meters, *self.patterns)

    @property
    def placed(self) -> Sequence[Slave]:
        """Those whose ID is their own, in the order of their IDs."""
        return sorted((*self.devices, *self.meters[: self.linked], *self.patterns), key=lambda one: one.unit)

    def answer(self, unit: int, pdu: bytes, at: float) -> bytes | None:
        """What the slave with an ID answers over TCP; one that is alone also answers to 0 and 255, which say "the
        device itself" (Modbus Messaging on TCP/IP Implementation Guide V1.0b, 4.4.1.2)."""
        if unit in (0, 255):
            if len(self.slaves) != 1:
                return None
            unit = self.slaves[0].unit
        said = (slave.reply(framed(unit, pdu), at) for slave in self.slaves)
        return next((reply[1:-2] for reply in said if reply is not None), None)


def tell(as_json: bool, line: Simulated, **where: Any) -> None:
    """Announces a line that is ready. `where`: `port` (a path), `terminal` and `baudrate`; or `tcp`, host and port."""
    if as_json:
        say({**where, "units": [one.unit for one in line.placed], **_who(line)})
        return
    for line_of_text in _words(line, **where):
        print(line_of_text, flush=True)


def say(said: Mapping[str, object]) -> None:
    """Says something to programs."""
    print(json.dumps(said, ensure_ascii=False), flush=True)


def _who(line: Simulated) -> Mapping[str, Any]:
    placed = line.meters[: line.linked]
    known: Sequence[CcmMeter | ProfileDevice] = [*placed, *line.devices]
    secondaries = {meter.unit: meter.behind.secondaries for meter in placed if meter.behind.secondaries}
    return {
        "serials": {one.unit: one.serial for one in known},
        "profiles": {one.unit: one.profile.key for one in known},
        "unlinked": [meter.serial for meter in line.meters[line.linked :]],
        "secondaries": {unit: [one.serial for one in those] for unit, those in secondaries.items()},
    }


def _words(
    line: Simulated, port: str = "", baudrate: int = 0, tcp: tuple[str, int] | None = None, **_: Any
) -> list[str]:
    endpoint = f"serial:{port}:baudrate={baudrate}" if tcp is None else f"tcp:{tcp[0]}:{tcp[1]}"
    who = _who(line)
    told = ["# Ready; Ctrl-C ends it. To read all of it, put this into a configuration:", ""]
    role = "external" if line.devices or not line.meters else "native"
    told += ["[line.sim]", f'endpoint = "{endpoint}"', f'role = "{role}"']
    told += [] if tcp is None else ['protocol = "modbus-tcp"']
    for unit in sorted(who["serials"]):
        told += ["", f"[device.sim{unit}]", 'line = "sim"', f'profile = "{who["profiles"][unit]}"']
        told += [f"address = {unit}", f"# its serial number is {who['serials'][unit]}"]
    return told
