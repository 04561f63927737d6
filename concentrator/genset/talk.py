"""One connection to a SmartGen cloud server: says one thing at a time, each in a segment of its own, and hears what the
server says. It hides the reader, what is still to be said, and everything that a hostile or broken server may do.

There are servers that hand each segment to a parser, so a thing is said only when the one before was answered, or a
second later where it was not. A server that says too much, or nothing that can be read, or nothing at all for long, or
that does not take what it is told, is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast
from zlib import Z_SYNC_FLUSH, compressobj

from twisted.internet.interfaces import IConsumer, IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from concentrator.model.errors import Garbled, WireError
from concentrator.wire.smartgen import Saying
from concentrator.wire.smartgen_json import Reader
from concentrator.wire.smartgen_server import Acknowledged, LoginAnswer, Order, TimeTold, from_server

ANSWER_S = 1.0
"""How long an answer holds back what is to be said next."""
SEGMENT_S = 0.1
"""The same, where no answer is due."""
UNFINISHED_S = 10.0
"""How long a message of the server's may take to arrive."""
SILENCE_S = 30.0
"""How long a server may say nothing, though it is told something every few seconds."""
MOST_MESSAGES = 50
MOST_BYTES = 256 * 1024
"""What a server may say in one second."""
MOST_WAITING = 64
"""Messages that wait to be said; with more, the server does not take them and is left."""


@implementer(IPushProducer)
class Talk(Protocol):
    """One connection; `on_order` hears what the server says, `on_lost` once, in words, that it is over. `is_deflated`:
    what is said goes out compressed, as was agreed at the login; what is heard never comes so, for a few bytes of that
    could be gigabytes."""

    def __init__(
        self,
        clock: IReactorTime,
        on_order: Callable[[Order], None],
        on_lost: Callable[[str], None],
        is_deflated: bool = False,
    ) -> None:
        self._stream = compressobj() if is_deflated else None
        self._clock = clock
        self._on_order = on_order
        self._on_lost = on_lost
        self._reader = Reader()
        self._waiting: deque[tuple[Saying, str]] = deque()
        self._awaited = ""
        self._next = _Alarm(clock)
        self._unfinished = _Alarm(clock)
        self._silence = _Alarm(clock)
        self._window = (0.0, 0, 0)
        self._is_over = False
        self._is_held = False
        self._taker: IConsumer | None = None

    def connectionMade(self) -> None:  # noqa: N802
        """Begins to listen; what is said goes out at once, and a dead peer is noticed."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        if ITCPTransport.providedBy(self.transport) or IConsumer.providedBy(self.transport):
            self._taker = cast(IConsumer, self.transport)
            self._taker.registerProducer(self, True)
        self._listen()

    def _listen(self) -> None:
        self._silence.set(SILENCE_S, lambda: self.leave(f"the server said nothing for {SILENCE_S:g} s"))

    def say(self, saying: Saying, awaited: str = "", is_urgent: bool = False) -> None:
        """Says it when what was said before is answered; `awaited` is the method of the answer that is due, and what is
        urgent goes before what waits."""
        if self._is_over:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.leave("the server answers too slowly")
            return
        if is_urgent:
            self._waiting.appendleft((saying, awaited))
            self._next.hasten(SEGMENT_S)
        else:
            self._waiting.append((saying, awaited))
        self._say_next()

    @property
    def is_behind(self) -> bool:
        """Whether something still waits to be said."""
        return bool(self._waiting)

    def close(self, last: Saying | None = None) -> None:
        """Says one last thing, and ends the connection when it has gone out; nobody is told."""
        if not self._is_over:
            self._end()
            if last is not None:
                self._write(last)
            if self.transport is not None and self._is_held:
                cast(ITCPTransport, self.transport).abortConnection()  # else it would stay for as long as he likes
            elif self.transport is not None:
                self.transport.loseConnection()

    def leave(self, why: str) -> None:
        """Ends the connection at once, for that reason."""
        if not self._is_over:
            self._end()
            if self.transport is not None:
                cast(ITCPTransport, self.transport).abortConnection()
            self._on_lost(why)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Hears."""
        if self._is_over:
            return
        self._listen()
        if self._is_too_much(0, len(data)):
            self.leave("the server says too much")
            return
        self._hear(lambda: self._reader.fed(data))

    def pauseProducing(self) -> None:  # noqa: N802
        """The server does not take what it was told: nothing more is said."""
        self._is_held = True

    def resumeProducing(self) -> None:  # noqa: N802
        """It does again."""
        self._is_held = False
        self._say_next()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is about to be lost."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """The connection is gone."""
        if not self._is_over:
            self._end()
            self._on_lost(f"the connection ended: {reason.getErrorMessage()}")

    def _hear(self, objects: Callable[[], Iterator[dict[str, Any]]]) -> None:
        try:
            for message in objects():
                if self._is_too_much(1, 0):
                    self.leave("the server says too much")
                else:
                    self._understand(message)
                if self._is_over:
                    return
        except Garbled as fault:
            self.leave(f"the server cannot be understood: {fault.detail}")
            return
        self._watch_unfinished()

    def _understand(self, message: dict[str, Any]) -> None:
        try:
            order = from_server(message, self._awaited)
        except WireError:
            return  # it may know more than this protocol
        if self._answers(order):
            self._awaited = ""
            self._next.clear()
        self._on_order(order)
        self._say_next()

    def _answers(self, order: Order) -> bool:
        if isinstance(order, Acknowledged):
            return order.answers(self._awaited)
        kinds: dict[str, type[LoginAnswer | TimeTold]] = {"login": LoginAnswer, "timing": TimeTold}
        return isinstance(order, kinds.get(self._awaited, ()))

    def _is_too_much(self, messages: int, length: int) -> bool:
        since, said, size = self._window
        now = self._clock.seconds()
        self._window = (now, messages, length) if now - since >= 1 else (since, said + messages, size + length)
        return self._window[1] > MOST_MESSAGES or self._window[2] > MOST_BYTES

    def _watch_unfinished(self) -> None:
        if not self._reader.is_within:
            self._unfinished.clear()
        elif not self._unfinished.is_set:
            self._unfinished.set(UNFINISHED_S, lambda: self._hear(self._reader.overdue))

    def _say_next(self) -> None:
        if self._is_over or self._is_held or self._next.is_set or not self._waiting:
            return
        saying, self._awaited = self._waiting.popleft()
        self._write(saying)
        self._next.set(ANSWER_S if self._awaited else SEGMENT_S, self._say_next)

    def _write(self, saying: Saying) -> None:
        segment = saying.written()
        if self._stream is not None:
            segment = self._stream.compress(segment) + self._stream.flush(Z_SYNC_FLUSH)
        if self.transport is not None:
            self.transport.write(segment)

    def _end(self) -> None:
        self._is_over = True
        if self._taker is not None:
            self._taker.unregisterProducer()
        self._waiting.clear()
        self._next.clear()
        self._unfinished.clear()
        self._silence.clear()


class _Alarm:
    """One call that may be due some time."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._call: IDelayedCall | None = None

    @property
    def is_set(self) -> bool:
        return self._call is not None and self._call.active()

    def set(self, seconds: float, then: Callable[[], None]) -> None:
        self.clear()
        self._call = self._clock.callLater(seconds, then)

    def hasten(self, seconds: float) -> None:
        """Not later than in so many seconds, where it is set."""
        call = self._call
        if call is not None and call.active() and call.getTime() - self._clock.seconds() > seconds:
            call.reset(seconds)

    def clear(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()
