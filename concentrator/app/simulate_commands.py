"""What a simulated bus does when it is told to: one line of text a command, one line of JSON its answer. Hides the
syntax from the loop that keeps byte times; takes commands from a file descriptor without ever waiting for it.

    silence 3,7-9                     exactly these addresses do not answer; without addresses, all do
    noise P, crc P, capture P         a share of replies (of collisions) from 0 to 1, see `Faults`
    late P:MS                         a share of replies that comes later
    press SERIAL                      the button of a meter is pressed and released
    power SERIAL off, power SERIAL on
    move SERIAL ID                    a meter has another Modbus ID, and nobody on this bus gave it
    replace SERIAL NEW                a meter of its kind is mounted in its place, with the same ID
    reset SERIAL                      its counters begin again at zero
    show SERIAL                       nothing; of a device of a profile, what it says now
    mains SERIAL off, mains SERIAL on the mains of a genset go away, come back
    alarm SERIAL LEVEL [NAME]         a genset has an alarm (warning, trip or shutdown) that is called so; none: no more
    order SERIAL COMMAND              somebody works a genset at its controller
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from concentrator.app.simulate_options import late, share, units
from concentrator.sim.bus import Bus

if TYPE_CHECKING:
    from concentrator.sim.meter import CcmMeter
    from concentrator.sim.profile_device import ProfileDevice

_LONGEST = 4096
_DIGITS = 10
_OF_A_METER = ("press", "power", "move", "replace", "reset", "show", "mains", "alarm", "order")
_EXPECTED = "expected silence [IDS], noise P, crc P, capture P, late P:MS, press SERIAL, power SERIAL on|off, "
_EXPECTED += "move SERIAL ID, replace SERIAL NEW (ten digits), reset SERIAL, show SERIAL, mains SERIAL on|off, "
_EXPECTED += "alarm SERIAL none|warning|trip|shutdown [NAME] or order SERIAL COMMAND"


class Commands:
    """Carries out commands on a bus (None: there is none, by TCP), its meters and its devices of other profiles, which
    are only shown; on slaves that are none of these, only those of the bus."""

    def __init__(self, bus: Bus | None, meters: Sequence[CcmMeter] = (), devices: Sequence[ProfileDevice] = ()) -> None:
        self._bus = bus
        self._meters = meters
        self._devices = devices

    def obey(self, line: str, at: float) -> dict[str, Any]:
        """Carries out one command at `at` (UTC seconds); gives `done` and, where there was one, how the meter is now,
        or else `error`."""
        words = line.split()
        try:
            if len(words) > 1 and words[0] in _OF_A_METER:
                return {"done": line, "meter": self._obeyed_by_meter(words, at)}
            faults = _faults(words)
            if self._bus is None:
                raise ValueError("there is no bus that could have faults")
            self._bus.faults = evolve(self._bus.faults, **faults)
        except ValueError as error:
            return {"error": f"{line}: {error}"}
        return {"done": line}

    def _obeyed_by_meter(self, words: Sequence[str], at: float) -> dict[str, Any]:
        device = next((device for device in self._devices if device.serial == words[1]), None)
        if device is not None:
            if words[0] != "show":
                _obeyed_by_genset(device, words, at)
            return {"serial": device.serial, "profile": device.profile.key, "values": dict(device.values(at))}
        principal = next((meter for meter in self._meters if meter.serial == words[1]), None)
        if principal is None:
            return self._obeyed_by_secondary(words, at)
        match words:
            case ["show", _]:
                pass
            case ["press", _]:
                principal.press(at)
            case ["power", _, "on" | "off" as state]:
                principal.power(state == "on", at)
            case ["move", _, unit]:
                principal.move(int(unit))
            case ["replace", _, serial] if len(serial) == _DIGITS and serial.isdecimal():
                principal.replace(serial, at)
            case ["reset", _]:
                principal.reset(at)
            case _:
                raise ValueError(_EXPECTED)
        return _told(principal, at)

    def _obeyed_by_secondary(self, words: Sequence[str], at: float) -> dict[str, Any]:
        every = (one for meter in self._meters for one in meter.behind.secondaries)
        secondary = next((one for one in every if one.serial == words[1]), None)
        match words:
            case _ if secondary is None:
                raise ValueError(f"found {words[1]}, expected the serial number of a meter")
            case ["show", _]:
                pass
            case ["power", _, "on" | "off" as state]:
                secondary.power(state == "on", at)
            case _:
                raise ValueError("a secondary is only shown or has its power switched")
        return {"serial": secondary.serial, **secondary.told(at)}


def _obeyed_by_genset(device: ProfileDevice, words: Sequence[str], at: float) -> None:
    from concentrator.model.genset import Alarm

    if device.control is None:
        raise ValueError("a device of a profile is only shown, unless it controls a genset")
    genset = device.control.genset
    match words:
        case ["mains", _, "on" | "off" as state]:
            genset.set_mains(state == "on", at)
        case ["alarm", _, ("none" | "warning" | "trip" | "shutdown") as level, *name]:
            genset.raise_alarm(Alarm(level), at, " ".join(name))
        case ["order", _, name] if any(name == each.name for each in device.profile.commands):
            genset.order(name, at)
        case _:
            raise ValueError(_EXPECTED)
    device.look_again()


def _faults(words: Sequence[str]) -> dict[str, Any]:
    """The faults that a command changes."""
    match words:
        case ["silence"]:
            return {"silent": frozenset()}
        case ["silence", text]:
            return {"silent": units(text)}
        case ["noise" | "crc" | "capture" as name, text]:
            return {name: share(text)}
        case ["late", text]:
            late_share, late_s = late(text)
            return {"late": late_share, "late_s": late_s}
    raise ValueError(_EXPECTED)


class CommandInput:
    """Lines that come in on a file descriptor, while there is one and somebody at its other end."""

    def __init__(self, descriptor: int | None) -> None:
        self._begun = b""
        self.watched: tuple[int, ...] = () if descriptor is None else (descriptor,)
        """What to `select` for reading: nothing after the end."""

    def lines(self, readable: Sequence[int]) -> list[str]:
        """The commands that are complete now, given what `select` found readable."""
        if not self.watched or self.watched[0] not in readable:
            return []
        try:
            read = os.read(self.watched[0], _LONGEST)
        except OSError:  # a terminal that belongs to others
            read = b""
        if not read:
            self.watched = ()
        *whole, begun = (self._begun + read).split(b"\n")
        self._begun = begun[-_LONGEST:]
        return [line.decode(errors="replace").strip() for line in whole]


def _told(meter: CcmMeter, at: float) -> dict[str, Any]:
    """How a meter is, for the answer to a command."""
    return {
        "serial": meter.serial,
        "stored_id": meter.unit,
        "power": meter.is_powered,
        "listens": meter.listens(at),
        "stage": meter.link.stage(at).name.lower(),
        "seconds_left": meter.link.seconds_left(at),
        "nonce": meter.link.nonce,
        "led": str(meter.led(at)),
        "direction_mode": meter.measuring.mode,
    }
