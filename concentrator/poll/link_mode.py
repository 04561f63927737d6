"""Link mode of one line, as people ask for it: entered, left, looked at, and what was cut off decided about. Hides how
meters are found and what is done with each; what follows what is in `link_life`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Candidate, LinkProtocol, Report
from concentrator.line.line import Line
from concentrator.model.errors import Busy, ConcentratorError, WireError
from concentrator.poll.addresses import Addresses, Taken
from concentrator.poll.link_life import Inputs, Steps, link_life
from concentrator.poll.link_news import COLLIDING, LinkNews, LinkStatus
from concentrator.poll.recovery import Recovery
from concentrator.poll.registrar import FACTORY_ID, SETTLE_S, Outcome, Registrar, Verdict
from concentrator.poll.slots import SlotSearch
from concentrator.wire.conversation import Conversation
from concentrator.wire.modbus import BROADCAST

LOOK_EVERY_S = 0.25
ALONE_S = 600.0
"""How long link mode goes on without any meter."""
GARBLED = 2
LIMIT = 32
"""The meters a bus may have besides the one at ID 1 (CcMaster user manual: 32 by cable)."""
ONCE = ("link.failed", "link.limit", "bus.duplicate_id")
REASON = "devices are being linked"

log = Logger()


@define(eq=False, repr=False)
class LinkMode:
    """Link mode of one line. `suspend(reason)` fires when polling stands aside, or fails with Busy; `go_on` lets it
    read on; `linked(serial, unit)` is told of each meter that has its ID (again after a power cut); `taken` gives the
    IDs of the line's configured devices with their serials, ID 1's among them."""

    line: Line
    clock: IReactorTime
    protocol: LinkProtocol
    addresses: Addresses
    suspend: Callable[[str], Deferred[None]] = field(kw_only=True)
    go_on: Callable[[], None] = field(kw_only=True)
    report: Report = field(kw_only=True)
    linked: Callable[[str, int], None] = field(kw_only=True)
    taken: Callable[[], Taken] = field(kw_only=True)
    limit: int = field(default=LIMIT, kw_only=True)
    _registrar: Registrar = field(init=False)
    _recovery: Recovery = field(init=False)
    _inputs: Inputs = field(init=False)
    _state: str = field(default="off", init=False)
    _news: LinkNews = field(factory=LinkNews, init=False)
    _told: set[tuple[object, ...]] = field(factory=set, init=False)
    _in_hand: Candidate | None = field(default=None, init=False)
    _ends_at: float = field(default=0.0, init=False)
    _why: str = field(default="", init=False)
    _looked_at: float = field(default=0.0, init=False)
    _settle_at: float | None = field(default=None, init=False)
    _garbled: int = field(default=0, init=False)
    _search: SlotSearch | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _starting: Deferred[None] | None = field(default=None, init=False)
    _stopping: list[Deferred[None]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._registrar = Registrar(
            self.clock, self.protocol, self.addresses, self._ask, self._tell, self._linked, self.taken, self.limit
        )
        self._recovery = Recovery(self.clock, self._registrar, self._trouble, lambda: self._inputs.recovered())
        self._inputs = link_life(
            Steps(
                stand_aside=self._stand_aside,
                look=self._look,
                wait=self._wait,
                search=self._search_on,
                assign=self._assign,
                settle=self._settle,
                finish=self._finish,
                leave=self._leave,
                after=self._after,
                recover=self._recovery.start,
                stop_recovery=self._recovery.stop,
            )
        )

    @property
    def is_on(self) -> bool:
        """Whether the line is in link mode, or on its way into or out of it."""
        return self._state != "off"

    def start(self) -> Deferred[None]:
        """Enters link mode; fires when polling stands aside. Fails with Busy when it is on already or something else
        has made polling stand aside."""
        if self.is_on or self._is_closed:
            return fail(Busy(f"{self.line.name} {'is in link mode already' if self.is_on else 'is being closed'}"))
        entered: Deferred[None] = Deferred()
        self._starting = entered
        self._inputs.start()
        return entered

    def stop(self) -> Deferred[None]:
        """Leaves link mode when the step in hand is over; fires when polling goes on. Nothing where it is off."""
        if not self.is_on:
            return succeed(None)
        over: Deferred[None] = Deferred()
        self._stopping.append(over)
        self._inputs.stop()
        return over

    def recover(self) -> None:
        """Finds out, beside polling, what became of meters that were being given an ID when something came between;
        for the program's start."""
        self._news.interrupted(self._undecided())
        self._inputs.recover()

    def close(self) -> Deferred[None]:
        """Ends all of it for good; fires when nothing is left to come."""
        self._is_closed = True
        self._inputs.rest()
        return self.stop()

    def release(self, serial: str) -> None:
        """A meter was deleted: its ID is free. Raises Busy while just this one is being given its ID."""
        if self._in_hand is not None and self._in_hand.serial == serial:
            raise Busy(f"{serial} is just being given its ID")
        self.addresses.release(serial)

    def status(self) -> LinkStatus:
        """How it stands now."""
        left_s = max(0.0, self._ends_at - self.clock.seconds()) if self.is_on else 0.0
        taken = sum(unit != FACTORY_ID for unit in self.taken())
        status = LinkStatus(self.line.name, self.is_on, self._state, seconds_left=left_s, taken=taken, limit=self.limit)
        return self._news.told(status, self._in_hand.serial if self._in_hand else "", self._undecided())

    def _undecided(self) -> dict[str, int]:
        return {serial: entry.unit for serial, entry in self.addresses.recover().items()}

    # -- what every step needs

    def _ask(self, unit: int, conversation: Conversation[Any]) -> Deferred[Any]:
        return self.line.run(unit, conversation, urgent=True)

    def _tell(self, name: str, facts: Mapping[str, object]) -> None:
        """Reports something, what may happen over and over only once for each meter or ID while link mode is on."""
        key = (name, facts.get("serial"), facts.get("unit"), str(facts.get("serials", "")))
        self._news.heard(name, facts)
        if name not in ONCE or key not in self._told:
            self._told.add(key)
            self.report(name, {"line": self.line.name, **facts})

    def _trouble(self, failure: Failure) -> None:
        """A step could not be carried out: remembered for people, and logged where nobody expected it."""
        self._news.trouble(failure.getErrorMessage())
        if not failure.check(ConcentratorError, OSError):
            log.failure("{line}: a step of link mode broke", line=self.line.name, failure=failure)

    def _linked(self, serial: str, unit: int) -> None:
        is_known = serial in self.taken().values()
        self.linked(serial, unit)
        self._news.linked(serial, unit, is_known)

    def _somebody(self) -> None:
        """A meter is there: link mode stays."""
        self._ends_at = self.clock.seconds() + ALONE_S

    # -- standing aside and leaving

    def _stand_aside(self) -> None:
        self._recovery.stop()
        self._state, self._why, self._told = "starting", "link mode was ended", set()
        self._news = LinkNews()
        self._garbled, self._search = 0, None
        self._settle_at = self.clock.seconds() + SETTLE_S if self.addresses.recover() else None
        self._somebody()
        maybeDeferred(self.suspend, REASON).addCallbacks(self._stood_aside, self._could_not)

    def _stood_aside(self, _: object) -> None:
        self._tell("link.started", {"text": f"{self.line.name} waits for devices whose button is pressed"})
        self._started(None)
        self._inputs.stood_aside()

    def _could_not(self, failure: Failure) -> None:
        self._trouble(failure)
        self._state = "off"
        self._inputs.could_not()
        self._started(failure)
        self._stopped()

    def _started(self, result: Any) -> None:
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.callback(result)

    def _finish(self) -> None:
        """Nothing more after the step in hand."""
        if self._search is not None:
            self._search.stop()

    def _leave(self) -> None:
        self._state = "leaving"
        self._stop_timer()
        leaving = maybeDeferred(self._ask, BROADCAST, self.protocol.leave())
        leaving.addErrback(self._trouble).addCallback(lambda _: self.go_on())
        leaving.addErrback(self._trouble).addCallback(self._left)

    def _left(self, _: object) -> None:
        self._state = "off"
        self._tell("link.left", {"text": self._why, "linked": len(self._news.found)})
        self._inputs.left()
        self._stopped()

    def _after(self) -> None:
        """What is undecided is decided beside polling."""
        if self.addresses.recover() and not self._is_closed:
            self._inputs.recover()

    def _stopped(self) -> None:
        stopping, self._stopping = self._stopping, []
        for each in stopping:
            each.callback(None)

    # -- looking

    def _look(self) -> None:
        self._state = "looking"
        self._looked_at = self.clock.seconds()
        looking = self._ask(self.protocol.link_id, self.protocol.look())
        looking.addCallbacks(self._seen, self._unseen).addErrback(self._trouble)

    def _seen(self, candidate: Candidate | None) -> None:
        self._garbled, self._search = 0, None
        if candidate is None:
            self._inputs.nobody()
        else:
            self._inputs.found(candidate)

    def _unseen(self, failure: Failure) -> None:
        """No answer that can be used: several at once, noise, or no line."""
        if not failure.check(WireError):
            self._trouble(failure)
        else:
            self._garbled += 1
            is_given_up = self._search is not None and self._search.is_given_up
            if self._garbled >= GARBLED and not is_given_up:
                self._inputs.several()
                return
        self._inputs.nobody()

    def _wait(self) -> None:
        now = self.clock.seconds()
        self._state = "looking"
        if now >= self._ends_at:
            self._why = f"link mode ended: no device for {ALONE_S / 60:.0f} minutes"
            self._news.left_alone()
            self._inputs.time_is_up()
        elif self._settle_at is not None and now >= self._settle_at:
            self._inputs.unsettled()
        else:
            self._timer = self.clock.callLater(max(0.0, self._looked_at + LOOK_EVERY_S - now), self._inputs.look)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # -- several at once, and one at a time

    def _search_on(self) -> None:
        self._state = "collision"
        self._news.collided()
        if self._search is None:
            self._search = SlotSearch(self.protocol, self._ask)
            self._tell("link.collision", {"text": COLLIDING})
        searching = self._search.next()
        searching.addErrback(self._trouble).addCallback(self._searched)

    def _searched(self, candidate: Candidate | None) -> None:
        if candidate is None:
            self._inputs.searched()
        else:
            self._inputs.found(candidate)

    def _assign(self, candidate: Candidate) -> None:
        self._state, self._in_hand = "assigning", candidate
        self._somebody()
        giving = self._registrar.give(candidate, self._search.slot if self._search else None)
        giving.addCallbacks(self._given, self._cut_off).addErrback(self._trouble).addCallback(self._assigned)

    def _given(self, outcome: Outcome) -> None:
        self._news.came_of(self._in_hand.serial if self._in_hand else "", outcome)
        if outcome.verdict is Verdict.UNSURE:
            self._settle_at = self.clock.seconds() + SETTLE_S

    def _cut_off(self, failure: Failure) -> None:
        """The line, the disk or whoever was to be told was not there: what became of the meter is found out later."""
        self._trouble(failure)
        self._settle_at = self.clock.seconds() + SETTLE_S

    def _assigned(self, _: object) -> None:
        self._in_hand = None
        if self._search is not None and self._search.slot is not None:
            self._inputs.next_slot()
        else:
            self._inputs.over()

    # -- what is undecided

    def _settle(self) -> None:
        self._state = "confirming"
        settling = self._registrar.settle()
        settling.addErrback(self._trouble).addCallback(self._settling_is_over)

    def _settling_is_over(self, _: object) -> None:
        is_left = bool(self.addresses.recover())
        self._settle_at = self.clock.seconds() + SETTLE_S if is_left else None
        self._inputs.over()
