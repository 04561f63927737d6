"""One genset's session with a SmartGen cloud server: takes the steps of its life. It hides the connections, the pauses
between them, and who may speak on which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory

from concentrator.genset.history import History
from concentrator.genset.life import life_of
from concentrator.genset.talk import Talk
from concentrator.genset.terms import Controller, Figures, Surroundings, Terms
from concentrator.genset.upload import Upload
from concentrator.wire.smartgen import Inputs, LongCon, ResetTaken, Saying
from concentrator.wire.smartgen_server import Acknowledged, LoginAnswer, Order, Reset, TimeTold, WriteConfig

PATIENCE_S = 30.0
"""How long registering may take, and how long calling, from looking up the name to the answer."""
LOST_S = (2.0, 60.0)
REFUSED_S = (60.0, 900.0)
"""Shortest and longest pause after a connection was lost, and after the server refused."""
ONLINE = "Online"
"""How a session stands whose server takes what it says."""
STEADY_S = 60.0
"""A connection that lasted so long was no failure: the next pause is a short one again."""
RESETS_S = 60.0
"""How often a server may order a login in the long run: no more than it is called when it is lost."""
MOST_CALLS = 5
"""Failures in a row of the long connection before the modem registers anew."""


class Session:
    """A session, from `begin` to `end`; after `hasten` come the steps of its life."""

    def __init__(self, terms: Terms, controller: Controller, around: Surroundings) -> None:
        self._terms = terms
        self._controller = controller
        self._around = around
        self._clock = around.clock
        self._life = life_of(self)
        self.figures = Figures()
        self.history = History(terms.login.hostid, around)
        self._answer = LoginAnswer()
        self._inputs = Inputs()
        self._upload: Upload | None = None
        self._talk: Talk | None = None
        self._attempt: Deferred[Any] | None = None
        self._timer: IDelayedCall | None = None
        self._online_since: float | None = None
        self._failures = 0
        self._failed_calls = 0
        self._refusals = 0
        self._resets_until = float("-inf")
        self._wait_s = 0.0

    @property
    def answer(self) -> LoginAnswer:
        """What the server said at the last login."""
        return self._answer

    def begin(self) -> None:
        """Registers, and stays online until `end`."""
        self._life.begin()

    def end(self) -> None:
        """Leaves, and stays away; more than once is once."""
        self._life.end()

    def inputs_changed(self, inputs: Inputs) -> None:
        """The modem's own inputs stand like this now: a server that is there hears it at once."""
        if inputs != self._inputs:
            self._inputs = inputs
            if self._upload is not None:
                self._upload.inputs_changed(inputs)

    def changed(self) -> None:
        """What the modem says of itself at a login is another, where it is for one: a server that is there hears it."""
        self._life.changed()

    def hasten(self) -> None:
        """An alarm began or ended at the controller: it is read and uploaded now."""
        if self._upload is not None:
            self._upload.hasten()

    def register(self) -> None:
        """Calls the server, and logs in; in a while, where it ordered that without end."""
        if self._wait_s:
            wait_s, self._wait_s = self._wait_s, 0.0
            self._around.on_standing("Waiting: the server orders one login after another")
            self._set_timer(wait_s, self.register)
            return
        self._around.on_standing("Registering")
        self._failed_calls = 0
        said = self._terms.login
        login = evolve(said, wiring=self._controller.wiring, location=self._around.where() or said.location)
        self._connect(self._terms.server, login, "login", self._heard_at_login)

    def accept(self, answer: LoginAnswer) -> None:
        """Takes the server's terms; the short connection has done its work."""
        self._answer = answer
        self._refusals = 0
        if answer.time_s is not None:
            self._around.on_time(answer.time_s)
        if answer.wiring is not None and self._terms.allow_rewire:
            self._controller.rewire(answer.wiring)

    def call(self) -> None:
        """Calls where the long connection goes."""
        self._around.on_standing("Connecting")
        place = self._answer.live or self._terms.server
        is_deflated = self._terms.login.can_deflate and self._answer.is_deflated
        self._connect(place, LongCon(self._terms.login.hostid), "longcon", self._heard, is_deflated)

    def work(self) -> None:
        """Begins to upload."""
        self._around.on_standing(ONLINE)
        self.figures.logins += 1
        self._online_since = self._clock.seconds()
        self._set_timer()
        if self._talk is not None:
            kept = self._inputs, self.history, self.figures
            self._upload = Upload(self._terms, self._answer, self._controller, self._around, *kept)
            self._upload.start(self._talk)

    def rest(self, why: str, is_refused: bool) -> None:
        """Leaves the connection, and waits: twice as long after each failure in a row, with some chance in it."""
        self._around.on_standing(f"Waiting: {why}")
        self._leave()
        since, self._online_since = self._online_since, None
        if since is not None and self._clock.seconds() - since >= STEADY_S:
            self._failures = self._failed_calls = 0
        self._refusals = self._refusals + 1 if is_refused else self._refusals
        self._failures = self._failures if is_refused else self._failures + 1
        shortest, longest = REFUSED_S if is_refused else LOST_S
        times = self._refusals if is_refused else self._failures
        pause_s = min(shortest * 2 ** min(times - 1, 16), longest) * (1 - self._around.jitter() / 4)
        self._failed_calls += 1
        go_on = self._life.lost_faith if self._failed_calls >= MOST_CALLS else self._life.rested
        self._set_timer(pause_s, go_on)

    def take_leave(self) -> None:
        """Confirms a reset, and closes."""
        self._leave(ResetTaken(self._terms.login.hostid))
        now = self._clock.seconds()
        self._wait_s = max(0.0, self._resets_until - now)
        self._resets_until = now + self._wait_s + RESETS_S

    def anew(self) -> None:
        """Closes, and logs in."""
        self._leave()
        self.register()

    def stop(self) -> None:
        """Leaves for good."""
        self._around.on_standing("Stopped")
        self._leave()
        self.history.stop()

    def _connect(
        self,
        place: tuple[str, int],
        first: Saying,
        awaited: str,
        heard: Callable[[Order], None],
        is_deflated: bool = False,
    ) -> None:
        self._leave()
        talk = Talk(self._clock, heard, lambda why: self._lost(talk, why), is_deflated)
        self._talk = talk
        self._set_timer(PATIENCE_S, lambda: talk.leave(f"no answer in {PATIENCE_S:g} s"))
        self._attempt = self._around.reach(*place).connect(Factory.forProtocol(lambda: talk))
        self._attempt.addCallbacks(
            lambda _: talk.say(first, awaited),
            lambda failure: self._lost(talk, f"not reached: {failure.getErrorMessage()}"),
        )

    def _lost(self, talk: Talk, why: str) -> None:
        if talk is self._talk:
            self._talk = None
            self._life.failed(why)

    def _heard_at_login(self, order: Order) -> None:
        if not isinstance(order, LoginAnswer):
            return
        if order.is_registered:
            self._life.registered(order)
        else:
            self._life.refused(f"the server refuses: {order.code} {order.message}")

    def _heard(self, order: Order) -> None:
        if self._upload is None:
            self._heard_at_call(order)
        elif isinstance(order, TimeTold):
            self._upload.told(order)
        elif isinstance(order, WriteConfig):
            self._upload.ordered(order)
        elif isinstance(order, Reset):
            self._life.told_to_reset()
        elif isinstance(order, Acknowledged) and not order.is_success:
            self._around.on_standing(f"Online, but the server refuses: {order.code} {order.message}")

    def _heard_at_call(self, order: Order) -> None:
        if isinstance(order, Acknowledged) and order.answers("longcon"):
            if order.is_success:
                self._life.welcomed()
            else:
                self._life.failed(f"the server refuses: {order.code} {order.message}")

    def _leave(self, last: Saying | None = None) -> None:
        talk, attempt, upload = self._talk, self._attempt, self._upload
        self._talk = self._attempt = self._upload = None
        self._set_timer()
        if upload is not None:
            upload.stop()
        if talk is not None:
            talk.close(last)
        if attempt is not None:
            attempt.cancel()

    def _set_timer(self, seconds: float = 0.0, then: Callable[[], None] | None = None) -> None:
        """The one thing that is waited for, or nothing any more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if then is None else self._clock.callLater(seconds, then)
