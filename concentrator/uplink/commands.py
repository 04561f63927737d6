"""Commands over a message broker: payloads from strangers in, actions carried out, answers out. Hides who is let in: a
payload is read, judged by age, by repetition, by pace and by what this road is allowed, before anything is done; and
whatever comes, nothing is raised and every command whose id can be read gets an answer.

A command that changes something is noted on the disk before it begins. One that comes again gets the same answer again;
one whose end is not known, for the box was switched off in the middle, is refused, never carried out twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.parts import Parts
from concentrator.actions.table import Caller, Permission, error_json
from concentrator.api import Wall
from concentrator.model.errors import (
    Busy,
    ConcentratorError,
    JournalError,
    Stale,
    TooLarge,
    TooOften,
    TryLater,
)
from concentrator.uplink.order import LONGEST, Id, Misread, Order, order_of
from concentrator.uplink.remembered import Remembered, Say

DONE, AGAIN, DROPPED, RETAINED, UNHEARD = "done", "again", "dropped", "retained", "unheard"
"""What is counted besides the codes of errors: commands carried out; those that came again and got their answer again;
long answers that nobody took to the end; payloads the broker had kept; payloads that came faster than they are read."""
_ROOM = 1024
"""Bytes of an answer besides its result."""
_LOG_S = 10.0

log = Logger()

Call = Callable[[str, Mapping[str, object], Caller], Deferred[object]]


@frozen
class Gate:
    """How much is let in: commands a second in the long run and at a stretch, how many may be under way at once,
    payloads a second beyond which none is even read, how old or early in seconds a command may be that says when it was
    given, and how long in seconds the disk may take to note one."""

    per_s: float = 5.0
    stretch: int = 20
    at_once: int = 8
    heard_per_s: float = 100.0
    age_s: float = 60.0
    note_s: float = 10.0


class Commands:
    """The inbox of one uplink, at `topic`. `call` carries an action out for the `caller`, who has a name for the audit
    and the classes he is allowed; `permission` gives the class of an action."""

    def __init__(
        self,
        topic: str,
        caller: Caller,
        call: Call,
        permission: Callable[[str], Permission | None],
        remembered: Remembered,
        clock: IReactorTime,
        wall: Wall,
        gate: Gate = Gate(),
    ) -> None:
        self.topic = topic
        self.counts: Counter[str] = Counter()
        self._caller = caller
        self._call = call
        self._permission = permission
        self._remembered = remembered
        self._clock = clock
        self._wall = wall
        self._gate = gate
        self._pace = _Pace(gate.per_s, gate.stretch, clock)
        self._hearing = _Pace(gate.heard_per_s, int(gate.heard_per_s), clock)
        self._under_way = 0
        self._logged_at = float("-inf")
        self._unlogged = 0

    def received(self, payload: bytes, is_retained: bool, answer: Say) -> None:
        """Takes what somebody published; nothing is raised. `answer` publishes an answer; where it gives a Deferred,
        the next part of a long one waits for it, and is not sent where it fires with False."""
        if is_retained:
            self._note(RETAINED, "a command that the broker had kept is no command of now")
        elif not self._hearing.has_room():
            self._note(UNHEARD, "commands come faster than they can be read")
        else:
            try:
                order = order_of(payload)
            except Misread as why:
                self._refuse(why.id, why.error, answer)
            else:
                Deferred.fromCoroutine(self._take(order, answer)).addErrback(_broke)

    async def _take(self, order: Order, answer: Say) -> None:
        try:
            await self._known(order, answer)
        except ConcentratorError as why:
            self._refuse(order.id, why, answer)

    async def _known(self, order: Order, answer: Say) -> None:
        """Carries a new order out, and says of an old one what is known. Raises what speaks against either."""
        self._must_be_of_now(order)
        permission = self._permission(order.name)
        is_lasting = permission in self._caller.allowed and permission is not Permission.READ
        if is_lasting:
            await self._within(self._remembered.when_loaded())
        try:
            said = self._remembered.look(order, answer)
        except KeyError:
            await self._begin(order, answer, is_lasting)
        else:
            self._note(AGAIN, f"{order.name} came again under the id {order.key}")
            if said is not None:
                answer(said)

    async def _begin(self, order: Order, answer: Say, is_lasting: bool) -> None:
        if not self._pace.has_room():
            raise TooOften(f"more than {self._gate.per_s:g} commands a second, or {self._gate.stretch} at a stretch")
        if self._under_way >= self._gate.at_once:
            raise Busy(f"{self._under_way} commands are under way")
        self._under_way += 1
        try:
            noted = self._remembered.begin(order, answer, is_lasting=is_lasting)
            try:
                await self._within(noted)
            except TryLater:
                self._remembered.forget(order)
                raise
            await self._carry_out(order)
        finally:
            self._under_way -= 1

    async def _carry_out(self, order: Order) -> None:
        outcome = await _outcome(self._call(order.name, order.arguments, self._caller))
        if isinstance(outcome, list) and len(_packed(outcome) or b"") > LONGEST - _ROOM:
            outcome = _Pieces(_pieces(outcome))
        if isinstance(outcome, Parts):
            await self._tell_parts(order, outcome)
        else:
            self._end(order, _answer(order.id, outcome))

    def _end(self, order: Order, answer: _Answer, *, is_kept: bool = True) -> None:
        """Says the answer, or the last part of it."""
        self._note(answer.code, f"{order.name}: {answer.words}")
        say, noted = self._remembered.end(order, answer.payload if is_kept else None)
        noted.addErrback(lambda failure: log.warn("an answer is not noted: {why}", why=failure.getErrorMessage()))
        say(answer.payload)

    async def _tell_parts(self, order: Order, parts: Parts) -> None:
        """Says one part after another, each when the one before has arrived, until nobody takes them any more."""
        number, part = 0, await _outcome(parts.next_part())
        while True:
            following = None if isinstance(part, Failure) else await _outcome(parts.next_part())
            answer = _answer(order.id, part, {"part": number, "more": following is not None})
            if following is None or answer.code != DONE:
                self._end(order, answer, is_kept=number == 0)
                return
            arrived = self._remembered.say(order)(answer.payload)
            if isinstance(arrived, Deferred) and await arrived is False:
                self._note(DROPPED, f"{order.name}: nobody takes its answer any more")
                self._remembered.end(order, None)
                return
            number, part = number + 1, following

    def _must_be_of_now(self, order: Order) -> None:
        if order.at is None:
            return
        if not self._wall.is_trusted():
            raise Stale("ts: the box does not know the time yet")
        ahead = order.at - self._wall.now()
        if abs(ahead) > self._gate.age_s:
            where = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the box's clock"
            raise Stale(f"ts: found {where}, expected at most {self._gate.age_s:g} s")

    async def _within(self, noted: Deferred[None]) -> None:
        """Waits for the disk; raises TryLater where it does not come round."""
        slow = TryLater("the command cannot be noted: the disk is too slow")
        try:
            await noted.addTimeout(self._gate.note_s, self._clock, lambda *_: Failure(slow))
        except JournalError as why:
            raise TryLater(f"the command cannot be noted: {why}") from why

    def _refuse(self, id: Id | None, error: ConcentratorError, answer: Say) -> None:
        refusal = _refusal("" if id is None else id, error)
        self._note(refusal.code, refusal.words)
        if id is not None:
            answer(refusal.payload)

    def _note(self, what: str, words: str) -> None:
        """Counts it, and logs what is not as it should be, now and then."""
        self.counts[what] += 1
        if what == DONE:
            return
        now = self._clock.seconds()
        if now - self._logged_at < _LOG_S:
            self._unlogged += 1
            return
        more = f" ({self._unlogged} more since the last line)" if self._unlogged else ""
        log.warn("{caller}: {words}{more}", caller=self._caller.name, words=words[:300], more=more)
        self._logged_at, self._unlogged = now, 0


@frozen
class _Answer:
    """What is published, what it counts as, and the same for the log."""

    payload: bytes
    code: str
    words: str


@define(eq=False)
class _Pace:
    """So many a second in the long run, so many at a stretch."""

    _per_s: float
    _stretch: int
    _clock: IReactorTime
    _free_at: float = float("-inf")

    def has_room(self) -> bool:
        """Whether one more may come now; takes its place if so."""
        now = self._clock.seconds()
        free_at = max(self._free_at, now) + 1 / self._per_s
        if free_at - now > self._stretch / self._per_s + 1e-9:
            return False
        self._free_at = free_at
        return True


@define(eq=False)
class _Pieces:
    """A list in parts."""

    _left: Iterator[object]

    def next_part(self) -> Deferred[object | None]:
        return succeed(next(self._left, None))


def _pieces(found: list[Any]) -> Iterator[list[Any]]:
    """The same list in pieces, each of which fits into an answer; an item that does not is a piece of its own."""
    piece: list[Any] = []
    size = 0
    for each in found:
        length = len(_packed(each) or b"") + 1
        if piece and size + length > LONGEST - _ROOM:
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += length
    yield piece


async def _outcome(waiting: Deferred[Any]) -> object:
    """What a Deferred comes to: its result or its Failure."""
    (outcome,) = await waiting.addBoth(lambda found: (found,))
    return outcome


def _answer(id: Id, outcome: object, more: Mapping[str, object] | None = None) -> _Answer:
    """The answer to an order that was carried out, well or not."""
    if isinstance(outcome, Failure):
        return _refusal(id, outcome.value, more)
    payload = _packed({"id": id, "ok": True, **(more or {}), "result": outcome})
    if payload is None:
        log.error("a result is not what JSON can carry: {outcome}", outcome=repr(outcome)[:300])
        return _refusal(id, None, more)
    if len(payload) > LONGEST:
        words = f"{len(payload)} bytes, where a message has at most {LONGEST}; ask for less"
        return _refusal(id, TooLarge(words), {**(more or {}), "more": False} if more else None)
    return _Answer(payload, DONE, "done")


def _refusal(id: Id, error: BaseException | None, more: Mapping[str, object] | None = None) -> _Answer:
    said = error_json(error)
    payload = _packed({"id": id, "ok": False, **(more or {}), "error": said})
    # The words of a device may be no text that can be sent.
    payload = payload or _packed({"id": id, "ok": False, "error": error_json(None)}) or b""
    return _Answer(payload, said["code"], said["message"])


def _packed(content: object) -> bytes | None:
    """Content as JSON; None for what JSON cannot carry."""
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        return None


def _broke(failure: Failure) -> None:
    log.failure("a command broke down", failure)
