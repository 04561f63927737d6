"""What a serial port's driver can be asked and told beyond bytes: what it counted, what it holds, and to drop damaged
characters. Hides the ioctls of Linux (tty_ioctl(4)); a port that has them not, such as a pseudo-terminal, says so."""

from __future__ import annotations

import fcntl
import struct
import termios
from contextlib import suppress

from attrs import frozen

_TIOCGICOUNT = 0x545D
_COUNTS = struct.Struct("11i9i")  # struct serial_icounter_struct of linux/serial.h
_WHOLE = struct.Struct("i")
_IFLAG = 0


@frozen
class DriverCounts:
    """What a driver has counted since it has had the port: bytes `received` and `sent`, characters with `framing` or
    `parity` errors, those lost as the UART (`overrun`) or the driver (`no_buffer`) had no room, and `breaks`."""

    received: int
    sent: int
    framing: int
    overrun: int
    parity: int
    breaks: int
    no_buffer: int


def driver_counts(port: int) -> DriverCounts | None:
    """The counts of the driver behind a descriptor; None where it does not count."""
    try:
        found = fcntl.ioctl(port, _TIOCGICOUNT, bytes(_COUNTS.size))
    except OSError:
        return None
    _, _, _, _, received, sent, framing, overrun, parity, breaks, no_buffer, *_ = _COUNTS.unpack(found)
    return DriverCounts(received, sent, framing, overrun, parity, breaks, no_buffer)


def queued(port: int) -> tuple[int, int]:
    """How many bytes the kernel holds that have come and are not read, and that are still to be sent."""
    waiting = [0, 0]
    for at, request in enumerate((termios.TIOCINQ, termios.TIOCOUTQ)):
        with suppress(OSError):
            (waiting[at],) = _WHOLE.unpack(fcntl.ioctl(port, request, bytes(_WHOLE.size)))
    return waiting[0], waiting[1]


def drop_damaged(port: int, is_wanted: bool) -> None:
    """Whether characters with a framing or parity error are dropped, or handed over as they came."""
    settings = termios.tcgetattr(port)
    flags = termios.INPCK | termios.IGNPAR
    wanted = settings[_IFLAG] | flags if is_wanted else settings[_IFLAG] & ~flags
    if wanted != settings[_IFLAG]:
        settings[_IFLAG] = wanted
        termios.tcsetattr(port, termios.TCSANOW, settings)


def forget_unsent(port: int) -> None:
    """Sends no more of what was written and is not on the wire yet."""
    with suppress(termios.error):
        termios.tcflush(port, termios.TCOFLUSH)
