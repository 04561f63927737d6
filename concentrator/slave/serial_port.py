"""The box as a slave on a serial line. Hides silences, echoes, and that its own answers must never meet somebody else's
words on the wire.

Theory. Bytes are gathered until the line has been silent for 3.5 characters; then it is looked whether they end with a
request to one of the units (`wire.modbus_server`). Where they do not, the rest may still come, from an adapter that
hands over late what it has: they are kept a little longer, and what comes then is judged by itself and after them. An
answer goes out only when nothing was heard since its request: who speaks then has given up waiting, and the wire is
somebody else's. A broadcast is not carried out: it would be meant for others as well.

Source: Modbus over Serial Line V1.02, 2.4 and 2.5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint

from concentrator.line.reopen import Reopening
from concentrator.line.wire_end import WireEnd
from concentrator.slave.own_echo import OwnEcho
from concentrator.slave.unit import Unit
from concentrator.wire.modbus import BROADCAST, rtu_frame
from concentrator.wire.modbus_server import LONGEST_FRAME, has_traffic_of_others, request_at_end

PATIENCE_S = 0.03
"""How long after a silence the rest of a request may still come: USB adapters gather bytes for up to 16 ms."""
_MOST = 4 * LONGEST_FRAME  # bytes that are kept without a silence between them


@define(eq=False)
class SerialPort:
    """The units on one serial line; `silence_s`: of 3.5 characters, 0 where characters take no time. Its figures:
    requests to `others` that were overheard, `damaged` stretches that nobody could have understood, `broadcasts`, and
    answers that came too `late` to be given."""

    label: str
    units: dict[int, Unit]
    clock: IReactorTime
    _endpoint: IStreamClientEndpoint
    _silence_s: float
    trouble: str = field(default="", init=False)
    others: int = field(default=0, init=False)
    damaged: int = field(default=0, init=False)
    broadcasts: int = field(default=0, init=False)
    late: int = field(default=0, init=False)
    _reopening: Reopening | None = field(default=None, init=False)
    _wire: WireEnd | None = field(default=None, init=False)
    _heard: bytearray = field(factory=bytearray, init=False)
    _starts: list[int] = field(factory=lambda: [0], init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _turn: int = field(default=0, init=False)
    _echo: OwnEcho = field(factory=OwnEcho, init=False)

    @property
    def is_open(self) -> bool:
        """Whether the port is there."""
        return self._wire is not None

    @property
    def peers(self) -> Sequence[str]:
        """Nobody says on a serial line who asks."""
        return ()

    @property
    def figures(self) -> Mapping[str, int]:
        """What it has counted."""
        return {"others": self.others, "damaged": self.damaged, "broadcasts": self.broadcasts, "late": self.late}

    def start(self) -> None:
        """Opens the port, again whenever it was lost."""
        self._reopening = Reopening(
            self._endpoint, lambda: WireEnd(self._opened, self._received, self._closed), self._failed, self.clock
        )

    def stop(self) -> Deferred[Any]:
        """Closes the port; fires when it is closed."""
        self._forget()
        reopening, self._reopening = self._reopening, None
        return succeed(None) if reopening is None else reopening.stop()

    # -- the port

    def _opened(self, wire: WireEnd) -> None:
        self._wire, self.trouble, self._echo = wire, "", OwnEcho()

    def _closed(self, reason: str) -> None:
        self._wire, self.trouble = None, f"{self.label}: the port was lost: {reason.rstrip('.')}"
        self._turn += 1
        self._forget()

    def _failed(self, reason: str) -> None:
        self.trouble = reason

    # -- what is heard

    def _received(self, data: bytes) -> None:
        self._turn += 1
        data = self._echo.without(data)
        if not data:
            return
        self._heard += data
        if len(self._heard) > _MOST:
            del self._heard[:-LONGEST_FRAME]
            self._starts = [0]
        self._wait(self._silence_s, self._silent)

    def _silent(self) -> None:
        """Nothing has come for 3.5 characters."""
        self._timer = None
        for start in reversed(self._starts):
            request = request_at_end(bytes(self._heard[start:]), self.units)
            if request is not None:
                self._drop()
                self._asked(request)
                return
        self._starts.append(len(self._heard))
        self._wait(PATIENCE_S, self._given_up)

    def _given_up(self) -> None:
        self._timer = None
        if has_traffic_of_others(bytes(self._heard), self.units):
            self.others += 1
        else:
            self.damaged += 1
        self._drop()

    def _drop(self) -> None:
        self._heard.clear()
        self._starts = [0]

    def _forget(self) -> None:
        self._drop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float, then: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.clock.callLater(seconds, then)

    # -- what is said

    def _asked(self, request: bytes) -> None:
        unit, pdu = request[0], request[1:]
        if unit == BROADCAST:
            self.broadcasts += 1
            return
        reply = self.units[unit].answer(pdu, self.label)
        if isinstance(reply, bytes):
            self._say(reply, unit, self._turn)
        else:
            reply.addCallback(self._say, unit, self._turn)

    def _say(self, reply: bytes, unit: int, turn: int) -> None:
        if self._wire is None or turn != self._turn or self._wire.queued()[0]:
            self.late += 1
            return
        frame = rtu_frame(unit, reply)
        self._echo.said(frame)
        self._wire.send(frame)
