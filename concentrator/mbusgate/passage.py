"""The bytes between one client and the wire, both ways. Hides where they wait: never more than one handful each way,
for whoever does not take them is not taken more for; and that what would come to the line too late does not come at
all. A meter that is not asked is asked again; one that is asked late answers the next question with this one's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.line.alarm import Alarm
from concentrator.line.lease import Lease
from concentrator.mbusgate.client import MOST, Client
from concentrator.mbusgate.framing import Framing
from concentrator.mbusgate.owed import Owed
from concentrator.mbusgate.sieve import Sieve
from concentrator.mbusgate.statistics import Statistics
from concentrator.mbusgate.talk import Talk
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_frame import answer_s
from concentrator.wire.mbus_talk import NETWORK_LATEST_S

LATE_S = 0.05
"""How long bytes of a client may wait for the wire; and the silence after late ones that makes them the last late
ones."""
FRAME_S = 1.0
"""After how long a silence the rest of a client's frame does not come any more, where frames are looked at."""
_MARGIN_S = 0.1  # converters and adapters
_CHARACTER_BITS = 11


@define(eq=False)
class Passage:
    """What goes on between a client and the wire. `spoke` is called when the client says something and there is no
    lease; `character_s` gives the seconds of a character on the wire, 0 where they take none."""

    client: Client
    _clock: IReactorTime
    _statistics: Statistics
    _character_s: Callable[[], float]
    _spoke: Callable[[], None]
    _is_framed: bool = False
    _addresses: Collection[int] = ()
    talk: Talk | None = None
    moved_at: float = field(init=False)
    """When bytes last moved, either way; in the future while some are still on their way out of the port."""
    _owed: Owed = field(factory=Owed, init=False)
    _sieve: Sieve | None = field(init=False)
    _lease: Lease | None = field(default=None, init=False)
    _framing: Framing | None = field(default=None, init=False)
    _alarm: Alarm = field(init=False)
    _for_line: bytes = field(default=b"", init=False)
    _for_client: bytes = field(default=b"", init=False)
    _since: float = field(default=inf, init=False)
    _said_at: float = field(default=-inf, init=False)
    _late_until: float = field(default=-inf, init=False)

    def __attrs_post_init__(self) -> None:
        self.moved_at = self._clock.seconds()
        self._sieve = Sieve(self._addresses) if self._addresses else None
        self._alarm = Alarm(self._clock)
        self.client.on_bytes = self.client_said

    @property
    def has_wire(self) -> bool:
        """Whether there is a wire."""
        return self._lease is not None

    # -- the wire comes and goes

    def begin(self, lease: Lease) -> None:
        """There is a wire; what waits for it goes out."""
        self._lease = lease
        if self._is_framed:
            self._framing = Framing(self._clock, lease, self._character_s, self._to_client, self._has_room)
        if self._for_client:
            lease.look_away()
        self._alarm.off()
        waiting, self._for_line, self._since = self._for_line, b"", inf
        if waiting:
            self._to_line(waiting)
            self._listen_on()

    def end(self) -> None:
        """There is no wire any more, or no client."""
        self._lease = None
        self._for_line = b""
        self._alarm.close()
        if self._framing is not None:
            self._framing.close()
            self._framing = None

    def done_at(self) -> float:
        """From when on (clock seconds) all has been said to the line, and answered as far as it ever will be."""
        if self._for_line or self._for_client:
            return inf
        character_s = self._character_s()
        if not character_s:
            return self.moved_at + NETWORK_LATEST_S
        return self.moved_at + answer_s(LineSettings(round(_CHARACTER_BITS / character_s))) + _MARGIN_S

    def settled_at(self, ceiling_s: float) -> float:
        """From when on (clock seconds) nobody on the line answers this client any more, where answers come at most that
        late."""
        return self.moved_at + (self._character_s() if self._owed.is_nothing else ceiling_s)

    # -- to the line

    def client_said(self, data: bytes) -> None:
        """Bytes came from the client."""
        now = self._clock.seconds()
        self.moved_at = max(self.moved_at, now)
        if now < self._late_until:
            self._late(len(data), now)
            return
        if self._sieve is not None:
            if now - self._said_at > FRAME_S:
                self._sieve.give_up()
            self._said_at = now
            data = self._sieve.passed(data)
            self._statistics.filtered += self._sieve.take_filtered()
            if not data:
                return
        if self._lease is not None and not self._for_line:
            self._to_line(data)
            return
        self._for_line += data
        if self._lease is not None:
            return  # TLS hands over all that it has, also after a pause
        if self._since == inf:
            self._since = now
            self._alarm.set(now + LATE_S, self._too_late)
        if len(self._for_line) >= MOST:
            self.client.pause()
        self._spoke()

    def _to_line(self, data: bytes) -> None:
        assert self._lease is not None
        sent = self._lease.write(data, self._line_has_room)
        self._statistics.from_network += sent
        self._owed.asked(data[:sent])
        now, character_s = self._clock.seconds(), self._character_s()
        # No port holds more than a handful, however fast it seems to take it.
        self.moved_at = min(max(self.moved_at, now) + sent * character_s, now + MOST * character_s)
        if self.talk is not None:
            self.talk.asked(data[:sent])
        if sent < len(data):
            self._for_line = data[sent:]
            self.client.pause()

    def _line_has_room(self) -> None:
        data, self._for_line = self._for_line, b""
        if self._lease is None or not data:
            return
        self._to_line(data)
        self._listen_on()

    def _listen_on(self) -> None:
        if not self._for_line:
            self.client.go_on()

    def _too_late(self) -> None:
        """What waits for the wire has waited too long."""
        late, self._for_line, self._since = self._for_line, b"", inf
        self._late(len(late), self._clock.seconds())
        self.client.go_on()

    def _late(self, length: int, now: float) -> None:
        self._statistics.dropped_late += length
        self._late_until = now + LATE_S
        if self._sieve is not None:
            self._sieve.give_up()

    # -- to the client

    def line_said(self, data: bytes) -> None:
        """Bytes came from the line."""
        if self._framing is not None:
            self._framing.received(data)
        else:
            self._to_client(data)  # before the books: each microsecond here is one that the client waits
        self.moved_at = max(self.moved_at, self._clock.seconds())
        self._owed.heard(data)
        if self.talk is not None:
            self.talk.heard(data)

    def _to_client(self, data: bytes) -> None:
        if self._for_client:
            self._for_client += data
            return
        sent = self.client.send(data, self._client_has_room)
        self._statistics.from_serial += sent
        if sent < len(data):
            self._for_client = data[sent:]
            if self._lease is not None:
                self._lease.look_away()

    def _client_has_room(self) -> None:
        data, self._for_client = self._for_client, b""
        self.moved_at = max(self.moved_at, self._clock.seconds())
        self._to_client(data)
        if not self._for_client and self._lease is not None:
            self._lease.look()

    def _has_room(self) -> bool:
        return not self._for_client
