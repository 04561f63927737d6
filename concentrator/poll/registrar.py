"""Gives one meter its Modbus ID: the steps from choosing an ID to having it journalled, and what becomes of those that
were cut off on the way. Hides how often each step is tried, and that nothing is written twice without looking first.

Theory. A meter that was given an ID listens there for ten seconds and keeps it only when told so in that time. Three
things follow. Before a write is repeated, the new ID is asked who is there: the write may have been carried out and
its answer lost. A step that fails `TRIES` times before the meter was told to keep the ID has failed for good: the meter
goes back by itself. And once it was told, nobody can say where it is before `SETTLE_S` have passed: it stays PENDING
and is then decided by whom the ID answers (`settle`), which is also what a power cut leaves to do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from concentrator.api import Candidate, LinkProtocol, Report
from concentrator.model.errors import NoReply, WireError
from concentrator.poll.addresses import Addresses, State, Taken
from concentrator.wire.conversation import Conversation

FACTORY_ID = 1
TRIES = 3
NOBODY = 2
"""How often in a row an ID must go unanswered to count as free."""
PAUSE_S = 0.25
"""How long a failed step rests before it is tried again: a meter that stores a setting is busy for as long."""
SETTLE_S = 11.0
"""After this time without being told to keep its new ID a meter has left it."""

Steps = Generator["Deferred[Any]", Any, Any]


class Verdict(StrEnum):
    """What became of giving a meter an ID."""

    LINKED = "linked"
    FAILED = "failed"
    FULL = "full"
    UNSURE = "unsure"


@frozen
class Outcome:
    """What became of a meter, and in words why it has no ID; the ID it was to have, 0 where there was none."""

    verdict: Verdict
    text: str = ""
    unit: int = 0


@define(eq=False, repr=False)
class Registrar:
    """Gives IDs on one bus. `ask(unit, conversation)` runs a conversation on its line; `report` hears what happens,
    however often; `linked(serial, unit)` is told of each meter that has its ID, again after a power cut; `taken` gives
    the IDs of the configured devices."""

    clock: IReactorTime
    protocol: LinkProtocol
    addresses: Addresses
    ask: Callable[[int, Conversation[Any]], Deferred[Any]]
    report: Report
    linked: Callable[[str, int], None]
    taken: Callable[[], Taken]
    limit: int
    _undecided: set[str] = field(factory=set, init=False)

    @inlineCallbacks
    def give(self, candidate: Candidate, slot: int | None = None) -> Steps:
        """Gives a meter in link mode its ID; fires with the Outcome. `slot`: where it was found, if not by itself.
        Fails with LineLost, or with OSError when the journal cannot be kept; the meter is then PENDING or as before."""
        serial, taken = candidate.serial, self.taken()
        pending = self.addresses.recover().get(serial)
        if pending is not None and pending.unit == candidate.kept_id:
            self._has(serial, pending.unit)  # it had kept the ID after all, and its button was pressed again
        elif pending is not None and serial in self._undecided:
            self._failed(serial, pending.unit, f"it did not keep ID {pending.unit}")
        self._undecided.discard(serial)
        if self.addresses.is_full(serial, taken, self.limit):
            return self._refused(serial, f"there are {self.limit} devices besides ID 1 already")
        chosen = yield self._chosen(serial, taken)
        if isinstance(chosen, Outcome):
            return chosen
        unit, is_there = chosen
        self.addresses.reserve(serial, unit, candidate.nonce)
        moved, trouble = (candidate, "") if is_there else (yield self._moved(candidate, unit, slot))
        if moved is None:
            self._failed(serial, unit, trouble)
            return Outcome(Verdict.FAILED, trouble, unit)
        trouble = yield self._trouble_keeping(moved, unit)
        if trouble:
            self._undecided.add(serial)
            return Outcome(Verdict.UNSURE, trouble, unit)
        self._done(serial, unit)
        return Outcome(Verdict.LINKED, unit=unit)

    @inlineCallbacks
    def settle(self) -> Steps:
        """Decides about every PENDING meter by who answers at its ID; one of which that cannot be told yet stays
        PENDING. Fails like `give`."""
        for serial, entry in self.addresses.recover().items():
            try:
                found = yield self._occupant(entry.unit)
            except WireError:
                continue
            if self.addresses.recover().get(serial) != entry:
                continue  # it was deleted meanwhile
            if found == serial:
                self._done(serial, entry.unit)
            else:
                self._failed(serial, entry.unit, f"it did not keep ID {entry.unit}")

    # -- what becomes of a meter

    def _has(self, serial: str, unit: int) -> None:
        """A meter has its ID. It is told first and journalled then, so that a power cut in between tells it again."""
        self.linked(serial, unit)
        self.addresses.settled(serial)

    def _done(self, serial: str, unit: int) -> None:
        self._has(serial, unit)
        self.report("link.assigned", {"serial": serial, "unit": unit, "text": f"{serial} has ID {unit}"})

    def _failed(self, serial: str, unit: int, text: str) -> None:
        self.addresses.failed(serial)
        self._tell_failed(serial, unit, text)

    def _tell_failed(self, serial: str, unit: int, text: str) -> None:
        self.report("link.failed", {"serial": serial, "unit": unit, "text": f"{serial}: {text}"})

    def _refused(self, serial: str, text: str) -> Outcome:
        self.report("link.limit", {"serial": serial, "text": f"{serial}: {text}"})
        return Outcome(Verdict.FULL, text)

    # -- the steps

    @inlineCallbacks
    def _chosen(self, serial: str, taken: Taken) -> Steps:
        """The first of the meter's choices at which nobody else answers, and whether the meter itself does; or the
        Outcome where there is none. Whoever answers at ID 1 as well is not linked yet and will leave it."""
        for unit in self.addresses.choices(serial, taken):
            try:
                found = yield self._occupant(unit)
            except WireError as error:
                self._duplicate(unit, [], f"several devices, or one that is no meter, answer at ID {unit} ({error})")
            else:
                if found in (None, serial):
                    return unit, found == serial
                entry = self.addresses.entries().get(found)
                if entry is None or (entry.unit, entry.state) != (unit, State.FAILED):  # else it is about to leave
                    self._duplicate(unit, [found], f"{found} answers at ID {unit}, which is not its own here")
            if unit == FACTORY_ID:
                text = "it keeps ID 1, where a device that is not linked yet answers as well"
                self._tell_failed(serial, unit, text)
                return Outcome(Verdict.FAILED, text, unit)
        return self._refused(serial, "there is no free ID")

    @inlineCallbacks
    def _moved(self, candidate: Candidate, unit: int, slot: int | None) -> Steps:
        """Has the meter listen at its new ID: gives it as it was when it moved, or None and what went wrong."""
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                yield self._pause()
                if (yield self._is_at(unit, candidate.serial)):
                    return candidate, ""
                fresh = yield self._seen_again(candidate, slot)
                if fresh is None:
                    trouble = "it is not in link mode any more"
                    continue
                candidate = fresh
                self.addresses.reserve(candidate.serial, unit, candidate.nonce)
            try:
                yield self.ask(self.protocol.link_id, self.protocol.assign(candidate, unit))
            except (NoReply, WireError) as error:
                trouble = f"it did not take ID {unit} ({error})"
                continue
            if (yield self._is_verified(unit, candidate.serial)):
                return candidate, ""
            return None, f"it is not found at ID {unit}"
        return None, trouble

    @inlineCallbacks
    def _trouble_keeping(self, candidate: Candidate, unit: int) -> Steps:
        """Has the meter keep its new ID; gives what went wrong, empty when it is certain to have it."""
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                yield self._pause()
                if not (yield self._is_at(unit, candidate.serial)):
                    continue
            try:
                yield self.ask(unit, self.protocol.commit(candidate, unit))
            except (NoReply, WireError) as error:
                trouble = f"it did not confirm ID {unit} ({error})"
                continue
            is_there = yield self._is_verified(unit, candidate.serial)
            return "" if is_there else f"it is not found at ID {unit} any more"
        return trouble

    @inlineCallbacks
    def _is_verified(self, unit: int, serial: str) -> Steps:
        """Whether the meter answers at an ID, and no other there."""
        for attempt in range(TRIES):
            if attempt:
                yield self._pause()
            try:
                found = yield self.ask(unit, self.protocol.who(unit))
            except WireError:
                continue
            if found is not None:
                if found != serial:
                    self._duplicate(unit, [found, serial], f"{found} and {serial} answer at ID {unit}")
                return found == serial
        return False

    @inlineCallbacks
    def _is_at(self, unit: int, serial: str) -> Steps:
        """Whether the meter answers at an ID now."""
        try:
            return (yield self.ask(unit, self.protocol.who(unit))) == serial
        except WireError:
            return False

    @inlineCallbacks
    def _seen_again(self, candidate: Candidate, slot: int | None) -> Steps:
        """The meter as it is in link mode now, or None."""
        try:
            found = yield self.ask(self.protocol.link_id, self.protocol.look(slot))
        except WireError:
            return None
        return found if found is not None and found.serial == candidate.serial else None

    @inlineCallbacks
    def _occupant(self, unit: int) -> Steps:
        """The serial of whoever answers at an ID, None when nobody does. Raises the last WireError when that cannot be
        told."""
        unanswered, trouble = 0, WireError()
        for attempt in range(TRIES):
            if attempt:
                yield self._pause()
            try:
                found = yield self.ask(unit, self.protocol.who(unit))
            except WireError as error:
                trouble = error
                continue
            if found is not None:
                return found
            unanswered += 1
            if unanswered == NOBODY:
                return None
        raise trouble

    def _duplicate(self, unit: int, serials: list[str], text: str) -> None:
        """An ID is not its owner's alone."""
        self.report("bus.duplicate_id", {"unit": unit, "serials": serials, "text": text})

    def _pause(self) -> Deferred[None]:
        return deferLater(self.clock, PAUSE_S)
