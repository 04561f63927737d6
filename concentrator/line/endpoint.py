"""Serial ports as Twisted endpoints: `serial:/dev/ttyUSB0:baudrate=9600:parity=N`. Hides what pyserial and Twisted's
SerialPort need to behave on a ten-year cabinet job: an exclusive lock, the driver's best manners (no waiting for more
bytes, the transceiver switched in time), every way opening can fail as one error, and a lost port that is always let
go."""

from __future__ import annotations

import termios
from contextlib import suppress
from typing import Any

from attrs import frozen
from serial import Serial, SerialException
from serial.rs485 import RS485Settings
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
)
from twisted.internet.serialport import SerialPort
from twisted.plugin import IPlugin
from zope.interface import implementer

from concentrator.line.serial_address import PREFIX, SerialAddress, parse_serial
from concentrator.model.errors import LineLost
from concentrator.model.trouble import OTHER, Trouble


class _Port(SerialPort):  # type: ignore[misc]  # Twisted does not say what it inherits from
    def __init__(self, protocol: IProtocol, address: SerialAddress, reactor: Any) -> None:
        self._address = address
        super().__init__(
            protocol,
            address.path,
            reactor,
            baudrate=address.baudrate,
            bytesize=address.bytesize,
            parity=address.parity,
            stopbits=address.stopbits,
        )

    def set_speed(self, baudrate: int) -> None:
        """Bits per second, from now on."""
        self._serial.baudrate = baudrate

    def _serialFactory(self, *args: Any, **kwargs: Any) -> Serial:  # noqa: N802 - Twisted's name
        port = Serial(*args, exclusive=True, **kwargs)
        try:
            _set_up(port, self._address)
        except SerialException:
            port.close()
            raise
        return port


def _set_up(port: Serial, address: SerialAddress) -> None:
    """What the driver has to know beyond speed and framing. One that cannot hand bytes over without waiting for more
    goes on as it does; one that cannot switch the transceiver, where it is asked to, is of no use."""
    with suppress(ValueError, OSError):  # ENOTTY: it has no such flag
        port.set_low_latency_mode(True)
    if address.rs485 == "driver":
        return
    sends_high = address.rs485 == "on"
    try:
        port.rs485_mode = RS485Settings(rts_level_for_tx=sends_high, rts_level_for_rx=not sends_high)
    except (ValueError, OSError):
        raise SerialException("its driver has no RS-485 mode, so rs485 must be left out") from None


@implementer(IStreamClientEndpoint)
@frozen
class SerialEndpoint:
    """Opens a serial port for a protocol. Connecting fails with LineLost, which names the port."""

    reactor: Any
    address: SerialAddress

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        """Opens the port at once; fires with the protocol."""
        protocol = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]  # a wire has no address
        assert protocol is not None
        try:
            _Port(protocol, self.address, self.reactor)
        except (SerialException, OSError, termios.error, ValueError) as error:
            return fail(LineLost(_reason(self.address.path, error)))
        return succeed(protocol)


_REASONS = {
    2: ("the port is not there", "unplugged"),
    11: ("another program holds the port", "held"),
    13: ("no permission to use the port", "forbidden"),
}


def _reason(path: str, error: Exception) -> Trouble:
    number = error.errno if isinstance(error, SerialException) else None
    said, kind = _REASONS.get(number or 0, (str(error), OTHER))
    return Trouble(f"{path}: {said}", kind, port=path)


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class SerialParser:
    """Lets Twisted's `clientFromString` know `serial:`."""

    prefix = PREFIX

    def parseStreamClient(self, reactor: Any, *args: Any, **named: Any) -> SerialEndpoint:  # type: ignore[override]  # noqa: N802, D102
        parts = [PREFIX, *(part.replace(":", "\\:") for part in args), *(f"{k}={v}" for k, v in named.items())]
        address = parse_serial(":".join(parts))
        assert address is not None
        return SerialEndpoint(reactor, address)


def endpoint_from(reactor: Any, description: str) -> IStreamClientEndpoint:
    """The endpoint of a description; ValueError with a sentence on a wrong one. Serial ports are known without
    looking through Twisted's plugins, which takes its time at every start."""
    address = parse_serial(description)
    if address is not None:
        return SerialEndpoint(reactor, address)
    from twisted.internet.endpoints import clientFromString

    return clientFromString(reactor, description)
