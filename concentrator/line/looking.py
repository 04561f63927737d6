"""When to look at a serial port, and when its wire really fell silent. Pure: moments are handed in, in clock seconds.

Theory. Characters take `character_s` each and a station's lead is known (`patience`), so the moment a reply can be
complete is known before it begins. The port is looked at then, once, and the reply is usually there: one wake-up
instead of one for each of 85 bytes. Where it is not, or where the lead has to be learnt again, the rest is looked at
when the last but one can have come, and waited for. A lead is learnt with the time that the machine takes to wake up.

The end of the last byte on the wire is earlier than its arrival where a UART hands bytes over in lumps. A 16550 hands
them over at its threshold, and what is left after four characters of silence: the wire has been silent meanwhile, and
the next request need not wait for that again. How the port does it is learnt from its first replies, which are watched
as they come. Each lump bounds the start of the reply (its arrival less the characters so far); the earliest bound gives
the end, which is trusted for what a UART delays, and not at all where bytes come one by one. A bound later than that
means that the device paused inside its reply, and the earlier ones say nothing about its end.
"""

from __future__ import annotations

from collections import Counter, deque
from math import inf

from concentrator.line.patience import Pace

PAUSE_S = 0.05
"""The longest pause inside a reply: converters and USB adapters hand bytes over in lumps up to 40 ms apart."""
SHORTEST_PAUSE_S = 0.02
"""What a pause inside a reply is always allowed to take: USB adapters wait up to 16 ms for more bytes."""
TAIL_CHARACTERS = 4
"""A 16550 hands over its last bytes after four characters of silence."""
_TRUST_CHARACTERS = 4.5  # and half of one for the interrupt
_WORTH_S = 0.002  # a wait shorter than this is not worth stopping to look
_LEARNT_FROM = 4  # replies
_MARGIN_RISE_S, _MARGIN_FALL_S = 2e-5, 1e-5  # one look in three may come a hair too soon
_MARGIN_MIN_S, _MARGIN_MAX_S = -5e-4, 2e-4
_WAKING_S = 3e-4  # what a busy machine takes to wake up, which a lead is learnt with
_HAIR_S = 5e-4
_EARLY_CHARACTERS = 0.25  # how far into a character to look for the one before
_REMEMBERED = 8  # leads of any station
_WATCHED_AT_FIRST = 4  # every so many replies, until so many are known


class Delivery:
    """How a port hands characters over, learnt from its first replies: one by one (`lump` 1) or in lumps, and if so,
    by how much the last, incomplete one comes late (`tail_s`, seconds)."""

    def __init__(self) -> None:
        self.lump = 1
        self.tail_s = 0.0
        self.is_learnt = False
        self._replies: list[list[int]] = []
        self._is_regular = False
        self._tails: deque[float] = deque(maxlen=_LEARNT_FROM)

    def watched(self, lumps: list[int]) -> None:
        """The lumps of a reply that was watched from its first byte to its last."""
        self._replies.append(lumps)
        if len(self._replies) == _LEARNT_FROM:
            sizes = Counter(size for each in self._replies for size in each)
            self.lump = sizes.most_common(1)[0][0]
            odd = sum(any(size % self.lump for size in each[:-1]) for each in self._replies)
            self._is_regular = odd <= 1
            self.is_learnt = True

    def tail_heard(self, length: int, tail_s: float, limit_s: float) -> None:
        """The last lump of a reply of that length came so much later than its last character."""
        if self._is_regular and length % self.lump:
            self._tails.append(min(tail_s, limit_s))
            self.tail_s = max(min(self._tails), 0.0)

    def tail_of(self, length: int) -> float:
        """By how much the last lump of a reply of that length comes late, as far as that can be relied on."""
        return self.tail_s if self.lump > 1 and length % self.lump else 0.0


