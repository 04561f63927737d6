"""Serial ports as people write them: `serial:/dev/ttyUSB0:baudrate=9600:parity=N`. Only words and numbers; opening the
port is `line.endpoint`'s."""

from __future__ import annotations

import re

from attrs import frozen

from concentrator.wire.conversation import LineSettings

PREFIX = "serial"
_PARITIES = ("N", "E", "O")
_DIRECTIONS = ("driver", "on", "inverted")
_OPTIONS = ("baudrate", "bytesize", "parity", "stopbits", "rs485")


@frozen
class SerialAddress:
    """A serial port and how it talks: bits per second, data bits, parity N, E or O, and stop bits.

    `rs485`: who switches an RS-485 transceiver between sending and receiving: the adapter or the driver as it is set
    up already ("driver"), or the kernel by the RTS line, high while sending ("on") or low ("inverted").
    """

    path: str
    baudrate: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1
    rs485: str = "driver"

    @property
    def settings(self) -> LineSettings:
        """How characters travel on it."""
        bits = 1 + self.bytesize + (self.parity != "N") + self.stopbits
        return LineSettings(self.baudrate, bits)

    @property
    def framing(self) -> str:
        """The usual short form, "9600 8N1"."""
        return f"{self.baudrate} {self.bytesize}{self.parity}{self.stopbits}"


USUAL_PORT = SerialAddress("")
M_BUS_PORT = SerialAddress("", 2400, parity="E")
"""How a port talks where its description does not say; on an M-Bus (EN 13757-2, 5.3, and the usual speed)."""


def parse_serial(description: str, usual: SerialAddress = USUAL_PORT) -> SerialAddress | None:
    """The serial address an endpoint description names, as `usual` in all it does not say, or None where it is of
    another kind. ValueError with a sentence on one that is wrong; a colon in the path is written `\\:`."""
    kind, *rest = description.replace("\\:", "\0").split(":")
    if kind != PREFIX:
        return None
    path, *options = (part.replace("\0", ":") for part in rest or [""])
    if not path:
        raise ValueError("it names no port, as in serial:/dev/ttyUSB0")
    named = dict(option.partition("=")[::2] for option in options)
    unknown = set(named) - set(_OPTIONS)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]} is none of {', '.join(_OPTIONS)}")
    return SerialAddress(
        path,
        baudrate=_number(named, "baudrate", usual.baudrate, 50, 4_000_000),
        bytesize=_number(named, "bytesize", 8, 7, 8),
        parity=_word(named, "parity", _PARITIES, usual.parity),
        stopbits=_number(named, "stopbits", 1, 1, 2),
        rs485=_word(named, "rs485", _DIRECTIONS, usual.rs485),
    )


def with_baudrate(description: str, baudrate: int | str) -> str:
    """The same endpoint description at another speed, bits per second."""
    kept = [part for part in re.split(r"(?<!\\):", description) if not part.startswith("baudrate=")]
    return ":".join((*kept, f"baudrate={baudrate}"))


def _word(named: dict[str, str], key: str, choices: tuple[str, ...], usual: str) -> str:
    word = named.get(key, usual)
    if word not in choices:
        raise ValueError(f"{key}={word} is none of {', '.join(choices)}")
    return word


def _number(named: dict[str, str], key: str, default: int, least: int, most: int) -> int:
    text = named.get(key, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{key}={text} is not in {least} … {most}")
    return int(text)
