"""A half-duplex RS-485 bus as a pure model: what is on the wire, from when to when, and when each byte comes out of the
master's receiver. Hides byte times, silences, collisions and injected faults from meters and masters alike.

The theory. The wire carries requests and replies; it is free from the end of the last byte on it. Bytes the master
hands over occupy it back to back, from their arrival or from the moment it is free. Slaves take 3.5 character times of
silence for the end of a request (Modbus over Serial Line V1.02, 2.5.1.1). The reply begins a turnaround after the
request's last stop bit. Whoever speaks while another does spoils both. Every request ends as exactly one `Exchange`,
which is how a master is measured from outside.

All times are seconds of one monotonic clock, given by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf
from operator import attrgetter

from attrs import define, evolve, field, frozen

from concentrator.sim.exchange import Exchange, Status
from concentrator.sim.slave import is_intact
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s

_NATIVE_BUS = LineSettings(9600)
_LONGEST_FRAME = 256
_RECEIVER_TIMEOUT_CHARACTERS = 4  # a 16550 hands over what it holds after four character times without another byte
_INSTANT_PATIENCE_S = 0.02  # without byte times, how long an unfinished request may take before it is judged


@frozen
class Wire:
    """How the bus behaves. `turnaround_s`: shortest and longest pause of a slave between the request's last stop bit
    and its reply; `fifo`: bytes the master's receiver gathers before it hands them over; `is_strict`: requests that
    do not keep 3.5 characters of silence are not seen; `is_instant`: nothing takes any time."""

    settings: LineSettings = _NATIVE_BUS
    turnaround_s: tuple[float, float] = (0.005, 0.010)
    fifo: int = 1
    is_strict: bool = False
    is_instant: bool = False

    @property
    def character_s(self) -> float:
        """Seconds one character takes."""
        return 0.0 if self.is_instant else self.settings.character_s

    @property
    def silence_s(self) -> float:
        """t3.5 in seconds."""
        return 0.0 if self.is_instant else rtu_silence_s(self.settings)


@frozen
class Faults:
    """What goes wrong, drawn from `seed`: addresses that are `silent`; the share of replies with a wrong checksum
    (`crc`), with a stray byte before or a flipped bit in it (`noise`), or begun `late_s` later (`late`)."""

    silent: frozenset[int] = frozenset()
    crc: float = 0.0
    noise: float = 0.0
    late: float = 0.0
    late_s: float = 0.0
    seed: int = 1


@define
class _Reply:
    """A reply on its way: `sent` of its bytes have been handed over; `due_at` is when something happens to it next."""

    began: float
    frame: bytes
    exchange: Exchange
    due_at: float
    is_speaking: bool = False
    sent: int = 0
    upto: int = 0
    lag_s: float = 0.0


_due_at = attrgetter("due_at")

Answer = Callable[[bytes], bytes | None]
"""`answer(frame)`: the reply frame to an intact request; empty after a broadcast, None where nobody listens."""


@define
class _Request:
    """A request on the wire, so far."""

    began: float
    gap_s: float | None
    frame: bytearray = field(factory=bytearray)
    is_spoilt: bool = False


class Bus:
    """The bus. The caller gives it what the master wrote (`take`), asks when it next wants to be called (`wake_at`),
    and then hands the master what has come by (`give`). `heard` is called with every finished exchange."""

    def __init__(self, wire: Wire, faults: Faults, answer: Answer, heard: Callable[[Exchange], None]) -> None:
        self._wire = wire
        self._faults = faults
        self._answer = answer
        self._heard = heard
        self._draw = random.Random(faults.seed)
        self._free_at: float | None = None
        self._request: _Request | None = None
        self._replies: list[_Reply] = []

    def take(self, data: bytes, at: float) -> None:
        """The master wrote bytes at a moment."""
        request = self._request
        if request is None:
            gap_s = None if self._free_at is None else at - self._free_at
            request = self._request = _Request(at, gap_s)
        for reply in self._replies:
            if reply.is_speaking and at < self._end_of(reply):
                self._spoil(reply)
                request.is_spoilt = True
        request.frame += data[: _LONGEST_FRAME + 1 - len(request.frame)]
        self._free_at = max(at, self._free_at or at) + len(data) * self._wire.character_s

    def wake_at(self) -> float | None:
        """When `give` wants to be called next, or None while nothing goes on."""
        moments = [reply.due_at for reply in self._replies]
        if self._request is not None:
            moments.append(self._judged_at(self._request))
        return min(moments, default=None)

    def give(self, at: float) -> bytes:
        """What has come out of the master's receiver by now and was not given before."""
        given = b""
        while True:
            reply = min(self._replies, key=_due_at, default=None)
            due_at = inf if reply is None else reply.due_at
            judged_at = inf if self._request is None else self._judged_at(self._request)
            if at < due_at and at < judged_at:
                return given
            if self._request is not None and judged_at <= due_at:
                self._judge(self._request)
            elif reply is not None and reply.is_speaking:
                given += self._handed_over(reply, at)
            elif reply is not None:
                self._begin(reply)

    def _judged_at(self, request: _Request) -> float:
        """When the slaves take a request for finished."""
        assert self._free_at is not None
        if self._wire.is_instant:
            return request.began if is_intact(bytes(request.frame)) else self._free_at + _INSTANT_PATIENCE_S
        return self._free_at + self._wire.silence_s

    def _judge(self, request: _Request) -> None:
        """A request has ended: finds out who answers, and when."""
        self._request = None
        exchange = self._exchange(request)
        reply, status = self._answered(request, exchange)
        exchange = evolve(exchange, status=status)
        if reply:
            self._replies.append(self._prepared(reply, exchange))
        else:
            self._heard(exchange)

    def _answered(self, request: _Request, exchange: Exchange) -> tuple[bytes | None, Status]:
        frame = bytes(request.frame)
        if request.is_spoilt:
            return None, Status.COLLIDED
        if self._wire.is_strict and exchange.is_early:
            return None, Status.UNSEEN
        if not is_intact(frame) or len(frame) > _LONGEST_FRAME:
            return None, Status.DAMAGED
        reply = None if frame[0] in self._faults.silent else self._answer(frame)
        if reply is None:
            return None, Status.SILENT
        return reply, Status.OK if reply else Status.BROADCAST

    def _exchange(self, request: _Request) -> Exchange:
        assert self._free_at is not None
        head = bytes(request.frame).ljust(6, b"\0")
        single = head[1] in (5, 6)
        return Exchange(
            began=request.began,
            ended=self._free_at,
            gap_s=request.gap_s,
            is_early=request.gap_s is not None and request.gap_s < self._wire.silence_s,
            unit=head[0],
            function=head[1],
            address=int.from_bytes(head[2:4], "big"),
            count=1 if single else int.from_bytes(head[4:6], "big"),
            length=len(request.frame),
            status=Status.OK,
        )

    def _prepared(self, frame: bytes, exchange: Exchange) -> _Reply:
        """The reply with the faults that fall on it."""
        draw, faults = self._draw.random, self._faults
        pause_s = 0.0 if self._wire.is_instant else self._draw.uniform(*self._wire.turnaround_s)
        began = exchange.ended + pause_s
        # a slave answers one request after the other
        began = max([began, *(self._end_of(r) + pause_s for r in self._replies if r.exchange.unit == exchange.unit)])
        status = Status.REFUSED if frame[1] & 0x80 else exchange.status
        if draw() < faults.late:
            status, began = Status.LATE, began + faults.late_s
        if draw() < faults.crc:
            status, frame = Status.CRC, frame[:-1] + bytes((frame[-1] ^ 0x5A,))
        if draw() < faults.noise:
            status, frame = Status.NOISE, self._noisy(frame)
        return _Reply(began, frame, evolve(exchange, status=status), due_at=began)

    def _noisy(self, frame: bytes) -> bytes:
        if self._draw.random() < 0.5:
            return bytes((self._draw.choice((0x00, 0xFF)),)) + frame
        place = self._draw.randrange(len(frame))
        return frame[:place] + bytes((frame[place] ^ 1 << self._draw.randrange(8),)) + frame[place + 1 :]

    def _begin(self, reply: _Reply) -> None:
        """A slave starts to speak, whether or not somebody else does."""
        busy = [r for r in self._replies if r.is_speaking and reply.began < self._end_of(r)]
        if busy:
            for other in busy:
                self._spoil(other)
            self._replies.remove(reply)
            self._heard(evolve(reply.exchange, status=Status.COLLIDED))
            return
        reply.is_speaking = True
        self._expect_next(reply)
        if self._request is not None:
            self._request.is_spoilt = True
            self._spoil(reply)
        self._free_at = max(self._free_at or 0.0, self._end_of(reply))

    def _spoil(self, reply: _Reply) -> None:
        """What the reply has still to say becomes noise."""
        rest = bytes(byte ^ self._draw.randrange(1, 256) for byte in reply.frame[reply.sent :])
        reply.frame = reply.frame[: reply.sent] + rest
        reply.exchange = evolve(reply.exchange, status=Status.COLLIDED)

    def _end_of(self, reply: _Reply) -> float:
        return reply.began + len(reply.frame) * self._wire.character_s

    def _expect_next(self, reply: _Reply) -> None:
        """When the receiver hands over next, and up to which byte."""
        if self._wire.is_instant:
            reply.upto = len(reply.frame)
        elif reply.sent + self._wire.fifo <= len(reply.frame):
            reply.upto = reply.sent + self._wire.fifo
            reply.due_at = reply.began + reply.upto * self._wire.character_s
        else:
            reply.upto = len(reply.frame)
            reply.due_at = self._end_of(reply) + _RECEIVER_TIMEOUT_CHARACTERS * self._wire.character_s

    def _handed_over(self, reply: _Reply, at: float) -> bytes:
        given = reply.frame[reply.sent : reply.upto]
        reply.sent = reply.upto
        reply.lag_s = max(reply.lag_s, at - reply.due_at)
        if reply.sent < len(reply.frame):
            self._expect_next(reply)
            return given
        self._replies.remove(reply)
        self._heard(
            evolve(
                reply.exchange,
                reply_began=reply.began,
                reply_ended=self._end_of(reply),
                reply_length=reply.sent,
                lag_s=reply.lag_s,
            )
        )
        return given