class Looking:
    """When to look, on one line. `begin` for each exchange, `heard` for each lump of its reply, `ended` when the reply
    is complete."""

    def __init__(self, character_s: float) -> None:
        self.character_s = character_s
        self.request_end = 0.0
        """When the last character of the request has left."""
        self._length = self._total = 0
        self._is_guess = False
        self._look_at = 0.0
        self.opened()

    def opened(self) -> None:
        """The port was opened: whatever is behind it now, nothing is known of it."""
        self.delivery = Delivery()
        self.pause_s = PAUSE_S
        self._worst_s = 0.0
        self._pauses = 0
        self._margin_s = -_WAKING_S
        self._leads: deque[float] = deque(maxlen=_REMEMBERED)
        self._shortest_s: float | None = None
        self._is_experienced = False
        self._begun = 0

    def begin(self, now: float, characters: int, length: int, pace: Pace) -> float:
        """A request of so many characters is sent now and a reply of that length expected; gives when to look."""
        character_s, delivery = self.character_s, self.delivery
        self.request_end = end = now + characters * character_s
        self._length = length
        self._total = 0
        self._lead = pace.lead(length)
        self._is_guess = False
        if not delivery.is_learnt:
            return now
        self._begun += 1
        lead_s = self._lead.guess(self._shortest_s)
        if lead_s is not None and (self._is_experienced or self._begun % _WATCHED_AT_FIRST):
            self._is_guess = True
            self._look_at = end + lead_s + length * character_s + delivery.tail_of(length) + self._margin_s
            return self._look_at
        # Before the last but one event of the reply: its last but one character, or its last full lump.
        seen = length - 1 if delivery.lump == 1 else (length - 1) // delivery.lump * delivery.lump - 1
        shortest_s = self._lead.shortest_s(self._shortest_s) or 0.0
        return end + shortest_s + (seen + _EARLY_CHARACTERS) * character_s

    def restart(self) -> None:
        """Nothing of the reply has been heard yet."""
        self._total = 0

    def heard(self, now: float, total: int, is_arrival: bool) -> None:
        """So many characters of the reply are there by now. `is_arrival`: the newest have just come."""
        bound = now - total * self.character_s
        if not self._total:
            self._start = self._arrived = self._before = inf
            self._lumps: list[int] = []
        elif is_arrival:
            self._paused(bound - self._start)
        if is_arrival:
            self._before, self._arrived = self._arrived, min(self._arrived, bound)
        if bound < self._start or bound > self._start + _TRUST_CHARACTERS * self.character_s:
            self._start = bound
        self._lumps.append(total - self._total)
        self._total = total

    def again(self, now: float, missing: int) -> float:
        """So many characters are still missing; gives when to look, `now` where it is best to look all the time."""
        at = now + self._unwatched(missing) * self.character_s
        return at if self.delivery.is_learnt and at - now >= _WORTH_S else now

    def ended(self, now: float, total: int, is_arrival: bool) -> float:
        """The reply is complete, with so many characters (`is_arrival` as in `heard`); gives the moment its last byte
        ended on the wire."""
        delivery = self.delivery
        if self._is_guess and not self._total and not is_arrival and total == self._length:
            self._lead.hit()
            self._margin_s = max(self._margin_s - _MARGIN_FALL_S, _MARGIN_MIN_S)
            return now - delivery.tail_of(total)
        self.heard(now, total, is_arrival)
        heard_s, trusted_s = total * self.character_s, _TRUST_CHARACTERS * self.character_s
        end = now
        if not delivery.is_learnt:
            delivery.watched(self._lumps)
            if max(self._lumps) > 1:
                end = max(self._start + heard_s, now - trusted_s)
        elif delivery.lump > 1:
            end = max(min(self._start + heard_s, now - delivery.tail_of(total)), now - trusted_s)
        if total == self._length:
            self._learn(now, total, is_arrival)
        return end

    def broke_off(self) -> None:
        """A reply ended too soon: perhaps it was not waited for long enough."""
        self._pauses = 0
        self.pause_s = PAUSE_S

    @property
    def first_s(self) -> float:
        """How long after the beginning of a reply its first characters may be handed over."""
        delivery = self.delivery
        return (delivery.lump + (TAIL_CHARACTERS if delivery.lump > 1 else 0)) * self.character_s

    def _unwatched(self, missing: int) -> int:
        """So many of the missing characters may come unseen."""
        lump = self.delivery.lump
        return missing - (1 if lump == 1 else 2 * lump)

    def _paused(self, late_s: float) -> None:
        self._worst_s = max(late_s, self._worst_s - (self._worst_s - late_s) / 16)
        self._pauses += 1
        if self._pauses >= 2 * _LEARNT_FROM:
            self.pause_s = min(max(SHORTEST_PAUSE_S, SHORTEST_PAUSE_S / 2 + 2 * self._worst_s), PAUSE_S)

    def _learn(self, now: float, total: int, is_arrival: bool) -> None:
        delivery, heard_s = self.delivery, total * self.character_s
        if is_arrival and self._before < inf:
            delivery.tail_heard(total, now - heard_s - self._before, TAIL_CHARACTERS * self.character_s)
        if self._is_guess:
            self._lead.missed()
            if now - self._look_at < _HAIR_S:
                self._margin_s = min(self._margin_s + _MARGIN_RISE_S, _MARGIN_MAX_S)
            return
        if not is_arrival and len(self._lumps) == 1 and not self._lead.is_from_start:
            self._lead.sooner()
            return
        if is_arrival and self._lumps[-1] > max(delivery.lump, 1):
            return  # more than the port hands over at once: it was looked at late
        # Less than nothing where the wire is faster than its settings say, as behind a converter.
        lead_s = min(self._start, now - heard_s - delivery.tail_of(total)) - self.request_end
        self._lead.watched(lead_s)
        self._leads.append(lead_s)
        self._shortest_s = min(self._leads)
        self._is_experienced = len(self._leads) == _REMEMBERED
