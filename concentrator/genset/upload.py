"""What a session does while it is online: reads the controller by the server's commands, uploads what it answered or
what changed of it, keeps the connection warm, asks the time, and carries out what the server wants written. It hides
the rhythm of all that.

Reading goes in rounds, one after the other, at the rate the server wants. What the controller does not answer keeps its
last value for three rounds; when nothing is left, nothing but the heartbeat is sent. A command that writes is sent
once, whatever comes of it: nobody knows whether a start that was not answered was carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IDelayedCall

from concentrator.genset.history import History
from concentrator.genset.image import Image, messages_of
from concentrator.genset.talk import Talk
from concentrator.genset.terms import Controller, Figures, Surroundings, Terms
from concentrator.model.errors import ConcentratorError, Garbled
from concentrator.wire.smartgen import Changes, FullSet, Heartbeat, Inputs, Saying, Timing, Written
from concentrator.wire.smartgen_fields import Frame
from concentrator.wire.smartgen_server import LoginAnswer, TimeTold, WriteConfig

HEARTBEAT_S = 5.0
"""The server hears something at least that often; there are servers that close after 10 s without."""
FULL_S = 600.0
TIMING_S = 6 * 3600.0
COMMAND_S = 3.0
"""How long the controller may take to answer a read."""
ORDER_S = 10.0
"""The same for what is to be written: it waits for its turn, for what was written before it to have settled, and for
the controller. Servers give up after 30 s."""
SOON_S = 0.2
"""How soon a round follows that has a reason of its own."""
MOST_ORDERS = 4
"""Commands of the server's that wait for their turn; more are refused."""


