"""A half-duplex RS-485 bus as a pure model: what is on the wire, from when to when, and when each byte comes out of the
master's receiver. Hides byte times, silences, collisions and injected faults from meters and masters alike.

The theory. The wire carries requests and replies; it is free from the end of the last byte on it. Bytes the master
hands over occupy it back to back, from their arrival or from the moment it is free. Slaves take 3.5 character times of
silence for the end of a request (Modbus over Serial Line V1.02, 2.5.1.1). The reply begins a turnaround after the
request's last stop bit. Whoever speaks while another does spoils both, two slaves with one address like a slave and the
master; but where one sender is much nearer or stronger, what it says may survive whole (capture). Every request ends as
exactly one `Exchange`, which is how a master is measured from outside.

All times are seconds of one monotonic clock, given by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import inf
from operator import attrgetter

from attrs import define, evolve, field, frozen

from concentrator.sim.exchange import Exchange, Status
from concentrator.sim.slave import BROADCAST, is_exception, is_intact
from concentrator.sim.voice import Voice
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s

_NATIVE_BUS = LineSettings(9600)
_LONGEST_FRAME = 256
_INSTANT_PATIENCE_S = 0.02  # without byte times, how long an unfinished request may take before it is judged


@frozen
class Wire:
    """How the bus behaves. `turnaround_s`: shortest and longest pause of a slave between the request's last stop bit
    and its reply; `fifo`: bytes the master's receiver gathers before it hands them over; `is_strict`: requests that
    do not keep 3.5 characters of silence are not seen; `is_instant`: nothing takes any time; `is_echoing`: the master's
    receiver hears what the master says, as some adapters wire it."""

    settings: LineSettings = _NATIVE_BUS
    turnaround_s: tuple[float, float] = (0.005, 0.010)
    fifo: int = 1
    is_strict: bool = False
    is_instant: bool = False
    is_echoing: bool = False

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
    (`crc`), with a stray byte before or a flipped bit in it (`noise`), or begun `late_s` later (`late`); the share of
    collisions of two replies in which the first to begin survives whole and the other is not heard (`capture`)."""

    silent: frozenset[int] = frozenset()
    crc: float = 0.0
    noise: float = 0.0
    late: float = 0.0
    late_s: float = 0.0
    capture: float = 0.0
    seed: int = 1


@define(eq=False)
class _Reply(Voice):
    """A reply on its way. Where several slaves answer one request, the `exchange` is told when the first of them has
    spoken, and the others are not `is_told`."""

    exchange: Exchange = field(kw_only=True)
    is_told: bool = True


_began = attrgetter("began")
_due_at = attrgetter("due_at")

Answer = Callable[[bytes], Sequence[bytes]]
"""`answer(frame)`: the reply frames to an intact request, of everybody who answers; none after a broadcast."""


@define
class _Request:
    """A request on the wire, so far."""

    began: float
    gap_s: float | None
    frame: bytearray = field(factory=bytearray)
    is_spoilt: bool = False