class Upload:
    """Uploads on one long connection, from now until `stop`."""

    def __init__(
        self,
        terms: Terms,
        answer: LoginAnswer,
        controller: Controller,
        around: Surroundings,
        inputs: Inputs,
        history: History,
        figures: Figures,
    ) -> None:
        self._history = history
        self._figures = figures
        self._terms = terms
        self._answer = answer
        self._controller = controller
        self._clock = around.clock
        self._on_time = around.on_time
        self._inputs = inputs
        self._hostid = terms.login.hostid
        self._rate_s = answer.online_s or answer.offline_s or terms.rate_s
        self._image = Image(answer.always)
        self._full_since: float | None = None
        self._wants_once = True
        self._orders: deque[WriteConfig] = deque()
        self._is_reading = False
        self._wants_round = False
        self._is_hastened = False
        self._is_stopped = False
        self._calls: dict[str, IDelayedCall] = {}
        self._talk: Talk

    def start(self, talk: Talk) -> None:
        """Begins, on that connection."""
        self._talk = talk
        self._warm()
        self._ask_time()
        self._again("history", self._terms.history_s, self._file)
        self._round_now()

    def stop(self) -> None:
        """Ends; what the controller still answers is not used."""
        self._is_stopped = True
        for call in self._calls.values():
            if call.active():
                call.cancel()

    def inputs_changed(self, inputs: Inputs) -> None:
        """The modem's own inputs stand like this now: the server hears it at once."""
        self._inputs = inputs
        self._say(Changes(self._hostid, (), inputs), "reqdatachange", is_urgent=True)

    def hasten(self) -> None:
        """Something happened at the controller: it is read and uploaded now."""
        self._is_hastened = True
        self._round_now()

    def told(self, told: TimeTold) -> None:
        """The server said what time it is."""
        if told.time_s is not None:
            self._on_time(told.time_s)

    def ordered(self, order: WriteConfig) -> None:
        """The server wants something written."""
        if order.command is None:
            self._rewire(order)
        elif self._frame_of(order) is None or len(self._orders) >= MOST_ORDERS:
            self._answer_to(order, False)
        else:
            self._orders.append(order)
            self._round_now()

    def _rewire(self, order: WriteConfig) -> None:
        if self._terms.allow_rewire and order.wiring is not None:
            self._controller.rewire(order.wiring)
        self._say(Written(self._hostid, order.uid, wiring=self._controller.wiring))

    def _frame_of(self, order: WriteConfig) -> Frame | None:
        """The command for our controller; None where it is not allowed, or none that is ever passed on."""
        try:
            wanted = order.frame()
        except Garbled:
            return None
        is_allowed = self._terms.allow_write and not self._inputs.inhibit and self._controller.wiring.port != 0
        is_ours = wanted.unit in (0, 1, self._terms.unit)
        return wanted if is_allowed and is_ours else None

    def _answer_to(self, order: WriteConfig, is_done: bool) -> None:
        self._figures.written += is_done
        self._figures.refused += not is_done
        pair = self._controller.wiring if order.wiring is not None else None
        self._say(Written(self._hostid, order.uid, order.command, is_done, pair))

    def _round_now(self) -> None:
        """A round, now or as soon as the one in hand is over."""
        self._wants_round = self._is_reading
        if not self._is_reading:
            self._is_reading = True
            Deferred.fromCoroutine(self._round())

    async def _round(self) -> None:
        began = self._clock.seconds()
        self._figures.rounds += 1
        await self._carry_out()
        for command in self._answer.always:
            reply = await self._asked(command)
            if reply is None:
                self._figures.unanswered += 1
                self._image.miss(command)
            else:
                self._image.take(command, reply)
            await self._carry_out()
        if not self._is_stopped:
            self._upload()
        if self._wants_once and (self._image.frames or not self._answer.always):
            await self._read_once()
        self._is_reading = False
        due_s = max(0.0, began + self._rate_s - self._clock.seconds())
        due_s = min(due_s, SOON_S) if self._wants_round else due_s
        self._again("round", 0.0 if self._orders else due_s, self._round_now)

    async def _carry_out(self) -> None:
        """What the server wants written; all of it goes before the next thing is read."""
        while self._orders and not self._is_stopped:
            order = self._orders.popleft()
            request = self._frame_of(order)
            reply = None if request is None else await self._written(request)
            if not self._is_stopped:
                self._answer_to(order, reply is not None)
                self._wants_once = self._wants_once or reply is not None

    async def _written(self, request: Frame) -> bytes | None:
        reply = await self._asked(request)
        return await self._asked(request) if reply is None and request.is_reading else reply

    async def _read_once(self) -> None:
        self._wants_once = False
        replies = [(command, await self._asked(command)) for command in self._answer.once]
        frames = tuple(bytes(Frame(command.unit, reply)) for command, reply in replies if reply is not None)
        if frames and not self._is_stopped:
            self._say(FullSet(self._hostid, frames), "reqdata")

    async def _asked(self, command: Frame) -> bytes | None:
        """The reply's PDU, None where there was none in time, or a refusal."""
        if self._is_stopped or self._controller.wiring.port == 0:
            return None
        # Servers name slave 0, which on RS-485 nobody answers, or 1, the default, for the controller whatever its ID.
        request = command.of(self._terms.unit) if command.unit in (0, 1) else command
        asked = self._controller.ask(request)
        asked.addTimeout(COMMAND_S if request.is_reading else ORDER_S, self._clock)
        try:
            return await asked
        except (ConcentratorError, TimeoutError, CancelledError):
            return None

    def _upload(self) -> None:
        if self._talk.is_behind:
            self._wants_round = self._wants_round or self._is_hastened
            return  # the next round has it, which is soon where there is a reason
        self._is_hastened = False
        if self._answer.is_full:
            if frames := self._image.frames:
                self._say(FullSet(self._hostid, frames), "reqdata")
                self._count_upload()
            return
        now = self._clock.seconds()
        if self._full_since is None or now - self._full_since >= FULL_S:
            self._full_since = now
            self._image.forget()
        for runs in messages_of(self._image.changes()):
            self._say(Changes(self._hostid, runs, self._inputs), "reqdatachange")
            self._count_upload()

    def _count_upload(self) -> None:
        self._figures.uploads += 1
        self._figures.uploaded_at = self._clock.seconds()

    def _file(self) -> None:
        self._history.keep(self._image.frames, self._answer.history)
        self._again("history", self._terms.history_s, self._file)

    def _ask_time(self) -> None:
        self._say(Timing(self._hostid), "timing")
        self._again("timing", TIMING_S, self._ask_time)

    def _beat(self) -> None:
        self._say(Heartbeat(self._hostid), "hb")

    def _say(self, saying: Saying, awaited: str = "", is_urgent: bool = False) -> None:
        self._talk.say(saying, awaited, is_urgent)
        self._warm()

    def _warm(self) -> None:
        self._again("heartbeat", HEARTBEAT_S, self._beat)

    def _again(self, name: str, seconds: float, what: Callable[[], None]) -> None:
        if self._is_stopped or (name == "history" and not seconds):
            return
        call = self._calls.get(name)
        if call is not None and call.active():
            call.cancel()
        self._calls[name] = self._clock.callLater(seconds, what)