class Bus:
    """The bus. The caller gives it what the master wrote (`take`), asks when it next wants to be called (`wake_at`),
    and then hands the master what has come by (`give`). `heard` is called with every finished exchange; `faults` may be
    changed at any time, and hold from the next request on."""

    def __init__(self, wire: Wire, faults: Faults, answer: Answer, heard: Callable[[Exchange], None]) -> None:
        self._wire = wire
        self.faults = faults
        self._answer = answer
        self._heard = heard
        self._draw = random.Random(faults.seed)
        self._free_at: float | None = None
        self._request: _Request | None = None
        self._replies: list[_Reply] = []
        self._echoes: list[Voice] = []

    def take(self, data: bytes, at: float) -> None:
        """The master wrote bytes at a moment."""
        request = self._request
        if request is None:
            gap_s = None if self._free_at is None else at - self._free_at
            request = self._request = _Request(at, gap_s)
        began = max(at, self._free_at or at)
        for reply in self._replies:
            if reply.is_speaking and at < reply.ends_at:
                self._spoil(reply, at)
                request.is_spoilt = True
        request.frame += data[: _LONGEST_FRAME + 1 - len(request.frame)]
        self._free_at = began + len(data) * self._wire.character_s
        if self._wire.is_echoing:
            echo = Voice(began, data, self._wire.character_s, self._wire.fifo)
            echo.begin()
            if request.is_spoilt:
                echo.spoil(began, self._draw)
            self._echoes.append(echo)

    def wake_at(self) -> float | None:
        """When `give` wants to be called next, or None while nothing goes on."""
        moments = [voice.due_at for voice in (*self._echoes, *self._replies)]
        if self._request is not None:
            moments.append(self._judged_at(self._request))
        return min(moments, default=None)

    def give(self, at: float) -> bytes:
        """What has come out of the master's receiver by now and was not given before."""
        given = b""
        while True:
            voice = min((*self._echoes, *self._replies), key=_due_at, default=None)
            due_at = inf if voice is None else voice.due_at
            judged_at = inf if self._request is None else self._judged_at(self._request)
            if at < due_at and at < judged_at:
                return given
            if self._request is not None and judged_at <= due_at:
                self._judge(self._request)
            elif isinstance(voice, _Reply):
                if voice.is_speaking:
                    given += self._handed_over(voice, at)
                else:
                    self._begin(voice)
            elif voice is not None:
                given += voice.hand_over(at)
                if voice.is_over:
                    self._echoes.remove(voice)

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
        frames, status = self._answered(request, exchange)
        exchange = evolve(exchange, status=status)
        if frames:
            self._replies += self._together([self._prepared(frame, exchange) for frame in frames])
        else:
            self._heard(exchange)

    def _answered(self, request: _Request, exchange: Exchange) -> tuple[Sequence[bytes], Status]:
        frame = bytes(request.frame)
        if request.is_spoilt:
            return (), Status.COLLIDED
        if self._wire.is_strict and exchange.is_early:
            return (), Status.UNSEEN
        if not is_intact(frame) or len(frame) > _LONGEST_FRAME:
            return (), Status.DAMAGED
        frames = () if frame[0] in self.faults.silent else self._answer(frame)
        if frame[0] == BROADCAST:
            return (), Status.BROADCAST
        return frames, Status.OK if frames else Status.SILENT

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
        draw, faults = self._draw.random, self.faults
        pause_s = 0.0 if self._wire.is_instant else self._draw.uniform(*self._wire.turnaround_s)
        began = exchange.ended + pause_s
        # a slave answers one request after the other
        began = max([began, *(r.ends_at + pause_s for r in self._replies if r.exchange.unit == exchange.unit)])
        status = Status.REFUSED if is_exception(frame) else exchange.status
        if draw() < faults.late:
            status, began = Status.LATE, began + faults.late_s
        if draw() < faults.crc:
            status, frame = Status.CRC, frame[:-1] + bytes((frame[-1] ^ 0x5A,))
        if draw() < faults.noise:
            status, frame = Status.NOISE, self._noisy(frame)
        exchange = evolve(exchange, status=status)
        return _Reply(began, frame, self._wire.character_s, self._wire.fifo, exchange=exchange)

    def _together(self, replies: list[_Reply]) -> list[_Reply]:
        """What the wire makes of several replies to one request."""
        said: list[_Reply] = []
        for reply in sorted(replies, key=_began):
            reply.is_told = not said
            if said and (self._wire.is_instant or reply.began < said[-1].ends_at):
                self._talk_over(said[-1], reply)
            else:
                said.append(reply)
        return said

    def _noisy(self, frame: bytes) -> bytes:
        if self._draw.random() < 0.5:
            return bytes((self._draw.choice((0x00, 0xFF)),)) + frame
        place = self._draw.randrange(len(frame))
        return frame[:place] + bytes((frame[place] ^ 1 << self._draw.randrange(8),)) + frame[place + 1 :]

    def _begin(self, reply: _Reply) -> None:
        """A slave starts to speak, whether or not somebody else does."""
        busy = [r for r in self._replies if r.is_speaking and reply.began < r.ends_at]
        if busy:
            self._replies.remove(reply)
            self._talk_over(busy[0], reply)
            self._free_at = max(self._free_at or 0.0, busy[0].ends_at)
            return
        reply.begin()
        for echo in self._echoes:  # what the receiver still holds comes before what it gets now
            echo.due_at = min(echo.due_at, reply.due_at)
        if self._request is not None:
            self._request.is_spoilt = True
            self._spoil(reply, reply.began)
            for echo in self._echoes:
                echo.spoil(reply.began, self._draw)
        self._free_at = max(self._free_at or 0.0, reply.ends_at)

    def _talk_over(self, first: _Reply, second: _Reply) -> None:
        """The second reply began before the first was over: one of them is heard, or neither."""
        if self._draw.random() >= self.faults.capture:
            first.drown(second, self._draw)
            first.exchange = evolve(first.exchange, status=Status.COLLIDED)
        if second.is_told:
            self._heard(evolve(second.exchange, status=Status.COLLIDED))

    def _spoil(self, reply: _Reply, since: float) -> None:
        reply.spoil(since, self._draw)
        reply.exchange = evolve(reply.exchange, status=Status.COLLIDED)

    def _handed_over(self, reply: _Reply, at: float) -> bytes:
        given = reply.hand_over(at)
        if reply.is_over:
            self._replies.remove(reply)
            if reply.is_told:
                self._heard(
                    evolve(
                        reply.exchange,
                        reply_began=reply.began,
                        reply_ended=reply.ends_at,
                        reply_length=reply.sent,
                        lag_s=reply.lag_s,
                    )
                )
        return given
